"""The blocks of a job: its listing, cut into numbered lists of paths that are kept in the store.

The blocks are written while the files are found. A job that is started again reads the same blocks,
so that it depends neither on the order of a second listing nor on files that were added since.
"""

import gzip
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass

from cxrview.cluster.store import Store
from cxrview.sources.find import UnlistedFolder

FOLDER = "blocks"
_END = f"{FOLDER}/end.json"
_ENDING = ".json.gz"
FEWEST, MOST = 16, 1024
"""Number of files in the first block, and in a late block of a large archive."""
SHARE = 64
"""A block has at most one file for every SHARE files that were listed before, so that a small
archive, too, has enough blocks for all workers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """What a complete listing has found.

    Attributes:
        blocks: number of blocks.
        files: number of files in them.
        known: files that were left out since an earlier result has them.
        named_again: paths that were named twice, and are in the blocks once.
    """

    blocks: int
    files: int
    known: int = 0
    named_again: int = 0


def block_size(listed: int) -> int:
    """Return the number of files in the block that begins after `listed` files."""
    return min(MOST, max(FEWEST, listed // SHARE))


class Blocks:
    """The blocks of a job in its store.

    Args:
        store: of the job.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    def write(self, number: int, paths: Sequence[str]) -> None:
        """Write a block.

        Raises:
            CannotWrite: the disk or the store fails.
        """
        unlisted = {
            str(place): path.reason
            for place, path in enumerate(paths)
            if isinstance(path, UnlistedFolder)
        }
        text = json.dumps({"paths": list(map(str, paths)), "unlisted": unlisted})
        self._store.put(_name(number), gzip.compress(text.encode("ascii"), 1, mtime=0))

    def read(self, number: int) -> list[str]:
        """Read the paths of a block, in the order found.

        Raises:
            FileNotFoundError: the block does not exist.
            InputUnavailable: the disk or the store fails.
        """
        return _paths(self._store.get(_name(number)))

    def read_first(self, count: int) -> Iterator[list[str]]:
        """Read the first blocks, in order; errors as for `read`."""
        return map(_paths, self._store.get_all([_name(number) for number in range(count)]))

    def count(self) -> int:
        """Count the blocks that are there.

        Raises:
            InputUnavailable: the disk or the store fails.
        """
        return sum(name.endswith(_ENDING) for name in self._store.names(FOLDER))

    def write_end(self, listing: Listing) -> None:
        """Note that the listing is complete.

        Raises:
            CannotWrite: the disk or the store fails.
        """
        self._store.put(_END, json.dumps(asdict(listing)).encode())

    def read_end(self) -> Listing | None:
        """Return what was found; None if the listing is not complete.

        Raises:
            InputUnavailable: the disk or the store fails.
        """
        try:
            return Listing(**json.loads(self._store.get(_END)))
        except FileNotFoundError:
            return None


def _name(number: int) -> str:
    return f"{FOLDER}/{number:08}{_ENDING}"


def _paths(data: bytes) -> list[str]:
    facts = json.loads(gzip.decompress(data))
    paths: list[str] = facts["paths"]
    for place, reason in facts["unlisted"].items():
        paths[int(place)] = UnlistedFolder(paths[int(place)], reason)
    return paths
