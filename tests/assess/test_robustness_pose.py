"""Turn, mirroring and inversion of modified radiographs, by a model whose errors are known."""

import csv

import numpy as np
import pyarrow.parquet as pq
import pytest

from cxrview.assess.modify import MODIFICATIONS, Modification
from cxrview.assess.robustness import count_modified
from cxrview.assess.robustness_files import COUNT_COLUMNS, POSE_COLUMNS
from cxrview.assess.robustness_run import ImagesToModify, NamedClassifier, assess_partition
from cxrview.assess.score_files import read_scores
from fixtures.pose_oracle import RIGHT, SEES_NO_INVERSION, TURNS_TOO_FAR, oracle_model, picture

KINDS = [RIGHT, RIGHT, TURNS_TOO_FAR, SEES_NO_INVERSION]
"""The first and the third are frontal."""
MADE = {row.name: row for row in MODIFICATIONS}
MIRRORED = Modification(
    kind="mirrored",
    severity="left-for-right",
    title="mirrored",
    make=lambda pixels: np.ascontiguousarray(pixels[:, ::-1]),
    is_mirrored=True,
)
INVERTED = Modification(
    kind="inverted",
    severity="grey-values",
    title="inverted",
    make=lambda pixels: 255 - pixels,
    is_inverted=True,
)
NAMES = ("progenitor", "rotation/10", "rotation/45", "rotation/90", "rotation/180")
ROWS = (*(MADE[name] for name in NAMES), MADE["obscured/left"], MIRRORED, INVERTED)


def assess(out, model, modifications=ROWS):
    n = len(KINDS)
    images = ImagesToModify(
        pixels=np.stack([picture(kind, 2 if row % 2 else 98) for row, kind in enumerate(KINDS)]),
        is_frontal=np.arange(n) % 2 == 0,
        files=np.array([f"{row}.png" for row in range(n)]),
        patients=np.array([f"p{row}" for row in range(n)]),
        sources=np.array(["here"] * n),
        drawn_from=n,
    )
    classifier = NamedClassifier.of(model)
    return assess_partition(images, classifier, 50.0, out, modifications=modifications)


def answered(counts, answer):
    """Images, answered, answered wrong, by modification and severity."""
    return {
        f"{one.modification}/{one.severity}": (of.images, of.answered, of.wrong)
        for one in counts
        for of in one.poses
        if of.answer == answer
    }


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    out = tmp_path_factory.mktemp("robustness")
    return out, assess(out, oracle_model())


def test_rotation_is_counted_against_the_nearest_quarter_turn(run):
    _, counts = run

    assert answered(counts, "rotation") == {
        "unmodified/": (4, 4, 1),
        "rotation/10": (4, 4, 1),
        "rotation/45": (4, 0, None),
        "rotation/90": (4, 4, 1),
        "rotation/180": (4, 4, 1),
        "obscured/left": (4, 0, 0),
        "mirrored/left-for-right": (4, 4, 1),
        "inverted/grey-values": (4, 4, 1),
    }


def test_mirroring_is_counted_for_frontal_images_and_changed_by_mirroring(run):
    _, counts = run

    mirrored = answered(counts, "mirrored")
    assert mirrored["unmodified/"] == mirrored["mirrored/left-for-right"] == (2, 2, 0)
    assert mirrored["obscured/left"] == (2, 0, 0)


def test_inversion_is_counted_against_what_the_modification_did(run):
    _, counts = run

    inverted = answered(counts, "inverted")
    assert inverted["unmodified/"] == inverted["rotation/90"] == (4, 4, 0)
    assert inverted["inverted/grey-values"] == (4, 4, 1)


def test_columns_are_appended_after_those_that_older_readers_know(run):
    out, _ = run

    with (out / "robustness.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))

    assert tuple(rows[0]) == (*COUNT_COLUMNS, *POSE_COLUMNS)
    shares = [[row[name] for name in POSE_COLUMNS] for row in rows]
    assert shares[0] == ["100.0", "25.0", "100.0", "0.0", "100.0", "0.0"]
    assert shares[2] == ["0.0", "", "0.0", "0.0", "0.0", "0.0"]
    assert shares[-1] == ["100.0", "25.0", "100.0", "0.0", "100.0", "25.0"]


def test_the_parquet_file_has_the_answers_in_the_words_of_a_result(run):
    out, counts = run

    rows = pq.read_table(out / "robustness.parquet").to_pylist()

    turned = [row for row in rows if row["variant"] == "rotation/90"]
    assert [row["rotation"] for row in turned] == ["90", "90", "180", "90"]
    assert {row["mirrored"] for row in turned} == {"false"}
    assert {row["rotation"] for row in rows if row["variant"] == "obscured/left"} == {""}
    (scores,) = read_scores(out / "robustness.parquet")
    assert count_modified(scores, cutoff=50.0, modifications=ROWS) == counts


def test_the_same_command_reads_the_answers_and_other_thresholds_compute_them_again(tmp_path):
    first = assess(tmp_path, oracle_model(), ROWS[:2])
    again, stricter = (
        oracle_model(),
        oracle_model(
            thresholds=dict.fromkeys(("rotation", "mirrored", "inverted", "projection"), 100.0)
        ),
    )

    assert assess(tmp_path, again, ROWS[:2]) == first
    assert again.backend.pictures == 0
    counts = assess(tmp_path, stricter, ROWS[:2])

    assert stricter.backend.pictures > 0
    assert answered(counts, "rotation")["unmodified/"] == (4, 0, 0)


@pytest.mark.parametrize(
    ("degrees", "quarters"),
    [(0, 0), (44, 0), (45, None), (46, 1), (90, 1), (180, 2), (315, None), (340, 0), (-90, 3)],
)
def test_quarter_turns_of_a_modification_are_the_nearest(degrees, quarters):
    row = Modification(
        kind="rotation", severity="", title="", make=lambda one: one, turned_degrees=degrees
    )

    assert row.quarter_turns == quarters
