"""Shares of an archive for several machines that know nothing of each other."""

import hashlib
import re
from dataclasses import dataclass
from typing import Self

from cxrview.errors import UsageError
from cxrview.sources.find import UnlistedFolder
from cxrview.sources.paths import path_key

MOST_SHARDS = 65_536


@dataclass(frozen=True, slots=True, kw_only=True)
class Shard:
    """One share of several; every file lies in exactly one, on every machine the same."""

    number: int
    """1 to `count`."""
    count: int

    def __post_init__(self) -> None:
        if not 1 <= self.number <= self.count <= MOST_SHARDS:
            raise UsageError(
                f"there is no shard {self.number}/{self.count}",
                f"3/8 is the third of eight; {MOST_SHARDS} is the most",
            )

    @classmethod
    def named(cls, text: str) -> Self:
        """The shard that a text such as 3/8 names.

        Raises:
            UsageError: it names none.
        """
        found = re.fullmatch(r"(\d{1,9})/(\d{1,9})", text, re.ASCII)
        if not found:
            raise UsageError(f"{text} is no shard", "3/8 is the third of eight")
        return cls(number=int(found[1]), count=int(found[2]))

    def __str__(self) -> str:
        return f"{self.number}/{self.count}"

    def holds(self, path: str) -> bool:
        """Whether a file is in this share, by its path alone.

        What could not be listed is in all of them: were it in one, then all that another
        machine does not see of the archive would go unnoticed.
        """
        if isinstance(path, UnlistedFolder):
            return True
        # Not hash(): Python salts it anew in each process.
        digest = hashlib.blake2b(path_key(path), digest_size=8).digest()
        return int.from_bytes(digest) % self.count == self.number - 1
