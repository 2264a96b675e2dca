import shutil

import numpy as np
import pytest

from cxrview.classify.model import load_model
from cxrview.errors import UnreadableImage, UsageError
from cxrview.image import read_radiograph, squash
from cxrview.train.fast.pictures import INDEX, open_pictures, prepare_pictures
from fixtures.fast_pictures import write_labels


def test_prepare_pictures_keeps_squashed_pixels_and_teacher_answers(pictures, pictures_folder):
    file = pictures.labels[5].file
    expected = squash(read_radiograph(str(pictures_folder.parent / file)).pixels)
    teacher = load_model("googlenet").answer(np.asarray(pictures.pixels[5:6]))

    assert (pictures.pixels[5] == expected).all()
    assert pictures.teacher.pfi[5] == pytest.approx(teacher.pfi[0], abs=1e-4)
    assert pictures.teacher.chest[5] == pytest.approx(teacher.chest[0], abs=1e-4)


def test_prepare_pictures_adds_photographs_at_the_end(pictures):
    assert len(pictures.labels) == len(pictures.pixels) == 21
    assert pictures.is_photograph.tolist() == [False] * 19 + [True] * 2
    assert abs(np.diff(pictures.pixels[-1].astype(int), axis=0)).max() <= 1
    assert pictures.pixels[-1, 0, -1] > pictures.pixels[-1, 0, 0]


def test_prepare_pictures_refuses_file_named_twice(tmp_path):
    path = write_labels(tmp_path)

    with pytest.raises(UsageError, match="two labels files"):
        prepare_pictures([path, path], tmp_path / "out", load_model("googlenet"))


def test_prepare_pictures_reports_corrections_of_no_picture(tmp_path):
    path, corrections = write_labels(tmp_path), tmp_path / "corrections.csv"
    corrections.write_text("file,view\nmisspelt.png,lateral\n")

    with pytest.raises(UsageError, match=r"misspelt\.png"):
        prepare_pictures([path], tmp_path / "out", load_model("googlenet"), corrections=corrections)

    assert not (tmp_path / "out").exists()


def test_prepare_pictures_keeps_a_complete_folder_until_it_can_be_replaced(
    pictures_folder, tmp_path
):
    shutil.copytree(pictures_folder, tmp_path / "out")
    labels = write_labels(tmp_path)
    (tmp_path / "18.png").write_text("not a picture")

    with pytest.raises(UnreadableImage):
        prepare_pictures([labels], tmp_path / "out", load_model("googlenet"))

    assert open_pictures(tmp_path / "out").sha256 == open_pictures(pictures_folder).sha256
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == sorted(
        path.name for path in pictures_folder.iterdir()
    )


def test_open_pictures_refuses_folder_without_pictures(tmp_path):
    with pytest.raises(UsageError, match="does not hold prepared pictures"):
        open_pictures(tmp_path)


def test_open_pictures_refuses_index_of_other_length(tmp_path, pictures_folder):
    for path in pictures_folder.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    lines = (tmp_path / INDEX).read_text().splitlines(keepends=True)
    (tmp_path / INDEX).write_text("".join(lines[:-1]))

    with pytest.raises(UsageError, match="damaged"):
        open_pictures(tmp_path)
