"""`cxrview augment` as its user runs it."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cxrview.dataset.augment.array import VARIANTS as ARRAY
from cxrview.dataset.augment.array import open_materialised
from cxrview.dataset.augment.variants import VARIANTS, make_all_variants
from cxrview.dataset.prepare import prepare_images
from cxrview.dataset.split import partition_of
from cxrview.image import squash

COMMAND = [sys.executable, "-m", "cxrview", "augment"]


def augment(*arguments) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*COMMAND, *map(str, arguments)], capture_output=True, text=True)


@pytest.fixture(scope="module")
def picture(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("one") / "chest.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (300, 200), np.uint8)).save(path)
    return path


@pytest.fixture(scope="module")
def store(tmp_path_factory) -> Path:
    """Twenty images of as many patients, some of them in each partition."""
    folder = tmp_path_factory.mktemp("labelled")
    rng = np.random.default_rng(0)
    for number in range(20):
        Image.fromarray(rng.integers(0, 256, (64, 64), np.uint8)).save(folder / f"{number}.png")
    lines = [f"{number}.png,p{number},frontal" for number in range(20)]
    (folder / "labels.csv").write_text("\n".join(["file,patient,view", *lines]) + "\n")
    prepare_images(folder / "labels.csv", folder / "store", workers=1)
    return folder / "store"


@pytest.fixture(scope="module")
def whole(store, tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("whole") / "variants"
    done = augment(store, "--materialise", "--out", out)
    assert done.returncode == 0, done.stderr
    return out


@pytest.mark.slow
def test_the_training_and_validation_images_of_a_store_are_materialised(whole, store):
    made = open_materialised(whole)

    expected = [f"{n}.png" for n in range(20) if partition_of(f"p{n}") != "test"]
    assert 0 < len(expected) < 20
    assert list(made.files) == expected
    assert made.pixels.shape == (len(expected), 106, 256, 256)


def test_a_split_of_the_user_s_own_is_followed(store, tmp_path):
    (tmp_path / "split.csv").write_text("file,partition\n3.png,validation\n5.png,test\n")

    done = augment(
        store, "--materialise", "--out", tmp_path / "v", "--split", tmp_path / "split.csv"
    )

    assert done.returncode == 0, done.stderr
    assert open_materialised(tmp_path / "v").files == ("3.png",)
    assert "1 validation image, 106 variants" in done.stdout


def test_the_counts_are_told(store, whole, tmp_path):
    done = augment(store, "--materialise", "--out", whole)

    training = sum(partition_of(f"p{n}") == "training" for n in range(20))
    assert f"{training} training images, {training * 106} variants" in done.stdout
    assert done.returncode == 0


@pytest.mark.slow
@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGKILL, -9), (signal.SIGINT, 130), (signal.SIGTERM, 130)]
)
def test_a_run_stopped_anyhow_ends_with_the_same_bytes(store, whole, tmp_path, number, code):
    out = tmp_path / "variants"
    command = [*COMMAND, str(store), "--materialise", "--out", str(out)]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as run:
        array = out / ARRAY
        while run.poll() is None and (not array.exists() or array.stat().st_size < 8_000_000):
            time.sleep(0.005)
        run.send_signal(number)
    assert run.returncode == code

    again = augment(store, "--materialise", "--out", out)

    assert again.returncode == 0, again.stderr
    for path in whole.iterdir():
        assert (out / path.name).read_bytes() == path.read_bytes()


def test_other_conditions_are_refused(store, whole):
    done = augment(store, "--materialise", "--out", whole, "--seed", 1)

    assert done.returncode == 2
    assert "other settings: seed" in done.stderr


def test_a_sheet_shows_an_image_file(picture, tmp_path):
    done = augment(picture, "--sheet", tmp_path / "sheet.png", "--tile", 64)

    assert done.returncode == 0, done.stderr
    with Image.open(tmp_path / "sheet.png") as sheet:
        assert sheet.size == (16 * 66 - 2, 8 * 66 - 2)
    assert [path.name for path in tmp_path.iterdir()] == ["sheet.png"]


@pytest.mark.slow
def test_a_sheet_shows_the_image_of_a_store_that_is_named(store, tmp_path):
    for name in ("0.png", "7.png"):
        augment(store, "--sheet", tmp_path / name, "--image", name)
    first = augment(store, "--sheet", tmp_path / "first.png")

    assert first.returncode == 0, first.stderr
    assert (tmp_path / "first.png").read_bytes() == (tmp_path / "0.png").read_bytes()
    assert (tmp_path / "first.png").read_bytes() != (tmp_path / "7.png").read_bytes()


def test_an_image_file_becomes_106_pictures(picture, tmp_path):
    done = augment(picture, "--out", tmp_path / "all", "--seed", 5)

    assert done.returncode == 0, done.stderr
    written = [np.asarray(Image.open(tmp_path / "all" / f"{one.name}.png")) for one in VARIANTS]
    pixels = squash(np.asarray(Image.open(picture)))
    assert np.array_equal(written, make_all_variants(pixels, seed=5, image_id="chest.png"))
    assert len(list((tmp_path / "all").rglob("*.*"))) == 106


@pytest.mark.parametrize("arguments", [["--sheet", "{picture}"], ["--out", "{folder}"]])
def test_existing_pictures_are_replaced_only_with_overwrite(picture, tmp_path, arguments):
    mine = tmp_path / "chest.png"
    mine.write_bytes(picture.read_bytes())
    options = [argument.format(picture=mine, folder=tmp_path) for argument in arguments]

    refused = augment(mine, *options)

    assert refused.returncode == 2
    assert "--overwrite" in refused.stderr
    assert mine.read_bytes() == picture.read_bytes()
    assert [path.name for path in tmp_path.iterdir()] == ["chest.png"]
    assert augment(mine, *options, "--overwrite").returncode == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["{picture}"], "nothing to do"),
        (["{picture}", "--out", "{new}", "--edge", "white"], "edge white does not exist"),
        (["{picture}", "--out", "{new}", "--materialise"], "is not a prepared store"),
        (["{store}", "--materialise"], "needs a folder"),
        (["{store}", "--sheet", "{new}", "--image", "x.png"], "has no image x.png"),
        (["{new}", "--sheet", "{new}"], "new does not exist"),
    ],
)
def test_what_cannot_be_done_is_said(picture, store, tmp_path, arguments, message):
    places = {"picture": picture, "store": store, "new": tmp_path / "new"}

    done = augment(*(argument.format(**places) for argument in arguments))

    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "new").exists()


def test_a_place_that_cannot_be_written_is_exit_code_3(picture, tmp_path):
    (tmp_path / "file").write_text("")

    done = augment(picture, "--sheet", tmp_path / "file" / "sheet.png")

    assert done.returncode == 3
    assert "cannot be written" in done.stderr
