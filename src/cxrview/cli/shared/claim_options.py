"""The options that name a collection's metadata table, and what they mean together."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from cxrview.claims.claimed_rows import ClaimSource
    from cxrview.claims.corrected_table import PersonViews

_PANEL = "Views that stand in a table"

Claims = Annotated[
    Path | None,
    typer.Option(
        "--claims",
        metavar="TABLE",
        help="The collection's metadata table: .csv, .csv.gz or .parquet. Its views take the "
        "place of those of the DICOM headers.",
        show_default=False,
        rich_help_panel=_PANEL,
    ),
]
ClaimKey = Annotated[
    str,
    typer.Option(
        "--claim-key",
        metavar="COLUMN",
        help="Column of --claims that says which image a row is of: the name of its file, with "
        "its ending or without, a path that the path of the file ends in, or its SOP Instance "
        "UID.",
        show_default="the collection's",
        rich_help_panel=_PANEL,
    ),
]
ClaimView = Annotated[
    str,
    typer.Option(
        "--claim-view",
        metavar="COLUMN",
        help="Column of --claims that holds the view, such as PA, LATERAL or Frontal.",
        show_default="the collection's",
        rich_help_panel=_PANEL,
    ),
]
CollectionName = Annotated[
    str,
    typer.Option(
        "--collection",
        metavar="mimic-cxr-jpg|chexpert|nih",
        help="The columns of a public collection's table.",
        show_default=False,
        rich_help_panel=_PANEL,
    ),
]


def claim_source(
    table: Path | None, key: str = "", view: str = "", collection: str = ""
) -> "ClaimSource | None":
    """The metadata table that the options name; None where they name none.

    Raises:
        UsageError: columns or a collection are named without a table, or the other way round.
    """
    from cxrview.claims.claimed_rows import ClaimSource
    from cxrview.claims.collections import claim_columns
    from cxrview.errors import UsageError

    if table is None:
        if key or view or collection:
            raise UsageError(
                "--claim-key, --claim-view and --collection describe a table",
                "Name it with --claims",
            )
        return None
    return ClaimSource(table=table, columns=claim_columns(collection, key, view))


def correct_table(
    views: Path,
    source: "ClaimSource | None",
    persons: "PersonViews",
    out: Path | None,
    *,
    root: str,
    only_persons: bool,
    overwrite: bool,
) -> None:
    """Write the metadata table of the options again with corrected views, and print the counts.

    Args:
        views: the result.
        source: the metadata table.
        persons: what persons decided, in place of what the result says.
        out: the new table.
        root: what relative paths of the result are relative to.
        only_persons: take nothing that the model alone says.
        overwrite: replace a table that exists.

    Raises:
        UsageError: no table or no file is named, the file exists already, or the tables or
            decisions do not belong together.
    """
    from cxrview.claims.corrected_table import write_corrected_table
    from cxrview.errors import UsageError

    source = _needed(source)
    if out is None:
        raise UsageError(
            "no file is named for the corrected table", "Add --out FILE, or use --dry-run"
        )
    if out.exists() and not overwrite:
        raise UsageError(f"{out} already exists", "Choose another --out, or use --overwrite")
    done = write_corrected_table(views, source, out, root, persons, only_persons=only_persons)
    typer.echo(f"{done.rows} rows in {out}: {_counts(done.changes)}")
    for line in key_problem_lines(done.problems):
        typer.echo(line, err=True)


def preview_table(
    views: Path,
    source: "ClaimSource | None",
    persons: "PersonViews",
    *,
    root: str,
    only_persons: bool,
    most: int,
) -> None:
    """Print what would change in the metadata table of the options.

    Args:
        views: the result.
        source: the metadata table.
        persons: what persons decided, in place of what the result says.
        root: what relative paths of the result are relative to.
        only_persons: take nothing that the model alone says.
        most: rows with a change that are printed.

    Raises:
        UsageError: no table is named, or one of them cannot be read.
    """
    from cxrview.claims.corrected_table import Change, each_correction, plan_corrections

    source = _needed(source)
    planned = plan_corrections(views, source, root, persons, only_persons=only_persons)
    for key, old, new in each_correction(source, planned):
        if new.change in (Change.CORRECTED, Change.FILLED) and most:
            typer.echo(f"{key}: {old or '-'} -> {new.view}")
            most -= 1
    typer.echo(f"{planned.changes.total()} rows: {_counts(planned.changes)}")
    for line in key_problem_lines(planned.problems):
        typer.echo(line, err=True)


def _needed(source: "ClaimSource | None") -> "ClaimSource":
    from cxrview.errors import UsageError

    if source is None:
        raise UsageError("--as table needs the metadata table", "Name it with --claims")
    return source


def _counts(changes: "Mapping[str, int]") -> str:
    return ", ".join(f"{count} {change}" for change, count in sorted(changes.items()))


def key_problem_lines(problems: "Mapping[str, int]") -> "Iterator[str]":
    """Say how many keys are not used, and why."""
    from cxrview.audit.reasons import KEY_PROBLEMS

    for problem, count in sorted(problems.items()):
        words, advice = KEY_PROBLEMS[problem]
        yield f"keys that {words}: {count}. {advice}"
