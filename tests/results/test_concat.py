"""Results joined are what one run would have written."""

import errno
import json
import os
from pathlib import Path

import pytest
from PIL import Image

from cxrview.classify.options import ClassifyOptions
from cxrview.classify.selection import Selection
from cxrview.errors import UsageError
from cxrview.image import find_images
from cxrview.results.columns import MERGED_COLUMNS, ORIGIN
from cxrview.results.concat import concat_results
from cxrview.results.files import Outputs
from cxrview.results.known_paths import KnownPaths
from cxrview.results.tables import each_failure, each_row, write_table
from cxrview.sources.shard import Shard
from fixtures.runs import run_into

SETTINGS = ClassifyOptions(workers=1)
CONDITIONS = {"model": "mean-grey-1", "reader": "default", "cutoff": "50.0"}


@pytest.fixture
def run(archive, tmp_path, model):
    """Classify the archive, or a share of it, into a result of that name; give its table."""

    def run_one(name: str, *roots, known=(), shard=None, conditions=(), **options) -> Path:
        out = Outputs.named(str(tmp_path / name) + ("/" if name.endswith("/") else ""))
        named = [str(root) for root in roots or (archive,)]
        run_into(
            out,
            find_images(named),
            model,
            SETTINGS,
            conditions=CONDITIONS | {"paths": json.dumps(named)} | dict(conditions),
            selection=Selection(
                shard=Shard.named(shard) if shard else None,
                known=KnownPaths(known) if known else None,
            ),
            **options,
        )
        return out.table

    return run_one


@pytest.fixture
def broken_folder(archive, monkeypatch) -> Path:
    """A folder of the archive that the disk does not list."""
    folder, open_folder = archive / "1.gone", os.scandir
    folder.mkdir()

    def broken(path):
        if Path(path) == folder:
            raise OSError(errno.ESTALE, "Stale file handle", path)
        return open_folder(path)

    monkeypatch.setattr(os, "scandir", broken)
    return folder


def whole_of(table: Path, tmp_path: Path) -> tuple[bytes, bytes]:
    name = table.with_suffix("").name
    return table.read_bytes(), (tmp_path / f"{name}.failures.csv").read_bytes()


@pytest.mark.slow
@pytest.mark.parametrize("ending", [".parquet", ".csv", ".jsonl", "/"])
def test_shards_join_to_the_bytes_of_one_run(run, draw, tmp_path, ending):
    draw("0/copy.png", 95)  # of 1/38.png; copies are marked across shards
    Path(draw("0.z.png", 20)).with_name("0.broken").write_text("no picture")
    one = run("one.csv")
    shards = [run(f"{k}{ending}", shard=f"{k}/3") for k in (1, 2, 3)]

    tally = concat_results([shards[k] for k in (2, 0, 1)], Outputs(table=tmp_path / "joined.csv"))

    assert whole_of(tmp_path / "joined.csv", tmp_path) == whole_of(one, tmp_path)
    joined, single = (
        json.loads((tmp_path / f"{n}.summary.json").read_text()) for n in ("joined", "one")
    )
    assert {**joined, "seconds": 0} == {**single, "seconds": 0, "table": "joined.csv"}
    assert tally.exit_code == 1
    assert "duplicate_file" in one.read_text()


def test_a_folder_that_no_shard_could_list_is_one_failure(run, broken_folder, tmp_path):
    one = run("one.csv")
    shards = [run(f"{k}.csv", shard=f"{k}/3") for k in (1, 2, 3)]

    tally = concat_results(shards, Outputs(table=tmp_path / "joined.csv"))

    assert whole_of(tmp_path / "joined.csv", tmp_path) == whole_of(one, tmp_path)
    assert tally.failed["cannot_open"] == 1
    for shard in shards:
        assert "Stale file handle" in whole_of(shard, tmp_path)[1].decode()


def test_arguments_keep_their_order_when_shards_join(run, archive, tmp_path):
    roots = (archive / "1", archive / "0")
    one = run("one.csv", *roots)
    shards = [run(f"{k}.csv", *roots, shard=f"{k}/2") for k in (1, 2)]

    concat_results(shards, Outputs(table=tmp_path / "joined.csv"))

    assert (tmp_path / "joined.csv").read_bytes() == one.read_bytes()


@pytest.mark.slow
@pytest.mark.parametrize("arguments", [["."], ["0/*.png", "."]], ids=" ".join)
def test_odd_names_keep_their_order_when_shards_join(
    run, draw, archive, tmp_path, monkeypatch, arguments
):
    names = (b"d\xe9/x", "d\xe9/x".encode(), b"\xff..dcm", "\uffcf.dcm".encode(), b"a::b", b"\\xff")
    for number, name in enumerate(names):
        path = archive / os.fsdecode(name)
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(Path(draw(f"0/{number}.png", 20 + number)).read_bytes())
        path.with_name(path.name + ".broken").write_text("no picture")
    monkeypatch.chdir(archive)
    absolute = {"paths": json.dumps([str(archive / argument) for argument in arguments])}
    one = run("one.csv", *arguments, conditions=absolute)
    shards = [run(f"{k}.csv", *arguments, shard=f"{k}/3", conditions=absolute) for k in (1, 2, 3)]

    concat_results(shards, Outputs(table=tmp_path / "joined.csv"))

    assert whole_of(tmp_path / "joined.csv", tmp_path) == whole_of(one, tmp_path)


def test_a_folder_of_parts_comes_out_where_one_is_asked_for(run, tmp_path):
    one = run("one/")
    shards = [run(f"{k}.jsonl", shard=f"{k}/2") for k in (1, 2)]

    concat_results(shards, Outputs.named(f"{tmp_path}/joined/"))

    for path in one.iterdir():
        assert (tmp_path / "joined" / path.name).read_bytes() == path.read_bytes()


def test_nights_follow_one_another_and_the_last_attempt_counts(run, draw, archive, tmp_path):
    broken = archive / "0" / "mended.png"
    broken.write_text("not yet")
    first = run("first.csv")
    Image.open(draw("0/late.png", 30)).rotate(90).save(broken)

    second = run("second.csv", known=[first])
    concat_results([first, second], Outputs(table=tmp_path / "both.csv"))

    paths = [Path(row["path"]).name for row in each_row(tmp_path / "both.csv")]
    assert paths[-2:] == ["late.png", "mended.png"]
    assert len(paths) == len(set(paths)) == 42
    assert [Path(f["path"]).name for f in each_failure(tmp_path / "both.failures.csv")] == [
        "notes.txt"
    ]
    summary = json.loads((tmp_path / "second.summary.json").read_text())
    assert (summary["found"], summary["left_out_as_known"]) == (3, 40)


def test_a_shard_that_is_missing_is_named_and_refused_unless_told(run, tmp_path):
    shards = [run(f"{k}.csv", shard=f"{k}/4") for k in (1, 3, 4)]
    out = Outputs(table=tmp_path / "joined.csv")

    with pytest.raises(UsageError, match="no result was given for shard 2/4"):
        concat_results(shards, out)
    assert not out.table.exists()
    concat_results(shards, out, allow_missing=True)

    rows = [row for shard in shards for row in each_row(shard)]
    assert sorted(r["path"] for r in each_row(out.table)) == sorted(r["path"] for r in rows)
    assert json.loads(out.summary.read_text())["conditions"]["shard"] == "1/4 + 3/4 + 4/4"


def test_what_was_joined_in_part_joins_with_the_rest(run, tmp_path):
    one = run("one.csv")
    shards = [run(f"{k}.csv", shard=f"{k}/3") for k in (1, 2, 3)]
    half, joined = (Outputs(table=tmp_path / f"{n}.csv") for n in ("half", "joined"))

    concat_results(shards[:2], half, allow_missing=True)
    concat_results([half.table, shards[2]], joined)

    assert whole_of(joined.table, tmp_path) == whole_of(one, tmp_path)


@pytest.mark.slow
def test_a_shard_that_comes_twice_is_refused_unless_told(run, tmp_path):
    one = run("one.csv")
    first, again, second = (
        run("1.csv", shard="1/2"),
        run("again.csv", shard="1/2"),
        run("2.csv", shard="2/2"),
    )
    out = Outputs(table=tmp_path / "joined.csv")

    with pytest.raises(UsageError, match="more than one result of shard 1/2"):
        concat_results([first, again, second], out)
    concat_results([first, again, second], out, allow_doubled=True)

    assert whole_of(out.table, tmp_path) == whole_of(one, tmp_path)


def test_rows_of_one_file_in_two_results_are_refused_unless_told(run, tmp_path):
    first, second = run("first.csv"), run("second.csv")
    out = Outputs(table=tmp_path / "joined.csv")

    with pytest.raises(UsageError, match="40 files have a row in more than one result"):
        concat_results([first, second], out)
    assert not out.table.exists()
    concat_results([first, second], out, allow_doubled=True)

    assert out.table.read_bytes() == first.read_bytes()


@pytest.mark.parametrize("name", ["model", "reader", "cutoff"])
def test_what_came_about_otherwise_is_refused_with_the_reason(run, tmp_path, name):
    first = run("1.csv", shard="1/2")
    second = run("2.csv", shard="2/2", conditions={name: "another"})

    with pytest.raises(UsageError, match=f"{name} was .*, is another"):
        concat_results([first, second], Outputs(table=tmp_path / "joined.csv"))


def test_shards_of_two_archives_are_refused(run, archive, tmp_path):
    first, second = (
        run("1.csv", archive / "0", shard="1/2"),
        run("2.csv", archive / "1", shard="2/2"),
    )

    with pytest.raises(UsageError, match="paths was"):
        concat_results([first, second], Outputs(table=tmp_path / "joined.csv"))


def test_a_shard_and_a_whole_result_do_not_join(run, tmp_path):
    tables = [run("1.csv", shard="1/2"), run("one.csv")]

    with pytest.raises(UsageError, match="without shards"):
        concat_results(tables, Outputs(table=tmp_path / "joined.csv"))


def test_a_run_that_was_stopped_is_refused_unless_told(run, tmp_path):
    stopped = run("1.csv", is_time_up=lambda: True)
    out = Outputs(table=tmp_path / "joined.csv")

    with pytest.raises(UsageError, match="is incomplete"):
        concat_results([stopped], out)
    tally = concat_results([stopped], out, allow_missing=True)

    assert not tally.is_complete
    assert not json.loads(out.summary.read_text())["is_complete"]


@pytest.mark.parametrize("fails", [(), ("jan",), ("jan", "feb")], ids=" ".join)
def test_one_relative_path_in_two_folders_does_not_become_one_file(
    run, draw, tmp_path, monkeypatch, fails
):
    parts = []
    for month in ("jan", "feb"):
        (tmp_path / month).mkdir()
        if month in fails:
            (tmp_path / month / "2.png").write_text("no picture")
        else:
            (tmp_path / month / "2.png").write_bytes(Path(draw("0/2.png", 20)).read_bytes())
        monkeypatch.chdir(tmp_path / month)
        parts.append(run(f"{month}.csv", "2.png"))

    for allowed in (False, True):
        with pytest.raises(UsageError, match=r"2.png names different files: .*/2.png and "):
            concat_results(parts, Outputs(table=tmp_path / "both.csv"), allow_doubled=allowed)
    assert not (tmp_path / "both.csv").exists()


def test_other_spellings_of_one_file_in_two_folders_are_one_file(
    run, draw, tmp_path, archive, monkeypatch
):
    broken = archive / "0" / "broken.png"
    broken.write_text("no picture")
    monkeypatch.chdir(archive)
    first = run("first.csv", "0")
    broken.write_bytes(Path(draw("0/2.png", 20)).read_bytes())
    monkeypatch.chdir(archive / "0")
    second = run("second.csv", "broken.png")

    tally = concat_results([first, second], Outputs(table=tmp_path / "both.csv"))

    paths = [row["path"] for row in each_row(tmp_path / "both.csv")]
    assert paths == [*(row["path"] for row in each_row(first)), "broken.png"]
    assert not tally.failed


@pytest.mark.parametrize("name", ["2.csv", "2.jsonl", "2/"])
def test_what_is_to_be_joined_is_not_written_over(run, tmp_path, name):
    """A namesake in another format would share its failures and its summary."""
    shards = [run(f"{k}.csv", shard=f"{k}/2") for k in (1, 2)]
    before = whole_of(shards[1], tmp_path)

    with pytest.raises(UsageError, match="would overwrite"):
        concat_results(shards, Outputs.named(f"{tmp_path}/{name}"))

    assert whole_of(shards[1], tmp_path) == before


def test_a_result_without_its_summary_is_refused(run, tmp_path):
    table = run("1.csv", shard="1/1")
    (tmp_path / "1.summary.json").unlink()

    with pytest.raises(UsageError, match="Copy failures and summary along"):
        concat_results([table], Outputs(table=tmp_path / "joined.csv"))


@pytest.mark.slow
def test_nights_of_shards_join_to_what_the_nights_of_one_machine_join_to(
    run, draw, archive, tmp_path
):
    """Each machine knows its own first night alone; late files and mended ones come to both."""
    broken = [archive / "0" / f"mended{k}.png" for k in range(4)]
    for path in broken:
        path.write_text("not yet")
    ones = [run("one1.csv")]
    shards = [run(f"{k}1.csv", shard=f"{k}/2") for k in (1, 2)]
    for number, path in enumerate(broken):
        Image.open(draw(f"1/late{number}.png", 30 + number)).rotate(90).save(path)
    ones.append(run("one2.csv", known=ones))
    shards += [run(f"{k}2.csv", known=[shards[k - 1]], shard=f"{k}/2") for k in (1, 2)]

    concat_results(ones, Outputs(table=tmp_path / "one.csv"))
    joined = Outputs(table=tmp_path / "joined.csv")
    for order in ((0, 1, 2, 3), (1, 3, 0, 2)):
        concat_results([shards[k] for k in order], joined)
        assert whole_of(joined.table, tmp_path) == whole_of(tmp_path / "one.csv", tmp_path)

    assert len(list(each_row(joined.table))) == 48
    assert json.loads(joined.summary.read_text())["conditions"]["shard"] == "all"


def test_nights_join_shard_by_shard_or_night_by_night_as_well(run, draw, tmp_path):
    nights = [[run(f"{k}1.csv", shard=f"{k}/2") for k in (1, 2)]]
    for number in range(6):
        draw(f"0/late{number}.png", 30 + number)
    nights.append([run(f"{k}2.csv", known=[nights[0][k - 1]], shard=f"{k}/2") for k in (1, 2)])
    names = ("all", "night1", "night2", "nights", "shard1", "shard2", "shards")
    out = {name: Outputs(table=tmp_path / f"{name}.csv") for name in names}

    concat_results([*nights[0], *nights[1]], out["all"])
    for k in (1, 2):
        concat_results(nights[k - 1], out[f"night{k}"])
        concat_results([n[k - 1] for n in nights], out[f"shard{k}"], allow_missing=True)
    concat_results([out["night1"].table, out["night2"].table], out["nights"])
    concat_results([out["shard1"].table, out["shard2"].table], out["shards"])

    whole = out["all"].table.read_bytes()
    assert out["nights"].table.read_bytes() == whole
    assert sorted(out["shards"].table.read_text().splitlines()) == sorted(
        whole.decode().splitlines()
    )


def test_a_night_without_one_of_its_shards_joins_where_the_shard_was_there_before(run, tmp_path):
    """On the second night one machine stood still; all shares have a result all the same."""
    shards = [run(f"{k}1.csv", shard=f"{k}/2") for k in (1, 2)]
    again = run("12.csv", known=[shards[0]], shard="1/2")

    tally = concat_results([*shards, again], Outputs(table=tmp_path / "joined.csv"))

    assert tally.found == 41


def test_a_night_with_nothing_new_is_a_night_all_the_same(run, draw, tmp_path):
    """The third one knows what the second knew."""
    nights = [run("first.csv", shard="1/1")]
    nights.append(run("second.csv", known=nights[:1], shard="1/1"))
    draw("0/late.png", 30)
    nights.append(run("third.csv", known=nights[:2], shard="1/1"))

    tally = concat_results(nights, Outputs(table=tmp_path / "joined.csv"))

    assert tally.found == 42


def test_a_later_night_of_a_shard_named_twice_is_refused_by_its_rows(run, draw, tmp_path):
    first = run("first.csv", shard="1/1")
    draw("0/late.png", 30)
    second = run("second.csv", known=[first], shard="1/1")

    with pytest.raises(UsageError, match="1 file has a row in more than one result"):
        concat_results([first, second, second], Outputs(table=tmp_path / "joined.csv"))


def test_concat_keeps_the_column_of_readers_labels(run, tmp_path):
    """One result was merged with readers' labels, the other was not."""
    first, other = run("first.csv", shard="1/2"), run("other.csv", shard="2/2")
    rows = list(each_row(first, tuple(MERGED_COLUMNS)))
    labelled = rows[0] | {"decision": "labelled", "view": "lateral", ORIGIN: "agreed"}
    write_table(first, [labelled, *rows[1:]], MERGED_COLUMNS)

    concat_results([first, other], Outputs(table=tmp_path / "both.csv"))
    concat_results([first, other], Outputs.named(f"{tmp_path}/parts/"))

    both = list(each_row(tmp_path / "both.csv", tuple(MERGED_COLUMNS)))
    origins = {row["path"]: row[ORIGIN] for row in both}
    assert origins[labelled["path"]] == "agreed"
    assert set(origins.values()) == {"agreed", "model"}
    assert list(each_row(tmp_path / "parts", tuple(MERGED_COLUMNS))) == both
