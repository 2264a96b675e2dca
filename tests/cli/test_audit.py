"""`cxrview audit`, `writeback --as table` and `classify --report` as their user runs them."""

import sys

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from cxrview.cli.main import app
from cxrview.errors import UsageError
from cxrview.results.columns import COLUMNS
from cxrview.results.tables import write_table
from fixtures.claim_tables import NIH

pytest.importorskip("jinja2", reason="needs jinja2: pip install '.[audit]'")

VIEWS = {"00000001_000.png": "frontal", "00000001_001.png": "lateral", "1_000.png": "frontal"}


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "settings"))
    monkeypatch.chdir(tmp_path)

    def invoke(command, code=0):
        done = CliRunner().invoke(app, command.split(), catch_exceptions=False)
        assert done.exit_code == code, done.output
        return done

    return invoke


@pytest.fixture
def nih(tmp_path):
    """A result of two images of NIH's table and of another one, and the table."""
    facts = {"decision": "classified", "agreement": "silent", "pfi": 50.0}
    rows = [
        facts | {"path": path, "view": view, "content_id": path} for path, view in VIEWS.items()
    ]
    write_table(tmp_path / "views.parquet", [dict.fromkeys(COLUMNS) | row for row in rows])
    (tmp_path / "nih.csv").write_text(NIH)


def test_audit_compares_a_collection_with_its_images(run, nih, tmp_path):
    done = run("audit views.parquet --claims nih.csv --collection nih --show-paths")

    assert "the table agrees with 1, disagrees with 1, is silent about 1" in done.output
    assert "1 patient with a wrong view in the table, 0 with a missing one" in done.output
    assert "audit.unused-keys.csv" in done.output
    assert "00000003_000.png" in (tmp_path / "audit.html").read_text()


def test_audit_of_files_without_headers_names_the_way_to_a_table(run, nih):
    assert "--claims" in run("audit views.parquet").output


def test_audit_takes_a_column_in_place_of_a_collections(run, nih):
    with pytest.raises(UsageError, match="Finding Labels"):
        run("audit views.parquet --claims nih.csv --collection nih --claim-key FindingLabels")


def test_audit_prints_how_the_images_lie(run, tmp_path):
    facts = {"decision": "classified", "view": "frontal", "pfi": 99.0, "agreement": "agrees"}
    facts |= {"header_view": "frontal", "header_view_position": "PA", "mirrored_probability": 1.0}
    facts |= {"projection": "PA", "projection_ap": 1.0, "mirrored": False}
    facts |= {"rotation": 0, "rotation_probability": 99.0, "inverted": False}
    rows = [
        facts,
        facts | {"rotation": 180, "inverted": True, "projection": "AP"},
        facts | {"rotation": 90, "mirrored": True, "projection": None},
        facts | {"rotation": None, "header_view_position": None},
    ]
    rows = [row | {"path": f"{n}.png", "inverted_probability": 1.0} for n, row in enumerate(rows)]
    write_table(tmp_path / "views.parquet", [dict.fromkeys(COLUMNS) | row for row in rows])

    lines = run("audit views.parquet --no-pictures").output.splitlines()

    assert lines[3:5] == [
        "2 turned (1 by 90°, 1 by 180°), 1 mirrored, 1 inverted; the model is not sure of the "
        "orientation of 1 of 4 images",
        "AP or PA of 4 frontal images: the header agrees with 1, disagrees with 1, is silent about "
        "1; the model is not sure of 1",
    ]


def test_audit_prints_what_a_filter_by_view_position_alone_loses(run, tmp_path):
    facts = {"decision": "classified", "view": "lateral", "pfi": 1.0, "agreement": "agrees"}
    facts |= {"header_view": "lateral", "header_view_code": "399067008^SCT"}
    rows = [facts | {"path": "0.dcm", "header_view_position": "LL"}, facts | {"path": "1.dcm"}]
    write_table(tmp_path / "views.parquet", [dict.fromkeys(COLUMNS) | row for row in rows])

    lines = run("audit views.parquet --no-pictures").output.splitlines()

    assert lines[2:4] == [
        "filtering for lateral images by the header loses 0 and takes 0 wrong ones",
        "filtering for lateral images by View Position alone loses 1 and takes 0 wrong ones",
    ]


def test_audit_prints_nothing_of_the_pose_where_the_model_has_no_such_answers(run, nih):
    assert "turned" not in run("audit views.parquet").output


@pytest.mark.parametrize(
    "options",
    ["--claim-key a", "--collection nih", "--claims nih.csv", "--claims nih.csv --claim-view a"],
)
def test_audit_refuses_half_of_the_options_of_a_table(run, nih, options):
    with pytest.raises(UsageError, match="--claim"):
        run(f"audit views.parquet {options}")


def test_writeback_writes_the_table_of_a_collection(run, nih, tmp_path):
    done = run("writeback views.parquet --as table --claims nih.csv --collection nih --out new.csv")

    assert "3 rows in new.csv: 1 corrected, 1 kept, 1 unchecked" in done.output
    new = (tmp_path / "new.csv").read_text().splitlines()
    assert all(line.startswith(old) for line, old in zip(new, NIH.splitlines(), strict=True))
    with pytest.raises(UsageError, match=r"new\.csv"):
        run("writeback views.parquet --as table --claims nih.csv --collection nih --out new.csv")


def test_writeback_shows_what_would_change_in_a_table(run, nih, tmp_path):
    files = sorted(tmp_path.iterdir())

    done = run("writeback views.parquet --as table --claims nih.csv --collection nih --dry-run")

    assert "00000001_001.png: PA -> LATERAL" in done.output
    assert "3 rows: 1 corrected, 1 kept, 1 unchecked" in done.output
    assert sorted(tmp_path.iterdir()) == files


def test_writeback_writes_what_a_person_decided_into_a_table(run, nih, tmp_path):
    head = "path,content_id,proposed,decision,view,projection,reader,decided_at,note\n"
    when = "anna,2026-03-01T14:05:00+00:00,\n"
    (tmp_path / "decisions.csv").write_text(
        head
        + "00000001_000.png,,frontal,accept,frontal,AP,"
        + when
        + "00000001_001.png,,lateral,reject,frontal,,"
        + when
    )
    command = "writeback views.parquet --as table --claims nih.csv --collection nih --out new.csv"

    done = run(f"{command} --decisions decisions.csv")

    assert "3 rows in new.csv: 1 corrected, 1 kept, 1 unchecked" in done.output
    rows = [line.split(",")[-4:-1] for line in (tmp_path / "new.csv").read_text().splitlines()]
    assert rows[1:3] == [["AP", "corrected", "labelled"], ["PA", "kept", "labelled"]]


def test_writeback_refuses_a_decision_about_another_table(run, nih, tmp_path):
    (tmp_path / "decisions.csv").write_text(
        "path,content_id,proposed,decision,view,projection,reader,decided_at,note\n"
        "other.png,,frontal,accept,frontal,,anna,2026-03-01T14:05:00+00:00,\n"
    )

    with pytest.raises(UsageError, match=r"other\.png"):
        run(
            "writeback views.parquet --as table --claims nih.csv --collection nih --out new.csv "
            "--decisions decisions.csv"
        )

    assert not (tmp_path / "new.csv").exists()


@pytest.mark.parametrize("options", ["--out new.csv", "--claims nih.csv --collection nih"])
def test_writeback_refuses_a_table_without_its_names(run, nih, options):
    with pytest.raises(UsageError):
        run(f"writeback views.parquet --as table {options}")


def test_classify_writes_the_page_of_its_run(run, tmp_path):
    grey = np.tile(np.arange(256, dtype=np.uint8), (300, 1))
    (tmp_path / "films").mkdir()
    Image.fromarray(grey).save(tmp_path / "films" / "film.png")

    run("classify films --report page.html")

    page = (tmp_path / "page.html").read_text()
    assert 'href="views.parquet"' in page
    with pytest.raises(UsageError, match=r"page\.html"):
        run("classify films --out again.parquet --report page.html")
    assert not (tmp_path / "again.parquet").exists()


def test_classify_asks_for_the_extra_of_the_page_before_it_starts(run, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "jinja2", None)
    (tmp_path / "films").mkdir()

    with pytest.raises(UsageError, match=r"jinja2.*\[audit\]"):
        run("classify films --report page.html")

    assert [path.name for path in tmp_path.iterdir()] == ["films"]


@pytest.mark.parametrize("options", ["--out -", "--estimate"])
def test_classify_refuses_a_page_without_a_result(run, tmp_path, options):
    (tmp_path / "films").mkdir()

    run(f"classify films --report page.html {options}", code=2)
