"""Shards: shares of an archive for several machines that need not communicate."""

import hashlib
import re
from dataclasses import dataclass
from typing import Self

from cxrview.errors import UsageError
from cxrview.sources.find import UnlistedFolder
from cxrview.sources.paths import path_key

MAX_SHARDS = 65_536


@dataclass(frozen=True, slots=True, kw_only=True)
class Shard:
    """One of several shards; every file is in exactly one, the same on every machine."""

    number: int
    """1 to `count`."""
    count: int

    def __post_init__(self) -> None:
        if not 1 <= self.number <= self.count <= MAX_SHARDS:
            raise UsageError(
                f"shard {self.number}/{self.count} does not exist",
                f"3/8 is the third of eight; there are at most {MAX_SHARDS}",
            )

    @classmethod
    def named(cls, text: str) -> Self:
        """Parse a shard such as 3/8.

        Raises:
            UsageError: it is not a shard.
        """
        found = re.fullmatch(r"(\d{1,9})/(\d{1,9})", text, re.ASCII)
        if not found:
            raise UsageError(f"{text} is not a shard", "3/8 is the third of eight")
        return cls(number=int(found[1]), count=int(found[2]))

    def __str__(self) -> str:
        return f"{self.number}/{self.count}"

    def holds(self, path: str) -> bool:
        """Whether a file is in this shard, by its path alone.

        A folder that cannot be listed is in every shard: otherwise a machine that cannot read
        a part of the archive would not report it.
        """
        if isinstance(path, UnlistedFolder):
            return True
        # Not hash(), which has another salt in each process.
        digest = hashlib.blake2b(path_key(path), digest_size=8).digest()
        return int.from_bytes(digest) % self.count == self.number - 1
