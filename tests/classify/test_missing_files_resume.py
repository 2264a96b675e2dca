"""A resume that does not find again what was read: out of reach or gone?"""

import csv
import json
import os
import shutil

import pytest

from cxrview.classify.options import ClassifyOptions
from cxrview.errors import InputUnavailable
from cxrview.image import find_images
from cxrview.results.files import Outputs
from fixtures.runs import run_into

SETTINGS = ClassifyOptions(workers=2)


class Stopped:
    """A run over an archive that Ctrl-C ended after so many rows, or some more; to be resumed."""

    def __init__(self, paths, out, model, *, after: int) -> None:
        self.paths, self.out, self.model = [str(path) for path in paths], out, model
        self.seen, self.after = 0, after
        self.first = self.run(on_outcomes=self.stop)

    def stop(self, outcomes) -> None:
        self.seen += len(outcomes)
        if self.seen >= self.after:
            raise KeyboardInterrupt

    def run(self, **options):
        return run_into(
            self.out,
            find_images(self.paths),
            self.model,
            SETTINGS,
            named=self.paths,
            **options,
        )

    def rows(self):
        return list(csv.DictReader(self.out.table.read_text().splitlines()))


@pytest.fixture
def stopped(archive, tmp_path, model):
    return Stopped([archive], Outputs(table=tmp_path / "views.csv"), model, after=16)


@pytest.mark.slow
def test_an_archive_that_is_not_mounted_costs_no_row(archive, tmp_path, model, stopped):
    """A mount point without its disk is an empty folder."""
    whole = Outputs(table=tmp_path / "whole.csv")
    run_into(whole, find_images(str(archive)), model, SETTINGS)
    archive.rename(tmp_path / "disk")
    archive.mkdir()
    done = stopped.first.found

    with pytest.raises(
        InputUnavailable, match=rf"{done} of {done} files .*00\.png.*--forget-missing"
    ):
        stopped.run()
    kept = len(stopped.rows())
    archive.rmdir()
    with pytest.raises(InputUnavailable, match="archive held files"):
        stopped.run()
    (tmp_path / "disk").rename(archive)
    last = stopped.run()

    assert kept == done
    assert (last.found, last.read_now, last.missing) == (41, 41 - done, 0)
    assert stopped.out.table.read_bytes() == whole.table.read_bytes()
    assert stopped.out.failures.read_bytes() == whole.failures.read_bytes()


def test_what_is_gone_for_good_is_dropped_when_asked(archive, stopped):
    shutil.rmtree(archive / "0")
    gone = min(stopped.first.found, 20)

    last = stopped.run(forget_missing=True)

    assert (last.found, last.missing) == (21, gone)
    assert json.loads(stopped.out.summary.read_text())["dropped_as_gone"] == gone
    assert not stopped.out.journal.exists()


def test_a_few_files_that_vanish_are_dropped_and_counted(archive, stopped):
    for number in (0, 2, 4):
        (archive / "0" / f"{number:02}.png").unlink()

    last = stopped.run()

    assert (last.found, last.read_now, last.missing) == (38, 41 - stopped.first.found, 3)
    assert not any(row["path"].endswith("0/00.png") for row in stopped.rows())


def test_a_few_files_in_a_folder_that_cannot_be_listed_are_not_gone(
    draw, tmp_path, model, monkeypatch
):
    for number in range(6):
        draw(f"{number // 3}/{number}.png", 10 * number)
    stopped = Stopped([tmp_path / "archive"], Outputs(table=tmp_path / "views.csv"), model, after=6)
    list_folder = os.scandir

    def refuse(folder):
        if str(folder).endswith("archive/0"):
            raise PermissionError(folder)
        return list_folder(folder)

    with monkeypatch.context() as patch:
        patch.setattr(os, "scandir", refuse)
        with pytest.raises(InputUnavailable, match="3 of 6"):
            stopped.run()
    last = stopped.run()

    assert (last.found, last.failed, last.missing) == (6, {}, 0)


def test_a_path_that_holds_nothing_any_more_is_not_gone(draw, tmp_path, model):
    """Two disks, of which one is not mounted; it had but few files."""
    for number in range(6):
        draw(f"{number // 3}/{number}.png", 10 * number)
    disks = [tmp_path / "archive" / name for name in "01"]
    stopped = Stopped(disks, Outputs(table=tmp_path / "views.csv"), model, after=6)
    disks[1].rename(tmp_path / "elsewhere")
    disks[1].mkdir()

    with pytest.raises(InputUnavailable, match="3 of 6"):
        stopped.run()
