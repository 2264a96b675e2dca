"""A path that does not exist costs one line that names it, exit code 2, and writes nothing."""

import pytest
import typer
from typer.testing import CliRunner

from cxrview.cli.main import app
from cxrview.cli.shared.help_text import EXAMPLE
from cxrview.errors import CxrviewError, RunStopped


def examples(command, words=()):
    """The example of each command, by its words."""
    for name, one in getattr(command, "commands", {}).items():
        yield from examples(one, (*words, name))
    if not hasattr(command, "commands"):
        example, *_ = command.epilog.split("\n\n")
        yield " ".join(words), example.removeprefix(EXAMPLE)


EXAMPLES = dict(examples(typer.main.get_command(app)))
WITHOUT_INPUT = {"reproduce", "phantom", "plan"}
"""Their examples read nothing."""
OPTIONS = [
    ("prepare labels.csv --out out", "--headers"),
    ("split labels.csv --out split.csv", "--check"),
    ("split labels.csv --out split.csv", "--root"),
    ("augment store --out out", "--split"),
    ("train labels.csv --published a.npz --out out", "--published"),
    ("train labels.csv --published a.npz --out out", "--photographs"),
    ("train labels.csv --published a.npz --out out", "--left-out"),
    ("train labels.csv --published a.npz --out out", "--about"),
    ("pretrain grey --published a.npz --out out", "--published"),
    ("pretrain grey --published a.npz --out out", "--pictures"),
    ("pretrain grey --published a.npz --out out", "--classes"),
    ("finetune store --recipe fc-original --out out", "--split"),
    ("finetune store --recipe fc-original --split a.csv --out out", "--pre-trained"),
    ("finetune store --recipe fc-original --split a.csv --out out", "--variants"),
    ("quantise store labels.csv", "--photographs"),
    ("quantise store labels.csv", "--left-out"),
    ("assess model store --split a.csv --out out", "--split"),
    ("assess model store --split a.csv --out out", "--external"),
    ("assess model store --split a.csv --out out", "--model"),
    ("assess recipe labels.csv --published a.npz --out out", "--photographs"),
    ("robustness table store --out out", "--split"),
    ("robustness table store --out out", "--model"),
    ("reproduce labels.csv --out out", "--published"),
    ("reproduce labels.csv --out out", "--pictures"),
    ("reproduce labels.csv --out out", "--classes"),
    ("reproduce labels.csv --out out", "--external"),
    ("reproduce labels.csv --out out", "--headers"),
]


@pytest.fixture
def refusal(tmp_path, monkeypatch):
    """What a command that cannot be carried out says; it leaves the folder as it was."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path.parent / "settings"))

    def run(words: list[str]) -> str:
        before = sorted(tmp_path.rglob("*"))
        done = CliRunner().invoke(app, words)
        assert isinstance(done.exception, CxrviewError), (done.output, done.exception)
        assert not isinstance(done.exception, RunStopped)  # exit code 3
        assert sorted(tmp_path.rglob("*")) == before
        return str(done.exception)

    return run


@pytest.mark.parametrize("name", [name for name in EXAMPLES if name not in WITHOUT_INPUT])
def test_a_path_that_does_not_exist_is_named(name, refusal):
    _, *words = EXAMPLES[name].split()
    given = {word for word in words[len(name.split()) :] if not word.startswith("-")}

    said = refusal(words)

    assert "\n" not in said
    assert any(word in said for word in given), said


@pytest.mark.parametrize(("command", "option"), OPTIONS)
def test_an_option_with_a_path_that_does_not_exist_is_named(command, option, refusal, tmp_path):
    for name in ("labels.csv", "a.csv", "a.npz", "study.db"):
        (tmp_path / name).touch()
    (tmp_path / "store").mkdir()

    said = refusal([*command.split(), option, "mistyped"])

    assert "\n" not in said
    assert "mistyped does not exist. " in said  # and what to do
