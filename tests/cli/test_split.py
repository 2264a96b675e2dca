"""`cxrview split` as its user runs it, leaks planted."""

import csv
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from cxrview.cli.main import app
from cxrview.dataset.prepare import prepare_images
from cxrview.dataset.split_files import read_split
from cxrview.errors import UsageError
from cxrview.paper.scale import SCALES, scaled_split
from cxrview.terms import Partition


@pytest.fixture(scope="module")
def labels(tmp_path_factory) -> Path:
    """Thirty pictures of fifteen patients and two sources."""
    folder = tmp_path_factory.mktemp("labelled")
    rng = np.random.default_rng(0)
    lines = []
    for n in range(30):
        Image.fromarray(rng.integers(0, 256, (32, 32), np.uint8)).save(folder / f"{n}.png")
        view, source = ("lateral" if n % 2 else "frontal"), ("here" if n < 20 else "there")
        lines.append(f"{n}.png,p{n // 2},{view},{source}")
    (folder / "labels.csv").write_text("\n".join(["file,patient,view,source", *lines]) + "\n")
    return folder / "labels.csv"


@pytest.fixture(scope="module")
def store(labels, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("prepared") / "store"
    prepare_images(labels, folder)
    return folder


def split(*arguments):
    """What the command prints; what it refuses, it raises."""
    done = CliRunner().invoke(app, ["split", *map(str, arguments)], catch_exceptions=False)
    assert done.exit_code == 0
    return done.output


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_patients_stay_together_unless_asked_otherwise(labels, tmp_path):
    said = split(labels, "--out", tmp_path / "split.csv")

    rows = rows_of(tmp_path / "split.csv")
    assert len({(row["patient"], row["partition"]) for row in rows}) == 15
    assert "training       18 images (9 frontal, 9 lateral) of 9 patients" in said


def test_store_and_labels_give_the_same_split(labels, store, tmp_path):
    split(labels, "--out", tmp_path / "a.csv", "--by", "image", "--counts", "9,8,7", "--seed", 3)
    split(store, "--out", tmp_path / "b.csv", "--by", "image", "--counts", "9,8,7", "--seed", 3)

    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()
    assert len(rows_of(tmp_path / "a.csv")) == 24


def test_other_sources_are_left_out(labels, tmp_path):
    split(labels, "--out", tmp_path / "split.csv", "--source", "here", "--shares", "50,25,25")

    assert {row["source"] for row in rows_of(tmp_path / "split.csv")} == {"here"}


@pytest.mark.parametrize("name", ["a.csv", "a.parquet"])
def test_a_scale_leaves_out_what_a_scaled_study_has_no_use_for(labels, tmp_path, name):
    sizes = ("--by", "image", "--counts", "27,1,2", "--seed", 3)
    split(labels, "--out", tmp_path / "whole.csv", *sizes)

    said = split(labels, "--out", tmp_path / name, *sizes, "--scale", "smoke")

    whole, scaled = read_split(tmp_path / "whole.csv"), read_split(tmp_path / name)
    assert scaled == scaled_split(whole, SCALES["smoke"], 3)
    assert [len(scaled.files(part)) for part in Partition] == [24, 1, 2]
    assert scaled.partitions.items() < whole.partitions.items()
    assert scaled_split(scaled, SCALES["smoke"], 5) == scaled
    assert "left out        3 images" in said


def test_at_the_scale_of_the_paper_nothing_is_left_out(labels, tmp_path):
    split(labels, "--out", tmp_path / "whole.csv")

    split(labels, "--out", tmp_path / "paper.csv", "--scale", "paper")

    assert (tmp_path / "paper.csv").read_bytes() == (tmp_path / "whole.csv").read_bytes()


def test_to_scale_a_split_needs_no_torch(labels, tmp_path):
    without = (
        "import sys; sys.modules['torch'] = None; from cxrview.cli.main import app; app()",
        *("split", labels, "--out", tmp_path / "split.csv", "--scale", "smoke"),
    )

    subprocess.run([sys.executable, "-c", *map(str, without)], check=True, capture_output=True)

    assert (tmp_path / "split.csv").is_file()


def test_a_planted_patient_in_two_partitions_is_refused_with_both_files(labels, tmp_path):
    path = tmp_path / "split.csv"
    split(labels, "--out", path)
    split(labels, "--check", path)
    moved = {"training": "test", "validation": "test", "test": "training"}
    rows = rows_of(path)
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        for row in rows:
            if row["file"] == "7.png":
                row["partition"] = moved[row["partition"]]
            writer.writerow(row)

    with pytest.raises(UsageError, match=r"one patient .*6\.png .* and 7\.png"):
        split(labels, "--check", path)


def test_a_planted_copy_is_refused_with_both_names_and_nothing_written(labels, tmp_path):
    folder = tmp_path / "planted"
    shutil.copytree(labels.parent, folder)
    os.link(folder / "0.png", folder / "copy.png")
    with (folder / "labels.csv").open("a") as file:
        file.write("copy.png,p99,frontal,here\n")

    refusals = 0
    for seed in range(8):
        try:
            split(folder / "labels.csv", "--out", tmp_path / f"{seed}.csv", "--seed", seed)
        except UsageError as error:
            refusals += 1
            assert "0.png" in str(error)
            assert "copy.png" in str(error)
            assert not (tmp_path / f"{seed}.csv").exists()
    assert 0 < refusals < 8


def test_a_store_tells_the_same_picture_in_another_format(labels, tmp_path):
    """Lossless formats differ in their bytes, not in what they show."""
    folder = tmp_path / "planted"
    shutil.copytree(labels.parent, folder)
    Image.open(folder / "0.png").save(folder / "0.tif")
    lines = "file,patient,view\n0.png,a,frontal\n0.tif,b,frontal\n1.png,c,frontal\n"
    (folder / "labels.csv").write_text(lines)
    (tmp_path / "own.csv").write_text("file,partition\n0.png,training\n0.tif,test\n1.png,test\n")
    prepare_images(folder / "labels.csv", tmp_path / "store")

    split(folder / "labels.csv", "--check", tmp_path / "own.csv")
    with pytest.raises(UsageError, match=r"same picture .*0\.png .* and 0\.tif"):
        split(tmp_path / "store", "--check", tmp_path / "own.csv")


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ([], "either --out .* or --check"),
        (["--out", "s.csv", "--check", __file__], "either --out .* or --check"),
        (["--out", "s.csv", "--counts", "1,1,1", "--shares", "60,20,20"], "exclude each other"),
        (["--out", "s.csv", "--by", "rule", "--counts", "1,1,1"], "takes no sizes"),
        (["--out", "s.csv", "--by", "study"], "by patient, by image or by rule"),
        (["--out", "s.csv", "--counts", "a,b,c"], "three numbers"),
        (["--out", "s.csv", "--counts", "1.5,1,1"], "whole images"),
        (["--out", "s.csv", "--source", "nowhere"], "no image is of source nowhere"),
        (
            ["--out", "s.csv", "--scale", "huge"],
            "scale huge .*smoke, laptop, night, paper",
        ),
        (["--check", __file__, "--scale", "smoke"], "--scale is for a new split"),
        (["--out", "s.xlsx"], r"neither \.csv nor \.parquet"),
        (["--check", "nowhere.csv"], r"nowhere\.csv does not exist"),
    ],
)
def test_an_error_of_use_says_what_is_wrong(labels, tmp_path, monkeypatch, arguments, reason):
    monkeypatch.chdir(tmp_path)

    with pytest.raises(UsageError, match=reason):
        split(labels, *arguments)

    assert list(tmp_path.iterdir()) == []


def test_a_standing_split_is_replaced_only_where_asked(labels, tmp_path):
    path = tmp_path / "split.csv"
    path.write_text("mine")

    with pytest.raises(UsageError, match="--overwrite"):
        split(labels, "--out", path)
    assert path.read_text() == "mine"

    split(labels, "--out", path, "--overwrite")
    assert len(rows_of(path)) == 30
