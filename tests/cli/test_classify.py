"""`cxrview classify` as its user runs it: a process of its own, on drawn radiographs."""

import csv
import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pydicom
import pytest
from PIL import Image

from cxrview.phantom.archive import draw_archive


@pytest.fixture(scope="module")
def archive(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("drawn") / "an archive"
    draw_archive(folder, patients=4, size=(512, 420), seed=1)
    return folder


@pytest.fixture
def cxrview(tmp_path, monkeypatch):
    """Run the command in an empty folder with settings of its own."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "settings"))
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str | Path, **options) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "cxrview", *map(str, arguments)]
        return subprocess.run(command, capture_output=True, text=True, **options)

    return run


def rows_of(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"), newline="")))


def test_every_drawn_radiograph_gets_its_view(archive, cxrview, tmp_path):
    truth = {row["file"]: row["view"] for row in rows_of(Path(f"{archive}.truth.csv"))}

    done = cxrview("classify", archive, "--out", "views.csv")

    rows = rows_of(tmp_path / "views.csv")
    called = {
        str(Path(row["path"]).relative_to(archive)): row["view"]
        for row in rows
        if row["decision"] == "classified"
    }
    assert done.returncode == 1  # one file is broken
    assert called and all(truth[file] == view for file, view in called.items())
    assert [row["code"] for row in rows_of(tmp_path / "views.failures.csv")] == ["truncated"]
    assert {row["decision"] for row in rows} == {"classified", "skipped"}


@pytest.mark.slow
def test_the_counts_add_up_on_the_screen_and_in_the_summary(archive, cxrview, tmp_path):
    done = cxrview("classify", archive)

    summary = json.loads((tmp_path / "views.summary.json").read_text())
    parts = [summary[name] for name in ("classified", "review", "not_chest", "skipped", "failed")]
    assert summary["found"] == sum(parts) == sum(path.is_file() for path in archive.rglob("*"))
    assert f"{summary['found']} files = {parts[0]} classified" in done.stderr
    assert pq.read_table(tmp_path / "views.parquet").num_rows == sum(parts[:4])


def test_no_header_value_leaves_by_another_way_than_its_column(archive, cxrview, tmp_path):
    private = set()
    for path in archive.rglob("*"):
        if path.is_file():
            header = pydicom.dcmread(path, stop_before_pixels=True)
            private |= {str(header.PatientName), header.PatientID, header.PatientBirthDate}

    done = cxrview("classify", archive, "--out", "views.csv", "--show")

    written = [p.read_text() for p in tmp_path.iterdir() if p.is_file()]
    for value in private - {""}:
        assert not any(value in text for text in (*written, done.stdout, done.stderr)), value


@pytest.mark.slow
def test_patients_have_one_pseudonym_each_by_the_key(archive, cxrview, tmp_path):
    cxrview("classify", archive, "--out", "first.csv", "--key", "a.key")
    cxrview("classify", archive, "--out", "second.csv", "--key", "a.key")
    cxrview("classify", archive, "--out", "other.csv", "--key", "b.key")
    cxrview("classify", archive, "--out", "real.csv", "--identify")

    first, second, other, real = (
        [row["patient_key"] for row in rows_of(tmp_path / f"{name}.csv")]
        for name in ("first", "second", "other", "real")
    )
    assert first == second != other
    assert len(set(first)) == len(set(other)) == len(set(real))
    assert (tmp_path / "a.key").stat().st_mode & 0o777 == 0o600
    assert not (tmp_path / "settings").exists()


@pytest.mark.slow
def test_a_standing_result_is_not_overwritten_unasked(archive, cxrview, tmp_path):
    (tmp_path / "views.parquet").write_text("mine")

    refused = cxrview("classify", archive)
    replaced = cxrview("classify", archive, "--overwrite")

    assert refused.returncode == 2
    assert "--overwrite" in refused.stderr
    assert replaced.returncode == 1
    assert pq.read_table(tmp_path / "views.parquet").num_rows


@pytest.mark.parametrize(
    "arguments",
    [
        ["classify"],
        ["classify", ".", "--out", "views.xlsx"],
        ["classify", ".", "--out", "nowhere/views.csv"],
        ["classify", ".", "--review-band", "80", "20"],
        ["classify", ".", "--review-band", "20", "80", "--no-review"],
        ["classify", ".", "--model", "nowhere"],
        ["classify", ".", "--chest-rule", "nowhere.toml"],
        ["classify", ".", "--header-terms", "nowhere.csv"],
        ["classify", "nothing/*.dcm"],
        ["classify", ""],
        ["classify", ".", "--overwrite", "--resume"],
        ["classify", ".", "--out", "-", "--resume"],
        ["classify", ".", "--forget-missing"],
        ["classify", ".", "--out", "."],
        ["classify", ".", "--timeout", "inf"],
        ["classify", ".", "--workers", "5000000"],
        ["frobnicate"],
    ],
)
def test_a_usage_error_says_what_to_do_and_exits_with_2(cxrview, arguments):
    done = cxrview(*arguments)

    assert done.returncode == 2
    assert done.stderr
    assert "Traceback" not in done.stderr


OTHER_RUNS = [[], ["--shard", "1/2"], ["--estimate"], ["--out", "-"], ["--overwrite"], ["--resume"]]


@pytest.mark.parametrize("options", OTHER_RUNS, ids=" ".join)
def test_a_mistyped_path_is_a_usage_error_that_leaves_nothing(draw_one, cxrview, tmp_path, options):
    (tmp_path / "unmounted").symlink_to("/nowhere/archive")
    before = sorted(tmp_path.iterdir())

    done = cxrview("classify", "filmz", draw_one, "unmounted", "a*.dcm", "", *options)

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines() == [
        "cxrview: filmz cannot be found (No such file or directory); "
        "unmounted cannot be found (No such file or directory); nothing matches a*.dcm; "
        "a path is empty. Check the names"
    ]
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize(
    "path", ["file:///nowhere/filmz", "zip://**::filmz.zip", "zip://**::file:///nowhere/filmz.zip"]
)
def test_a_mistyped_url_of_a_local_file_is_a_usage_error(cxrview, tmp_path, path):
    done = cxrview("classify", path)

    assert done.returncode == 2
    assert f"{path} cannot be found (No such file or directory)" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_of_very_many_wrong_names_some_are_told(cxrview, tmp_path):
    done = cxrview("classify", *(f"{number}.dcm" for number in range(40)))

    assert done.returncode == 2
    assert "9.dcm cannot be found" in done.stderr and "10.dcm" not in done.stderr
    assert "; and 30 more. Check the names" in done.stderr


def test_rows_go_to_standard_output_and_failures_to_stderr(archive, cxrview, tmp_path):
    files = [p for p in archive.rglob("*") if p.is_file()]
    listed = "\n".join(map(str, files)) + "\n"

    done = cxrview("classify", "-", "--out", "-", input=listed)

    rows = [json.loads(line) for line in done.stdout.splitlines()]
    failures = [json.loads(line) for line in done.stderr.splitlines() if line.startswith("{")]
    assert [row["path"] for row in rows + failures] == [
        *(str(f) for f in files if str(f) != failures[0]["path"]),
        failures[0]["path"],
    ]
    assert done.returncode == 1


@pytest.mark.slow
def test_rows_come_and_a_stop_is_heeded_while_a_list_is_silent(archive, cxrview, tmp_path):
    listed = next(str(p) for p in sorted(archive.rglob("*")) if p.is_file())
    command = [sys.executable, "-m", "cxrview", "classify", "-", "--out", "-"]
    pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)

    with subprocess.Popen(command, text=True, **pipes) as run:
        run.stdin.write(listed + "\n")
        run.stdin.flush()
        row = json.loads(run.stdout.readline())
        run.send_signal(signal.SIGTERM)
        code = run.wait(20)
        said = run.stderr.read()

    assert row["path"] == listed
    assert code == 130
    assert "Traceback" not in said and "Fatal" not in said


@pytest.mark.slow
def test_bands_and_skips_are_the_users_to_set(archive, cxrview, tmp_path):
    cxrview("classify", archive, "--out", "a.csv", "--review-band", 0, 100)
    cxrview("classify", archive, "--out", "b.csv", "--no-review", "--no-skip", "--chest-cutoff", 0)
    cxrview("classify", archive, "--out", "c.csv", "--no-review", "--no-skip")

    a, b, c = (rows_of(tmp_path / f"{name}.csv") for name in "abc")
    assert {row["decision"] for row in a} == {"review", "skipped"}
    assert {row["decision"] for row in b} == {"classified"}
    refused = [row["path"] for row in c if row["decision"] == "not_chest"]
    assert refused == [row["path"] for row in a if row["decision"] == "skipped"][:1]  # the hand
    assert [row["code"] for row in rows_of(tmp_path / "b.failures.csv")] == [
        "truncated",
        "no_pixel_data",
    ]


@pytest.mark.slow
def test_what_a_run_writes_is_not_read_by_it(cxrview, tmp_path):
    archive = tmp_path / "archive"
    archive.mkdir()
    Image.fromarray(np.eye(300, dtype=np.uint8) * 255).save(archive / "a.png")

    first = cxrview("classify", archive, "--out", "archive/views.csv")
    again = cxrview("classify", "archive", "--out", archive / "views.csv", "--overwrite")

    assert (first.returncode, again.returncode) == (0, 0)
    assert len(rows_of(archive / "views.csv")) == 1


@pytest.fixture(scope="module")
def many(tmp_path_factory) -> Path:
    """So many pictures that a run can be stopped in its middle."""
    folder = tmp_path_factory.mktemp("many")
    rng = np.random.default_rng(0)
    for number in range(200):
        Image.fromarray(rng.integers(0, 256, (64, 64), np.uint8)).save(folder / f"{number:03}.png")
    (folder / "050.png").write_bytes(b"no picture")
    return folder


def start_and_stop(folder: Path, number: signal.Signals) -> int:
    """Run until some rows are in the journal, then send a signal; the exit code."""
    command = [sys.executable, "-m", "cxrview", "classify", str(folder), "--out", "stopped.csv"]
    # A shell that starts it in the background would have it ignore SIGINT.
    heed = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    running = subprocess.Popen(command, stderr=subprocess.DEVNULL, preexec_fn=heed)
    journal = Path("stopped.csv.journal")
    until = time.monotonic() + 60
    while time.monotonic() < until and not (journal.exists() and is_begun(journal)):
        time.sleep(0.01)
    running.send_signal(number)
    return running.wait(60)


def is_begun(journal: Path) -> bool:
    """By its size, since the run keeps it locked: without rows it has some pages of 4 KiB."""
    return journal.stat().st_size > 45_000


@pytest.mark.slow
@pytest.mark.parametrize(
    ("number", "code"),
    [
        (signal.SIGINT, 130),
        (signal.SIGTERM, 130),
        (signal.SIGHUP, 130),
        (signal.SIGKILL, -9),
    ],
)
def test_a_run_that_is_stopped_anyhow_resumes_to_the_same_table(
    many, cxrview, tmp_path, number, code
):
    cxrview("classify", many, "--out", "whole.csv")

    stopped = start_and_stop(many, number)
    usable = number == signal.SIGKILL or len(rows_of(tmp_path / "stopped.csv"))
    refused = cxrview("classify", many, "--out", "stopped.csv")
    resumed = cxrview("classify", many, "--out", "stopped.csv", "--resume")

    assert stopped == code
    assert usable
    assert (refused.returncode, resumed.returncode) == (2, 1)
    for name in (".csv", ".failures.csv"):
        whole, after = ((tmp_path / f"{n}{name}").read_bytes() for n in ("whole", "stopped"))
        assert whole == after


@pytest.mark.slow
def test_a_resume_under_another_band_is_refused(many, cxrview):
    start_and_stop(many, signal.SIGTERM)

    done = cxrview("classify", many, "--out", "stopped.csv", "--resume", "--review-band", "1", "99")

    assert done.returncode == 2
    then_and_now = r"\(--review-band, --no-review\): [\d.]+ to [\d.]+ % then, 1 to 99 % now\. "
    assert re.search(f"the review band {then_and_now}", done.stderr)


@pytest.mark.slow
def test_an_archive_that_is_away_is_not_taken_for_a_mistyped_one_by_a_run_that_goes_on(
    many, cxrview, tmp_path
):
    shutil.copytree(many, tmp_path / "archive")
    start_and_stop(Path("archive"), signal.SIGTERM)
    (tmp_path / "archive").rename(tmp_path / "disk")

    anew = cxrview("classify", "archive", "--out", "stopped.csv", "--overwrite")
    away = cxrview("classify", "archive", "--out", "stopped.csv", "--resume")
    (tmp_path / "disk").rename(tmp_path / "archive")
    resumed = cxrview("classify", "archive", "--out", "stopped.csv", "--resume")

    assert (anew.returncode, away.returncode, resumed.returncode) == (2, 3, 1)
    assert "archive cannot be found" in anew.stderr
    assert "held files, and is empty or unreachable now" in away.stderr
    assert len(rows_of(tmp_path / "stopped.csv")) == 199


def test_help_reads_well_and_comes_at_once(cxrview):
    began = time.monotonic()
    done = cxrview("classify", "--help", env={**os.environ, "COLUMNS": "100"})

    assert time.monotonic() - began < 10  # benchmarks/startup.py measures it; this is a hang
    for word in ("PATH", "--review-band", "--resume", "Exit code", "--identify"):
        assert word in done.stdout


def test_a_list_is_taken_word_for_word(archive, cxrview, tmp_path):
    (first, *_) = sorted(p for p in archive.rglob("*") if p.is_file())
    listed = f"{first}\n\ngone[1].dcm\n{first}\n"

    done = cxrview("classify", "-", "--out", "views.csv", input=listed)

    assert done.returncode == 1
    assert [row["path"] for row in rows_of(tmp_path / "views.csv")] == [str(first)]
    assert [row["code"] for row in rows_of(tmp_path / "views.failures.csv")] == ["cannot_open"]


@pytest.mark.slow
def test_a_resume_on_another_archive_is_refused(many, archive, cxrview):
    start_and_stop(many, signal.SIGTERM)

    done = cxrview("classify", archive, "--out", "stopped.csv", "--resume")

    assert done.returncode == 2
    assert f"PATH: {many} then, {archive} now" in done.stderr


def test_a_header_of_absurd_size_costs_its_own_row_alone(archive, cxrview, tmp_path):
    source = next(archive.rglob("IM0001"))
    header = pydicom.dcmread(source, stop_before_pixels=True)
    header.Modality = "CT"
    del header.Rows
    header.add_new(0x00280010, "UL", 4_000_000_000)
    header.save_as(tmp_path / "absurd.dcm")

    done = cxrview("classify", tmp_path / "absurd.dcm")

    (row,) = pq.read_table(tmp_path / "views.parquet").to_pylist()
    assert (done.returncode, row["rows"], row["decision"]) == (0, None, "skipped")
    assert "odd_size" in row["warnings"]


@pytest.mark.slow
@pytest.mark.parametrize("closed", ["<&-", "2>&-", ">&-", "<&- >&- 2>&-"])
def test_closed_streams_are_no_reason_to_fail(draw_one, cxrview, tmp_path, closed):
    command = f"'{sys.executable}' -m cxrview classify '{draw_one}' --out views.csv {closed}"

    done = subprocess.run(["sh", "-c", command], check=False)

    assert done.returncode == 0
    assert len(rows_of(tmp_path / "views.csv")) == 1


@pytest.fixture
def draw_one(tmp_path) -> Path:
    path = tmp_path / "one.png"
    Image.fromarray(np.eye(300, dtype=np.uint8) * 255).save(path)
    return path


def test_without_a_home_the_user_is_told_of_the_key(draw_one, cxrview, tmp_path, monkeypatch):
    monkeypatch.delenv("XDG_CONFIG_HOME")
    nobody = {k: v for k, v in os.environ.items() if k != "HOME"} | {"HOME": "/dev/null/none"}

    done = cxrview("classify", draw_one, "--out", "views.csv", env=nobody)

    assert done.returncode == 2
    assert "--key" in done.stderr


@pytest.mark.slow
def test_names_beyond_the_terminals_letters_are_printed_all_the_same(cxrview, tmp_path):
    plain = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    name = "größe\x1b[31m.png"
    Image.fromarray(np.eye(300, dtype=np.uint8) * 255).save(tmp_path / name)

    table = cxrview("classify", tmp_path / name, "--show", env=os.environ | plain)
    lines = cxrview("classify", tmp_path / name, "--out", "-", env=os.environ | plain)

    assert (table.returncode, lines.returncode) == (0, 0)
    assert "\x1b[31m" not in table.stdout
    assert json.loads(lines.stdout)["path"].endswith(name)
