"""One prediction as one row: the columns of the result, their order and their types."""

import os
import re
from typing import Any

from cxrview.records import Failure, Instance, Prediction

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
}
"""Name to Arrow type. Later columns are appended; none is ever renamed or moved."""

ORIGIN = "view_origin"
MERGED_COLUMNS = COLUMNS | {ORIGIN: "string"}
"""Of a result in which readers' labels override the model: whose word the view is."""

_ESCAPED = re.compile(rb"\\x([0-9a-f]{2})")
_LOOKS_ESCAPED = re.compile(r"\\(?=x[0-9a-f]{2})")

FAILURE_COLUMNS = ("path", "code", "reason", "advice")


def prediction_row(prediction: Prediction) -> Row:
    """One row by COLUMNS; what is not known is None, never an empty text."""
    known = {
        name: getattr(prediction.instance, name)
        for name in COLUMNS
        if name in Instance.__dataclass_fields__
    }
    known |= {
        "path": printable(prediction.instance.path),
        "decision": prediction.decision,
        "view": prediction.view,
        "pfi": None if prediction.pfi is None else round(prediction.pfi, 3),
        "agreement": prediction.agreement,
        "warnings": ";".join(prediction.warnings),
        "model_id": prediction.model_id,
        "chest": None if prediction.chest is None else round(prediction.chest, 3),
    }
    return {name: _plain(known[name]) for name in COLUMNS}


def failure_row(failure: Failure) -> Row:
    """One row by FAILURE_COLUMNS."""
    row = {name: getattr(failure, name) for name in FAILURE_COLUMNS}
    return row | {"path": printable(failure.path)}


def printable(path: str) -> str:
    r"""A path as valid UTF-8: a byte that is none is shown as `\xff`.

    A backslash of a name that would look like that is shown as `\x5c`, so that no two names look
    alike.
    """
    if "\\x" in path:
        path = _LOOKS_ESCAPED.sub(r"\\x5c", path)
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def from_printable(text: str) -> str:
    """The path that `printable` showed as this text."""
    if "\\x" not in text:
        return text
    return os.fsdecode(_ESCAPED.sub(lambda found: bytes([int(found[1], 16)]), os.fsencode(text)))


def _plain(value: Any) -> Any:
    """Enumerations as plain text, nothing as None."""
    if isinstance(value, str):
        return str(value) or None
    return value
