"""A disk that goes away in the middle of a run ends it; a file that cannot be opened does not."""

import csv
import errno
import os
import shutil

import pytest

from cxrview.classify import missing_files
from cxrview.classify.missing_files import MountWatch
from cxrview.classify.options import ClassifyOptions
from cxrview.errors import InputUnavailable
from cxrview.image import find_images
from cxrview.records.classification import Failure
from cxrview.results.files import Outputs
from fixtures.runs import run_into

SETTINGS = ClassifyOptions(workers=2)
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


@pytest.mark.slow
def test_a_disk_that_goes_away_ends_the_run_and_a_resume_reads_the_rest(many, tmp_path, model):
    archive, out = many, Outputs(table=tmp_path / "views.csv")
    gone = []

    def watch(_):
        if not gone:
            gone.append(unmount(archive))

    with pytest.raises(
        InputUnavailable, match=r"archive held files, and is empty.*continue with --resume"
    ):
        run_into(
            out, find_images(str(archive)), model, SETTINGS, named=[archive], on_outcomes=watch
        )
    kept = len(rows(out))
    mount(archive)
    last = run_into(out, find_images(str(archive)), model, SETTINGS, named=[archive])

    assert 0 < kept < 400
    assert (last.found, last.failed, last.is_complete) == (400, {}, True)
    assert len(rows(out)) == 400


@pytest.mark.slow
def test_files_that_cannot_be_opened_do_not_end_the_run(many, tmp_path, model):
    for number in range(100, 200):
        (many / "1" / f"{number}.png").unlink()
        (many / "1" / f"{number}.png").symlink_to("nowhere")
    out = Outputs(table=tmp_path / "views.csv")

    tally = run_into(
        out,
        find_images(str(many)),
        model,
        SETTINGS,
        named=[many],
    )

    assert (tally.found, tally.failed, tally.is_complete) == (400, {"cannot_open": 100}, True)


@pytest.mark.parametrize("named", ["{}", "file://{}", "{}/*/*.dcm"])
@pytest.mark.parametrize("way", ["empty", "gone", "broken"])
def test_a_folder_that_held_something_is_out_of_reach_when_it_is(tmp_path, monkeypatch, way, named):
    (tmp_path / "film").touch()
    watching = MountWatch([named.format(tmp_path), "s3://bucket/films", "-"], "Go on.")
    watching.check(FAILED)

    if way == "broken":

        def refuse(folder):
            raise OSError(116, "Stale file handle", folder)

        monkeypatch.setattr(os, "scandir", refuse)
    else:
        (tmp_path / "film").unlink()
    if way == "gone":
        tmp_path.rmdir()

    watching.check([])
    with pytest.raises(
        InputUnavailable, match="held files, and is empty or unreachable now.*Go on"
    ):
        watching.check(FAILED)


def test_what_was_empty_or_missing_from_the_first_is_not_watched(tmp_path):
    (tmp_path / "empty").mkdir()
    watching = MountWatch([str(tmp_path / "empty"), str(tmp_path / "missing"), "", "a\0b", "*"], "")

    watching.check(FAILED)


def classify(paths, out, model, **options):
    named = [str(path) for path in paths]
    return run_into(out, find_images(named), model, SETTINGS, named=named, **options)


def once(do):
    """For `watch`: do something when the first rows are recorded."""
    left = [do]
    return lambda _: left.pop()() if left else None


@pytest.mark.slow
def test_a_disk_that_goes_away_before_its_turn_is_missed(many, draw, tmp_path, model):
    """An empty folder gives no file that could not be opened."""
    draw("4/400.png", 20)
    disks, out = [many / "0", many / "4"], Outputs(table=tmp_path / "views.csv")

    with pytest.raises(InputUnavailable, match="archive/4 held files.*--forget-missing"):
        classify(disks, out, model, on_outcomes=once(lambda: unmount(many / "4")))
    with pytest.raises(InputUnavailable, match="archive/4 held files"):
        classify(disks, out, model)
    (many / "4").rmdir()
    (many / "disk").rename(many / "4")
    last = classify(disks, out, model)

    assert (last.found, last.failed, last.read_now) == (101, {}, 1)


def test_what_is_gone_for_good_can_be_given_up(many, draw, tmp_path, model):
    draw("4/400.png", 20)
    disks, out = [many / "0", many / "4"], Outputs(table=tmp_path / "views.csv")
    with pytest.raises(InputUnavailable):
        classify(disks, out, model, on_outcomes=once(lambda: unmount(many / "4")))

    last = classify(disks, out, model, forget_missing=True)

    assert (last.found, last.failed, last.is_complete) == (100, {}, True)


def test_what_is_given_up_is_not_what_goes_away_meanwhile(many, draw, tmp_path, model):
    draw("4/400.png", 20)
    disks, out = [many / "0", many / "4"], Outputs(table=tmp_path / "views.csv")
    with pytest.raises(InputUnavailable):
        classify(disks, out, model, on_outcomes=once(lambda: unmount(many / "4")))
    (many / "4").rmdir()
    (many / "disk").rename(many / "4")
    draw("0/400.png", 20)  # so that rows are recorded

    with pytest.raises(InputUnavailable, match="archive/4 held files"):
        classify(
            disks,
            out,
            model,
            forget_missing=True,
            on_outcomes=once(lambda: unmount(many / "4")),
        )


def test_a_disk_mounted_below_a_path_is_missed(many, tmp_path, model, monkeypatch):
    mounts = tmp_path / "mountinfo"
    monkeypatch.setattr(missing_files, "MOUNTS", mounts)
    (many / "a disk").mkdir()
    (many / "a disk" / "lost+found").touch()
    name = str(many / "a disk").replace(" ", r"\040")
    mounts.write_text(
        f"36 35 98:0 / {name} rw,noatime master:1 - ext3 /dev/root rw,errors=continue\n"
        f"37 35 0:51 / {many / '0'} rw - overlay overlay rw\n"
    )
    watching = MountWatch([str(many)], "")
    watching.check_mounts()
    mounts.write_text("")

    with pytest.raises(InputUnavailable, match="a disk held files"):
        watching.check_mounts()
    assert watching.folders == {str(many): False, str(many / "a disk"): True}


@pytest.mark.parametrize(
    ("step", "number", "is_dead"),
    [
        ("read", errno.EIO, True),
        ("open", errno.ESTALE, True),
        ("open", errno.ENOENT, False),
        ("open", errno.EACCES, False),
    ],
)
def test_a_disk_is_dead_that_gives_no_file_it_gave_before(many, monkeypatch, step, number, is_dead):
    """Its folders may still be listed, from memory."""
    watching = MountWatch([str(many)], "", last_read=str(many / "0" / "000.png"))
    watching.check(FAILED)

    def fail(*_):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, step, fail)
    if is_dead:
        with pytest.raises(InputUnavailable, match="000.png was read, and can no longer be read"):
            watching.check(FAILED)
    else:
        watching.check(FAILED)
