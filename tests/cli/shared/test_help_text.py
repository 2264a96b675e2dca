"""The help of every command: by -h, with an example and its page, and with full lines."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from cxrview.cli.main import app
from cxrview.cli.shared.help_text import EXAMPLE, PAGE, complete_help, page_of, unwrapped

ROOT = Path(__file__).resolve().parents[3]


def words_of_commands(commands, before=()):
    for name, command in commands.items():
        yield (*before, name)
        yield from words_of_commands(getattr(command, "commands", {}), (*before, name))


COMMANDS = [(), *words_of_commands(typer.main.get_command(app).commands)]


def named(words):
    """The command that some words name."""
    command = typer.main.get_command(app)
    for name in words:
        command = command.commands[name]
    return command


@pytest.fixture
def help_of(monkeypatch, capsys):
    """What a command prints for help on a terminal of some width."""

    def ask(words, option="--help", columns=80):
        monkeypatch.setenv("COLUMNS", str(columns))
        with pytest.raises(SystemExit) as end:
            app([*words, option], prog_name="cxrview")
        assert end.value.code == 0
        return capsys.readouterr().out

    return ask


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_a_short_option_asks_for_help_as_the_long_one_does(words, help_of):
    assert help_of(words, "-h") == help_of(words)
    assert "-h" in help_of(words)


@pytest.mark.slow
@pytest.mark.parametrize("columns", [80, 100, 120])
@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_a_line_of_help_ends_where_the_next_word_would_not_fit(words, columns, help_of):
    lines = [line.strip() for line in help_of(words, columns=columns).splitlines()]
    first = next(k for k, line in enumerate(lines) if line.startswith("Usage:")) + 1
    last = next(k for k, line in enumerate(lines) if line.startswith("╭"))
    room = columns - 2  # a blank on either side

    assert any(lines[first:last])
    for line, below in zip(lines[first:last], lines[first + 1 : last], strict=False):
        if line and below:
            assert len(line) + 1 + len(below.split()[0]) > room, f"{line}\n{below}"


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_the_help_of_an_option_has_no_line_breaks_of_its_own(words):
    texts = {one.name: getattr(one, "help", "") or "" for one in named(words).params}

    assert [name for name, text in texts.items() if "\n" in text] == []


def test_a_blank_line_alone_ends_a_paragraph():
    text = """Say it.

    A line that
    goes on.

    Exit code: 0
    done.
    """

    assert unwrapped(text) == "Say it.\n\nA line that goes on.\n\nExit code: 0 done."


NAMES = [" ".join(words) for words in COMMANDS if not hasattr(named(words), "commands")]


@pytest.mark.parametrize("name", NAMES)
def test_every_command_has_an_example_of_its_own(name):
    assert (named(name.split()).epilog or "").startswith(f"Example: cxrview {name}")


def test_an_example_at_the_end_of_a_docstring_is_shown_below_the_options():
    app = typer.Typer()

    @app.command()
    def two() -> None:
        """Do it.

        Example: cxrview two
        --fast
        """

    @app.command()
    def three() -> None:
        """Do that."""

    complete_help(app, {"two": "cxrview other", "three": "cxrview three"})

    assert [(one.help, one.epilog) for one in app.registered_commands] == [
        ("Do it.", f"Example: cxrview two --fast\n\n{page_of('two')}"),
        ("Do that.", f"Example: cxrview three\n\n{page_of('three')}"),
    ]


@pytest.mark.parametrize("name", NAMES)
def test_an_example_is_shown_and_can_be_parsed(name, help_of, tmp_path, monkeypatch):
    example = named(name.split()).epilog.split("\n\n")[0].removeprefix(EXAMPLE)
    monkeypatch.chdir(tmp_path)
    program, *words = example.split()
    rest = words[len(name.split()) :]
    for word in rest:
        if not word.startswith("-") and "." in word:
            Path(word).touch()
        elif not Path(word).is_absolute():
            Path(word).mkdir(parents=True, exist_ok=True)

    context = named(name.split()).make_context(name, list(rest))

    assert (program, context.args) == ("cxrview", [])
    assert EXAMPLE + example in " ".join(help_of(name.split(), columns=120).split())


SHOWN = [words for words in COMMANDS if not any(named(words[:k]).hidden for k in (1, 2))]


@pytest.mark.parametrize("words", SHOWN, ids=" ".join)
def test_help_names_a_page_that_exists(words, help_of):
    shown = " ".join(help_of(words, columns=120).split())

    named_page = re.search(rf"{PAGE}(docs/[\w/.-]+\.md)", shown)
    assert named_page
    assert (ROOT / named_page[1]).is_file()
    assert Path(named_page[1]).stem == (words[0] if words else "index")


def completions(*words: str) -> list[str]:
    """What a shell offers for the last of some words."""
    code = "import sys; sys.argv = ['cxrview']; from cxrview.cli.entry import run; run()"
    environment = {
        **os.environ,
        "_CXRVIEW_COMPLETE": "complete_bash",
        "COMP_WORDS": " ".join(["cxrview", *words]),
        "COMP_CWORD": str(len(words)),
    }
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    return done.stdout.split()


def test_a_shell_completes_commands_and_options():
    assert completions("as") == ["assess"]
    assert completions("assess", "") == ["model", "archive", "recipe"]
    assert completions("assess", "model", "--ext") == ["--external", "--external-source"]
    assert completions("split", "--ov") == ["--overwrite"]
