"""`cxrview assess model` as its user runs it, with the model in the package on drawn pictures."""

import csv
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from cxrview.classify.model import load_model
from cxrview.cli.main import app
from cxrview.dataset.prepare import prepare_images
from cxrview.errors import InvalidModel, UsageError
from fixtures.posed_model import write_posed_model

HERE, THERE = 36, 8
FILES = [
    *("about.json", "assessment.csv", "assessment.json", "calibration.png", "calibration.svg"),
    *("errors.csv", "failures.png", "failures.svg", "fig-3.png", "fig-3.svg", "fig-4.png"),
    *("fig-4.svg", "fig-5.png", "fig-5.svg", "pose.csv", "reliability.csv", "scores.parquet"),
    "slices.csv",
]


@pytest.fixture(scope="module")
def study(tmp_path_factory) -> Path:
    """A store of two sources and a split of the first, by patient."""
    folder = tmp_path_factory.mktemp("study")
    rng = np.random.default_rng(0)
    labels = ["file,patient,view,source"]
    for n in range(HERE + THERE):
        view, source = ("lateral" if n % 2 else "frontal"), ("here" if n < HERE else "there")
        grey = rng.normal(90 if n % 2 else 150, 30, (16, 16))
        Image.fromarray(np.clip(grey, 0, 255).astype(np.uint8)).save(folder / f"{n}.png")
        labels.append(f"{n}.png,p{n},{view},{source}")
    (folder / "labels.csv").write_text("\n".join(labels) + "\n")
    prepare_images(folder / "labels.csv", folder / "store", workers=1)
    parts = ["training", "training", "validation", "validation", "test", "test"]
    rows = [f"{n}.png,{parts[n % 6]}" for n in range(HERE)]
    (folder / "split.csv").write_text("\n".join(["file,partition", *rows]) + "\n")
    return folder


def arguments(study: Path, out: Path, *more: str) -> list[str]:
    named = {"--split": study / "split.csv", "--model": "default", "--out": out}
    options = [word for name, value in named.items() for word in (name, str(value))]
    return ["assess", "model", str(study / "store"), *options, *more]


def assess(study: Path, out: Path, *more: str) -> str:
    """What the command prints; what it refuses, it raises."""
    done = CliRunner().invoke(app, arguments(study, out, *more), catch_exceptions=False)
    assert done.exit_code == 0
    return done.stdout


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.slow
def test_it_prints_what_it_writes(study, tmp_path):
    out = tmp_path / "run"

    said = assess(study, out, "--external-source", "there")

    assert sorted(path.name for path in out.iterdir()) == FILES
    of_views, of_poses = said.split("16 orientations")
    lines = [line for line in of_views.splitlines() if "│" in line]
    headline = [r for r in rows_of(out / "assessment.csv") if r["headline"] == "yes"]
    shown = [r for r in headline if r["rule"] != "middle"]
    assert len(lines) == len(shown) == 9
    for line, row in zip(lines, shown, strict=True):
        for words in (row["classifier"], row["images"], f"{row['right']} of {row['total']}"):
            assert words in line
    assert {(r["images"], r["total"]) for r in shown} == {
        *(("inside", "12"), ("external", "8"), ("both", "20")),
    }
    assert "headers are not assessed: too few of the images have one" in said
    assert all(answer in of_poses for answer in ("rotation", "mirrored", "inverted"))


@pytest.mark.slow
def test_the_network_alone_on_a_sample_by_the_papers_cutoff_names_no_file_in_figures(
    study, tmp_path
):
    more = ("--external-source", "there", "--sample", "5", "--no-baselines")

    assess(study, tmp_path / "run", *more, "--cutoff-from", "test")

    rows = rows_of(tmp_path / "run" / "assessment.csv")
    assert {r["classifier"] for r in rows} == {load_model(precision="fp32").card.model_id}
    assert {r["total"] for r in rows if r["images"] == "external"} == {"5"}
    assert {r["cutoff_from"] for r in rows if r["headline"] == "yes"} == {"test"}
    for path in [*(tmp_path / "run").glob("*.svg"), *(tmp_path / "run").glob("*.png")]:
        assert not any(f"{n}.png".encode() in path.read_bytes() for n in range(HERE)), path.name


@pytest.mark.slow
def test_a_model_that_answers_the_pose_is_counted_in_sixteen_orientations(study, tmp_path):
    model, out = write_posed_model(tmp_path / "posed"), tmp_path / "run"

    said = assess(study, out, "--no-baselines", "--model", str(model))

    # It calls every picture upright and not inverted: right in 4 and in 8 of 16 orientations.
    lines = [line for line in said.splitlines() if "inside" in line]
    assert any("rotation" in line and "144 of 192" in line for line in lines)
    assert any("inverted" in line and "96 of 192" in line for line in lines)
    assert any("mirrored" in line and "0 of 0" in line for line in lines)
    rows = rows_of(out / "pose.csv")
    assert {row["images"] for row in rows} == {"inside"}
    assert len(rows) == 3 * (16 + 2)


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        (["--external-source", "nowhere"], "no external image is of source nowhere"),
        (["--external-source", "here"], r"same picture: 0\.png \(training\) and 0\.png"),
        (["--sample", "3"], "none are named"),
        (["--cutoff-from", "training"], "validation or test images; got training"),
        (["--split", "nowhere.csv"], r"nowhere\.csv does not exist"),
        (["--external", "nowhere"], "nowhere does not exist"),
    ],
)
def test_an_error_of_use_says_what_is_wrong_and_leaves_nothing(study, tmp_path, more, reason):
    with pytest.raises(UsageError, match=reason):
        assess(study, tmp_path / "run", *more)

    assert not (tmp_path / "run").exists()


def test_an_altered_model_is_refused(study, tmp_path):
    (tmp_path / "model").mkdir()

    with pytest.raises(InvalidModel, match="model"):
        assess(study, tmp_path / "run", "--model", str(tmp_path / "model"))


@pytest.mark.slow
def test_killed_at_any_point_it_ends_with_the_same_bytes(study, tmp_path):
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    command = [sys.executable, "-m", "cxrview"]
    more = ("--external-source", "there")
    subprocess.run([*command, *arguments(study, whole, *more)], check=True, capture_output=True)

    for sign in ("about.json", "scores.parquet", "assessment.json", "fig-4.svg"):
        run = subprocess.Popen(
            [*command, *arguments(study, killed, *more)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        while not (killed / sign).exists() and run.poll() is None:
            time.sleep(0.005)
        run.kill()
        run.wait()
        assert run.returncode == -9, f"it ended before {sign} was seen"
    subprocess.run([*command, *arguments(study, killed, *more)], check=True, capture_output=True)

    for name in FILES:
        assert (killed / name).read_bytes() == (whole / name).read_bytes(), name
