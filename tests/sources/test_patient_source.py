"""Patients told by a column or by a path."""

import pytest

from cxrview.errors import UsageError
from cxrview.sources.patient_source import PatientSource


@pytest.mark.parametrize(
    ("pattern", "path", "patient"),
    [
        (r"patient(\d+)", "a/patient007/1.jpg", "007"),
        (r"^([^/]+)/", "ann/1.jpg", "ann"),
        (r"p(\d+)", "q7.jpg", ""),
        (r"p(\d+)?", "p.jpg", ""),
    ],
)
def test_the_first_group_is_the_patient(pattern, path, patient):
    assert PatientSource(pattern=pattern).find(path, {}) == patient


def test_a_cell_is_the_patient_and_may_be_empty():
    source = PatientSource(column=" mrn")

    assert [source.find("a", row) for row in ({"MRN": 17}, {"MRN": None}, {"MRN": " "})] == [
        "17",
        "",
        "",
    ]


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"pattern": "patient("}, "patient\\(.* regular expression"),
        ({"pattern": "patient"}, "has no group in parentheses"),
        ({"pattern": "(a)", "column": "b"}, "exclude each other"),
    ],
)
def test_what_tells_no_patient_is_refused(given, why):
    with pytest.raises(UsageError, match=why):
        PatientSource(**given)
