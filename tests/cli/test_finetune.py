"""`cxrview finetune`: what it takes for which recipe."""

import pytest
from typer.testing import CliRunner

from cxrview.cli.main import app
from cxrview.errors import CxrviewError

pytest.importorskip("torch", reason="needs torch: pip install '.[train]'")


def refusal(*arguments: str) -> str:
    done = CliRunner().invoke(app, ["finetune", *arguments])
    assert isinstance(done.exception, CxrviewError)
    return str(done.exception)


def test_an_unknown_recipe_is_answered_with_those_that_there_are(tmp_path):
    said = refusal("store", "--recipe", "best", "--out", str(tmp_path))

    assert "there is no recipe best" in said
    assert "wide, world, fc-original, fc-augmented, all-augmented" in said


def test_a_method_of_the_paper_needs_a_split_and_a_pre_trained_network(tmp_path):
    said = refusal("store", "--recipe", "all-augmented", "--out", str(tmp_path))

    assert "takes a store, --pre-trained and --split" in said


def test_the_recipe_of_the_package_takes_no_figures(tmp_path):
    weights = ("--published", "weights.npz")
    said = refusal("labels.csv", *weights, "--epochs", "3", "--out", str(tmp_path))

    assert "no figures of its own" in said


def test_what_is_no_store_is_refused_by_name(tmp_path):
    said = refusal(
        *(str(tmp_path), "--recipe", "fc-original", "--split", "split.csv"),
        *("--pre-trained", str(tmp_path), "--out", str(tmp_path / "out")),
    )

    assert f"{tmp_path} holds no prepared images" in said


def test_the_recipe_of_the_package_takes_no_scale(tmp_path):
    said = refusal(
        *("labels.csv", "--published", "weights.npz", "--scale", "smoke", "--out", str(tmp_path))
    )

    assert "no figures of its own" in said
