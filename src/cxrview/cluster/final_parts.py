"""The parts of the result, from the parts of the blocks: copies marked, 10,000 rows in each."""

import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from cxrview.cluster.duplicates import WARNINGS, Copies, PartRows
from cxrview.cluster.ledger import FinishedBlock
from cxrview.cluster.store import Store
from cxrview.results.columns import COLUMNS
from cxrview.results.tables import ROW_GROUP


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """Some rows of a block's part.

    Attributes:
        part: name in the store of the job.
        first: its first row that is taken.
        count: number of rows.
    """

    part: str
    first: int
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FinalPart:
    """A part of the result.

    Attributes:
        number: of the part.
        first: number of its first row in the table.
        pieces: its rows, in order.
    """

    number: int
    first: int
    pieces: tuple[Piece, ...]

    @property
    def name(self) -> str:
        """Name of its file, as `write_partitioned` names it."""
        return f"part-{self.number:05}.parquet"


def part_rows(blocks: Iterable[FinishedBlock]) -> Iterator[PartRows]:
    """Yield the parts of blocks that have rows, with the number of their first row."""
    first = 0
    for block in blocks:
        if block.rows:
            yield PartRows(part=block.part, first=first)
        first += block.rows


def final_parts(blocks: Iterable[FinishedBlock], rows: int = ROW_GROUP) -> Iterator[FinalPart]:
    """Cut the rows of all blocks into the parts of the result; one empty part without rows.

    Args:
        blocks: all of a job, in order.
        rows: of each part but the last.
    """
    number = taken = 0
    pieces: list[Piece] = []
    for block in blocks:
        first = 0
        while first < block.rows:
            count = min(block.rows - first, rows - taken)
            pieces.append(Piece(part=block.part, first=first, count=count))
            first, taken = first + count, taken + count
            if taken == rows:
                yield FinalPart(number=number, first=number * rows, pieces=tuple(pieces))
                number, taken, pieces = number + 1, 0, []
    if pieces or not number:
        yield FinalPart(number=number, first=number * rows, pieces=tuple(pieces))


def copies_within(copies: Copies, part: FinalPart) -> Copies:
    """Return the copies among the rows of a part, counted from its first row."""
    count = sum(piece.count for piece in part.pieces)
    return {
        name: rows[np.searchsorted(rows, part.first) : np.searchsorted(rows, part.first + count)]
        - part.first
        for name, rows in copies.items()
    }


def write_final_part(job: Store, table: Store, part: FinalPart, copies: Copies) -> None:
    """Write a part of the result; written again, it is the same file.

    Args:
        job: store of the job, with the parts of the blocks.
        table: folder of the result.
        part: to write.
        copies: its rows that are copies, from `copies_within`.

    Raises:
        RunStopped: the disk or the store fails.
    """
    import pyarrow.parquet as pq

    file = io.BytesIO()
    pq.write_table(_marked(_rows(job, part.pieces), copies), file, compression="zstd")
    table.put(part.name, file.getvalue())


def _rows(job: Store, pieces: Sequence[Piece]) -> Any:
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = pa.schema([(name, pa.type_for_alias(kind)) for name, kind in COLUMNS.items()])
    tables = [schema.empty_table()]
    for piece, data in zip(pieces, job.get_all([piece.part for piece in pieces]), strict=True):
        tables.append(pq.read_table(io.BytesIO(data)).slice(piece.first, piece.count))
    return pa.concat_tables(tables).combine_chunks()


def _marked(rows: Any, copies: Copies) -> Any:
    """Add the warnings of copies to the column `warnings`."""
    import pyarrow as pa

    if not any(len(copies[name]) for name in WARNINGS):
        return rows
    warnings: list[str | None] = rows["warnings"].to_pylist()
    for name, warning in WARNINGS.items():
        for row in copies[name].tolist():
            warnings[row] = f"{warnings[row]};{warning}" if warnings[row] else warning
    place = rows.column_names.index("warnings")
    return rows.set_column(place, "warnings", pa.array(warnings, pa.string()))
