import io
import json
import logging
import warnings
from collections.abc import Iterator
from datetime import datetime

import pytest

from cxrview.service.log import NAME, configure_log, log_event


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    """What is logged in a test; the handlers of pytest are put back after it."""
    root, own = logging.getLogger(), logging.getLogger(NAME)
    before, level, own_level = root.handlers, root.level, own.level
    stream = io.StringIO()
    configure_log(stream)
    yield stream
    logging.captureWarnings(False)
    root.handlers = before
    root.setLevel(level)
    own.setLevel(own_level)


def parsed(lines: io.StringIO) -> list[dict]:
    return [json.loads(line) for line in lines.getvalue().splitlines()]


def test_an_event_is_one_json_object_with_its_fields(lines):
    log_event("classified", entrance="rest", decision="review", seconds=0.1234567, status=200)

    (line,) = parsed(lines)
    assert datetime.fromisoformat(line.pop("time")).tzinfo
    assert line == {
        "level": "info",
        "event": "classified",
        "entrance": "rest",
        "decision": "review",
        "seconds": 0.123457,
        "status": 200,
    }


def test_fields_without_value_are_left_out(lines):
    log_event("classified", code=None)

    assert "code" not in parsed(lines)[0]


def test_an_unknown_field_is_an_error_of_the_caller(lines):
    with pytest.raises(ValueError, match="patient"):
        log_event("classified", patient="Doe")

    assert lines.getvalue() == ""


@pytest.mark.parametrize(
    "value",
    ["DOE^JANE", "1.2.840.113619.2.1", "/data/films/a.dcm", "19450101", "a\nb", "x" * 199, 7, b"x"],
)
def test_a_text_that_is_no_word_of_the_program_is_not_written(lines, value):
    log_event("classified", code=value)

    assert parsed(lines)[0]["code"] == "?"


def test_messages_of_libraries_are_not_written(lines):
    log = logging.getLogger("pynetdicom.dimse")
    log.warning("Called AE title %s", "DOE^JANE")
    try:
        raise ValueError("DOE^JANE")
    except ValueError:
        log.exception("DOE^JANE")

    assert "DOE" not in lines.getvalue()
    first, last = parsed(lines)
    assert first["library"] == last["library"] == "pynetdicom.dimse"
    assert last["level"] == "error" and last["error"] == "ValueError"
    assert last["place"].startswith("test_log:")


def test_warnings_of_libraries_are_not_written(lines, capfd):
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn("Invalid value for VR UI: '1.2.840.113619.2.1'", stacklevel=1)

    (line,) = parsed(lines)
    assert line["library"] == "py.warnings"
    assert "113619" not in lines.getvalue() + "".join(capfd.readouterr())
