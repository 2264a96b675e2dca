"""Structured logs of the service: one JSON object a line, which cannot name a patient.

Only fields of `FIELDS` are written, and only values of their kind. Messages of libraries are left
out, since they may quote a header, a path or an AE title: of those a line says which library, how
bad, where in its code, and the class of the error.
"""

import json
import logging
import re
import sys
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import IO, Any

NAME = "cxrview.service"
_WORD = re.compile(r"[A-Za-z][A-Za-z0-9_.:/{}(),' -]{0,95}")
"""A word of the program or the configuration. No UID and no number of a patient begins so."""
FIELDS: dict[str, tuple[type, ...]] = {
    "bytes": (int,),
    "code": (str,),
    "count": (int,),
    "decision": (str,),
    "destination": (str,),
    "entrance": (str,),
    "error": (str,),
    "form": (str,),
    "job": (str,),
    "method": (str,),
    "pid": (int,),
    "port": (int,),
    "reason": (str,),
    "root": (str,),
    "route": (str,),
    "seconds": (int, float),
    "state": (str,),
    "status": (int,),
    "tries": (int,),
}
"""Name of each field that a line may have, and the types of its values. A text is a word of the
program or of the configuration: code of an error, name of a destination or folder, template of a
route such as `/jobs/{job}`, never what a client or a header sent."""
_UNKNOWN = "?"


def log_event(event: str, *, level: int = logging.INFO, **fields: Any) -> None:
    """Write one line.

    Args:
        event: what happened, such as `classified`.
        level: of `logging`.
        fields: named in `FIELDS`; None is left out.

    Raises:
        ValueError: a field is not named in `FIELDS`.
    """
    if unknown := fields.keys() - FIELDS.keys():
        raise ValueError(f"a log line has no field {', '.join(sorted(unknown))}")
    logging.getLogger(NAME).log(level, event, extra={"fields": fields})


def configure_log(stream: IO[str] | None = None, level: int = logging.INFO) -> logging.Handler:
    """Write all logs of this process as JSON lines, in place of earlier handlers.

    Args:
        stream: where they go; standard error if None.
        level: of the service's own lines; libraries are heard from WARNING on.

    Returns:
        The handler, for tests that remove it again.
    """
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonLines())
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger(NAME).setLevel(level)
    logging.captureWarnings(True)  # those of pydicom quote values, and would go to standard error
    return handler


class JsonLines(logging.Formatter):
    """Formats each record as one JSON object, with what `FIELDS` allows."""

    def format(self, record: logging.LogRecord) -> str:
        """Return one line without its end."""
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
        }
        if record.name == NAME and hasattr(record, "fields"):
            line["event"] = _safe("event", record.msg)
            line |= {
                name: _safe(name, value)
                for name, value in record.fields.items()
                if value is not None
            }
        else:
            line |= {"event": "library", "library": record.name, "place": _place(record)}
            if record.exc_info and record.exc_info[0]:
                line["error"] = record.exc_info[0].__name__
        return json.dumps(line)


def _safe(name: str, value: Any) -> Any:
    """Return a value that a line may hold, in place of any other a question mark."""
    if isinstance(value, bool) or not isinstance(value, FIELDS.get(name, (str,))):
        return _UNKNOWN
    if isinstance(value, str):
        return str(value) if _WORD.fullmatch(value) else _UNKNOWN
    return round(value, 6) if isinstance(value, float) else value


def _place(record: logging.LogRecord) -> str:
    trace: TracebackType | None = record.exc_info[2] if record.exc_info else None
    if trace is None:
        return f"{record.module}:{record.lineno}"
    while trace.tb_next:
        trace = trace.tb_next
    return f"{Path(trace.tb_frame.f_code.co_filename).stem}:{trace.tb_lineno}"
