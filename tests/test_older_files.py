"""Files that an older version left on users' disks: each is read, resumed or opened as before."""

import csv
import json
import os
import shutil
import sqlite3
from pathlib import Path

import pytest

import cxrview
from cxrview.annotate.database.store import open_readings
from cxrview.annotate.labels import settled_images
from cxrview.assess.score_files import read_scores
from cxrview.classify.conditions import conditions_of
from cxrview.classify.model_files import read_card
from cxrview.classify.plan import plan_run
from cxrview.phantom.archive import draw_archive
from cxrview.results.columns import COLUMNS
from cxrview.results.concat import concat_results
from cxrview.results.files import Outputs
from cxrview.results.known_paths import KnownPaths

OLDER = Path(__file__).parent / "data" / "older"
OF_THE_MODEL = {"model", "weights_sha256", "cutoff", "review_band", "chest_cutoff", "precision"}
"""Conditions that change with the model in the package, and not with the code."""


@pytest.mark.parametrize("name", ["views.parquet", "table.csv"])
def test_a_result_is_read_with_its_failures_and_its_summary(name):
    result = cxrview.read_result(OLDER / name)

    table = result.to_arrow()
    assert table.column_names == list(COLUMNS)
    assert table.column("decision").to_pylist().count("classified") == 4
    assert result.failures.to_arrow().column("code").to_pylist() == ["truncated"]
    assert str(result.summary) == "7 files: 4 classified, 0 review, 2 skipped, 1 failed"


def test_results_of_two_formats_hold_the_same_rows():
    first, other = (cxrview.read_result(OLDER / name) for name in ("views.parquet", "table.csv"))

    assert first.to_arrow().equals(other.to_arrow())


def test_a_result_is_known_and_is_joined(tmp_path):
    known = KnownPaths([OLDER / "views.parquet"])
    joined = concat_results(
        [OLDER / "views.parquet", OLDER / "table.csv"],
        Outputs(table=tmp_path / "joined.csv"),
        allow_doubled=True,
    )

    assert len(known) == 6
    assert (joined.found, joined.classified) == (7, 4)


@pytest.fixture
def stopped(tmp_path, monkeypatch) -> Path:
    """The interrupted run in a folder of its own, as if it had been started there."""
    draw_archive(tmp_path / "archive", patients=2, size=(256, 210), seed=5)
    for name in ("stopped.csv", "stopped.csv.journal", "patient.key"):
        shutil.copy(OLDER / name, tmp_path / name)
    journal = sqlite3.connect(tmp_path / "stopped.csv.journal")
    here = os.fsencode(tmp_path)
    with journal:
        for table, column in (("outcome", "path"), ("watched", "folder")):
            for (path,) in journal.execute(f"SELECT {column} FROM {table}").fetchall():
                moved = path.replace(b"/tmp/older", here)
                journal.execute(
                    f"UPDATE {table} SET {column} = ? WHERE {column} = ?", (moved, path)
                )
        paths = json.dumps([str(tmp_path / "archive")])
        journal.execute("UPDATE conditions SET value = ? WHERE name = 'paths'", (paths,))
    journal.close()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_an_interrupted_run_is_resumed(stopped):
    model = cxrview.load_model("googlenet", precision="fp32")
    options = cxrview.ClassifyOptions(key=Path("patient.key"))
    today = conditions_of(["archive"], model, options.resolved(model.card))
    journal = sqlite3.connect("stopped.csv.journal")
    with journal:
        names = {name for (name,) in journal.execute("SELECT name FROM conditions")}
        for name in OF_THE_MODEL:
            value = (today[name], name)
            journal.execute("UPDATE conditions SET value = ? WHERE name = ?", value)
    journal.close()
    before = list(csv.DictReader(Path("stopped.csv").read_text().splitlines()))

    plan = plan_run("archive", out="stopped.csv", model=model, options=options, resume=True)
    result = plan.run()

    rows = list(csv.DictReader(Path("stopped.csv").read_text().splitlines()))
    assert names == {*today, "shard", "known"}
    assert len(before) == 2
    for old, new in zip(before, rows, strict=False):
        assert {name: new[name] for name in old} == old  # later columns were added
    assert (result.summary.found, result.summary.read_now) == (7, 4)
    assert not Path("stopped.csv.journal").exists()


def test_a_model_card_is_read():
    card = read_card(OLDER / "model")

    assert card.model_id == "world-c7105bb7"
    assert (card.input_side, card.cutoff, card.chest_cutoff) == (256, 60.85, 43.17)
    assert card.int8 is not None and card.int8.cutoff != card.cutoff
    assert not card.is_smoke_test and card.about


def test_scores_are_read():
    (scores,) = read_scores(OLDER / "scores.parquet")

    assert scores.classifier == "world-c7105bb7"
    assert len(scores) == 4 and scores.is_frontal.sum() == 2
    assert set(scores.facts["source"]) == {"drawn"} and scores.chest is not None


def test_an_annotation_study_is_opened(tmp_path):
    shutil.copy(OLDER / "study.db", tmp_path / "study.db")

    store = open_readings(str(tmp_path / "study.db"))
    try:
        images, readers, readings = store.images(), store.readers(), list(store.readings())
        settled = [one.settled.how for one in settled_images(store)]
    finally:
        store.close()

    assert [reader.name for reader in readers] == ["anna", "ben", "ada"]
    assert (len(images), len(readings)) == (4, 8)
    assert sorted(settled) == ["agreed", "agreed", "agreed", "conflict"]
