"""The help of every command: at hand by -h, and broken only where a line is full."""

import pytest
import typer

from cxrview.cli.main import app
from cxrview.cli.shared.help_text import unwrapped


def words_of_commands(commands, before=()):
    for name, command in commands.items():
        yield (*before, name)
        yield from words_of_commands(getattr(command, "commands", {}), (*before, name))


COMMANDS = [(), *words_of_commands(typer.main.get_command(app).commands)]


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
    command = typer.main.get_command(app)
    for name in words:
        command = command.commands[name]

    assert [one.name for one in command.params if "\n" in (getattr(one, "help", "") or "")] == []


def test_a_blank_line_alone_ends_a_paragraph():
    text = """Say it.

    A line that
    goes on.

    Exit code: 0
    done.
    """

    assert unwrapped(text) == "Say it.\n\nA line that goes on.\n\nExit code: 0 done."
