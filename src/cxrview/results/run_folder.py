"""Where the run stood that made a result: there its relative paths begin."""

import json
from pathlib import Path

SUMMARY_ENDING = ".summary.json"


def beside(table: Path, ending: str, *, in_parts: bool) -> Path:
    """The file that tells more of a result: of `views.csv` and of a folder `views` the same."""
    return table.with_name(table.name + ending) if in_parts else table.with_suffix(ending)


def run_folder(table: Path) -> str:
    """The folder by the summary beside a result; empty where none says so.

    Args:
        table: the result, a file or a folder of parts.
    """
    summary = beside(table, SUMMARY_ENDING, in_parts=table.is_dir())
    try:
        folder = json.loads(summary.read_text(encoding="utf-8"))["folder"]
    except (OSError, ValueError, KeyError, TypeError):
        return ""
    return folder if isinstance(folder, str) else ""
