"""A run over an archive: whole, stopped, resumed, refused."""

import csv
import io
import json

import pyarrow.parquet as pq
import pytest

from cxrview.classify.archive import Outputs, classify_archive
from cxrview.classify.decode_worker import ReadSettings
from cxrview.classify.engine import EngineSettings
from cxrview.errors import CannotWrite, UsageError
from cxrview.image import find_images
from cxrview.store.rows import COLUMNS

CONDITIONS = {"model": "mean-grey-1", "reader": "default"}
SETTINGS = EngineSettings(read=ReadSettings(side=256), workers=2)


def run(archive, out, model, *, watch=lambda outcomes: None, conditions=CONDITIONS):
    paths = find_images([str(archive)])
    return classify_archive(paths, out, model, SETTINGS, conditions=conditions, watch=watch)


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


@pytest.mark.parametrize("groups", [1, 2])
@pytest.mark.parametrize("ending", ["parquet", "csv", "jsonl"])
def test_a_stopped_run_goes_on_to_the_same_table(archive, tmp_path, model, groups, ending):
    whole, stopped = (Outputs(table=tmp_path / f"{n}.{ending}") for n in ("whole", "stopped"))
    run(archive, whole, model)

    first = run(archive, stopped, model, watch=stop_after(groups))
    partial = stopped.table.read_bytes()
    stopped.check(overwrite=False, resume=True)
    second = run(archive, stopped, model)

    assert (first.is_complete, second.is_complete) == (False, True)
    assert groups <= first.found <= 16 * groups
    assert partial != whole.table.read_bytes()
    assert stopped.table.read_bytes() == whole.table.read_bytes()
    assert stopped.failures.read_bytes() == whole.failures.read_bytes()
    assert not stopped.journal.exists()


def test_a_resume_under_other_conditions_is_refused_with_the_reason(archive, tmp_path, model):
    out = Outputs(table=tmp_path / "views.csv")
    run(archive, out, model, watch=stop_after(1))

    with pytest.raises(UsageError, match="reader was default, is exact"):
        run(archive, out, model, conditions={**CONDITIONS, "reader": "exact"})

    assert out.journal.exists()


def test_files_that_came_meanwhile_take_their_place_in_the_order(archive, tmp_path, model, draw):
    whole, stopped = (Outputs(table=tmp_path / f"{n}.csv") for n in ("whole", "stopped"))
    run(archive, stopped, model, watch=stop_after(1))
    draw("0/03.png", 77)

    run(archive, stopped, model)
    run(archive, whole, model)

    assert stopped.table.read_text() == whole.table.read_text()


def test_a_file_named_twice_is_read_once_and_a_copy_is_marked(draw, tmp_path, model):
    first = draw("a.png", 10)
    draw("sub/copy.png", 10)
    out = Outputs(table=tmp_path / "views.csv")
    paths = [first, first, *find_images([str(tmp_path / "archive")])]

    tally = classify_archive(paths, out, model, SETTINGS, conditions=CONDITIONS)

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

    with pytest.raises(UsageError, match="exists already"):
        out.check(overwrite=False, resume=False)
    with pytest.raises(UsageError, match="exists already"):
        out.check(overwrite=False, resume=True)
    out.check(overwrite=True, resume=False)
    assert out.table.exists()  # replaced only when the new one stands


def test_a_run_that_was_begun_is_not_begun_again_unasked(archive, tmp_path, model):
    out = Outputs(table=tmp_path / "views.csv")
    run(archive, out, model, watch=stop_after(1))

    with pytest.raises(UsageError, match="begun and not finished"):
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


def test_a_run_that_is_stopped_before_its_first_row_can_be_resumed(archive, tmp_path, model):
    out = Outputs(table=tmp_path / "views.csv")

    def stop_at_once():
        raise KeyboardInterrupt
        yield

    first = classify_archive(stop_at_once(), out, model, SETTINGS, conditions=CONDITIONS)
    out.check(overwrite=False, resume=True)
    second = run(archive, out, model)

    assert (first.found, first.is_complete) == (0, False)
    assert (second.found, second.is_complete) == (41, True)


def test_a_file_that_is_gone_at_the_resume_is_gone_from_the_table(archive, tmp_path, model):
    out = Outputs(table=tmp_path / "views.csv")
    run(archive, out, model, watch=stop_after(1))
    (archive / "0" / "00.png").unlink()

    tally = run(archive, out, model)

    assert tally.found == 40
    assert not any(row["path"].endswith("0/00.png") for row in read_csv(out.table))


def test_two_runs_cannot_write_one_result(archive, tmp_path, model):
    out = Outputs(table=tmp_path / "views.csv")

    def second_run(_outcomes):
        with pytest.raises(UsageError, match="another run"):
            run(archive, out, model)

    tally = run(archive, out, model, watch=second_run)

    assert tally.is_complete


def test_a_standing_table_is_replaced_only_by_a_whole_one(archive, tmp_path, model):
    out = Outputs(table=tmp_path / "views.csv")
    run(archive, out, model)
    before = out.table.read_text()

    with pytest.raises(UsageError, match="nothing matches"):
        classify_archive(find_images([str(archive / "*.nothing")]), out, model, SETTINGS, anew=True)

    assert out.table.read_text() == before
    assert not out.journal.exists()
