"""Says in words how a store on disk differs from the one that is asked for."""

from collections.abc import Mapping
from typing import Any

_CHANGED = {
    "labels_sha256": "the labels file has changed",
    "headers_sha256": "the table of headers (--headers) is another one",
    "patients": "patients are found in another way (--patient-column, --patient-pattern)",
    "listing_sha256": "the pictures have changed",
}
"""For conditions whose values mean nothing to people."""
_NAMES = {
    "version": "version of cxrview",
    "per_class": "pictures of each class",
    "side": "pixels of a side",
}


def changed_conditions(stored: Mapping[str, Any], wanted: Mapping[str, Any]) -> list[str]:
    """One phrase for each condition that differs; empty if none does.

    Args:
        stored: conditions of the store on disk, by name; values as JSON holds them.
        wanted: conditions of this run.
    """
    changed = [name for name, value in wanted.items() if stored.get(name) != value]
    if "as_published" in changed and "reader" in changed:
        changed.remove("reader")  # follows from it
    return [_phrase(name, stored.get(name), wanted[name]) for name in changed]


def _phrase(name: str, stored: Any, wanted: Any) -> str:
    if name == "as_published":
        return f"it was made {'with' if stored else 'without'} --as-published"
    if name in _CHANGED:
        return _CHANGED[name]
    words = _NAMES.get(name, name.replace("_", " "))
    return f"{words}: {'not set' if stored is None else stored} before, {wanted} now"
