"""Runs over several nights and machines, as their user runs them."""

import csv
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
import typer
from PIL import Image

from cxrview.classify.inputs import Inputs
from cxrview.classify.options import ClassifyOptions
from cxrview.classify.plan import plan_run
from cxrview.cli.classify_report import _time
from cxrview.cli.shared.run_options import bytes_per_second, is_past, next_time


@pytest.fixture
def cxrview(tmp_path, monkeypatch):
    """Run the command in an empty folder with settings of its own."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "settings"))
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str | Path, **options) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "cxrview", *map(str, arguments)]
        return subprocess.run(command, capture_output=True, text=True, **options)

    return run


@pytest.fixture(scope="module")
def archive(tmp_path_factory) -> Path:
    """Sixty pictures in two folders, and a file that is none."""
    folder = tmp_path_factory.mktemp("nights") / "archive"
    rng = np.random.default_rng(0)
    for number in range(60):
        path = folder / f"{number % 2}" / f"{number:03}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (64, 64), np.uint8)).save(path)
    (folder / "0" / "050.png").write_bytes(b"no picture")
    return folder


def rows_of(path: str) -> list[dict[str, str]]:
    with Path(path).open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.mark.slow
def test_until_stops_cleanly_and_the_next_nights_end_with_the_same_bytes(archive, cxrview):
    """At the rate given here the whole would take 400 s; the time comes after half a minute."""
    cxrview("classify", archive, "--out", "whole.csv")
    size = sum(path.stat().st_size for path in archive.rglob("*.png"))
    slowly = ["classify", archive, "--out", "nights.csv", "--max-read-rate", f"{size // 400}B/s"]
    # --until has no seconds, so the run is in a time zone where a minute begins in 30 s.
    now = datetime.now(UTC)
    ahead = (30 - now.second) % 60
    soon = (now + timedelta(seconds=ahead + 30)).strftime("%H:%M")

    night = cxrview(*slowly, "--until", soon, env=os.environ | {"TZ": f"CIT-00:00:{ahead:02}"})
    there = Path("nights.csv.journal").exists()
    begun, refused = rows_of("nights.csv"), cxrview("classify", archive, "--out", "nights.csv")
    last = cxrview("classify", archive, "--out", "nights.csv", "--resume", "--until", next_hour())

    assert (night.returncode, refused.returncode, last.returncode) == (0, 2, 1)
    assert there and len(begun) < 60
    assert "stopped at --until; the same command with --resume continues" in night.stderr
    assert "Traceback" not in night.stderr
    for ending in (".csv", ".failures.csv"):
        assert Path(f"nights{ending}").read_bytes() == Path(f"whole{ending}").read_bytes()
    assert not Path("nights.csv.journal").exists()


def next_hour() -> str:
    return (datetime.now() + timedelta(hours=2)).strftime("%H:%M")


@pytest.mark.slow
def test_shards_of_several_machines_join_to_the_result_of_one(archive, cxrview):
    cxrview("classify", archive, "--out", "one.parquet")
    shards = [cxrview("classify", archive, "--out", f"{k}/", "--shard", f"{k}/2") for k in (1, 2)]

    missing = cxrview("concat", "1", "--out", "views.parquet")
    joined = cxrview("concat", "1", "2/", "--out", "views.parquet")
    again = cxrview("concat", "1", "2/", "--out", "views.parquet")

    assert sorted(done.returncode for done in shards) == [0, 1]
    assert (missing.returncode, joined.returncode, again.returncode) == (2, 1, 2)
    assert "shard 2/2" in missing.stderr
    assert "60 files" in joined.stderr and "--overwrite" in again.stderr
    assert Path("views.parquet").read_bytes() == Path("one.parquet").read_bytes()
    assert Path("views.failures.csv").read_bytes() == Path("one.failures.csv").read_bytes()


@pytest.mark.slow
def test_only_what_is_new_is_read_and_a_folder_is_shown(archive, cxrview):
    cxrview("classify", archive / "0", "--out", "first/")

    done = cxrview("classify", archive, "--out", "second/", "--known", "first/", "--show")

    assert done.returncode == 1  # what failed is not known, and tried again
    assert "29 files left out: known from an earlier result" in done.stderr
    assert "31 files = " in done.stderr
    assert "001.png" in done.stdout and "002.png" not in done.stdout


@pytest.mark.slow
def test_what_failed_in_passing_is_read_again_as_the_last_line_says(archive, cxrview, tmp_path):
    films = tmp_path / "films"
    films.mkdir()
    (films / "here.png").write_bytes((archive / "0" / "000.png").read_bytes())
    (films / "away.png").symlink_to(tmp_path / "mounted" / "away.png")

    first = cxrview("classify", films, "--out", "the first.csv")
    (tmp_path / "mounted").mkdir()
    (tmp_path / "mounted" / "away.png").write_bytes((archive / "1" / "001.png").read_bytes())
    again = cxrview("classify", films, "--out", "again.csv", "--known", "the first.csv")

    assert first.stderr.splitlines()[-1] == (
        "1 of the failures may be due to the disk or the machine (cannot_open): once that is "
        "fixed, the same command with --known 'the first.csv' and another --out reads these again"
    )
    assert "due to the disk" not in again.stderr
    assert [row["path"] for row in rows_of("again.csv")] == [str(films / "away.png")]


@pytest.mark.slow
def test_a_result_of_relative_paths_is_known_from_another_folder_and_an_alien_one_is_told(
    archive, cxrview, tmp_path
):
    cxrview("classify", ".", "--out", tmp_path / "first.csv", cwd=archive / "0")
    known = ["--known", "first.csv"]

    again = cxrview("classify", archive / "0", "--out", "again.csv", *known)
    alien = cxrview("classify", archive / "1" / "001.png", "--out", "alien.csv", *known)

    assert "29 files left out" in again.stderr and "none of the files" not in again.stderr
    assert "none of the files found is among the 29 in --known" in alien.stderr


@pytest.mark.slow
def test_an_estimate_counts_and_writes_nothing(archive, cxrview, tmp_path):
    done = cxrview("classify", archive, archive / "0", "--estimate", "--shard", "1/1")

    assert done.returncode == 0
    assert "PNG, JPEG, TIFF" in done.stdout and "cannot be read" in done.stdout
    assert " 60" in done.stdout and "Nothing was written." in done.stdout
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (0.04, "0.0 s"),
        (9.96, "10 s"),
        (59.6, "1 min 00 s"),
        (200, "3 min 20 s"),
        (3600, "1.00 hours"),
        (9e6, "2,500.00 hours"),
    ],
)
def test_a_time_is_told_in_the_unit_that_fits(seconds, expected):
    assert _time(seconds) == expected


def test_the_total_counts_a_file_once_however_often_it_is_named(archive):
    again = [str(archive), f"{archive}/0", f"{archive}/../archive/0/000.png"]

    options = ClassifyOptions(identify=True)  # which needs no key

    assert plan_run(again, options=options).count() == 60
    assert plan_run(Inputs(names=(*again, "-")), options=options).count() is None


@pytest.mark.slow
@pytest.mark.parametrize(
    "arguments",
    [
        ["--until", "25:00"],
        ["--until", "tomorrow"],
        ["--until", "06:00", "--out", "-"],
        ["--max-read-rate", "fast"],
        ["--max-read-rate", "0MB/s"],
        ["--shard", "9/8"],
        ["--shard", "3"],
        ["--known", "nowhere.parquet"],
        ["--known", "nowhere/"],
        ["--estimate", "--resume"],
        ["--estimate", "--until", "06:00"],
        ["--out", "./"],
        ["--out", "archive/"],
    ],
)
def test_what_makes_no_sense_is_refused_before_any_work(archive, cxrview, arguments):
    Path("archive").mkdir()
    Path("archive/note.txt").touch()

    done = cxrview("classify", archive, *arguments)

    assert done.returncode == 2
    assert done.stderr and "Traceback" not in done.stderr
    assert sorted(path.name for path in Path().iterdir()) == ["archive"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("out", "reason"),
    [("views.parquet", "cxrview concat"), ("views.csv", "belong to views.parquet")],
)
def test_what_is_known_is_not_overwritten_by_what_is_new(archive, cxrview, out, reason):
    cxrview("classify", archive, "--out", "views.parquet")
    before = Path("views.parquet").read_bytes()

    done = cxrview("classify", archive, "--out", out, "--known", "views.parquet", "--overwrite")

    assert done.returncode == 2
    assert reason in done.stderr
    assert Path("views.parquet").read_bytes() == before


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("06:00", datetime(2026, 3, 2, 6)),
        ("6:00", datetime(2026, 3, 2, 6)),
        ("22:14", datetime(2026, 3, 2, 22, 14)),
        ("22:16", datetime(2026, 3, 1, 22, 16)),
        ("22:15", datetime(2026, 3, 2, 22, 15)),
        ("00:00", datetime(2026, 3, 2)),
    ],
)
def test_a_time_of_day_is_the_next_one(text, expected):
    assert next_time(text, datetime(2026, 3, 1, 22, 15, 30)) == expected


def test_without_a_time_the_night_has_no_end():
    assert not is_past(None)()
    assert not is_past(next_hour())()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("200MB/s", 200e6),
        ("1.5 GB/s", 1.5e9),
        ("64KiB/s", 65536),
        ("10MiB", 10 << 20),
        ("500kB/s", 500e3),
        ("512B/s", 512),
    ],
)
def test_a_rate_is_in_bytes_of_its_unit(text, expected):
    assert bytes_per_second(text) == expected


@pytest.mark.parametrize("text", ["", "200", "200Mb/s", "-1MB/s", "0MB/s", "1e9MB/s", "MB/s"])
def test_what_is_no_rate_is_refused(text):
    with pytest.raises(typer.BadParameter, match="200MB/s"):
        bytes_per_second(text)


@pytest.mark.slow
def test_two_machines_with_their_own_keys_are_told_before_and_join_after(cxrview, monkeypatch):
    """Two folders of settings are two machines."""
    films = Path("films")
    cxrview("phantom", films, "--patients", "2", "--no-strangers")
    keys, told = [], []
    for number in (1, 2):
        monkeypatch.setenv("XDG_CONFIG_HOME", str(Path(f"machine{number}").absolute()))
        keys.append(Path(f"machine{number}", "cxrview", "patient.key").absolute())
        shard = ["--shard", f"{number}/2", "--precision", "fp32"]
        told.append(cxrview("classify", films, "--out", f"{number}/", *shard).stderr)
    cxrview("classify", films, "--out", "one.csv", "--precision", "fp32")  # on the second

    refused = cxrview("concat", "1", "2", "--out", "views.csv")
    lost = cxrview("concat", "1", "2", "--out", "views.csv", "--rekey", "missing.key")
    joined = cxrview("concat", "1", "2", "--out", "views.csv", "--rekey", keys[1])
    bare = cxrview("concat", "1", "2", "--out", "bare.csv", "--without-patients")

    for text, key in zip(told, keys, strict=True):
        assert text.startswith("--shard ") and f"{key} (created now" in text
        assert "such as --key shared.key --precision fp32" in text
    assert (refused.returncode, lost.returncode) == (2, 2)
    assert "--rekey KEY reads the headers again" in refused.stderr
    assert "the key file missing.key does not exist" in lost.stderr
    assert joined.returncode == bare.returncode < 2
    assert Path("views.csv").read_bytes() == Path("one.csv").read_bytes()
    assert {row["patient_key"] for row in rows_of("bare.csv")} == {""}
    assert len({row["patient_key"] for row in rows_of("views.csv")}) == 2


@pytest.mark.slow
def test_a_result_beside_a_namesake_is_refused_with_overwrite_too(archive, cxrview, tmp_path):
    film = archive / "1" / "001.png"
    cxrview("classify", film, "--out", "v.parquet")
    before = {path.name: path.read_bytes() for path in tmp_path.glob("v.*")}

    replaced = cxrview("classify", "--exact", film, "--out", "v.csv", "--overwrite")
    merged = cxrview("merge", "v.parquet", "study.db", "--out", "v.failures.csv", "--overwrite")
    Path("v.csv").write_text("path,decision\n")
    known = cxrview("classify", film, "--out", "w.csv", "--known", "v.csv")
    joined = cxrview("concat", "v.csv", "--out", "w.csv")
    Path("v.csv").unlink()

    assert [done.returncode for done in (replaced, merged, known, joined)] == [2, 2, 2, 2]
    assert "v.failures.csv and v.summary.json belong to v.parquet" in replaced.stderr
    assert "name for the failures" in merged.stderr
    for done in (known, joined):
        assert "v.summary.json belongs to v.parquet and not to v.csv" in done.stderr
    assert {path.name: path.read_bytes() for path in tmp_path.glob("v.*")} == before
    Path("v.parquet").unlink()
    assert cxrview("classify", film, "--out", "v.csv", "--overwrite").returncode == 0


@pytest.mark.parametrize(
    "command", [["classify", "archive", "--known"], ["concat", "--out", "views.csv"]]
)
def test_a_result_that_is_not_there_is_named_whatever_it_ends_in(cxrview, command):
    Path("archive").mkdir()

    done = cxrview(*command, "nothere/")

    assert done.returncode == 2
    assert done.stderr.splitlines()[-1] == "cxrview: result nothere does not exist. Check the name"
