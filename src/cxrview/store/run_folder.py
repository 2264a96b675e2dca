"""Where the run stood that made a result: there its relative paths begin."""

import json
from pathlib import Path


def run_folder(table: Path) -> str:
    """The folder by the summary beside a result; empty where none says so.

    Args:
        table: the result, a file or a folder of parts.
    """
    ending = ".summary.json"
    beside = table.with_name(table.name + ending) if table.is_dir() else table.with_suffix(ending)
    try:
        folder = json.loads(beside.read_text(encoding="utf-8"))["folder"]
    except (OSError, ValueError, KeyError, TypeError):
        return ""
    return folder if isinstance(folder, str) else ""
