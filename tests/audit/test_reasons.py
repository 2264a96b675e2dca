"""Why an image is listed, in words."""

import pytest

from cxrview.audit.reasons import KEY_PROBLEMS, reason_of
from cxrview.claims.match import KeyProblem

ROW = {
    "view": "lateral",
    "pfi": 0.2,
    "chest": 12.3,
    "warnings": None,
    "header_view_position": "PA",
    "header_view_code": "399067008^SCT",
}


@pytest.mark.parametrize(
    ("section", "facts", "who", "reason"),
    [
        ("disagrees", {}, "header", "header says PA, image shows lateral; PFI 0.20 %"),
        ("disagrees", {}, "table", "table says PA, image shows lateral; PFI 0.20 %"),
        ("agrees", {"pfi": None}, "header", "header says PA, image shows lateral"),
        (
            "agrees",
            {"header_view_position": None, "pfi": 99.999},
            "header",
            "header says 399067008^SCT, image shows lateral; PFI > 99.99 %",
        ),
        (
            "review",
            {"header_view_position": None, "header_view_code": None},
            "header",
            "header says nothing; PFI 0.20 % is too near to the cutoff",
        ),
        (
            "review",
            {"warnings": "odd_vr;constant_image"},
            "header",
            "header says PA; every pixel has the same value",
        ),
        ("not_chest", {}, "header", "12.30 % likely to be a chest radiograph"),
        ("not_chest", {"chest": None}, "header", "not a chest"),
    ],
)
def test_reason_of_names_claim_and_finding(section, facts, who, reason):
    assert reason_of(ROW | facts, section, who).replace("\u00a0", " ") == reason


def test_every_problem_of_a_key_has_words():
    assert set(KEY_PROBLEMS) == set(KeyProblem)
