"""A disk that goes away in the middle of a run ends it; a file that cannot be opened does not."""

import csv
import json
import os
import shutil

import pytest

from cxrview.classify.archive import classify_archive
from cxrview.classify.decode_worker import ReadSettings
from cxrview.classify.engine import EngineSettings
from cxrview.classify.outputs import Outputs
from cxrview.classify.reach import Reach
from cxrview.errors import OutOfReach
from cxrview.image import find_images
from cxrview.records import Failure

SETTINGS = EngineSettings(read=ReadSettings(side=256), workers=2)
FAILED = [Failure(path="a", code="cannot_open", reason="gone", advice="")]


def rows(out):
    return list(csv.DictReader(out.table.read_text().splitlines()))


def unmount(archive):
    archive.rename(archive.parent / "disk")
    archive.mkdir()


def mount(archive):
    archive.rmdir()
    (archive.parent / "disk").rename(archive)


@pytest.fixture
def many(draw, tmp_path):
    """More than a run has under way at a time."""
    draw("0/000.png", 10)
    first = tmp_path / "archive" / "0" / "000.png"
    for number in range(1, 400):
        copy = tmp_path / "archive" / f"{number // 100}" / f"{number:03}.png"
        copy.parent.mkdir(exist_ok=True)
        shutil.copy(first, copy)
    return tmp_path / "archive"


def test_a_disk_that_goes_away_ends_the_run_and_a_resume_reads_the_rest(many, tmp_path, model):
    archive, out = many, Outputs(table=tmp_path / "views.csv")
    conditions = {"paths": json.dumps([str(archive)])}
    gone = []

    def watch(_):
        if not gone:
            gone.append(unmount(archive))

    with pytest.raises(OutOfReach, match=r"archive was there, and is empty.*go on with --resume"):
        classify_archive(
            find_images(str(archive)), out, model, SETTINGS, conditions=conditions, watch=watch
        )
    kept = len(rows(out))
    mount(archive)
    last = classify_archive(find_images(str(archive)), out, model, SETTINGS, conditions=conditions)

    assert 0 < kept < 400
    assert (last.found, last.failed, last.is_complete) == (400, {}, True)
    assert len(rows(out)) == 400


def test_files_that_cannot_be_opened_do_not_end_the_run(many, tmp_path, model):
    for number in range(100, 200):
        (many / "1" / f"{number}.png").unlink()
        (many / "1" / f"{number}.png").symlink_to("nowhere")
    out = Outputs(table=tmp_path / "views.csv")

    tally = classify_archive(
        find_images(str(many)),
        out,
        model,
        SETTINGS,
        conditions={"paths": json.dumps([str(many)])},
    )

    assert (tally.found, tally.failed, tally.is_complete) == (400, {"cannot_open": 100}, True)


@pytest.mark.parametrize("way", ["empty", "gone", "broken"])
def test_a_folder_that_held_something_is_out_of_reach_when_it_is(tmp_path, monkeypatch, way):
    (tmp_path / "film").touch()
    reach = Reach([f"file://{tmp_path}", "s3://bucket/films", str(tmp_path / "*"), "-"])
    reach.check(FAILED, "")

    if way == "broken":

        def refuse(folder):
            raise OSError(116, "Stale file handle", folder)

        monkeypatch.setattr(os, "scandir", refuse)
    else:
        (tmp_path / "film").unlink()
    if way == "gone":
        tmp_path.rmdir()

    reach.check([], "")
    with pytest.raises(OutOfReach, match="was there, and is empty or out of reach now"):
        reach.check(FAILED, "")


def test_what_was_empty_or_missing_from_the_first_is_not_watched(tmp_path):
    (tmp_path / "empty").mkdir()
    reach = Reach([str(tmp_path / "empty"), str(tmp_path / "missing"), "", "a\0b"])

    reach.check(FAILED, "")
