"""A whole write-back: complete, interrupted, resumed, classified again."""

import csv
import json
import random
import subprocess
import sys
import time
from pathlib import Path

import pyarrow.parquet as pq
import pydicom
import pytest

from cxrview.errors import InputUnavailable, UsageError
from cxrview.image.fetch import file_content_id
from cxrview.phantom.archive import draw_archive
from cxrview.results.columns import COLUMNS
from cxrview.results.tables import write_table
from cxrview.terms import View
from cxrview.writeback.run import write_back
from cxrview.writeback.settings import WritebackForm
from fixtures.processes import children_of


@pytest.fixture(scope="module")
def archive(tmp_path_factory) -> Path:
    """A drawn archive and, beside it, a table that says of every fifth film that it is lateral."""
    drawn = tmp_path_factory.mktemp("drawn")
    draw_archive(drawn, patients=2, size=(64, 64), seed=1, strangers=False, damages=[])
    films = multiplied(sorted(drawn.rglob("IM*")), drawn.with_name("run") / "archive", 16)
    folder = films[0].parents[1]
    rows = []
    for number, path in enumerate(films):
        uid = f"1.2.3.{number}"
        rows.append(
            dict.fromkeys(COLUMNS)
            | {
                "path": str(path),
                "sop_instance_uid": uid,
                "series_instance_uid": uid + ".1",
                "study_instance_uid": uid + ".2",
                "sop_class_uid": "1.2.840.10008.5.1.4.1.1.1",
                "modality": "CR",
                "decision": "classified",
                "view": str(View.LATERAL if number % 5 else View.FRONTAL),
                "agreement": "disagrees",
                "model_id": "drawn-1",
                "content_id": file_content_id(path),
            }
        )
    write_table(folder.with_suffix(".parquet"), iter(rows))
    return folder


def multiplied(films: list[Path], folder: Path, copies: int) -> list[Path]:
    """Each film several times, each time as an instance of its own."""
    paths = []
    for number, film in enumerate(film for film in films for _ in range(copies)):
        dataset = pydicom.dcmread(film)
        dataset.SOPInstanceUID = f"1.2.3.{number}"
        paths.append(folder / f"{number % 5}" / f"{number}.dcm")
        paths[-1].parent.mkdir(parents=True, exist_ok=True)
        dataset.save_as(paths[-1])
    return sorted(paths)


def tree(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_a_run_writes_the_copies_the_changes_and_the_counts(archive, settings, tmp_path):
    before = tree(archive)

    done = write_back(archive.with_suffix(".parquet"), tmp_path / "out", settings, workers=2)

    copies = tree(tmp_path / "out")
    assert done.written == len(copies) > 16
    assert tree(archive) == before
    with (tmp_path / "out.changes.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["target"] for row in rows} == {str(tmp_path / "out" / name) for name in copies}
    summary = json.loads((tmp_path / "out.summary.json").read_text())
    assert summary["written"] + summary["unchanged"] + summary["refused"] == len(before)
    assert not (tmp_path / "out.writeback-journal").exists()


def test_the_list_of_changes_alone_writes_no_copy(archive, settings, tmp_path):
    table = archive.with_suffix(".parquet")
    done = write_back(table, tmp_path / "list", settings, form=WritebackForm.CHANGES, workers=1)

    assert not (tmp_path / "list").exists()
    lines = (tmp_path / "list.changes.jsonl").read_text().splitlines()
    assert {json.loads(line)["path"] for line in lines} == {c.source for c in done.corrections}


def test_an_earlier_write_back_is_not_replaced_unasked(archive, settings, tmp_path):
    table, out = archive.with_suffix(".parquet"), tmp_path / "out"
    write_back(table, out, settings, workers=1)
    before = tree(out)

    with pytest.raises(UsageError, match="--overwrite"):
        write_back(table, out, settings, workers=1)
    write_back(table, out, settings, workers=1, overwrite=True)

    assert tree(out) == before


def test_a_folder_with_other_files_is_never_emptied(archive, settings, tmp_path):
    table, out = archive.with_suffix(".parquet"), tmp_path / "out"
    write_back(table, out, settings, workers=1)
    (out / "notes.txt").write_text("mine")
    before = tree(out)

    with pytest.raises(UsageError, match="no write-back wrote"):
        write_back(table, out, settings, workers=1, overwrite=True)
    assert tree(out) == before


def test_overwrite_replaces_copies_of_which_an_interrupted_run_kept_no_record(
    archive, settings, tmp_path
):
    """They were written, and the run was killed before its journal said so."""
    table, out = archive.with_suffix(".parquet"), tmp_path / "out"
    with pytest.raises(KeyboardInterrupt):
        write_back(table, out, settings, workers=1, on_progress=interrupt)
    journal = tmp_path / "out.writeback-journal"
    journal.write_bytes(journal.read_bytes().splitlines(keepends=True)[0])
    assert tree(out)
    write_back(table, out, settings, workers=1, overwrite=True)
    write_back(table, tmp_path / "undisturbed", settings, workers=1)

    assert tree(out) == tree(tmp_path / "undisturbed")


def test_nothing_to_resume_is_a_usage_error(archive, settings, tmp_path):
    with pytest.raises(UsageError, match="can be resumed"):
        write_back(archive.with_suffix(".parquet"), tmp_path / "out", settings, resume=True)


def interrupt(*_: int) -> None:
    raise KeyboardInterrupt


def test_a_run_is_not_resumed_with_other_views_in_the_table(archive, settings, tmp_path):
    table, out = tmp_path / "views.parquet", tmp_path / "out"
    rows = pq.read_table(archive.with_suffix(".parquet")).to_pylist()
    write_table(table, iter(rows))
    with pytest.raises(KeyboardInterrupt):
        write_back(table, out, settings, workers=1, on_progress=interrupt)

    write_table(table, iter([rows[0] | {"view": "lateral"}, *rows[1:]]))
    with pytest.raises(UsageError, match=r"other settings: views\."):
        write_back(table, out, settings, workers=1, resume=True)

    write_table(table, iter(rows))
    assert not write_back(table, out, settings, workers=1, resume=True).failures


def test_a_run_is_not_resumed_with_another_root(archive, settings, tmp_path):
    table, out = tmp_path / "views.parquet", tmp_path / "out"
    rows = pq.read_table(archive.with_suffix(".parquet")).to_pylist()
    inside = [row | {"path": str(Path(row["path"]).relative_to(archive))} for row in rows]
    write_table(table, iter(inside))
    (tmp_path / "other").symlink_to(archive)
    with pytest.raises(KeyboardInterrupt):
        write_back(table, out, settings, workers=1, folder=str(archive), on_progress=interrupt)

    with pytest.raises(UsageError, match=r"other settings: folder, views\."):
        write_back(table, out, settings, folder=str(tmp_path / "other"), resume=True)


def test_a_run_of_an_earlier_version_is_resumed(archive, settings, tmp_path):
    table, out = archive.with_suffix(".parquet"), tmp_path / "out"
    with pytest.raises(KeyboardInterrupt):
        write_back(table, out, settings, workers=1, on_progress=interrupt)
    journal = tmp_path / "out.writeback-journal"
    first, *rest = journal.read_text().splitlines(keepends=True)
    entry = json.loads(first)
    del entry["conditions"]["folder"], entry["conditions"]["views"]
    journal.write_text("".join([json.dumps(entry) + "\n", *rest]))

    assert not write_back(table, out, settings, workers=1, resume=True).failures


def test_write_back_stops_when_the_folder_of_the_files_vanishes(archive, settings, tmp_path):
    table, out, away = archive.with_suffix(".parquet"), tmp_path / "out", archive.with_name("away")
    write_back(table, tmp_path / "undisturbed", settings, workers=1)

    def take_away(*_: int) -> None:
        if archive.exists():
            archive.rename(away)

    try:
        with pytest.raises(InputUnavailable, match=str(archive)):
            write_back(table, out, settings, workers=1, on_progress=take_away)
    finally:
        away.rename(archive)
    assert 0 < len(tree(out)) < len(tree(tmp_path / "undisturbed"))
    resumed = write_back(table, out, settings, workers=1, resume=True)

    assert not resumed.failures
    assert tree(out) == tree(tmp_path / "undisturbed")


SCRIPT = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from cxrview.writeback.run import write_back
from cxrview.writeback.settings import CorrectionSettings

settings = CorrectionSettings(
    modified=datetime(2026, 3, 1, 12, tzinfo=UTC), system="cxrview 9.9", software_version="9.9"
)
table, out, resume = sys.argv[1:]
write_back(Path(table), Path(out), settings, workers=3, resume=bool(resume))
"""
"""No guard of its main module: worker processes do not import it."""


def start(table: Path, out: Path, *, resume: bool) -> subprocess.Popen[bytes]:
    words = [sys.executable, "-c", SCRIPT, table, out, "resume" if resume else ""]
    return subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def kill_with_some_written(process: subprocess.Popen[bytes], out: Path, files: int) -> bool:
    """SIGKILL once so many files are there; False where the process ended before."""
    while process.poll() is None and sum(1 for _ in out.rglob("*.dcm")) < files:
        time.sleep(0.001)
    children = children_of(process.pid)
    process.kill()
    is_killed = process.wait(30) < 0
    until = time.monotonic() + 30
    while any(Path(f"/proc/{child}/exe").exists() for child in children):
        assert time.monotonic() < until, "a worker outlives the process that started it"
        time.sleep(0.01)
    return is_killed


def changes_of(out: Path) -> str:
    """The list of changes, but for the name of the folder."""
    return out.with_name(out.name + ".changes.csv").read_text().replace(str(out), "OUT")


@pytest.mark.slow
def test_a_run_that_is_killed_at_any_moment_and_resumed_writes_the_same_bytes(archive, tmp_path):
    table, rng = archive.with_suffix(".parquet"), random.Random(7)
    assert start(table, tmp_path / "whole", resume=False).wait(120) == 0
    expected = tree(tmp_path / "whole")

    kills = 0
    for number in range(2):
        out = tmp_path / f"killed-{number}"
        written = 0
        while True:
            process = start(table, out, resume=written > 0)
            written += rng.randrange(1, len(expected) // 2)
            if not kill_with_some_written(process, out, written):
                break
            kills += 1
        assert process.returncode == 0
        assert tree(out) == expected
        assert changes_of(out) == changes_of(tmp_path / "whole")
        assert not Path(f"{out}.writeback-journal").exists()
    assert kills >= 3
