"""`cxrview pretrain` as its user runs it."""

import csv
import json
import os
import subprocess
import sys
import tarfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("torch", reason="needs torch: pip install '.[train]'")
from cxrview.paper.trained_model import load_trained

COMMAND = [sys.executable, "-m", "cxrview", "pretrain"]
# For two pictures one thread is enough; several would wait for each other on a busy machine.
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1"}
TWO_STEPS = ("--scale", "smoke", "--epoch-pictures", 2, "--batch", 1, "--validation-pictures", 2)


def pretrain(*arguments) -> subprocess.CompletedProcess[str]:
    command = [*COMMAND, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, env=ENVIRONMENT)


@pytest.fixture(scope="module")
def published(shared_data) -> Path:
    return shared_data / "pretraining" / "bvlc-googlenet.npz"


@pytest.fixture(scope="module")
def classes(shared_data) -> Path:
    return shared_data / "pretraining" / "ilsvrc-classes.csv"


@pytest.fixture(scope="module")
def pack(classes, tmp_path_factory) -> Path:
    """One drawn picture of each natural class and of seventy artifacts, two for validation."""
    with classes.open(newline="") as file:
        rows = list(csv.DictReader(file))
    artifacts = [r["wnid"] for r in rows if r["category"] == "artifact"][:70]
    natural = [r["wnid"] for r in rows if r["category"] not in ("artifact", "other")]
    folder = tmp_path_factory.mktemp("pack")
    rng = np.random.default_rng(0)
    Image.fromarray(rng.integers(0, 256, (256, 256), np.uint8)).save(folder / "drawn.png")
    with tarfile.open(folder / "pack.tar", "w") as tar:
        for wnid in [*natural, *artifacts]:
            tar.add(folder / "drawn.png", f"train/{wnid}/drawn.png")
        for wnid in natural[:2]:
            tar.add(folder / "drawn.png", f"val/{wnid}/drawn.png")
    return folder / "pack.tar"


@pytest.mark.slow
def test_a_subset_is_learnt_listed_and_told_of(published, classes, pack, tmp_path):
    out = tmp_path / "subset"
    arguments = ("--published", published, "--pictures", pack, "--classes", classes, "--out", out)

    done = pretrain("grey-subset", *arguments, *TWO_STEPS)

    assert done.returncode == 0, done.stderr
    assert "step 2 of 2, loss" in done.stderr
    assert "not as published: 100 pictures of 100 classes instead of 128,769 of 100" in done.stdout
    assert "top-1 of 2 validation pictures" in done.stdout
    with (out / "subset.csv").open(newline="") as file:
        listed = list(csv.DictReader(file))
    assert len(listed) == 100
    assert sum(row["category"] == "artifact" for row in listed) == 65
    about = json.loads((out / "about.json").read_text())
    assert [row["wnid"] for row in listed] == about["classes"]
    assert load_trained(out).classifier.out_features == 100


@pytest.mark.slow
def test_colour_takes_the_published_weights_and_no_pictures(published, tmp_path):
    done = pretrain("colour", "--published", published, "--out", tmp_path / "colour")
    refused = pretrain(
        "colour", "--published", published, "--out", tmp_path / "c", "--pictures", tmp_path
    )

    assert done.returncode == 0, done.stderr
    assert load_trained(tmp_path / "colour").classifier.out_features == 1000
    assert refused.returncode == 2
    assert "takes no pictures" in refused.stderr


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["rainbow"], "Choose from grey, grey-subset"),
        (["grey"], "needs pictures and their classes"),
        (["grey", "--scale", "huge"], "scale huge does not exist"),
        (["grey", "--published", "{new}"], "new does not exist"),
        (["grey", "--pictures", "{new}", "--classes", "{npz}"], "new does not exist"),
    ],
)
def test_what_cannot_be_done_is_said(tmp_path, arguments, message):
    (tmp_path / "arrays.npz").write_text("")
    places = {"new": tmp_path / "new", "npz": tmp_path / "arrays.npz"}
    standing = ["--published", str(places["npz"]), "--out", str(places["new"])]

    done = pretrain(*[a.format(**places) for a in [arguments[0], *standing, *arguments[1:]]])

    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert not places["new"].exists()
