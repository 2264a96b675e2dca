"""Trees and tars of pictures, kept once: the same bytes however often that was stopped."""

import io
import tarfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cxrview.dataset.natural.pictures import count_classes, find_pictures, store_pictures
from cxrview.dataset.natural.store import LINES, PIXELS, open_pictures
from cxrview.errors import UsageError
from cxrview.image import squash
from cxrview.terms import Partition

WNIDS = ("n00000001", "n00000002", "n00000003")


def draw(path: Path, number: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(number)
    Image.fromarray(rng.integers(0, 256, (40, 30, 3), np.uint8)).save(path)


@pytest.fixture(scope="module")
def tree(tmp_path_factory) -> Path:
    """Three classes: three pictures of each for training, one for validation."""
    root = tmp_path_factory.mktemp("tree")
    for place, wnid in enumerate(WNIDS):
        for number in range(3):
            draw(root / "train" / wnid / f"{wnid}_{number}.png", place * 10 + number)
        draw(root / "val" / wnid / "v.png", place * 10 + 9)
    return root


@pytest.fixture(scope="module")
def tar(tree, tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("tar") / "pack.tar"
    with tarfile.open(path, "w") as pack:
        for file in sorted(tree.rglob("*.png")):
            pack.add(file, f"pack/{file.relative_to(tree)}")
    return path


@pytest.fixture(scope="module")
def whole(tree, tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("whole") / "pictures"
    store_pictures(tree, out, wnids=WNIDS)
    return out


def test_each_picture_is_kept_with_its_class_and_partition(whole):
    kept = open_pictures(whole)

    assert kept.wnids == WNIDS
    assert kept.pixels.shape == (12, 256, 256)
    assert list(kept.classes[kept.rows(Partition.TRAINING)]) == [0] * 3 + [1] * 3 + [2] * 3
    assert list(kept.classes[kept.rows(Partition.VALIDATION)]) == [0, 1, 2]
    assert kept.about["enlarged"] == 12
    assert not kept.pixels.flags.writeable


def test_pixels_are_the_picture_s_luma_squashed(whole, tree):
    """Luma by ITU-R 601-2, computed here from its definition."""
    kept = open_pictures(whole)
    with Image.open(tree / "train" / WNIDS[1] / f"{WNIDS[1]}_2.png") as picture:
        colours = np.asarray(picture).astype(float)

    grey = np.rint(colours @ [0.299, 0.587, 0.114]).astype(np.uint8)

    difference = kept.pixels[5].astype(int) - squash(grey)
    assert np.abs(difference).max() <= 1


def test_a_tar_of_the_tree_gives_the_same_pictures(whole, tar, tmp_path):
    kept = store_pictures(tar, tmp_path / "p", wnids=WNIDS, workers=1)

    assert np.array_equal(kept.pixels, open_pictures(whole).pixels)


def test_classes_are_counted_in_folder_and_tar_alike(tree, tar):
    expected = {
        Partition.TRAINING: dict.fromkeys(WNIDS, 3),
        Partition.VALIDATION: dict.fromkeys(WNIDS, 1),
    }

    assert count_classes(tree) == count_classes(tar) == expected


def test_classes_without_partitions_are_all_for_training(tree):
    found = list(find_pictures(tree / "train"))

    assert {picture.partition for picture in found} == {Partition.TRAINING}
    assert len(found) == 9


def test_some_classes_and_some_of_each_are_kept(tree, tmp_path):
    kept = store_pictures(tree, tmp_path / "p", wnids=WNIDS[1:], per_class=2)

    assert kept.wnids == WNIDS[1:]
    assert list(kept.classes) == [0, 0, 1, 1, 0, 1]


@pytest.mark.parametrize("done", [0, 1, 5])
@pytest.mark.parametrize("torn", ["", '{"file": "tra'])
def test_a_run_stopped_anywhere_ends_with_the_same_bytes(tree, whole, tmp_path, done, torn):
    out = tmp_path / "p"

    class Stopped(Exception):
        pass

    def stop(count: int, seen: list[int] = []) -> None:  # noqa: B006
        seen.append(count)
        if sum(seen) > done:
            raise Stopped

    with pytest.raises(Stopped):
        store_pictures(tree, out, wnids=WNIDS, watch=stop)
    with (out / PIXELS).open("ab") as pixels:
        pixels.write(b"half a picture")
    if torn:
        with (out / LINES).open("a") as lines:
            lines.write(torn)

    store_pictures(tree, out, wnids=WNIDS, workers=1)

    for path in whole.iterdir():
        assert (out / path.name).read_bytes() == path.read_bytes(), path.name


def test_a_line_without_its_picture_is_not_believed(tree, whole, tmp_path, monkeypatch):
    out = tmp_path / "p"

    def stop(count: int) -> None:
        if count and (out / LINES).stat().st_size > 1000:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        store_pictures(tree, out, wnids=WNIDS, watch=stop)
    with (out / PIXELS).open("r+b") as pixels:
        pixels.seek(-70_000, io.SEEK_END)
        pixels.write(b"\0" * 1000)

    store_pictures(tree, out, wnids=WNIDS)

    assert (out / PIXELS).read_bytes() == (whole / PIXELS).read_bytes()


def test_a_complete_store_reads_no_picture_again(tree, whole):
    seen: list[int] = []

    store_pictures(tree, whole, wnids=WNIDS, watch=seen.append)

    assert seen == []


def test_pictures_of_another_source_are_refused(tree, whole):
    with pytest.raises(UsageError, match="the pictures have changed"):
        store_pictures(tree, whole, wnids=WNIDS[:2])


def test_a_folder_of_something_else_is_refused(tree, tmp_path):
    (tmp_path / "diary.txt").write_text("dear")

    with pytest.raises(UsageError, match="other files"):
        store_pictures(tree, tmp_path, wnids=WNIDS)


def test_a_file_that_is_no_picture_costs_itself_alone(tmp_path):
    draw(tmp_path / "in" / WNIDS[0] / "a.png", 0)
    (tmp_path / "in" / WNIDS[0] / "b.png").write_text("not at all")
    draw(tmp_path / "in" / WNIDS[0] / "c.png", 1)

    kept = store_pictures(tmp_path / "in", tmp_path / "p", wnids=WNIDS)

    assert len(kept.pixels) == 2
    assert kept.about["failures"] == 1
    assert '"failure": "not_an_image"' in (tmp_path / "p" / LINES).read_text()


def test_a_source_without_pictures_is_refused(tmp_path):
    (tmp_path / "train" / WNIDS[0]).mkdir(parents=True)

    with pytest.raises(UsageError, match="no training pictures"):
        count_classes(tmp_path)


def test_a_source_of_unreadable_pictures_is_refused(tmp_path):
    (tmp_path / "in" / WNIDS[0]).mkdir(parents=True)
    (tmp_path / "in" / WNIDS[0] / "b.png").write_text("not at all")

    with pytest.raises(UsageError, match="no training picture"):
        store_pictures(tmp_path / "in", tmp_path / "p", wnids=WNIDS)


def test_validation_pictures_without_class_folders_are_refused(tree, tmp_path):
    draw(tmp_path / "train" / WNIDS[0] / "a.png", 0)
    draw(tmp_path / "val" / "ILSVRC2012_val_00000001.png", 1)

    with pytest.raises(UsageError, match="no class folders"):
        count_classes(tmp_path)


@pytest.mark.parametrize("content", [None, b"no tar at all"])
def test_what_is_no_source_is_refused(tmp_path, content):
    if content:
        (tmp_path / "pack.tar").write_bytes(content)

    with pytest.raises(UsageError, match="tar"):
        count_classes(tmp_path / "pack.tar")


def test_a_tar_that_ends_too_early_is_refused(tar, tmp_path):
    (tmp_path / "cut.tar").write_bytes(tar.read_bytes()[:-30_000])

    with pytest.raises(UsageError, match="damaged"):
        count_classes(tmp_path / "cut.tar")
