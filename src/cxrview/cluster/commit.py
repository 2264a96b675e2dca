"""Write the outcomes of a block into the store of its job, and then its entry of the ledger."""

import io
import json
import uuid
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from cxrview.cluster.job import FAILURES, PARTS, Job
from cxrview.cluster.ledger import Count, FinishedBlock
from cxrview.cluster.store import Store
from cxrview.records.classification import Failure, Outcome
from cxrview.results.columns import COLUMNS, Row, failure_row, prediction_row
from cxrview.results.journal import ANSWER_COUNTS
from cxrview.results.tables import write_parquet


def commit_block(job: Job, session: str, number: int, outcomes: Sequence[Outcome]) -> FinishedBlock:
    """Write a block's rows and failures, and enter them into the ledger.

    Args:
        job: of the block.
        session: that this worker belongs to.
        number: of the block.
        outcomes: of all files of the block, in its order.

    Raises:
        OtherSession: another run has continued the job; nothing was entered.
        RunStopped: the disk or the store fails.
    """
    rows = [_row(outcome) for outcome in outcomes if not isinstance(outcome, Failure)]
    failures = [failure_row(outcome) for outcome in outcomes if isinstance(outcome, Failure)]
    # The name is that of this attempt: another worker may be at the same block.
    attempt = f"{number:08}-{uuid.uuid4().hex[:12]}"
    part = f"{PARTS}/{attempt}.parquet" if rows else ""
    if rows:
        job.store.put(part, parquet_bytes(rows))
    listed = f"{FAILURES}/{attempt}.jsonl" if failures else ""
    if failures:
        job.store.put(listed, "".join(json.dumps(row) + "\n" for row in failures).encode("ascii"))
    block = FinishedBlock(
        number=number,
        files=len(outcomes),
        rows=len(rows),
        part=part,
        failures=listed,
        counts=tuple(_counts([*rows, *failures])),
        answers=_answer_counts(rows),
    )
    job.need_session(session)
    job.ledger.enter(block)
    return block


def read_failures(store: Store, blocks: Iterable[FinishedBlock]) -> Iterator[Row]:
    """Yield the failures of blocks, in order.

    Raises:
        InputUnavailable: the disk or the store fails.
    """
    for data in store.get_all([block.failures for block in blocks if block.failures]):
        yield from map(json.loads, data.splitlines())


def parquet_bytes(rows: Iterable[Row]) -> bytes:
    """Return a Parquet file with the columns of a result."""
    file = io.BytesIO()
    write_parquet(file, rows, COLUMNS)
    return file.getvalue()


def _row(outcome: Outcome) -> Row:
    assert not isinstance(outcome, Failure)
    row = prediction_row(outcome)
    return row | {"warnings": row["warnings"] or None}


def _counts(rows: Iterable[Row]) -> Iterator[Count]:
    names = ("code", "decision", "view", "agreement")
    found = Counter(tuple(row.get(name) for name in names) for row in rows)
    for (code, decision, view, agreement), count in found.items():
        yield code, decision, view, agreement, count


def _answer_counts(rows: Iterable[Row]) -> dict[str, int]:
    """Count the answers of the model about images, as `Journal.answer_counts` does."""
    found: Counter[str] = Counter()
    for row in rows:
        found["turned"] += bool(row["rotation"])
        found["mirrored"] += bool(row["mirrored"])
        found["inverted"] += bool(row["inverted"])
        if row["projection"] in ANSWER_COUNTS:
            found[row["projection"]] += 1
    return {name: found[name] for name in ANSWER_COUNTS if found[name]}
