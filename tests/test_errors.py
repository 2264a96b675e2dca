"""The tree of errors: codes that users filter by, advice, and no header value in a message."""

import re

import pytest

from cxrview import errors
from cxrview.errors import CorruptPixels, CxrviewError, Truncated, UnreadableImage, UsageError


def classes(base: type) -> list[type]:
    """All subclasses in the module; other packages may have further ones."""
    below = [one for child in base.__subclasses__() for one in (child, *classes(child))]
    return [one for one in below if one.__module__ == errors.__name__]


def test_codes_of_unreadable_images_are_those_of_users_tables():
    """They are in the failures of every result, and people filter by them."""
    assert {error.code for error in classes(UnreadableImage)} == {
        "cannot_open",
        "corrupt_header",
        "corrupt_pixels",
        "decoder_crash",
        "empty_file",
        "memory",
        "nested_too_deep",
        "no_pixel_data",
        "not_a_file",
        "not_an_image",
        "replaced",
        "timeout",
        "too_large",
        "truncated",
        "unsupported",
    }
    assert UnreadableImage.code == "unreadable"


@pytest.mark.parametrize("error", [UnreadableImage, *classes(UnreadableImage)])
def test_every_unreadable_image_has_advice_without_a_full_stop(error):
    raised = error("a.dcm", "it is damaged")

    assert raised.advice == error.default_advice != ""
    assert not raised.advice.endswith(".")
    assert str(raised) == f"a.dcm: it is damaged. {error.default_advice}"


def test_advice_that_is_given_replaces_that_of_the_class():
    assert Truncated("a.dcm", "cut", "Ask the sender").advice == "Ask the sender"
    assert str(CorruptPixels("a.dcm", "it is damaged", "")) == "a.dcm: it is damaged"


def test_an_error_without_advice_is_its_reason():
    assert str(UsageError("no paths")) == "no paths"
    assert str(UsageError("no paths", "Name a folder")) == "no paths. Name a folder"


def test_the_docstring_draws_every_class_below_its_base():
    drawn = re.findall(r"^( *)[│ ]*(?:├── |└── )?([A-Z]\w+)", errors.__doc__, re.MULTILINE)
    names = {name for _, name in drawn}

    assert {error.__name__ for error in (CxrviewError, *classes(CxrviewError))} <= names
