"""The columns of a result, their order and types, and one prediction as a row of them."""

import os
import re
from typing import Any

from cxrview.records.classification import Failure, Instance, Prediction

Row = dict[str, Any]

COLUMNS = {
    "path": "string",
    "sop_instance_uid": "string",
    "series_instance_uid": "string",
    "study_instance_uid": "string",
    "patient_key": "string",
    "sop_class_uid": "string",
    "modality": "string",
    "body_part": "string",
    "manufacturer": "string",
    "manufacturer_model": "string",
    "study_year": "int16",
    "photometric": "string",
    "transfer_syntax": "string",
    "rows": "int32",
    "columns": "int32",
    "frames": "int32",
    "header_view_position": "string",
    "header_view_code": "string",
    "header_view": "string",
    "decision": "string",
    "view": "string",
    "pfi": "float64",
    "agreement": "string",
    "warnings": "string",
    "model_id": "string",
    "chest": "float64",
    "content_id": "string",
    "projection": "string",
    "projection_ap": "float64",
    "orientation": "int8",
    "rotation": "int16",
    "rotation_probability": "float64",
    "mirrored": "bool",
    "mirrored_probability": "float64",
    "inverted": "bool",
    "inverted_probability": "float64",
}
"""Name to Arrow type. Later columns are appended; none is ever renamed or moved."""

ORIGIN = "view_origin"
ORIGIN_MODEL = "model"
MERGED_COLUMNS = COLUMNS | {ORIGIN: "string"}
"""Columns of a result in which readers' labels override the model: `view_origin` says where the
view comes from, ORIGIN_MODEL if no reader labelled the image."""

_ESCAPED = re.compile(rb"\\x([0-9a-f]{2})")
_LOOKS_ESCAPED = re.compile(r"\\(?=x[0-9a-f]{2})")

FAILURE_COLUMNS = ("path", "code", "reason", "advice")


def prediction_row(prediction: Prediction) -> Row:
    """Make a row with COLUMNS; an unknown value is None, never an empty string."""
    known = {
        name: getattr(prediction.instance, name)
        for name in COLUMNS
        if name in Instance.__dataclass_fields__
    }
    known |= {
        "path": printable(prediction.instance.path),
        "decision": prediction.decision,
        "view": prediction.view,
        "pfi": _rounded(prediction.pfi),
        "agreement": prediction.agreement,
        "warnings": ";".join(prediction.warnings),
        "model_id": prediction.model_id,
        "chest": _rounded(prediction.chest),
        "projection": prediction.projection,
        "projection_ap": _rounded(prediction.projection_ap),
        "orientation": prediction.orientation,
        "rotation": prediction.rotation,
        "rotation_probability": _rounded(prediction.rotation_probability),
        "mirrored": prediction.mirrored,
        "mirrored_probability": _rounded(prediction.mirrored_probability),
        "inverted": prediction.inverted,
        "inverted_probability": _rounded(prediction.inverted_probability),
    }
    return {name: _plain(known[name]) for name in COLUMNS}


def failure_row(failure: Failure) -> Row:
    """Make a row with FAILURE_COLUMNS."""
    row = {name: getattr(failure, name) for name in FAILURE_COLUMNS}
    return row | {"path": printable(failure.path)}


def printable(path: str) -> str:
    r"""Return a path as valid UTF-8: an invalid byte is written `\xff`.

    A literal backslash before `x..` is written `\x5c`, so that no two names look alike.
    """
    if "\\x" in path:
        path = _LOOKS_ESCAPED.sub(r"\\x5c", path)
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def from_printable(text: str) -> str:
    """Return the path that `printable` turned into this text."""
    if "\\x" not in text:
        return text
    return os.fsdecode(_ESCAPED.sub(lambda found: bytes([int(found[1], 16)]), os.fsencode(text)))


def _rounded(percent: float | None) -> float | None:
    return None if percent is None else round(percent, 3)


def _plain(value: Any) -> Any:
    """Return an enumeration as plain text, and an empty text as None."""
    if isinstance(value, str):
        return str(value) or None
    return value
