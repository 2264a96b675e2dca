"""`cxrview finetune` on two processes that torchrun starts is that of one."""

import os
import subprocess
import sys

import numpy as np
import pytest
import torch
from PIL import Image
from typer.testing import CliRunner

from cxrview.assess.score_files import read_scores
from cxrview.cli.main import app
from cxrview.csv_files import write_csv
from cxrview.paper.trained_model import finish_training
from cxrview.train.googlenet import GoogLeNet

ALONE = ("-m", "cxrview")
TORCHRUN = ("-m", "torch.distributed.run", "--nproc-per-node", "2", *ALONE)
OF_TORCHRUN = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE")


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """A store of bars, upright ones frontal and lying ones lateral, its split, and a trunk."""
    folder = tmp_path_factory.mktemp("study")
    rng, rows = np.random.default_rng(0), []
    for number in range(40):
        bars = np.tile(rng.integers(0, 256, 256, np.uint8), (256, 1))
        Image.fromarray(bars if number % 2 else bars.T).save(folder / f"{number}.png")
        rows.append([f"{number}.png", f"p{number // 2}", "frontal" if number % 2 else "lateral"])
    write_csv(folder / "labels.csv", ["file", "patient", "view"], rows)
    for words in (
        ["prepare", folder / "labels.csv", "--out", folder / "store"],
        ["split", folder / "store", "--out", folder / "split.csv"],
    ):
        done = CliRunner().invoke(app, list(map(str, words)), catch_exceptions=False)
        assert done.exit_code == 0, done.output
    torch.manual_seed(9)
    trunk = GoogLeNet(2, auxiliary=False)
    (folder / "trunk").mkdir()
    finish_training(
        folder / "trunk", trunk, {"pre_training": "colour", "differs_from_the_paper": []}
    )
    return folder


def finetune(study, recipe, start, out):
    """Run the command, and return its last line and the PFI of the validation images."""
    words = f"finetune store --recipe {recipe} --split split.csv --pre-trained trunk --scale smoke"
    environment = {name: value for name, value in os.environ.items() if name not in OF_TORCHRUN}
    done = subprocess.run(
        [sys.executable, *start, *words.split(), "--batch", "8", "--out", out],
        cwd=study,
        env=environment | {"OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    (scores,) = read_scores(study / out / "validation.parquet")
    return done, scores


@pytest.mark.slow
@pytest.mark.parametrize(
    ("recipe", "tolerance"),
    [("fc-augmented", 0.001), pytest.param("all-augmented", 2.0, marks=pytest.mark.nightly)],
)
def test_two_processes_are_right_for_as_many_validation_images(study, recipe, tolerance):
    """Where all layers are trained, bf16 rounds their gradients."""
    _, one = finetune(study, recipe, ALONE, f"{recipe}-one")
    done, two = finetune(study, recipe, TORCHRUN, f"{recipe}-two")

    assert list(one.files) == list(two.files)
    assert abs(int(one.is_right.sum()) - int(two.is_right.sum())) <= 1
    assert np.abs(one.pfi - two.pfi).max() < tolerance
    assert done.stdout.count("validation images right") == 1  # the first process alone prints
    assert done.stderr.count("step 1 of") == 1
