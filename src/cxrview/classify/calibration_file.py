"""Reads and writes the file of `cxrview calibrate`, and checks that it fits a run."""

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path

from cxrview.classify.risk_control import controlled_threshold
from cxrview.errors import UsageError
from cxrview.json_file import read_json, write_json
from cxrview.records.calibration import Calibration
from cxrview.records.json_object import from_json, to_json

KIND, FORMAT = "calibration", 1


def write_calibration(path: Path, calibration: Calibration) -> None:
    """Write a calibration as JSON, atomically.

    Raises:
        CannotWrite: the disk is full or not writable.
    """
    write_json(path, {"kind": KIND, "format": FORMAT, **to_json(calibration)})


def read_calibration(path: str | os.PathLike[str]) -> Calibration:
    """Read a calibration that `cxrview calibrate` wrote.

    Args:
        path: the file, JSON.

    Raises:
        UsageError: the file is missing or not a calibration, has the format of another version, or
            holds a threshold that does not follow from its counts.
    """
    path = Path(path)
    try:
        content = read_json(path)
    except FileNotFoundError as error:
        raise UsageError(f"calibration {path} does not exist", "Check the name") from error
    except (OSError, ValueError) as error:
        raise _not_a_calibration(path, "it is not JSON") from error
    if content.pop("kind", None) != KIND:
        raise _not_a_calibration(path, "it is another file")
    if content.pop("format", None) != FORMAT:
        raise UsageError(
            f"{path} has a format that this version of cxrview does not read",
            "Create it again with cxrview calibrate",
        )
    try:
        calibration = from_json(Calibration, content)
    except ValueError as error:
        raise _not_a_calibration(path, str(error)) from error
    for head, one in calibration.heads.items():
        found = controlled_threshold(one.curve, one.max_error, one.confidence)
        if one.threshold != (None if found is None else found.percent):
            raise _not_a_calibration(path, f"the threshold of {head} is not that of its counts")
    return calibration


def need_same_conditions(calibration: Calibration, conditions: Mapping[str, str]) -> None:
    """Check that a run decides as the result did that a calibration was made from.

    Args:
        calibration: of `cxrview calibrate`.
        conditions: of the run, as of `decision_conditions`.

    Raises:
        UsageError: the model, its precision or another setting differs.
    """
    before = calibration.conditions
    if before.get("model") != conditions["model"]:
        raise UsageError(
            f"the calibration is of the model {calibration.model_id} "
            f"({calibration.precision}), and this one is {conditions['model']}",
            "Name that model with --model and --precision, or calibrate this one",
        )
    names = sorted({*before, *conditions})
    changed = [name for name in names if before.get(name) != conditions.get(name)]
    if changed:
        said = (
            f"{name} was {before.get(name, 'not set')}, is {conditions.get(name, 'not set')}"
            for name in changed
        )
        raise UsageError(
            f"the calibration was made under other settings: {'; '.join(said)}",
            "Use the same settings as in the result that was calibrated, or calibrate again",
        )


def calibration_digest(calibration: Calibration) -> str:
    """Return the first 16 digits of the SHA-256 of the content of a calibration."""
    content = json.dumps(to_json(calibration), sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()[:16]


def _not_a_calibration(path: Path, why: str) -> UsageError:
    return UsageError(
        f"{path} cannot be read as a calibration: {why}",
        "Name a file that cxrview calibrate wrote, unchanged",
    )
