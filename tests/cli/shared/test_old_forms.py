"""Command lines of version 0.1.0 are answered with their new names, and nothing is written."""

import pytest
from typer.testing import CliRunner

from cxrview.cli.main import app
from cxrview.errors import UsageError


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("assess store --split split.csv --model default --out out", "assess model STORE"),
        ("assess --split split.csv store --out out", "assess model STORE"),
        ("assess views.parquet --labels study.db", "assess archive VIEWS --labels STUDY"),
        ("assess views.parquet --labels=study.db", "assess archive VIEWS --labels STUDY"),
        ("assess labels.csv --leave-source-out --out out", "assess recipe LABELS"),
        ("robustness . --out out", "robustness table STORE"),
        ("robustness film.dcm --out out", "robustness figure IMAGE"),
        ("finetune labels.csv --published a.npz --out out", "train LABELS --published NPZ"),
        ("finetune labels.csv --published=a.npz --out out", "train LABELS --published NPZ"),
        ("finetune labels.csv --recipe wide --out out", "train LABELS --published NPZ"),
    ],
)
def test_an_old_form_is_answered_with_the_new_one(old, new, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    done = CliRunner().invoke(app, old.split())

    assert isinstance(done.exception, UsageError), done.output
    assert f"Use cxrview {new}" in str(done.exception)
    assert list(tmp_path.iterdir()) == []


def test_a_mistyped_sub_command_is_left_to_the_parser(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    done = CliRunner().invoke(app, ["assess", "modle"])

    assert done.exit_code == 2
    assert "model" in done.output
