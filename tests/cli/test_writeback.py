"""`cxrview writeback` as a user runs it: decisions, labels, and input that cannot be used."""

import csv
import json
import resource
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pydicom
import pytest
from typer.testing import CliRunner

from cxrview.audit.decisions import write_decisions
from cxrview.cli.main import app
from cxrview.errors import CannotWrite, UsageError
from cxrview.image.fetch import file_content_id
from cxrview.phantom.archive import draw_archive
from cxrview.records.review_decision import ReviewDecision
from cxrview.results.columns import COLUMNS
from cxrview.results.tables import write_partitioned, write_table
from cxrview.terms import Projection, Ruling, View

VIEW_OF = {"PA": "frontal", "AP": "frontal", "LL": "lateral", "RL": "lateral"}


@pytest.fixture(scope="module")
def films(tmp_path_factory) -> Path:
    """Drawn films; eight of them have a View Position and are in the tables."""
    folder = tmp_path_factory.mktemp("writeback") / "archive"
    draw_archive(folder, patients=6, size=(64, 64), seed=5, strangers=False, damages=[])
    return folder


@pytest.fixture(scope="module")
def rows(films) -> list[dict]:
    """A table that proposes for each film the view that its header does not name."""
    found = []
    for path in sorted(films.rglob("IM*")):
        header = pydicom.dcmread(path, stop_before_pixels=True)
        view = VIEW_OF.get(header.get("ViewPosition"))
        if not view:
            continue
        facts = {
            "path": str(path),
            "sop_instance_uid": str(header.SOPInstanceUID),
            "sop_class_uid": str(header.SOPClassUID),
            "modality": header.Modality,
            "header_view_position": header.ViewPosition,
            "header_view": view,
            "decision": "classified",
            "view": "lateral" if view == "frontal" else "frontal",
            "agreement": "disagrees",
            "model_id": "drawn-1",
            "content_id": file_content_id(path),
        }
        found.append(dict.fromkeys(COLUMNS) | facts)
    assert len(found) >= 8
    return found[:8]


@pytest.fixture
def table(rows, tmp_path) -> Path:
    write_table(tmp_path / "views.parquet", rows)
    return tmp_path / "views.parquet"


def run(*words: object, code: int = 0) -> str:
    done = CliRunner().invoke(
        app, ["writeback", *map(str, words), "--workers", "1"], catch_exceptions=False
    )
    assert done.exit_code == code, done.output
    return done.output


def views_written(out: Path) -> dict[str, tuple[str, str]]:
    """View Position and code of each copy, by the name of its source."""
    with out.with_name(out.name + ".changes.csv").open(newline="") as file:
        targets = {row["path"]: row["target"] for row in csv.DictReader(file)}
    copies = {source: pydicom.dcmread(target) for source, target in targets.items()}
    return {
        source: (copy.ViewPosition, copy.ViewCodeSequence[0].CodeValue)
        for source, copy in copies.items()
    }


def test_writeback_writes_what_persons_decided(rows, table, tmp_path):
    paths = [row["path"] for row in rows]
    proposed = View(rows[0]["view"])
    projection = Projection.LL if proposed is View.LATERAL else Projection.AP
    known = {"decided_at": datetime(2026, 3, 1, tzinfo=UTC), "reader": "r"}
    decisions = [
        ReviewDecision(
            path=paths[0],
            content_id=rows[0]["content_id"],
            proposed=proposed,
            decision=Ruling.ACCEPT,
            view=proposed,
            projection=projection,
            **known,
        ),
        ReviewDecision(path=paths[1], decision=Ruling.UNREADABLE, **known),
    ]
    write_decisions(tmp_path / "decisions.csv", decisions)

    said = run(table, "--decisions", tmp_path / "decisions.csv", "--out", tmp_path / "out")

    written = views_written(tmp_path / "out")
    codes = {Projection.LL: "399173006", Projection.AP: "399348003"}
    assert written[paths[0]] == (projection, codes[projection])
    assert set(written) == {paths[0], *paths[2:]}
    assert "1 unreadable" in said

    said = run(
        table,
        "--decisions",
        tmp_path / "decisions.csv",
        "--only-decided",
        "--out",
        tmp_path / "decided",
    )

    assert set(views_written(tmp_path / "decided")) == {paths[0]}
    assert f"{len(paths) - 2} not decided, 1 unreadable" in said


def test_writeback_finds_relative_paths_where_the_result_was_made(
    rows, films, tmp_path, monkeypatch
):
    relative = [
        row | {"path": str(Path(row["path"]).relative_to(films.parent))} for row in rows[:1]
    ]
    write_table(tmp_path / "views.parquet", relative)
    (tmp_path / "views.summary.json").write_text(json.dumps({"folder": str(films.parent)}))
    monkeypatch.chdir(tmp_path)

    run("views.parquet", "--out", "out")

    assert set(views_written(tmp_path / "out")) == {rows[0]["path"]}


def test_writeback_takes_settled_labels(rows, films, table, tmp_path):
    labels = films.parent / "labels.csv"
    path = Path(rows[0]["path"]).relative_to(films.parent)
    labels.write_text(f"file,patient,view,label\n{path},p,lateral,RL\n")

    run(table, "--labels", labels, "--out", tmp_path / "out")

    assert views_written(tmp_path / "out")[rows[0]["path"]] == ("RL", "399198007")


def test_a_table_of_decided_images_alone_leaves_others_unchecked(tmp_path):
    """A reader's label of the result counts as well; what the model alone says does not."""
    shown = {"a.png": "classified", "b.png": "classified", "c.png": "labelled"}
    rows = [
        dict.fromkeys(COLUMNS) | {"path": path, "decision": decision, "view": "lateral"}
        for path, decision in shown.items()
    ]
    write_table(tmp_path / "views.parquet", rows)
    (tmp_path / "old.csv").write_text("k,v\na,PA\nb,PA\nc,PA\n")
    (tmp_path / "labels.csv").write_text("file,view,label\na.png,lateral,LL\n")
    words = [
        *(tmp_path / "views.parquet", "--as", "table", "--root", tmp_path, "--only-decided"),
        *("--claims", tmp_path / "old.csv", "--claim-key", "k", "--claim-view", "v"),
        *("--labels", tmp_path / "labels.csv"),
    ]

    shown_first = run(*words, "--dry-run")
    run(*words, "--out", tmp_path / "new.csv")

    with (tmp_path / "new.csv").open(newline="") as file:
        new = [(row["v_corrected"], row["cxrview_change"]) for row in csv.DictReader(file)]
    assert new == [("LL", "corrected"), ("PA", "unchecked"), ("lateral", "corrected")]
    assert "2 corrected, 1 unchecked" in shown_first


def test_writeback_reports_each_mistake_of_a_decision_file(table, tmp_path):
    (tmp_path / "decisions.csv").write_text(
        "path,content_id,proposed,decision,view,projection,reader,decided_at,note\n"
        "x,,lateral,agree,,,r,2026-03-01T00:00:00+00:00,\n"
    )

    with pytest.raises(UsageError, match="line 2, decision"):
        run(table, "--decisions", tmp_path / "decisions.csv", "--out", tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("form", ["csv", "jsonl", "parts"])
def test_writeback_reads_every_form_of_a_table(rows, tmp_path, form):
    if form == "parts":
        write_partitioned(tmp_path / "views", rows)
    else:
        write_table(tmp_path / f"views.{form}", rows)
    name = "views" if form == "parts" else f"views.{form}"

    run(tmp_path / name, "--out", tmp_path / "out")

    assert len(views_written(tmp_path / "out")) == len(rows)


def test_writeback_refuses_a_table_without_its_columns(tmp_path):
    (tmp_path / "views.csv").write_text("path,decision,view\n/a,classified,lateral\n")

    with pytest.raises(UsageError, match="content_id"):
        run(tmp_path / "views.csv", "--out", tmp_path / "out")


def test_writeback_refuses_a_table_of_another_archive(rows, tmp_path):
    others = [row | {"content_id": f"{k:032x}"} for k, row in enumerate(rows)]
    write_table(tmp_path / "views.parquet", others)
    missing = [row | {"path": f"elsewhere/{k}"} for k, row in enumerate(rows)]
    write_table(tmp_path / "moved.parquet", missing)

    with pytest.raises(UsageError, match="another archive"):
        run(tmp_path / "views.parquet", "--out", tmp_path / "out")
    with pytest.raises(UsageError, match="--root"):
        run(tmp_path / "moved.parquet", "--out", tmp_path / "out")
    assert not list(tmp_path.glob("out*"))


def test_writeback_refuses_single_files_that_changed(rows, tmp_path):
    changed = [row | {"content_id": "0" * 32} if k == 3 else row for k, row in enumerate(rows)]
    write_table(tmp_path / "views.parquet", changed)

    run(tmp_path / "views.parquet", "--out", tmp_path / "out", code=1)

    with (tmp_path / "out.failures.csv").open(newline="") as file:
        (failure,) = csv.DictReader(file)
    assert (failure["path"], failure["code"]) == (rows[3]["path"], "changed_since_classified")
    assert len(views_written(tmp_path / "out")) == len(rows) - 1


def test_writeback_says_which_target_cannot_be_written(table):
    folder = "/proc/self/fdinfo"  # nothing can be created there, not even by root

    with pytest.raises(CannotWrite, match=folder):
        run(table, "--out", f"{folder}/out")


@pytest.mark.parametrize("out", ["", "out"])
def test_writeback_never_writes_into_the_input(films, table, out):
    with pytest.raises(UsageError, match="lie in one another"):
        run(table, "--out", films / out)


@pytest.mark.parametrize("more", [(), ("--overwrite",)])
def test_writeback_never_replaces_the_summary_of_a_result(table, tmp_path, more):
    summary = tmp_path / "views.summary.json"
    summary.write_text("{}")

    with pytest.raises(UsageError, match="views.summary.json"):
        run(table, "--out", tmp_path / "views", *more)
    assert summary.read_text() == "{}"


@pytest.mark.slow
def test_writeback_resumes_after_a_full_disk(rows, table, tmp_path):
    """A limit on the size of files stands for the disk: it hits the largest film alone."""
    sizes = sorted(Path(row["path"]).stat().st_size for row in rows)
    assert sizes[0] < sizes[-1]
    limit = sizes[-1] - 1
    command = [sys.executable, "-m", "cxrview", "writeback", table, "--out", tmp_path / "out"]
    command += ["--workers", "1"]

    full = subprocess.run(
        command,
        capture_output=True,
        text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
    )

    assert full.returncode == 3, full.stderr
    assert "--resume" in full.stderr and "Traceback" not in full.stderr
    assert not list((tmp_path / "out").rglob("*.part"))
    assert (tmp_path / "out.writeback-journal").exists()
    resumed = subprocess.run([*command, "--resume"], capture_output=True, text=True)
    assert resumed.returncode == 0, resumed.stderr
    assert len(views_written(tmp_path / "out")) == len(rows)


def test_a_dry_run_shows_changes_and_writes_nothing(rows, table, tmp_path):
    said = run(table, "--dry-run", "--show", "1")

    assert rows[0]["path"] in said and "(0054,0220)" in said
    assert sorted(tmp_path.iterdir()) == [table]
