"""Puts what a table claims in place of what headers say, in the rows of a result."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from cxrview.atomic_files import atomic_path, raising_cannot_write
from cxrview.claims.claim_table import read_claims
from cxrview.claims.collections import ClaimColumns
from cxrview.claims.match import ClaimMatches, match_claims
from cxrview.csv_files import write_csv
from cxrview.errors import UsageError
from cxrview.results.columns import Row
from cxrview.results.side_files import FAILURES_ENDING, beside, run_folder
from cxrview.results.tables import each_failure, each_row
from cxrview.terms import Agreement

_MATCH_COLUMNS = ("path", "sop_instance_uid", "content_id")
UNUSED_COLUMNS = ("problem", "key", "claim")
"""Of the list of keys whose claim is not used."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimSource:
    """A metadata table, and where its keys and views are."""

    table: Path
    columns: ClaimColumns


def match_result(result: Path, source: ClaimSource, folder: str = "") -> ClaimMatches:
    """Read a metadata table and match it to a result.

    Args:
        result: of `cxrview classify`, `merge` or `concat`, in any format.
        source: the metadata table.
        folder: what relative paths of the result are relative to; where the run stood if empty.

    Raises:
        UsageError: one of the tables cannot be read, or they have no image in common.
    """
    claims = read_claims(source.table, source.columns)
    failures = beside(result, FAILURES_ENDING, in_parts=result.is_dir())
    failed = (row["path"] for row in each_failure(failures)) if failures.exists() else ()
    rows = each_row(result, _MATCH_COLUMNS)
    matches = match_claims(claims, rows, failed, folder or run_folder(result))
    if not matches.found and len(matches.claim_of_row):
        column = claims.columns.key
        raise UsageError(
            f"no key of {source.table}, column {column}, names an image of {result}",
            "Name the column of file names, paths or SOP Instance UIDs with --claim-key, and the "
            "result of the same images",
        )
    return matches


def claimed_rows(rows: Iterable[Row], matches: ClaimMatches) -> Iterator[Row]:
    """Yield the rows with the claim of the table in place of what the header says.

    Args:
        rows: of the result that was matched, in the same order.
        matches: the claims; `header_view_position` becomes the cell, `header_view` the view that
            it names, and `agreement` is compared again where there was one.
    """
    for row, claim in zip(rows, matches.claims(), strict=True):
        view = claim.view if claim else None
        agreement = row["agreement"]
        if row["view"]:
            agreement = (
                Agreement.SILENT
                if view is None
                else Agreement.AGREES
                if view == row["view"]
                else Agreement.DISAGREES
            )
        yield row | {
            "header_view_position": (claim.text or None) if claim else None,
            "header_view_code": None,
            "header_view": view,
            "agreement": agreement,
        }


def count_problems(matches: ClaimMatches) -> Counter[str]:
    """Keys whose claim is not used, by reason."""
    return Counter(str(problem) for problem in matches.problems.values())


def write_unused_keys(path: Path, matches: ClaimMatches) -> None:
    """List every key whose claim is not used as CSV: why, the key, and the cell as it stands.

    Raises:
        CannotWrite: the disk is full or fails.
    """
    text = {claim.key: claim.text for claim in matches.table.claims}
    rows = ((problem, key, text[key]) for key, problem in matches.problems.items())
    with raising_cannot_write(path), atomic_path(path) as part:
        write_csv(part, UNUSED_COLUMNS, rows)
