"""Describe in words how the settings (conditions) of two runs differ."""

import json
import re
from collections.abc import Callable, Mapping
from typing import NamedTuple

from cxrview.results.columns import printable

_MAX_PATHS = 3
_MIB = 1 << 20
_WORDS = {
    "paths": "PATH",
    "cxrview": "the version of cxrview",
    "model": "the model (--model)",
    "weights_sha256": "the SHA-256 of the weights (--model, --precision)",
    "precision": "the precision (--precision)",
    "backend": "the device (--device)",
    "reader": "the reader (--exact)",
    "limits": "the limits (--max-file-mib, --max-pixel-mib)",
    "memory_bytes": "the memory of a reading process (--memory-limit)",
    "timeout_seconds": "the seconds that a file may take (--timeout)",
    "cutoff": "the cutoff of the model (--model, --precision)",
    "review_band": "the review band (--review-band, --no-review)",
    "max_error": "the promise about errors (--max-error, --calibration)",
    "calibration": "what the promise about errors comes from (--max-error, --calibration)",
    "promised_thresholds": "the thresholds of that promise (--max-error, --calibration)",
    "thresholds": "the thresholds of turn, mirroring, inversion and projection (--model)",
    "second_model": "the second model (--model)",
    "second_weights_sha256": "the SHA-256 of the weights of the second model (--model)",
    "second_review_band": "the review band of the second model (--review-band, --no-review)",
    "second_cutoff": "the cutoff of the second model (--model, --precision)",
    "border": "what the second model decides (--model, --precision)",
    "chest_cutoff": "the least probability of a chest (--chest-cutoff)",
    "chest_rule": "the rule for what is skipped (--chest-rule, --no-skip)",
    "header_terms": "the table of header terms (--header-terms)",
    "patients": "the pseudonyms of patients (--key, --identify)",
    "shard": "the shard (--shard)",
    "known": "the known files (--known)",
}
"""Descriptions of conditions, with the options that set them."""


_IMPLIED = {"second_review_band": "review_band"}
"""Conditions that one option sets together with another, which is described."""


class Difference(NamedTuple):
    """A condition under which two runs differ, in words."""

    name: str
    """Description of the condition, with the options that set it."""
    first: str
    other: str


def differences(first: Mapping[str, str], other: Mapping[str, str]) -> list[Difference]:
    """List the conditions in which two runs differ.

    Args:
        first: name to value, as a journal or a summary holds them.
        other: likewise.

    Returns:
        One for each condition that differs, in the order of their names; one for both review bands.
    """
    changed = [name for name in sorted({*first, *other}) if first.get(name) != other.get(name)]
    return [
        Difference(_WORDS.get(name, name), *_write(name, first.get(name), other.get(name)))
        for name in changed
        if _IMPLIED.get(name) not in changed
    ]


def _write(name: str, first: str | None, other: str | None) -> tuple[str, str]:
    """The two values of a condition in words; `not set` for a missing one."""
    if first is not None and other is not None and name in _PAIRS:
        try:
            return _PAIRS[name](first, other)
        except (ValueError, TypeError, AttributeError):  # written by another version or program
            return first, other
    one, two = ("not set" if value is None else _value(name, value) for value in (first, other))
    return one, two


def _value(name: str, value: str) -> str:
    if name in ("review_band", "second_review_band"):
        low, _, high = value.partition(" ")
        return "none" if low == "inf" else f"{low} to {high} %"
    if value == "None":
        return "none"
    if name == "patients" and value == "identified":
        return "real patient ids"
    if name == "memory_bytes" and value.isdecimal():
        return _mebibytes(int(value))
    return value


def _paths(first: str, other: str) -> tuple[str, str]:
    """The paths that only one of two JSON lists names; all if only the order differs."""
    lists: tuple[list[str], list[str]] = (json.loads(first), json.loads(other))
    alone = [[one for one in lists[k] if one not in lists[1 - k]] for k in (0, 1)]
    if not any(alone):
        alone = list(lists)
    one, two = (_some(paths) for paths in alone)
    return one, two


def _some(paths: list[str]) -> str:
    shown = [printable(path) for path in paths[:_MAX_PATHS]]
    more = [f"{len(paths) - _MAX_PATHS} more"] if len(paths) > _MAX_PATHS else []
    return ", ".join([*shown, *more]) or "no other"


def _limits(first: str, other: str) -> tuple[str, str]:
    """The limits that differ between two `Limits(max_file_bytes=..., ...)`."""
    one, two = (dict(re.findall(r"(\w+)=(\d+)", text)) for text in (first, other))
    changed = [name for name in one if two.get(name) not in (None, one[name])]
    if not changed:
        return first, other
    words = [
        ", ".join(f"{name.replace('_', ' ')} {_mebibytes(int(of[name]))}" for name in changed)
        for of in (one, two)
    ]
    return words[0], words[1]


def _mebibytes(count: int) -> str:
    return f"{count} bytes" if count % _MIB else f"{count // _MIB} MiB"


_PAIRS: dict[str, Callable[[str, str], tuple[str, str]]] = {"paths": _paths, "limits": _limits}
"""Conditions of many parts, of which only those that differ are described."""
