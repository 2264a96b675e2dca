"""`cxrview prepare` as its user runs it."""

import csv
import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

COMMAND = [sys.executable, "-m", "cxrview", "prepare"]


@pytest.fixture(scope="module")
def labels(tmp_path_factory) -> Path:
    """So many pictures that a run can be stopped in its middle; the eleventh is none."""
    folder = tmp_path_factory.mktemp("many")
    rng = np.random.default_rng(0)
    for number in range(150):
        Image.fromarray(rng.integers(0, 256, (64, 64), np.uint8)).save(folder / f"{number}.png")
    (folder / "10.png").write_bytes(b"no picture")
    lines = [f"{number}.png,p{number // 2},frontal" for number in range(150)]
    (folder / "labels.csv").write_text("\n".join(["file,patient,view", *lines]) + "\n")
    return folder / "labels.csv"


@pytest.fixture(scope="module")
def whole(labels, tmp_path_factory) -> Path:
    store = tmp_path_factory.mktemp("whole") / "store"
    done = prepare(labels, "--out", store)
    assert done.returncode == 1
    assert done.stdout.startswith("149 images in ")
    assert "1 could not be read" in done.stderr
    return store


def prepare(*arguments) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*COMMAND, *map(str, arguments)], capture_output=True, text=True)


def outcomes(progress: Path) -> int:
    return progress.read_bytes().count(b"\n") if progress.exists() else 0


@pytest.mark.slow
@pytest.mark.parametrize(
    ("number", "code", "after"),
    [
        (signal.SIGKILL, -9, 0),
        (signal.SIGKILL, -9, 40),
        (signal.SIGINT, 130, 40),
        (signal.SIGTERM, 130, 40),
    ],
)
def test_a_run_stopped_anyhow_ends_with_the_same_bytes(
    labels, whole, tmp_path, number, code, after
):
    store = tmp_path / "store"
    command = [*COMMAND, str(labels), "--out", str(store), "--workers", "1"]
    running = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    until = time.monotonic() + 60
    progress = store / "progress.jsonl"
    while time.monotonic() < until and not (progress.exists() and outcomes(progress) >= after):
        time.sleep(0.002)
    running.send_signal(number)

    stopped = running.wait(60)
    is_complete = json.loads((store / "about.json").read_text())["complete"]
    resumed = prepare(labels, "--out", store)

    assert stopped == code
    assert not is_complete
    assert resumed.returncode == 1
    assert {path.name: path.read_bytes() for path in store.iterdir()} == {
        path.name: path.read_bytes() for path in whole.iterdir()
    }


LIMITED = """
import resource, runpy
resource.setrlimit(resource.RLIMIT_FSIZE, (4 << 20, 4 << 20))
runpy.run_module("cxrview", run_name="__main__")
"""


@pytest.mark.slow
def test_a_disk_that_takes_no_more_is_told_and_gone_on_with(labels, whole, tmp_path):
    """A limit on the size of a file, 4 MiB, stands in for a full disk."""
    command = [sys.executable, "-c", LIMITED, "prepare", str(labels), "--out", str(tmp_path)]

    full = subprocess.run(command, capture_output=True, text=True)
    resumed = prepare(labels, "--out", tmp_path)

    assert full.returncode == 3
    assert "the same command resumes the work" in full.stderr
    assert "Traceback" not in full.stderr
    assert resumed.returncode == 1
    assert all((tmp_path / path.name).read_bytes() == path.read_bytes() for path in whole.iterdir())


def test_failures_are_listed_with_what_to_do(whole):
    with (whole / "failures.csv").open(newline="") as file:
        (row,) = csv.DictReader(file)

    assert (row["file"], row["code"]) == ("10.png", "not_an_image")
    assert row["reason"]
    assert row["advice"]


def test_a_store_of_another_kind_is_refused_and_stays(labels, whole):
    before = (whole / "about.json").read_bytes()

    done = prepare(labels, "--out", whole, "--as-published")

    assert done.returncode == 2
    assert "without --as-published" in done.stderr
    assert (whole / "about.json").read_bytes() == before


@pytest.mark.slow
def test_a_sound_set_is_done_with_0_and_anew_where_asked(labels, tmp_path):
    few = labels.with_name("few.csv")
    few.write_text("file,patient,view\n0.png,a,frontal\n1.png,b,lateral\n")

    first = prepare(few, "--out", tmp_path / "store")
    anew = prepare(few, "--out", tmp_path / "store", "--as-published", "--overwrite")

    assert (first.returncode, anew.returncode) == (0, 0)
    assert first.stdout.endswith("1 frontal, 1 lateral, of 2 patients\n")
    assert json.loads((tmp_path / "store" / "about.json").read_text())["reader"] == "exact"


@pytest.mark.slow
def test_headers_in_a_table_beside_the_pictures_are_counted(labels, tmp_path):
    few = labels.with_name("headed.csv")
    few.write_text("file,patient,view\n0.png,a,frontal\n1.png,b,lateral\n")
    columns = "file,Manufacturer,View Position,View Code Sequence"
    (tmp_path / "headers.csv").write_text(f"{columns}\n1.png,Maker,LL,\n2.png,,,\n")

    done = prepare(few, "--out", tmp_path / "store", "--headers", tmp_path / "headers.csv")

    assert done.returncode == 0
    assert done.stdout.endswith("\n1 of them has a header\n")


@pytest.mark.parametrize(
    "arguments",
    [["nowhere.csv", "--out", "store"], ["labels.csv"], ["labels.csv", "--out", "labels.csv"]],
)
def test_an_error_of_use_says_what_is_wrong(labels, tmp_path, monkeypatch, arguments):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.png").touch()
    (tmp_path / "labels.csv").write_text("file,patient,view\na.png,p,frontal\n")

    done = prepare(*arguments)

    assert done.returncode in (2, 3)
    assert done.stderr
    assert "Traceback" not in done.stderr
