"""`cxrview audit --serve` as its user runs it; tests/audit/review has the pages."""

import os
import re
import select
import signal
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from cxrview.audit.decisions import COLUMNS as DECISION_COLUMNS
from cxrview.cli.main import app
from cxrview.errors import UsageError
from cxrview.results.columns import COLUMNS
from cxrview.results.tables import write_table

pytest.importorskip("fastapi", reason="needs the extra audit: pip install '.[audit]'")


@pytest.fixture
def table(tmp_path):
    known = {"path": "Doe_Jane.dcm", "decision": "review", "pfi": 50.0}
    write_table(tmp_path / "views.parquet", [dict.fromkeys(COLUMNS) | known])
    return tmp_path / "views.parquet"


def run(*words):
    return CliRunner().invoke(app, ["audit", *map(str, words)], catch_exceptions=False)


@pytest.mark.parametrize("option", ["--decisions", "--reader"])
def test_audit_refuses_options_of_serve_without_it(table, option):
    with pytest.raises(UsageError, match=f"{option}.*--serve"):
        run(table, option, "x.csv")


@pytest.mark.parametrize(
    ("name", "reason"), [("x.xlsx", "not named as a CSV"), ("labels.csv", "no column content_id")]
)
def test_audit_serve_refuses_another_file_than_decisions(table, name, reason):
    path = table.with_name(name)
    path.write_text("file,view\na,PA\n")
    with pytest.raises(UsageError, match=reason):
        run(table, "--serve", "--port", 0, "--decisions", path)

    assert sorted(one.name for one in table.parent.iterdir()) == sorted([name, "views.parquet"])


@pytest.mark.parametrize("folder", ["decisions.csv", "decisions.jsonl"])
def test_audit_serve_refuses_a_folder_in_place_of_decisions(table, folder):
    table.with_name(folder).mkdir()
    with pytest.raises(UsageError, match=f"{folder} is a folder"):
        run(table, "--serve", "--port", 0, "--decisions", table.with_name("decisions.csv"))

    assert sorted(one.name for one in table.parent.iterdir()) == sorted([folder, "views.parquet"])


def test_audit_serve_reports_the_lines_of_an_edited_file(table):
    path = table.with_name("d.csv")
    rows = [",".join(DECISION_COLUMNS), "Doe_Jane.dcm,,frontal,yes,,,ann,2026-03-01,"]
    path.write_text("\n".join(rows))
    with pytest.raises(UsageError, match="line 2, decision") as caught:
        run(table, "--serve", "--port", 0, "--decisions", path)

    assert "Doe" not in str(caught.value)


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_audit_serve_prints_its_address_and_what_it_left(table, how):
    command = [sys.executable, "-m", "cxrview", "audit", str(table), "--serve", "--port", "0"]
    environment = os.environ | {"PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    ) as process:
        assert process.stdout and select.select([process.stdout], [], [], 120)[0]
        started = process.stdout.readline()
        process.send_signal(how)
        printed, errors = process.communicate(timeout=60)

    pattern = r"0 of 1 image decided; open http://127\.0\.0\.1:\d+/\?token=\S{20,}\n"
    assert re.fullmatch(pattern, started)
    assert printed == "0 of 1 image decided\n"
    assert (process.returncode, errors) == (0, "")
    assert list(table.parent.iterdir()) == [table]
