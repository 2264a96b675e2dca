"""Find the rows whose image is a copy of an earlier one, among the parts of all blocks.

It is a shuffle: rows are dealt into buckets by a digest of their key, so that equal keys meet in
one bucket, and in each bucket all but the first row of a key are copies. A key is the SOP Instance
UID, or the digest of the file's bytes; see `results.duplicates`.
"""

import hashlib
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cxrview.cluster.store import Store
from cxrview.results.duplicates import SAME_FILE, SAME_UID

KEY = np.dtype([("high", "<u8"), ("low", "<u8"), ("row", "<i8")])
"""128 bits of a digest, in two halves, and the number of the row in the table."""
WARNINGS = {"sop_instance_uid": SAME_UID, "content_id": SAME_FILE}
"""Column of each kind of key, and the warning of its copies, in the order of the warnings."""

Keys = NDArray[np.void]
"""Shape (n,), dtype KEY."""
Copies = dict[str, NDArray[np.int64]]
"""For each column of WARNINGS the numbers of the rows that are copies, sorted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PartRows:
    """The rows of a part.

    Attributes:
        part: name in the store of the job.
        first: number of its first row in the table.
    """

    part: str
    first: int


def keys_of(store: Store, parts: Sequence[PartRows], buckets: int) -> list[tuple[Keys, ...]]:
    """Read the keys of parts, and deal them into buckets.

    Args:
        store: of the job.
        parts: to read.
        buckets: number of buckets.

    Returns:
        For each bucket the keys of each kind in WARNINGS.

    Raises:
        InputUnavailable: the disk or the store fails.
    """
    found: dict[str, list[tuple[int, int, int]]] = {name: [] for name in WARNINGS}
    for one, data in zip(parts, store.get_all([one.part for one in parts]), strict=True):
        columns = _columns(data)
        for name, keys in found.items():
            for place, text in enumerate(columns[name]):
                if text:
                    digest = hashlib.blake2b(text.encode("utf-8"), digest_size=16).digest()
                    high, low = digest[:8], digest[8:]
                    keys.append(
                        (
                            int.from_bytes(high, "little"),
                            int.from_bytes(low, "little"),
                            one.first + place,
                        )
                    )
    tables = [np.array(found[name], KEY) for name in WARNINGS]
    return [
        tuple(table[table["low"] % buckets == bucket] for table in tables)
        for bucket in range(buckets)
    ]


def copies_among(dealt: Iterable[tuple[Keys, ...]]) -> Copies:
    """Find the copies in one bucket.

    Args:
        dealt: the keys of this bucket, from all parts.

    Returns:
        The rows that have a key of an earlier row.
    """
    kinds = zip(*dealt, strict=True)
    return {
        name: _later_rows(np.concatenate(keys)) for name, keys in zip(WARNINGS, kinds, strict=True)
    }


def join_copies(found: Sequence[Copies]) -> Copies:
    """Join the copies of all buckets."""
    none = np.empty(0, np.int64)
    return {
        name: np.sort(np.concatenate([none, *(copies[name] for copies in found)]))
        for name in WARNINGS
    }


def _later_rows(keys: Keys) -> NDArray[np.int64]:
    keys = np.sort(keys, order=["high", "low", "row"])
    is_again = (keys["high"][1:] == keys["high"][:-1]) & (keys["low"][1:] == keys["low"][:-1])
    return np.sort(keys["row"][1:][is_again])


def _columns(part: bytes) -> dict[str, list[str | None]]:
    import pyarrow.parquet as pq

    columns: dict[str, list[str | None]] = pq.read_table(
        io.BytesIO(part), columns=list(WARNINGS)
    ).to_pydict()
    return columns
