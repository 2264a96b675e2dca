"""Reads and writes files with one JSON object, such as the about.json of a store."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from cxrview.atomic_files import write_atomic
from cxrview.errors import UsageError


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object.

    Raises:
        OSError: the file is missing or cannot be read.
        ValueError: it is not JSON, or not an object.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except RecursionError as error:
        raise ValueError(f"{path} is nested too deep") from error
    if not isinstance(content, dict):
        raise ValueError(f"{path} is not a JSON object")
    return content


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write a JSON object atomically, one key per line.

    Raises:
        CannotWrite: the disk is full or not writable.
    """
    write_atomic(path, json.dumps(content, indent=2) + "\n")


def read_about(
    path: Path, *, version: int, needs: Iterable[str] = (), what: str
) -> dict[str, Any] | None:
    """Read the about.json of a store, with `format`, `complete` and its conditions.

    Args:
        path: of the file.
        version: its `format`.
        needs: keys that only this kind of store has.
        what: name of the store, for the message.

    Returns:
        The object; None if the file does not exist.

    Raises:
        UsageError: it has another format or belongs to another kind of store.
    """
    if not path.is_file():
        return None
    try:
        about = read_json(path)
    except (OSError, ValueError):
        about = {}
    is_known = about.get("format") == version and isinstance(about.get("complete"), bool)
    if not is_known or not set(needs) <= about.keys():
        raise UsageError(
            f"{path} does not belong to {what} of this version",
            "Choose another folder",
        )
    return about
