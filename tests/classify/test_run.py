"""A run over an archive: whole, stopped, resumed, refused."""

import csv
import io
import json
import sqlite3
import threading
import time
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from cxrview.api import classify
from cxrview.classify.engine import classify_files
from cxrview.classify.model import load_model, model_folder
from cxrview.classify.model_files import read_card
from cxrview.classify.options import ClassifyOptions
from cxrview.classify.selection import Selection
from cxrview.errors import CannotSortFolder, CannotWrite, InferenceError, UsageError
from cxrview.image import find_images
from cxrview.results import tables
from cxrview.results.columns import COLUMNS
from cxrview.results.files import Outputs
from cxrview.results.journal_check import damaged_error
from cxrview.results.journal_file import count_recorded
from cxrview.results.known_paths import KnownPaths
from cxrview.sources.shard import Shard
from fixtures.runs import run_into

CONDITIONS = {"model": "mean-grey-1", "reader": "default"}
SETTINGS = ClassifyOptions(workers=2)


def run(archive, out, model, *, on_outcomes=lambda outcomes: None, conditions=CONDITIONS):
    paths = find_images([str(archive)])
    return run_into(out, paths, model, SETTINGS, conditions=conditions, on_outcomes=on_outcomes)


def read_csv(path):
    return list(csv.DictReader(path.read_text().splitlines()))


def stop_after(groups: int):
    """Do as Ctrl-C does once so many groups of outcomes are recorded."""
    left = [groups]

    def watch(_outcomes):
        left[0] -= 1
        if left[0] == 0:
            raise KeyboardInterrupt

    return watch


def test_every_file_is_counted_once(archive, tmp_path, model):
    out = Outputs(table=tmp_path / "views.parquet")

    tally = run(archive, out, model)

    table = pq.read_table(out.table)
    assert tally.found == 41 == table.num_rows + len(read_csv(out.failures))
    assert tally.found == tally.classified + tally.review + tally.not_chest + tally.skipped + 1
    assert table.column_names == list(COLUMNS)
    assert tally.exit_code == 1
    assert json.loads(out.summary.read_text())["failed_by_code"] == {"not_an_image": 1}
    assert sorted(p.name for p in tmp_path.iterdir() if p.is_file()) == [
        "views.failures.csv",
        "views.parquet",
        "views.summary.json",
    ]


@pytest.mark.slow
@pytest.mark.parametrize("groups", [1, 2])
@pytest.mark.parametrize("ending", ["parquet", "csv", "jsonl"])
def test_a_stopped_run_goes_on_to_the_same_table(archive, tmp_path, model, groups, ending):
    whole, stopped = (Outputs(table=tmp_path / f"{n}.{ending}") for n in ("whole", "stopped"))
    run(archive, whole, model)

    first = run(archive, stopped, model, on_outcomes=stop_after(groups))
    partial = stopped.table.read_bytes()
    stopped.check(overwrite=False, resume=True)
    second = run(archive, stopped, model)

    assert (first.is_complete, second.is_complete) == (False, True)
    assert second.seconds > first.seconds and second.seconds > second.seconds_now > 0
    assert groups <= first.found <= 16 * groups
    assert partial != whole.table.read_bytes()
    assert stopped.table.read_bytes() == whole.table.read_bytes()
    assert stopped.failures.read_bytes() == whole.failures.read_bytes()
    assert not stopped.journal.exists()


def test_a_resume_under_other_conditions_is_refused_with_the_reason(archive, tmp_path, model):
    out = Outputs(table=tmp_path / "views.csv")
    run(archive, out, model, on_outcomes=stop_after(1))

    with pytest.raises(UsageError, match=r"the reader \(--exact\): default then, exact now"):
        run(archive, out, model, conditions={**CONDITIONS, "reader": "exact"})

    assert out.journal.exists()


@pytest.mark.slow
def test_files_that_came_meanwhile_take_their_place_in_the_order(archive, tmp_path, model, draw):
    whole, stopped = (Outputs(table=tmp_path / f"{n}.csv") for n in ("whole", "stopped"))
    run(archive, stopped, model, on_outcomes=stop_after(1))
    draw("0/03.png", 77)

    run(archive, stopped, model)
    run(archive, whole, model)

    assert stopped.table.read_text() == whole.table.read_text()


def test_a_file_named_twice_is_read_once_and_a_copy_is_marked(draw, tmp_path, model):
    first = draw("a.png", 10)
    draw("sub/copy.png", 10)
    out = Outputs(table=tmp_path / "views.csv")
    paths = [first, first, *find_images([str(tmp_path / "archive")])]

    tally = run_into(out, paths, model, SETTINGS, conditions=CONDITIONS)

    assert (tally.found, tally.named_again) == (2, 2)
    assert [row["warnings"] for row in read_csv(out.table)] == ["", "duplicate_file"]


def test_rows_stream_as_json_lines_and_failures_apart(archive, model):
    rows, failures = io.StringIO(), io.StringIO()

    tally = run(archive, (rows, failures), model)

    lines = [json.loads(line) for line in rows.getvalue().splitlines()]
    assert len(lines) == tally.found - 1
    assert list(lines[0]) == list(COLUMNS)
    assert json.loads(failures.getvalue())["code"] == "not_an_image"


def test_nothing_is_overwritten_unasked(archive, tmp_path, model):
    out = Outputs(table=tmp_path / "views.csv")
    run(archive, out, model)

    with pytest.raises(UsageError, match="already exists"):
        out.check(overwrite=False, resume=False)
    with pytest.raises(UsageError, match="already exists"):
        out.check(overwrite=False, resume=True)
    out.check(overwrite=True, resume=False)
    assert out.table.exists()  # replaced only when the new one stands


def test_a_run_that_was_begun_is_not_begun_again_unasked(archive, tmp_path, model):
    out = Outputs(table=tmp_path / "views.csv")
    run(archive, out, model, on_outcomes=stop_after(1))

    with pytest.raises(UsageError, match="is incomplete"):
        out.check(overwrite=False, resume=False)


def test_a_full_disk_keeps_the_journal(archive, tmp_path, model, monkeypatch):
    out = Outputs(table=tmp_path / "views.csv")
    (tmp_path / "views.csv.part").mkdir()  # the table cannot be begun there

    with pytest.raises(CannotWrite, match="--resume"):
        run(archive, out, model)
    (tmp_path / "views.csv.part").rmdir()
    tally = run(archive, out, model)

    assert tally.found == 41
    assert not out.journal.exists()


@pytest.mark.parametrize(
    ("failure", "advice"),
    [
        # SQLite notes in temporary files which paths were found.
        (sqlite3.OperationalError("database or disk is full"), "TMPDIR.*--resume"),
        (damaged_error(), "Check the disk.*--resume"),
    ],
)
def test_a_failing_disk_stops_the_run_and_keeps_the_journal(
    archive, tmp_path, model, failure, advice
):
    out = Outputs(table=tmp_path / "views.csv")

    def found():
        yield from list(find_images(str(archive)))[:20]
        raise failure

    with pytest.raises(CannotWrite, match=advice):
        run_into(out, found(), model, SETTINGS, conditions=CONDITIONS)

    assert out.journal.exists()


@pytest.mark.slow
def test_a_network_that_gives_up_costs_nothing_that_was_finished(archive, tmp_path, model):
    whole, stopped = (Outputs(table=tmp_path / f"{n}.csv") for n in ("whole", "stopped"))
    run(archive, whole, model)

    with pytest.raises(InferenceError, match="out of memory"):
        run(archive, stopped, replace(model, backend=GivesUp(model.backend, after=20)))
    kept = len(read_csv(stopped.table))
    last = run(archive, stopped, model)

    assert 0 < kept < last.found
    assert last.is_complete
    assert stopped.table.read_bytes() == whole.table.read_bytes()


class GivesUp:
    """A network that answers so many pictures and then no more."""

    name, batch, lanes = "mean-grey", 4, 1

    def __init__(self, backend, after: int) -> None:
        self.backend, self.left = backend, after

    def run(self, batch):
        self.left -= len(batch)
        if self.left < 0:
            raise InferenceError("out of memory")
        return self.backend.run(batch)


def test_want_of_room_for_names_leaves_the_table_and_the_journal(archive, tmp_path, model):
    """Files are found as they are needed, so that it may come late in a run."""

    def find():
        yield from find_images([str(archive)])
        raise CannotSortFolder("/tmp does not take the names", "Make room there")

    out = Outputs(table=tmp_path / "views.parquet")

    with pytest.raises(CannotSortFolder):
        run_into(out, find(), model, SETTINGS, conditions=CONDITIONS)

    assert out.journal.exists() and out.table.exists()
    assert not json.loads(out.summary.read_text())["is_complete"]


def test_a_run_that_is_stopped_before_its_first_row_can_be_resumed(archive, tmp_path, model):
    out = Outputs(table=tmp_path / "views.csv")

    def stop_at_once():
        raise KeyboardInterrupt
        yield

    first = run_into(out, stop_at_once(), model, SETTINGS, conditions=CONDITIONS)
    out.check(overwrite=False, resume=True)
    second = run(archive, out, model)

    assert (first.found, first.is_complete) == (0, False)
    assert (second.found, second.is_complete) == (41, True)


@pytest.mark.slow
def test_what_failed_in_passing_is_read_again_at_a_resume(archive, tmp_path, model):
    whole, stopped = (Outputs(table=tmp_path / f"{n}.csv") for n in ("whole", "stopped"))
    run(archive, whole, model)
    (archive / "0" / "02.png").rename(tmp_path / "away")
    (archive / "0" / "02.png").symlink_to(tmp_path / "away.not.mounted")
    (archive / "0" / "00.png").rename(tmp_path / "bad")
    (archive / "0" / "00.png").write_bytes(b"no picture")
    left = [41]

    def stop_before_the_end(outcomes):
        left[0] -= len(outcomes)
        if left[0] < 30:
            raise KeyboardInterrupt

    first = run(archive, stopped, model, on_outcomes=stop_before_the_end)
    (archive / "0" / "02.png").unlink()
    (tmp_path / "away").rename(archive / "0" / "02.png")
    (tmp_path / "bad").rename(archive / "0" / "00.png")
    done = count_recorded(stopped.journal)
    second = run(archive, stopped, model)

    assert first.failed == {"cannot_open": 1, "not_an_image": 1}
    assert done == first.found - 1
    assert second.failed == {"not_an_image": 2}  # what no picture was is not looked at again
    assert (second.found, second.read_now) == (41, 41 - done)
    assert stopped.table.read_text().splitlines() == [
        line for line in whole.table.read_text().splitlines() if "0/00.png" not in line
    ]


@pytest.mark.slow
def test_two_runs_cannot_write_one_result(archive, tmp_path, model):
    out = Outputs(table=tmp_path / "views.csv")

    def second_run(_outcomes):
        with pytest.raises(UsageError, match="(?i)another run"):
            run(archive, out, model)

    tally = run(archive, out, model, on_outcomes=second_run)

    assert tally.is_complete


def test_a_resume_that_comes_when_the_run_has_just_ended_leaves_its_result(
    archive, tmp_path, model
):
    """It looked while the journal was there, and begins when it is not."""
    out = Outputs(table=tmp_path / "views.csv")
    run(archive, out, model)
    before = out.table.read_bytes()

    with pytest.raises(UsageError, match="nothing left to resume.*--known"):
        run(archive, out, model, on_outcomes=stop_after(1))

    assert out.table.read_bytes() == before
    assert not out.journal.exists()


def test_a_standing_table_is_replaced_only_by_a_whole_one(archive, tmp_path, model):
    out = Outputs(table=tmp_path / "views.csv")
    run(archive, out, model)
    before = out.table.read_text()

    with pytest.raises(UsageError, match="nothing matches"):
        run_into(out, find_images([str(archive / "*.nothing")]), model, SETTINGS, overwrite=True)

    assert out.table.read_text() == before
    assert not out.journal.exists()


@pytest.mark.parametrize("name", ["views.csv", "views/"])
def test_a_complete_result_stays_until_the_one_that_replaces_it_is_complete(
    archive, draw, tmp_path, model, name
):
    out = Outputs.named(f"{tmp_path}/{name}")
    run(archive, out, model)
    before = bytes_below(tmp_path, out)
    draw("9/new.png", 10)
    paths = list(find_images([str(archive)]))

    stopped = run_into(out, paths, model, on_outcomes=stop_after(1), overwrite=True)
    after_stop = bytes_below(tmp_path, out)
    again = run_into(out, paths, model, on_outcomes=stop_after(1))
    after_resume = bytes_below(tmp_path, out)
    last = run_into(out, paths, model)

    assert 0 < stopped.found < again.found < last.found == len(paths)
    assert before == after_stop == after_resume
    assert before != bytes_below(tmp_path, out)
    assert json.loads(out.summary.read_text())["found"] == len(paths)
    assert not out.journal.exists()


def bytes_below(folder, out):
    """Everything below a folder, but not the journal."""
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    return {
        path: path.read_bytes()
        for path in files
        if "archive" not in path.parts and not path.name.startswith(out.journal.name)
    }


def test_a_folder_of_parts_is_resumed_to_the_same_parts(archive, tmp_path, model, monkeypatch):
    monkeypatch.setattr(tables, "ROW_GROUP", 7)
    whole, stopped = (Outputs.named(f"{tmp_path}/{name}/") for name in ("whole", "stopped"))
    run(archive, whole, model)

    first = run(archive, stopped, model, on_outcomes=stop_after(2))
    partial = len(list(stopped.table.iterdir()))
    stopped.check(overwrite=False, resume=True)
    run(archive, stopped, model)

    assert 0 < first.found < 41 and 1 <= partial < 6
    names = sorted(path.name for path in whole.table.iterdir())
    assert len(names) == 6 and names == sorted(path.name for path in stopped.table.iterdir())
    for name in names:
        assert (stopped.table / name).read_bytes() == (whole.table / name).read_bytes()
    assert stopped.failures.read_bytes() == whole.failures.read_bytes()
    assert not stopped.journal.exists()


def test_time_is_up_while_the_next_path_is_waited_for(draw, tmp_path, model):
    paths, never, kept = [draw(f"{k}.png", 10) for k in range(5)], threading.Event(), []

    def silent():
        yield from paths
        never.wait(60)

    tally = run_into(
        Outputs(table=tmp_path / "a.csv"),
        silent(),
        model,
        SETTINGS,
        on_outcomes=kept.extend,
        is_time_up=lambda: len(kept) == 5,
    )
    was_waiting = not never.is_set()
    never.set()

    assert was_waiting
    assert (tally.is_time_up, tally.is_complete, tally.found) == (True, False, 5)


def test_time_is_up_while_a_file_waits_for_its_bytes(draw, tmp_path, model):
    """At one byte a second it would wait for minutes."""
    end = time.monotonic() + 1

    tally = run_into(
        Outputs(table=tmp_path / "a.csv"),
        [draw("a.png", 10)],
        model,
        replace(SETTINGS, bytes_per_second=1.0),
        is_time_up=lambda: time.monotonic() > end,
    )

    assert (tally.is_time_up, tally.found) == (True, 0)
    assert time.monotonic() - end < 5


@pytest.mark.slow
@pytest.mark.parametrize("name", ["views.csv", "views/"])
def test_a_run_over_nights_shards_and_known_files_ends_as_one_without_stops(
    archive, tmp_path, model, name
):
    earlier = Outputs(table=tmp_path / "earlier.parquet")
    run_into(earlier, find_images(str(archive / "0")), model, SETTINGS)
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()

    def night(folder: str, *, most: int):
        seen = [0]

        def count(outcomes):
            seen[0] += len(outcomes)

        return run_into(
            Outputs.named(f"{tmp_path}/{folder}/{name}"),
            find_images(str(archive)),
            model,
            SETTINGS,
            conditions=CONDITIONS,
            on_outcomes=count,
            selection=Selection(shard=Shard.named("1/1"), known=KnownPaths([earlier.table])),
            is_time_up=lambda: seen[0] >= most,
        )

    whole = night("a", most=1000)
    stops = [night("b", most=most) for most in (1, 0)]
    last = night("b", most=1000)

    assert (whole.found, whole.known, whole.is_complete) == (21, 20, True)
    assert all((t.is_time_up, t.is_complete, t.exit_code) == (True, False, 0) for t in stops)
    assert (last.is_time_up, last.found) == (False, 21)
    for path in (tmp_path / "a").rglob("*"):
        if path.is_file() and path.suffix != ".json":
            assert (
                tmp_path / "b" / path.relative_to(tmp_path / "a")
            ).read_bytes() == path.read_bytes()


@pytest.mark.parametrize(
    ("selection", "reason"),
    [
        (Selection(shard=Shard.named("2/3")), r"\(--shard\): 1/3 then, 2/3 now"),
        (Selection(), r"\(--shard\): 1/3 then, all now"),
    ],
)
def test_a_resume_of_another_share_is_refused(archive, tmp_path, model, selection, reason):
    out = Outputs(table=tmp_path / "views.csv")

    def night(share, **options):
        paths = find_images(str(archive))
        return run_into(out, paths, model, SETTINGS, selection=share, **options)

    night(Selection(shard=Shard.named("1/3")), is_time_up=lambda: True)

    with pytest.raises(UsageError, match=reason):
        night(selection)


def test_a_resume_with_other_known_files_is_refused(archive, tmp_path, model):
    known = []
    for folder in "01":
        earlier = Outputs(table=tmp_path / f"{folder}.csv")
        run_into(earlier, find_images(str(archive / folder)), model, SETTINGS)
        known.append(Selection(known=KnownPaths([earlier.table])))
    out = Outputs(table=tmp_path / "views.csv")

    def night(selection, **options):
        paths = find_images(str(archive))
        return run_into(out, paths, model, SETTINGS, selection=selection, **options)

    night(known[0], is_time_up=lambda: True)

    with pytest.raises(UsageError, match=r"the known files \(--known\): 20 paths"):
        night(known[1])


def test_a_known_file_is_not_opened(archive, tmp_path, model):
    earlier = Outputs(table=tmp_path / "earlier.csv")
    run(archive, earlier, model)
    for path in archive.rglob("*.png"):
        path.write_bytes(b"now a broken file")

    tally = run_into(
        Outputs(table=tmp_path / "views.csv"),
        find_images(str(archive)),
        model,
        SETTINGS,
        selection=Selection(known=KnownPaths([earlier.table])),
    )

    assert (tally.known, tally.found, tally.failed) == (40, 1, {"not_an_image": 1})


def test_a_file_or_somebody_elses_folder_is_not_taken_for_parts(tmp_path):
    (tmp_path / "file").touch()
    (tmp_path / "theirs").mkdir()
    (tmp_path / "theirs" / "data.parquet").touch()
    (tmp_path / "empty").mkdir()

    for name in ("file", "theirs"):
        with pytest.raises(UsageError, match=name):
            Outputs.named(f"{tmp_path}/{name}/").check(overwrite=True, resume=False)
    Outputs.named(f"{tmp_path}/empty/").check(overwrite=False, resume=False)
    with pytest.raises(UsageError, match="has no name"):
        Outputs.named("./")


def contents(folder):
    return {p.relative_to(folder): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.mark.parametrize("name", ["views.csv", "views/"])
@pytest.mark.parametrize("anew", [False, True])
def test_a_run_never_replaces_the_failures_of_a_namesake(archive, tmp_path, model, name, anew):
    run(archive, Outputs(table=tmp_path / "views.parquet"), model)
    before, other = contents(tmp_path), Outputs.named(f"{tmp_path}/{name}")

    with pytest.raises(UsageError, match=r"belong to .*views\.parquet"):
        other.check(overwrite=anew, resume=not anew)
    with pytest.raises(UsageError, match=r"belong to .*views\.parquet"):
        run_into(other, [], model, SETTINGS, overwrite=anew)

    assert contents(tmp_path) == before


def test_a_stopped_run_is_told_that_a_namesake_came_meanwhile(archive, tmp_path, model):
    stopped, other = (Outputs(table=tmp_path / f"views.{e}") for e in ("csv", "jsonl"))
    run(archive, stopped, model, on_outcomes=stop_after(1))
    journal = stopped.journal.rename(tmp_path / "aside")  # as if it had lain elsewhere
    for path in stopped.complete():
        path.unlink()
    run(archive, other, model)
    journal.rename(stopped.journal)
    before = contents(tmp_path)

    with pytest.raises(UsageError, match=r"belong to .*views\.jsonl"):
        stopped.check(overwrite=False, resume=True)
    with pytest.raises(UsageError, match=r"views\.csv is incomplete"):
        other.check(overwrite=True, resume=False)

    assert contents(tmp_path) == before


def test_a_name_as_text_means_what_it_means_on_the_command_line(tmp_path):
    folder = Outputs(table="there/views/")

    assert Outputs(table="views.csv").failures == Path("views.failures.csv")
    assert (folder.in_parts, folder.summary) == (True, Path("there/views.summary.json"))
    with pytest.raises(UsageError, match="does not end in"):
        Outputs(table="views.txt")


def test_without_a_model_and_settings_the_defaults_run(draw, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "settings"))

    tally = classify(draw("one.png", 30), out=tmp_path / "views.csv").summary

    (row,) = read_csv(tmp_path / "views.csv")
    assert tally.found == 1
    cards = [read_card(model_folder(name)) for name in ("default", "googlenet")]
    assert row["model_id"] in {one.model_id for card in cards for one in (card, card.int8)}


def test_a_folder_among_the_files_is_told_how_its_files_are_found(archive):
    (failure,) = classify_files([str(archive)], load_model(), SETTINGS)

    assert (failure.code, failure.reason) == ("not_a_file", "it is a folder")
    assert "find_images" in failure.advice
