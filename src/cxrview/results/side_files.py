"""Find out which result the failures and the summary beside a table belong to.

Both are named after the table without its ending, so that those of `views.csv`, `views.parquet` and
a folder `views` have the same names. The summary holds the name of its table.
"""

import json
import os
from pathlib import Path

from cxrview.errors import UsageError
from cxrview.results.tables import foreign_files

FAILURES_ENDING = ".failures.csv"
SUMMARY_ENDING = ".summary.json"
JOURNAL_ENDING = ".journal"
OWNER = "table"
"""Key in a summary for the name of its table, which ends in / for a folder of parts. Earlier
versions wrote no such key."""
_ENDINGS = (".parquet", ".csv", ".jsonl")

Result = tuple[Path, bool]
"""A table, and whether it is a folder of Parquet parts."""


def beside(table: Path, ending: str, *, in_parts: bool) -> Path:
    """Return the path of a side file: the same for `views.csv` and for a folder `views`."""
    return table.with_name(table.name + ending) if in_parts else table.with_suffix(ending)


def run_folder(table: Path) -> str:
    """Return the working folder of a result's run from its summary; empty if that has none.

    Args:
        table: the result, a file or a folder of parts.
    """
    summary = beside(table, SUMMARY_ENDING, in_parts=table.is_dir())
    try:
        folder = json.loads(summary.read_text(encoding="utf-8"))["folder"]
    except (OSError, ValueError, KeyError, TypeError):
        return ""
    return folder if isinstance(folder, str) else ""


def owner_name(table: Path, *, in_parts: bool) -> str:
    """Return the name of a table as in its summary; without its folder, which may be moved."""
    return table.name + ("/" if in_parts else "")


def owner_of_summary(table: Path, *, in_parts: bool) -> Path | None:
    """Find the other result that the summary beside a table belongs to, if it is another one.

    A summary that was renamed together with its table belongs to that table; so does one that names
    no table.
    """
    summary = beside(table, SUMMARY_ENDING, in_parts=in_parts)
    named = _named(summary)
    if named is None or named == (table, in_parts):
        return None
    other, is_folder = named
    has_this = beside(other, SUMMARY_ENDING, in_parts=is_folder) == summary
    return other if has_this and _is_result(other, is_folder) else None


def need_own_summary(table: Path) -> None:
    """Check that the summary beside a result is its own.

    Raises:
        UsageError: it belongs to another result of the same name.
    """
    if other := owner_of_summary(table, in_parts=table.is_dir()):
        summary = beside(table, SUMMARY_ENDING, in_parts=table.is_dir())
        raise UsageError(
            f"{summary} belongs to {other} and not to {table}",
            f"Use {other}; or move {table} into another folder, with its own summary if it has one",
        )


def need_free_names(table: Path, *, in_parts: bool) -> None:
    """Check that a result would not replace the failures or the summary of another one.

    Raises:
        UsageError: it would, or the table is named like the failures of a result.
    """
    if not in_parts:
        need_name_of_table(table)
    for begun, _ in _others(table, in_parts):  # will write its failures and summary when it ends
        journal = begun.with_name(begun.name + JOURNAL_ENDING)
        if journal.exists():
            raise UsageError(
                f"{begun} is incomplete, and its failures and summary would have the names of "
                f"those of {table}",
                f"Choose another --out, or complete {begun} with --resume; if you no longer need "
                f"it, delete {journal}",
            )
    if other := _claimant(table, in_parts):
        stem = table.name if in_parts else table.stem
        raise UsageError(
            f"{stem}{FAILURES_ENDING} and {stem}{SUMMARY_ENDING} belong to {other}, and {table} "
            "would replace them",
            f"Choose another --out; or move {other} away first, with these two",
        )


def need_no_side_files(table: Path) -> None:
    """Check that a table without failures and summary would not replace one that has them.

    Those would no longer describe the table.

    Raises:
        UsageError: a result of `cxrview classify` with its summary exists there.
    """
    summary = beside(table, SUMMARY_ENDING, in_parts=False)
    if table.exists() and summary.exists() and owner_of_summary(table, in_parts=False) is None:
        raise UsageError(
            f"{table} is a result with failures and a summary, which would no longer describe it",
            "Choose another --out",
        )


def need_name_of_table(table: Path) -> None:
    """Check that a table is not named like the failures of a result.

    Raises:
        UsageError: it is named so.
    """
    if table.name.endswith(FAILURES_ENDING):
        raise UsageError(
            f"{table} is a name for the failures of a result",
            f"Choose a name that does not end in {FAILURES_ENDING}",
        )


def _claimant(table: Path, in_parts: bool) -> Path | None:
    """Return the other result that the failures and summary there belong to, if any."""
    summary = beside(table, SUMMARY_ENDING, in_parts=in_parts)
    failures = beside(table, FAILURES_ENDING, in_parts=in_parts)
    if not summary.exists() and not failures.exists():
        return None
    if owner := owner_of_summary(table, in_parts=in_parts):
        return owner
    if _named(summary) == (table, in_parts):
        return None
    # The summaries of earlier versions do not name their table.
    others = _others(table, in_parts)
    return next((other for other, is_folder in others if _is_result(other, is_folder)), None)


def _others(table: Path, in_parts: bool) -> list[Result]:
    """List the other results whose failures and summary have the same names."""
    stem = table.name if in_parts else table.stem
    namesakes = [(table.with_name(stem + ending), False) for ending in _ENDINGS]
    namesakes.append((table.with_name(stem), True))
    return [one for one in namesakes if one != (table, in_parts)]


def _is_result(table: Path, is_folder: bool) -> bool:
    """Whether a table is a result; a folder of other files, such as the archive itself, is not."""
    if not is_folder:
        return table.is_file()
    try:
        return table.is_dir() and bool(os.listdir(table)) and not foreign_files(table)  # noqa: PTH208
    except OSError:
        return False


def _named(summary: Path) -> Result | None:
    """Return the table that a summary names, in the folder of the summary."""
    try:
        name = json.loads(summary.read_text(encoding="utf-8"))[OWNER]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    if not isinstance(name, str):
        return None
    bare = name.removesuffix("/")
    if not bare or bare == ".." or Path(bare).name != bare:
        return None
    return summary.with_name(bare), name.endswith("/")
