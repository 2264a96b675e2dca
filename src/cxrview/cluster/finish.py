"""Make the table of a job whose blocks are all finished: mark copies, and write the parts."""

from collections.abc import Iterator, Sequence

from cxrview.cluster.duplicates import (
    Copies,
    Keys,
    PartRows,
    copies_among,
    join_copies,
    keys_of,
)
from cxrview.cluster.engine import Engine
from cxrview.cluster.final_parts import copies_within, final_parts, part_rows, write_final_part
from cxrview.cluster.ledger import FinishedBlock
from cxrview.cluster.store import Store

ROWS_OF_A_TASK = 1_000_000
"""Rows whose keys one task reads."""
ROWS_OF_A_BUCKET = 4_000_000
"""Rows whose keys meet in one task: about 200 MB."""


def write_parts(engine: Engine, job: Store, table: Store, blocks: Sequence[FinishedBlock]) -> int:
    """Write the parts of the result; return their number.

    Args:
        engine: whose cores are free.
        job: store of the job.
        table: folder of the result.
        blocks: all of the job, in order.

    Raises:
        RunStopped: a disk, a store or the cluster fails.
    """
    copies = find_copies(engine, job, blocks)
    calls = ((job, table, part, copies_within(copies, part)) for part in final_parts(blocks))
    return sum(1 for _ in engine.map(write_final_part, calls))


def find_copies(
    engine: Engine,
    job: Store,
    blocks: Sequence[FinishedBlock],
    *,
    rows_of_a_task: int = ROWS_OF_A_TASK,
    rows_of_a_bucket: int = ROWS_OF_A_BUCKET,
) -> Copies:
    """Find the rows that are copies of earlier ones.

    Args:
        engine: whose cores are free.
        job: store of the job.
        blocks: all of the job, in order.
        rows_of_a_task: whose keys one task reads.
        rows_of_a_bucket: whose keys meet in one task.

    Raises:
        RunStopped: a disk, a store or the cluster fails.
    """
    buckets = 1 + sum(block.rows for block in blocks) // rows_of_a_bucket
    calls = ((job, group, buckets) for group in _groups(blocks, rows_of_a_task))
    return join_copies(engine.shuffle(keys_of, calls, _meet, buckets))


def _meet(*dealt: tuple[Keys, ...]) -> Copies:
    return copies_among(dealt)


def _groups(blocks: Sequence[FinishedBlock], rows: int) -> Iterator[list[PartRows]]:
    group: list[PartRows] = []
    for part in part_rows(blocks):
        if group and part.first - group[0].first >= rows:
            yield group
            group = []
        group.append(part)
    if group:
        yield group
