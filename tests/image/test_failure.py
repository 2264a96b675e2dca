"""Errors become rows: code, reason and advice, and never a message that may quote a header."""

import pytest

from cxrview.errors import OutOfMemory, Truncated, UnreadableImage
from cxrview.image.failure import failure_of, read_or_failure
from cxrview.records.classification import Failure


def test_failure_of_an_unreadable_image_has_its_code_reason_and_advice():
    error = Truncated("", "it ends before its pixels do", "Ask the sender")

    assert failure_of("a.dcm", error) == Failure(
        path="a.dcm",
        code="truncated",
        reason="it ends before its pixels do",
        advice="Ask the sender",
    )


def test_failure_of_an_error_without_advice_has_that_of_its_class():
    assert failure_of("a.dcm", Truncated("a.dcm", "cut")).advice == Truncated.default_advice


def test_failure_of_want_of_memory_has_the_advice_of_the_caller():
    failure = failure_of("a.dcm", MemoryError("Doe^Jane"), memory_advice="Use --memory-limit")

    assert (failure.code, failure.advice) == (OutOfMemory.code, "Use --memory-limit")


@pytest.mark.parametrize("error", [ValueError("Doe^Jane"), RecursionError(), KeyError("Doe^Jane")])
def test_failure_of_any_other_error_names_its_type_and_not_its_message(error):
    failure = failure_of("a.dcm", error)

    assert failure.code == UnreadableImage.code
    assert type(error).__name__ in failure.reason
    assert "Doe" not in failure.reason + failure.advice


def test_read_or_failure_returns_the_result_or_the_failure():
    def fail():
        raise Truncated("", "cut")

    assert read_or_failure("a.dcm", lambda: 7) == 7
    assert read_or_failure("a.dcm", fail) == failure_of("a.dcm", Truncated("", "cut"))


def test_read_or_failure_lets_ctrl_c_pass():
    def interrupt():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        read_or_failure("a.dcm", interrupt)
