"""Counts of the pose of test images: which images, kept in a file, resumed."""

import csv
import json
from dataclasses import replace

import numpy as np
import pytest

from cxrview.assess.assess import assess_model, assess_poses, compute_scores
from cxrview.assess.images import AssessmentImages, ImageSet
from cxrview.assess.pose_files import (
    MOST_TURNED,
    choose_turned,
    compute_poses,
    pictures_to_turn,
    read_poses,
    write_poses,
)
from cxrview.dataset.augment.poses import ORIENTATIONS
from cxrview.records.dataset import Prepared, PreparedImage
from cxrview.stats import exact_interval
from cxrview.terms import View
from fixtures.pose_oracle import RIGHT, TURNS_TOO_FAR, UNSURE, oracle_model, picture

THRESHOLDS = oracle_model().card.thresholds


def a_set(name: str, kinds: list[int]) -> ImageSet:
    """Frontal and lateral images in turn, which the oracle tells apart."""
    images = tuple(
        PreparedImage(
            row=row,
            file=f"{name}/{row}.png",
            source=f"{name} source",
            study="",
            patient=f"{name} {row}",
            view=View.LATERAL if row % 2 else View.FRONTAL,
            file_sha256="",
            pixel_sha256=f"{name} {row}",
        )
        for row in range(len(kinds))
    )
    drawn = [picture(kind, 2.0 if row % 2 else 98.0) for row, kind in enumerate(kinds)]
    pixels = np.stack(drawn) if drawn else np.empty((0, 64, 64), np.uint8)
    return ImageSet(name=name, images=images, store=Prepared(images=images, pixels=pixels))


@pytest.fixture(scope="module")
def images() -> AssessmentImages:
    return AssessmentImages(
        training=a_set("training", []),
        validation=a_set("validation", [RIGHT] * 4),
        inside=a_set("inside", [RIGHT, TURNS_TOO_FAR, RIGHT, RIGHT]),
        external=a_set("external", [UNSURE, RIGHT]),
    )


@pytest.fixture
def rows(images, tmp_path):
    compute_scores(images, oracle_model(), tmp_path / "run", baselines=False)
    assess_poses(images, oracle_model(), tmp_path / "run")
    with (tmp_path / "run" / "pose.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_assess_poses_counts_the_inside_and_the_external_images(rows):
    def row(images: str, answer: str, pose: str, source: str) -> dict[str, str]:
        (found,) = (
            one
            for one in rows
            if (one["images"], one["answer"], one["pose"], one["source"])
            == (images, answer, pose, source)
        )
        return found

    inside = row("inside", "rotation", "turned-90", "inside source")
    assert (inside["pictures"], inside["errors_decided"], inside["decided"]) == ("4", "1", "4")
    every = row("inside", "rotation", "all", "all")
    assert (every["pictures"], every["errors_decided"]) == ("64", "16")
    interval = exact_interval(16, 64)
    ends = float(every["error_low"]), float(every["error_high"])
    assert ends == (interval.low, interval.high)
    unsure = row("external", "mirrored", "progenitor", "external source")
    assert (unsure["pictures"], unsure["decided"], unsure["error_low"]) == ("1", "0", "")
    assert {one["pose"] for one in rows} == {*ORIENTATIONS, "all"}
    assert {one["images"] for one in rows} == {"inside", "external"}
    assert {one["answer"] for one in rows} == {"rotation", "mirrored", "inverted"}
    assert {one["classifier"] for one in rows} == {"oracle-1"}


def test_read_poses_reads_what_write_poses_wrote(images, tmp_path):
    poses = compute_poses(images, oracle_model())

    write_poses(tmp_path / "pose.csv", poses, THRESHOLDS, classifier="one")

    assert read_poses(tmp_path / "pose.csv") == poses


def test_compute_poses_runs_the_first_model_of_a_cascade_alone(images):
    second = oracle_model()
    cascade = replace(oracle_model(), second=second)

    assert compute_poses(images, cascade) == compute_poses(images, oracle_model())
    assert second.backend.pictures == 0


def test_choose_turned_takes_so_many_of_each_source_and_view(images):
    many = replace(images, inside=a_set("inside", [RIGHT] * (2 * MOST_TURNED + 20)))

    inside, external = choose_turned(many)

    views = [image.view for image in inside.images]
    assert views.count(View.FRONTAL) == views.count(View.LATERAL) == MOST_TURNED
    assert external == images.external
    assert pictures_to_turn(many) == 16 * (2 * MOST_TURNED + 2)


def test_choose_turned_leaves_out_an_empty_set(images):
    bare = replace(images, external=a_set("external", []))

    assert [one.name for one in choose_turned(bare)] == ["inside"]


@pytest.mark.parametrize("damage", ["complete", "torn", "missing", "stopped before the hash"])
def test_assess_poses_resumes_and_ends_with_the_same_bytes(images, tmp_path, damage):
    model, out = oracle_model(), tmp_path / "run"
    compute_scores(images, model, out, baselines=False)
    first = assess_poses(images, model, out)
    pose, about = out / "pose.csv", out / "about.json"
    written = {path: path.read_bytes() for path in (pose, about)}
    if damage == "torn":
        pose.write_bytes(pose.read_bytes()[:500])
    elif damage == "missing":
        pose.unlink()
    elif damage != "complete":
        about.write_text(json.dumps({**json.loads(about.read_text()), "poses": None}))
    done = []

    compute_scores(images, model, out, baselines=False)
    again = assess_poses(images, model, out, watch=done.append)

    assert again == first
    assert sum(done) == (0 if damage == "complete" else pictures_to_turn(images))
    assert {path: path.read_bytes() for path in (pose, about)} == written


def test_assess_poses_counts_again_for_other_thresholds(images, tmp_path):
    model, out = oracle_model(), tmp_path / "run"
    compute_scores(images, model, out, baselines=False)
    assess_poses(images, model, out)
    stricter = oracle_model(thresholds={**THRESHOLDS, "rotation": 100.0})

    poses = assess_poses(images, stricter, out)

    assert {one.decided for of in poses for one in of.counts if one.answer == "rotation"} == {0}
    assert read_poses(out / "pose.csv") == poses


@pytest.mark.slow
def test_assess_model_has_the_poses_in_its_report(images, tmp_path):
    run = assess_model(images, oracle_model(), tmp_path / "run", baselines=False)

    report = json.loads((tmp_path / "run" / "assessment.json").read_text())
    assert [one["images"] for one in report["poses"]] == ["inside", "external"]
    assert len(report["poses"][0]["counts"]) == len(run.poses[0].counts) == 3 * 16
    assert (tmp_path / "run" / "pose.csv").exists()
