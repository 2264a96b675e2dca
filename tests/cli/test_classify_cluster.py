"""`cxrview classify --cluster`: what it refuses, and what it prints."""

import sys

import pytest
from typer.testing import CliRunner

from cxrview.cli.main import app
from cxrview.cluster import run as cluster_run
from cxrview.errors import UsageError
from cxrview.phantom.archive import draw_archive
from cxrview.records.model_card import ModelCard
from cxrview.results.tables import each_row
from fixtures.threads_engine import ThreadsEngine


@pytest.fixture
def classify(tmp_path, monkeypatch):
    """Run in a folder with an archive, with threads in place of machines."""
    monkeypatch.chdir(tmp_path)
    draw_archive(tmp_path / "archive", patients=1, size=(64, 64))
    engine = ThreadsEngine(1)
    start = cluster_run.ClusterPlan.start
    monkeypatch.setattr(cluster_run.ClusterPlan, "start", lambda plan: start(plan, engine.connect))

    def run(*more: str):
        words = ["classify", "archive", "--cluster", "local", "--key", "key", "--workers", "1"]
        return CliRunner().invoke(app, [*words, *more], catch_exceptions=False)

    return run


def test_rows_are_in_a_folder(classify, tmp_path):
    done = classify("--show", "--report", "page.html")

    assert done.exit_code == 1
    assert "rows in views/" in done.output
    assert "IM0001" in done.stdout
    rows = list(each_row(tmp_path / "views"))
    assert all(row["path"].startswith("archive/") for row in rows)
    assert (tmp_path / "page.html").exists()


def test_a_model_of_a_smoke_test_is_named(classify, monkeypatch):
    assert "--scale smoke" not in classify().output
    monkeypatch.setattr(ModelCard, "is_smoke_test", property(lambda card: True))

    assert "--scale smoke" in classify("--overwrite").output


def test_it_needs_the_extra(classify, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)

    with pytest.raises(UsageError, match=r"ray, which is not installed.*\[cluster\]"):
        classify()


@pytest.mark.parametrize("more", ["--out -", "--estimate", "--forget-missing --resume"])
def test_options_of_one_machine_are_refused(more):
    words = ["classify", "archive", "--cluster", "local", *more.split()]
    done = CliRunner().invoke(app, words, catch_exceptions=False)

    assert done.exit_code == 2
    assert "--cluster" in done.output


def test_a_read_rate_is_refused(classify):
    with pytest.raises(UsageError, match="--max-read-rate"):
        classify("--max-read-rate", "1MB")


@pytest.mark.parametrize("out", ["here.csv", "views/"])
def test_a_manifest_names_files(classify, tmp_path, out):
    images = sorted(path for path in (tmp_path / "archive").rglob("*") if path.is_file())[:2]
    (tmp_path / "files.csv").write_text("".join(f"{line}\n" for line in ("path", *images)))
    words = ["classify", "--manifest", "files.csv", "--key", "key", "--out", out]
    if out.endswith("/"):
        words += ["--cluster", "local", "--workers", "1"]

    done = CliRunner().invoke(app, words, catch_exceptions=False)

    assert done.exit_code == 0, done.output
    assert [row["path"] for row in each_row(tmp_path / out)] == list(map(str, images))


def test_two_lists_are_refused(classify):
    done = CliRunner().invoke(app, ["classify", "-", "--manifest", "files.csv"])

    assert done.exit_code == 2
