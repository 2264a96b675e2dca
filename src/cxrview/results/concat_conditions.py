"""Check that results to be concatenated were made with the same settings."""

from collections.abc import Collection, Sequence

from cxrview.errors import UsageError
from cxrview.results.journal import Conditions

PATHS, KNOWN, SHARD, PATIENTS = "paths", "known", "shard", "patients"
MAY_DIFFER = (PATHS, KNOWN)
"""Conditions that do not change the row of a file."""
_PRECISION = "precision"
_OF_PRECISION = (
    *("weights_sha256", "cutoff", "review_band", "chest_cutoff"),
    *("calibration", "promised_thresholds"),
)
_AND = " + "

_WORDS = {
    "cxrview": "version of cxrview (cxrview)",
    "weights_sha256": "weights (weights_sha256)",
    "memory_bytes": "--memory-limit (memory_bytes)",
    "timeout_seconds": "--timeout (timeout_seconds)",
    PATIENTS: "key of the patients' pseudonyms (patients)",
    _PRECISION: "--precision of the model (precision)",
    "backend": "--device (backend)",
    "max_error": "--max-error, --calibration (max_error)",
    "calibration": "--max-error, --calibration (calibration)",
}
"""Descriptions of conditions whose name is not that of their option."""


def check_agreement(
    first: tuple[str, Conditions], other: tuple[str, Conditions], *, may_differ: Collection[str]
) -> None:
    """Check that two results were made with the same settings.

    Args:
        first: the name of a result and its conditions.
        other: those of the other result.
        may_differ: names of conditions that need not agree.

    Raises:
        UsageError: they were not; the message names each condition that differs, and the
            options of `cxrview concat` that join the two nevertheless.
    """
    (first_name, before), (other_name, now) = first, other
    changed = [
        name
        for name in sorted({*before, *now})
        if before.get(name) != now.get(name) and name not in may_differ
    ]
    if not changed:
        return
    # Each precision has its own weights and cutoffs: a list of all of them would hide the reason.
    implied = [name for name in changed if name in _OF_PRECISION and _PRECISION in changed]
    said = [
        f"{_WORDS.get(name, name)} was {before.get(name, 'not set')}, is {now.get(name, 'not set')}"
        for name in sorted(set(changed) - set(implied), key=_place)
    ]
    more = [f"with the precision differ {', '.join(implied)}"] if implied else []
    raise UsageError(
        f"{other_name} was made with different settings than {first_name}: "
        f"{'; '.join([*said, *more])}",
        _advice(changed),
    )


def joined_conditions(conditions: Sequence[Conditions]) -> Conditions:
    """The conditions of the joined result; where the results differ, all values."""
    names = dict.fromkeys(name for one in conditions for name in one)
    return {
        name: _joined([one.get(name, "not set") for one in conditions], is_list=name in MAY_DIFFER)
        for name in names
    }


def _joined(values: Sequence[str], *, is_list: bool) -> str:
    """Join values; sorted unless they are lists, so that the order of results is irrelevant."""
    if is_list or len(set(values)) == 1:
        return _AND.join(dict.fromkeys(values))
    return _AND.join(sorted({part for value in values for part in value.split(_AND)}))


def _place(name: str) -> tuple[int, str]:
    """Sort key: conditions that most often differ between machines come first."""
    first = (PATIENTS, _PRECISION)
    return (first.index(name) if name in first else len(first), name)


def _advice(changed: Sequence[str]) -> str:
    if PATHS in changed:
        return "Join shards of one night only where all machines were given the same paths"
    ways = []
    if PATIENTS in changed:
        ways.append(
            "--rekey KEY reads the headers again and gives all patients pseudonyms under one key, "
            "--without-patients leaves them out"
        )
    if set(changed) - {PATIENTS}:
        ways.append(
            "--allow-different joins what was read under different conditions, and its summary "
            "then names all of them"
        )
    return "; ".join(ways)
