"""What differs between two runs is told by the options that decide it, not by its inner name."""

import json

import pytest

from cxrview.image import Limits
from cxrview.results.conditions_in_words import differences


def told(name, first, other):
    (one,) = differences({name: first, "reader": "fast"}, {name: other, "reader": "fast"})
    return tuple(one)


@pytest.mark.parametrize(
    ("name", "first", "other", "expected"),
    [
        ("review_band", "35.492 85.445", "inf inf", ("35.492 to 85.445 %", "none")),
        ("patients", "identified", "key 00ff", ("real patient ids", "key 00ff")),
        ("memory_bytes", str(4096 << 20), "1000", ("4096 MiB", "1000 bytes")),
        ("limits", str(Limits()), "of another version", (str(Limits()), "of another version")),
        (
            "limits",
            str(Limits()),
            str(Limits(max_file_bytes=5 << 20)),
            ("max file bytes 2048 MiB", "max file bytes 5 MiB"),
        ),
        ("chest_cutoff", "22.5", "None", ("22.5", "none")),
    ],
)
def test_a_value_is_written_for_people(name, first, other, expected):
    assert told(name, first, other)[1:] == expected


@pytest.mark.parametrize(
    ("first", "other", "expected"),
    [
        (["/a", "/films"], ["/a", "/filmz"], ("/films", "/filmz")),
        (["/a"], ["/a", "/b"], ("no other", "/b")),
        (["/a", "/b"], ["/b", "/a"], ("/a, /b", "/b, /a")),
        (["/a"], [f"/{k}" for k in range(9)], ("/a", "/0, /1, /2, 6 more")),
        (["/\udcff"], ["-"], (r"/\xff", "-")),
    ],
)
def test_of_many_paths_those_that_one_run_alone_names_are_told(first, other, expected):
    assert told("paths", json.dumps(first), json.dumps(other)) == ("PATH", *expected)


def test_what_one_run_alone_has_is_not_set_in_the_other():
    assert differences({"a": "1"}, {"b": "2"}) == [("a", "1", "not set"), ("b", "not set", "2")]


def test_what_agrees_is_passed_over():
    assert differences({"a": "1", "b": "2"}, {"a": "1", "b": "2"}) == []


def test_both_review_bands_of_a_cascade_are_one_difference():
    before = {"review_band": "2 98", "second_review_band": "30 85"}

    both = differences(before, {"review_band": "1 99", "second_review_band": "1 99"})
    second = differences(before, before | {"second_review_band": "1 99"})

    assert [one[1:] for one in both] == [("2 to 98 %", "1 to 99 %")]
    assert [one[1:] for one in second] == [("30 to 85 %", "1 to 99 %")]


def test_every_condition_of_a_run_is_told_by_a_name_of_its_own():
    """So that a new condition does not reach the user under the name that a program gives it."""
    from cxrview.classify.conditions import conditions_of
    from cxrview.classify.model import load_model
    from cxrview.classify.options import ClassifyOptions
    from cxrview.classify.promise import Promise
    from cxrview.classify.selection import Selection

    options = ClassifyOptions(promise=Promise(thresholds={}, words="", origin=""))
    conditions = conditions_of(["a"], load_model(), options) | Selection().conditions()

    names = [one.name for one in differences(conditions, {})]

    assert not set(names) & set(conditions)
