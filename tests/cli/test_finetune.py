"""`cxrview finetune`: what it takes."""

import pytest
from typer.testing import CliRunner

from cxrview.cli.main import app
from cxrview.errors import CxrviewError

pytest.importorskip("torch", reason="needs torch: pip install '.[train]'")


@pytest.fixture
def refusal(tmp_path):
    """What an otherwise possible command says of some options."""
    (tmp_path / "split.csv").write_text("file,partition\n")

    def run(*options: str) -> str:
        needed = {"--split": tmp_path / "split.csv", "--pre-trained": tmp_path}
        given = [word for name, path in needed.items() for word in (name, str(path))]
        words = ["finetune", str(tmp_path), *given, "--out", str(tmp_path / "out"), *options]
        done = CliRunner().invoke(app, words)
        assert isinstance(done.exception, CxrviewError), done.output
        assert not (tmp_path / "out").exists()
        return str(done.exception)

    return run


def test_an_unknown_recipe_is_answered_with_those_that_there_are(refusal):
    said = refusal("--recipe", "best")

    assert "best" in said
    assert "fc-original, fc-augmented, all-augmented" in said


def test_a_folder_that_is_not_a_store_is_refused_by_name(refusal, tmp_path):
    assert str(tmp_path) in refusal("--recipe", "fc-original")
