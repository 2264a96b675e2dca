"""The shell on either database: one study, made, read, agreed on and merged by its name alone."""

import csv
from pathlib import Path

import numpy as np
from PIL import Image
from typer.testing import CliRunner

from cxrview.cli.main import app
from cxrview.results.columns import COLUMNS
from cxrview.results.tables import write_table


def run(*arguments) -> str:
    done = CliRunner().invoke(app, [str(word) for word in arguments], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


def test_a_study_is_made_read_and_merged_by_its_name(where, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = [f"{k}.png" for k in range(6)]
    for name in names:
        Image.fromarray(np.full((8, 8), 7, np.uint8)).save(name)
    known = {"decision": "classified", "view": "frontal", "pfi": 99.0, "patient_key": "p"}
    rows = [{**dict.fromkeys(COLUMNS), **known, "path": name} for name in names]
    write_table(Path("views.csv"), rows)
    with Path("readings.csv").open("w", newline="") as file:
        lines = [(name, who, "lateral") for name in names for who in ("anna", "ben")]
        csv.writer(file).writerows([("file", "reader", "label"), *lines])

    made = run("annotate", "create", where, "--from", "views.csv", "--reader", "anna")
    read = run("annotate", "import", where, "readings.csv")
    merged = run("merge", "views.csv", where, "--out", "merged.csv")
    error = run("assess", "archive", "views.csv", "--labels", where)

    assert "6 images in" in made
    assert "ben is new among the readers" in read
    assert "6 labelled by readers, 6 of them against the model" in merged
    assert "wrong view: 6 of 6 = 100.00 %" in error
