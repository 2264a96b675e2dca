"""A GPU decides as the processor does, and no result mixes what both have said.

What every backend must keep is in test_model_backends.py, which a GPU is put to as well.
"""

import csv
import json
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cxrview.classify.batching import pixels_of
from cxrview.classify.chest_rule import load_chest_rule
from cxrview.classify.decode_worker import read_file
from cxrview.classify.model import load_model
from cxrview.classify.read_settings import ReadSettings
from cxrview.errors import NoSuchDevice
from cxrview.image import find_images
from cxrview.phantom.archive import draw_archive
from cxrview.terms import Device

pytestmark = pytest.mark.gpu

HERE = Device.CUDA
POINTS = 0.1
"""How far answers of fp32 may lie apart that were summed in another order, in percent."""


@pytest.fixture(scope="module", autouse=True)
def gpu() -> None:
    try:
        load_model(device=HERE)
    except NoSuchDevice as error:
        pytest.skip(f"needs a GPU and onnxruntime-gpu: {error}")


@pytest.fixture(scope="module")
def archive(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("cuda") / "archive"
    draw_archive(folder, patients=8, size=(512, 420), syntaxes=["native"], seed=5)
    return folder


@pytest.fixture(scope="module")
def many(tmp_path_factory) -> Path:
    """So many pictures that a run can be stopped in its middle."""
    folder = tmp_path_factory.mktemp("many")
    rng = np.random.default_rng(0)
    for number in range(400):
        Image.fromarray(rng.integers(0, 256, (64, 64), np.uint8)).save(folder / f"{number:03}.png")
    return folder


def find(archive: Path) -> list[str]:
    return list(find_images(str(archive)))


def command(paths: str | Path, device: Device) -> list[str]:
    options = ["--out", "views.csv", "--precision", "fp32", "--device", device]
    return [sys.executable, "-m", "cxrview", "classify", str(paths), *options]


def classify(archive: Path, device: Device, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*command(archive, device), *options], capture_output=True, text=True)


def rows() -> list[dict[str, str]]:
    with Path("views.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_answers_are_those_of_the_processor(archive):
    outcomes = [read_file(path, ReadSettings(), load_chest_rule(None)) for path in find(archive)]
    pixels = np.stack([pixels for one in outcomes if (pixels := pixels_of(one)) is not None])

    ours = load_model(precision="fp32", device=HERE).answer(pixels)
    theirs = load_model(precision="fp32", device="cpu").answer(pixels)

    assert np.abs(ours.pfi - theirs.pfi).max() < POINTS
    assert np.abs(ours.chest - theirs.chest).max() < POINTS


ANSWERS = """
import hashlib, numpy
from cxrview.classify.model import load_model
pixels = numpy.random.default_rng(0).integers(0, 256, (70, 256, 256), numpy.uint8)
answers = load_model(precision="fp32", device="{device}").answer(pixels)
print(hashlib.sha256(answers.pfi.tobytes() + answers.chest.tobytes()).hexdigest())
"""


def test_another_process_answers_to_the_bit():
    """Or a table would tell where its run was resumed."""
    answers = [
        subprocess.check_output([sys.executable, "-c", ANSWERS.format(device=HERE)])
        for _ in range(4)
    ]

    assert len(set(answers)) == 1


def test_the_command_says_the_same_of_an_archive(archive, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = classify(archive, HERE)
    ours, summary = rows(), json.loads(Path("views.summary.json").read_text())
    classify(archive, Device.CPU, "--overwrite")
    theirs = rows()

    assert done.returncode == 1  # one drawn file is broken
    assert summary["conditions"]["backend"] == f"onnxruntime-{HERE}"
    assert [(row["path"], row["view"], row["decision"]) for row in ours] == [
        (row["path"], row["view"], row["decision"]) for row in theirs
    ]


def test_what_a_gpu_has_begun_no_processor_ends(many, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with subprocess.Popen(command("-", HERE), stdin=subprocess.PIPE, text=True) as running:
        assert running.stdin
        print(*find(many), sep="\n", file=running.stdin, flush=True)
        until = time.monotonic() + 60
        while not is_begun(Path("views.csv.journal")) and time.monotonic() < until:
            time.sleep(0.05)
        running.send_signal(signal.SIGTERM)  # in the middle of a list, which may go on
        with suppress(subprocess.TimeoutExpired):
            running.wait(60)
        running.kill()
    done = subprocess.run(
        [*command("-", Device.CPU), "--resume"],
        input="\n".join(find(many)),
        capture_output=True,
        text=True,
    )

    assert running.returncode == 130
    assert done.returncode == 2
    assert "backend was" in done.stderr


def is_begun(journal: Path) -> bool:
    """By its size, since the run keeps it locked: without rows it has some pages of 4 KiB."""
    return journal.exists() and journal.stat().st_size > 45_000
