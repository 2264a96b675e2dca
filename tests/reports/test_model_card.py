"""The model card as a page: every table is there, and an incomplete card is refused."""

import dataclasses
import json
from pathlib import Path

import pytest

from cxrview.errors import InvalidModel, UsageError
from cxrview.records.card_about import CardAbout, CardStatements, PointsApart, PrecisionComparison
from cxrview.records.model_card import ModelCard
from cxrview.reports.model_card import (
    NOT_STATED,
    Picture,
    read_statements,
    render_model_card,
    write_model_card,
)

DOCS = Path(__file__).parents[2] / "docs"
COUNTS = {
    "images": 400,
    "errors": 1,
    "accuracy_percent": 99.75,
    "interval_95_percent": [98.616, 99.994],
    "decided": 398,
    "errors_decided": 0,
    "refused": 2,
}
SHARE = "99.75 % (98.62–99.99)"
KINDS = [{"source": "here", "view": "frontal", **COUNTS}]
ORIENTATIONS = [
    {"orientation": name, **COUNTS}
    for name in ("progenitor", "turned-90", "mirrored-turned-270-inverted")
]
ABOUT = {
    "intended_use": "To sort.",
    "limits": ["No PA or AP."],
    "failures": ["Half a chest."],
    "cutoff_range": [8.0, 97.0],
    "test": KINDS,
    "validation": KINDS,
    "orientations": {"test": ORIENTATIONS, "validation": ORIENTATIONS},
    "not_chest": [
        {
            "partition": "test",
            "source": "elsewhere",
            "images": 100,
            "called_a_view": 2,
            "interval_95_percent": [0.243, 7.038],
        }
    ],
    "leave_source_out": [
        {
            "model": "without-there",
            "left_out": "there",
            "view": "lateral",
            **{k: v for k, v in COUNTS.items() if k != "interval_95_percent"},
            "interval_low_percent": 98.616,
            "interval_high_percent": 99.994,
            "orientations": 640,
            "orientation_errors": 3,
            "orientation_decided": 630,
            "orientation_errors_decided": 0,
            "log_loss": 0.001,
            "model_id": "world-87654321",
            "cutoff": 40.0,
        }
    ],
    "calibration": {
        "test patients": {
            "images": 10,
            "expected_calibration_error_points": 0.12,
            "bins": [],
        },
        "sources left out": {
            "images": 10,
            "expected_calibration_error_points": 0.9,
            "bins": [],
        },
    },
    "data": "Radiographs.",
    "data_licences": {"here": "CC BY"},
    "training": [{"source": "here", "view": "frontal", "images": 900}],
    "partitions": "a rule",
    "labels_sha256": "cd" * 32,
    "recipe": {"name": "world", "steps": 10, "batch": 2},
    "seeds": {
        "chosen": 1,
        "chosen_by": "lowest log loss",
        "each": [
            {
                "seed": seed,
                "model_id": "world-12345678",
                "review_band": [5.0, 95.0],
                "chest_cutoff": 20.0,
                "log_loss": 0.01,
                "upright": COUNTS,
                "sixteen_orientations": COUNTS,
                "temperature": 1.25,
                "cutoff_range": [8.0, 97.0],
            }
            for seed in (0, 1)
        ],
        "pfi_apart_points": [{"mean": 0.1, "percentile_99": 2.0, "largest": 30.0}],
    },
    "weights_licence": "Apache-2.0",
    "readers": {"checked_with": "ours", "not_checked_with": "theirs"},
}
CARD = ModelCard(
    model_id="world-12345678",
    weights_sha256="ab" * 32,
    input_side=256,
    cutoff=52.5,
    paper_cutoff=97.0,
    review_band=(5.0, 95.0),
    precision="weights stored as float16, computed as float32",
    temperature=1.25,
    chest_cutoff=20.0,
    about=CardAbout.from_json(ABOUT),
)


@pytest.mark.parametrize(
    "line",
    [
        "| test | here | frontal | 400 | 1 | 99.75 % (98.62–99.99) | 398 | 0 | 2 |",
        f"| mirrored, turned 270°, inverted | 400 | 1 | {SHARE} | 398 | 0 | 2 | 400 | 1 |",
        "| upright | 400 | 1 | 99.75 % (98.62–99.99) | 398 | 0 | 2 | 400 | 1 |",
        "| test | elsewhere | 100 | 2 | 0.24–7.04 |",
        f"| without there | there | lateral | 400 | 1 | {SHARE} | 398 | 0 | 2 | 640 | 3 | 0 |",
        "| here | frontal | 900 | CC BY |",
        "| 1 | 0.01 | 1 of 400 | 1 of 400 | 1.25 | 8.0 to 97.0 | yes |",
        "- Half a chest.",
        "0.9 of sources left out.",
        "![A curve](calibration.png)",
    ],
)
def test_render_model_card_prints_each_fact(line):
    page = render_model_card(CARD, [Picture(file="calibration.png", words="A curve")])

    assert line in page.splitlines()


def test_render_model_card_shows_int8_beside_float32():
    no_chest = PrecisionComparison(
        pictures=729,
        pfi_apart_points=PointsApart(mean=0.1, percentile_99=2.5, largest=9.0),
        other_view=1,
        to_or_from_review=0,
        changed_decisions=3,
    )
    upright = dataclasses.replace(
        no_chest, log_loss=(0.001, 0.002), errors=(0, 1), decided=(729, 727), refused=(0, 0)
    )
    about = CardAbout(
        calibrated_on_training_pictures=450,
        against_fp32={"test": {"as_they_lie": upright, "no_chest": no_chest}},
    )
    int8 = dataclasses.replace(CARD, model_id="world-int8-87654321", about=about)

    lines = render_model_card(dataclasses.replace(CARD, int8=int8)).splitlines()

    apart = "0.1, 2.5, 9.0"
    counts = "0.001, 0.002 | 0, 1 | 729, 727 | 0, 0 | 1 | 3"
    assert f"| test | upright | 729 | {apart} | {counts} |" in lines
    assert f"| test | no chest | 729 | {apart} |  |  |  |  | 1 | 3 |" in lines
    assert "## The same in 8 bits" not in render_model_card(CARD)


def test_render_model_card_does_not_break_tables():
    page = render_model_card(CARD)

    for before, line, after in zip(
        page.splitlines(), page.splitlines()[1:], page.splitlines()[2:], strict=False
    ):
        if before.startswith("|") and not line:
            assert not after.startswith("|")


def test_render_model_card_leaves_out_chest_of_model_without_it():
    about = dataclasses.replace(CARD.about, not_chest=None)

    page = render_model_card(dataclasses.replace(CARD, chest_cutoff=None, about=about))

    assert "no chest radiograph" not in page
    assert "not_chest" not in page


def test_render_model_card_says_what_is_not_stated():
    about = dataclasses.replace(CARD.about, statements=CardStatements())

    page = render_model_card(dataclasses.replace(CARD, about=about))

    assert page.lower().count("not stated") == len(NOT_STATED)


@pytest.mark.parametrize("name", ["orientations", "cutoff_range", "seeds", "labels_sha256"])
def test_write_model_card_refuses_card_without_what_page_needs(tmp_path, name):
    about = dataclasses.replace(CARD.about, **{name: None})

    with pytest.raises(InvalidModel):
        write_model_card(dataclasses.replace(CARD, about=about), tmp_path / "MODEL_CARD.md")

    assert not (tmp_path / "MODEL_CARD.md").exists()


def test_read_statements_takes_file_of_docs():
    statements = read_statements(DOCS / "model-about.json")

    assert statements.weights_licence == "Apache-2.0"
    assert statements.readers
    assert statements.other == {}


@pytest.mark.parametrize(
    "text",
    ["no JSON", "[]", '{"limits": "one text"}', '{"readers": {}}', '{"test": []}'],
)
def test_read_statements_refuses_other_content(tmp_path, text):
    (tmp_path / "about.json").write_text(text)

    with pytest.raises(UsageError, match="about.json"):
        read_statements(tmp_path / "about.json")


def test_read_statements_keeps_unknown_keys(tmp_path):
    (tmp_path / "about.json").write_text(json.dumps({"contact": "somewhere"}))

    assert read_statements(tmp_path / "about.json").other == {"contact": "somewhere"}
