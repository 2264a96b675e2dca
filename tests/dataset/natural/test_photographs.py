"""Photographs from a tar or a folder, each in the partition of its own name."""

import tarfile

import numpy as np
import pytest
from PIL import Image

from cxrview.dataset.natural.photographs import SOURCE, read_photographs
from cxrview.dataset.split import partition_of
from cxrview.errors import UsageError


@pytest.fixture
def folder(tmp_path):
    rng = np.random.default_rng(0)
    place = tmp_path / "some photographs"
    (place / "more").mkdir(parents=True)
    for name in ("b.png", "a.png", "more/c.png"):
        Image.fromarray(rng.integers(0, 256, (40, 30, 3), np.uint8)).save(place / name)
    (place / ".listing").write_text("not a picture")
    return place


def packed(folder):
    path = folder.parent / "photographs.tar"
    with tarfile.open(path, "w") as tar:
        for file in sorted(folder.rglob("*"), reverse=True):
            tar.add(file, file.relative_to(folder).as_posix(), recursive=False)
    return path


def test_tar_and_folder_give_the_same_rows_and_pixels_by_name(folder):
    told = []
    rows, pixels = read_photographs(folder, told.append)
    again, same = read_photographs(packed(folder))

    assert [row.file for row in rows] == ["a.png", "b.png", "more/c.png"]
    assert [row.partition for row in rows] == [partition_of(name) for name in "abc"]
    assert {row.source for row in rows} == {SOURCE}
    assert (pixels.shape, pixels.dtype, sum(told)) == ((3, 256, 256), np.uint8, 3)
    assert again == rows
    assert np.array_equal(same, pixels)


def test_hidden_folders_are_ignored_in_tar_and_folder(folder):
    for hidden in (".thumbnails", "more/.cache/deep"):
        (folder / hidden).mkdir(parents=True)
        (folder / hidden / "d.txt").write_text("not a picture")

    for place in (folder, packed(folder)):
        rows, _ = read_photographs(place)
        assert [row.file for row in rows] == ["a.png", "b.png", "more/c.png"]


def test_a_hidden_folder_that_is_named_is_read(folder):
    place = folder.rename(folder.with_name(".photographs"))

    assert len(read_photographs(place)[0]) == 3


def test_an_empty_folder_gives_no_rows(tmp_path):
    rows, pixels = read_photographs(tmp_path)

    assert (rows, pixels.shape) == ((), (0, 256, 256))


def test_what_is_no_picture_is_refused_by_name(folder):
    (folder / "notes.txt").write_text("not a picture")

    with pytest.raises(UsageError, match="notes.txt"):
        read_photographs(folder)


@pytest.mark.parametrize("content", [None, b"", b"not a tar" * 100])
def test_what_is_neither_folder_nor_tar_is_refused(tmp_path, content):
    if content is not None:
        (tmp_path / "photographs.tar").write_bytes(content)

    with pytest.raises(UsageError, match="photographs.tar"):
        read_photographs(tmp_path / "photographs.tar")
