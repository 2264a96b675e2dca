"""The ledger of a job: one small object for each finished block, which names the rows that count.

A worker writes the rows of a block under a name of their own, and then the entry of the ledger,
which is the only moment at which the block is finished. Rows that no entry names, of a worker that
died in between, are never read. A block that two workers have finished has the entry of the later
one, and both wrote the same rows.
"""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field

from cxrview.cluster.store import Store

FOLDER = "ledger"
_ENDING = ".json"

Count = tuple[str | None, str | None, str | None, str | None, int]
"""Failure code, decision, view and agreement, and the number of files that have them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FinishedBlock:
    """The outcome of a block.

    Attributes:
        number: of the block.
        files: number of its files: one row or failure for each.
        rows: number of its rows.
        part: name of the Parquet file with the rows, in the order of the block; empty without rows.
        failures: name of the failures as JSON lines; empty without failures.
        counts: of the files, as `Journal.counts` returns them.
        answers: of the images, as `Journal.answer_counts` returns them.
    """

    number: int
    files: int
    rows: int
    part: str
    failures: str
    counts: tuple[Count, ...] = ()
    answers: dict[str, int] = field(default_factory=dict)


class Ledger:
    """The finished blocks of a job in its store.

    Args:
        store: of the job.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    def enter(self, block: FinishedBlock) -> None:
        """Note that a block is finished, after its rows and failures were written.

        Raises:
            CannotWrite: the disk or the store fails.
        """
        text = json.dumps(asdict(block))
        self._store.put(f"{FOLDER}/{block.number:08}{_ENDING}", text.encode())

    def entries(self) -> Iterator[FinishedBlock]:
        """Yield the finished blocks, by number.

        Raises:
            InputUnavailable: the disk or the store fails.
        """
        names = [name for name in self._store.names(FOLDER) if name.endswith(_ENDING)]
        for data in self._store.get_all([f"{FOLDER}/{name}" for name in names]):
            facts = json.loads(data)
            counts = tuple((*found[:4], int(found[4])) for found in facts.pop("counts"))
            yield FinishedBlock(**facts, counts=counts)
