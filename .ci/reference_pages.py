#!/usr/bin/env python3
"""Write the reference pages that are made from the code; `make docs` calls this.

Usage: python .ci/reference_pages.py [FOLDER]

Writes `commands.md` from the commands, their help and their options, and `python-api.md` from the
public names of the package. `tests/docs/test_reference.py` fails where a page is not current.
"""

import ast
import inspect
import re
import sys
from collections.abc import Iterator
from enum import Enum
from itertools import groupby, pairwise
from pathlib import Path
from typing import Any

import typer

import cxrview
from cxrview.cli.main import app
from cxrview.cli.shared.help_text import EXAMPLE

DOCS = Path(__file__).resolve().parents[1] / "docs"
HELP = "--help"

COMMANDS_INTRO = """\
# Commands

Every command that `cxrview --help` lists, with its arguments and options, written from the program
by `make docs`. `cxrview COMMAND
--help` prints the same. What the exit codes mean: [exit codes](exit-codes.md).
"""

API_INTRO = """\
# Python API

The public names of `import cxrview`; [From Python](../python.md) shows how to use them. Everything
else may change without notice. `help(cxrview.NAME)` prints the full text of a name; the
documentation site shows it below, with types and defaults. `cxrview.__version__` is the version.

PFI and `chest` are in percent, 0 to 100. Pixels are uint8, 0 (black) to 255 (white), bone bright.
"""


def main(folder: Path) -> None:
    """Write both pages into a folder."""
    for name, text in pages().items():
        (folder / name).write_text(text, encoding="utf-8")


def pages() -> dict[str, str]:
    """Name of each page and its text."""
    return {"commands.md": commands_page(), "python-api.md": api_page()}


def commands_page() -> str:
    """The reference of all commands as Markdown."""
    commands = list(_commands(typer.main.get_command(app).commands))
    index = ["| command | does |", "| --- | --- |"]
    index += [
        f"| [`cxrview {name}`](#{_anchor(f'cxrview {name}')}) | {_cell(_paragraphs(command)[0])} |"
        for name, command in commands
    ]
    sections = [_section(name, command) for name, command in commands]
    return "\n".join([COMMANDS_INTRO, *index, "", *sections])


def _commands(commands: dict[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    """Each command by its full name; a group comes before its commands.

    Hidden commands are in development, and are left out.
    """
    for name, command in commands.items():
        if command.hidden:
            continue
        yield before + name, command
        yield from _commands(getattr(command, "commands", {}), f"{before}{name} ")


def _section(name: str, command: Any) -> str:
    lines = [f"## `cxrview {name}`", ""]
    page = DOCS / f"{name.split()[0]}.md"
    for paragraph in _paragraphs(command):
        lines += [paragraph, ""]
    if page.exists():
        lines += [f"Guide: [{page.stem}](../{page.name}).", ""]
    if getattr(command, "commands", None):
        return "\n".join(lines)
    shown = [one for one in command.params if not one.hidden and HELP not in one.opts]
    arguments = [one for one in shown if not one.opts[0].startswith("-")]
    usage = " ".join(_argument(one) for one in arguments)
    lines += ["```text", f"cxrview {name} [OPTIONS] {usage}".rstrip(), "```", ""]
    example = (command.epilog or "").split("\n\n")[0]
    if example.startswith(EXAMPLE):
        lines += ["Example:", "", "```text", example.removeprefix(EXAMPLE), "```", ""]
    if arguments:
        lines += _table("argument", [(_argument(one), one) for one in arguments])
    options = [one for one in shown if one.opts[0].startswith("-")]
    panels = list(dict.fromkeys(one.rich_help_panel for one in options))
    options.sort(key=lambda one: panels.index(one.rich_help_panel))
    for panel, members in groupby(options, key=lambda one: one.rich_help_panel):
        lines += _table(panel or "option", [(_option(one), one) for one in members])
    return "\n".join(lines)


def _table(title: str, rows: list[tuple[str, Any]]) -> list[str]:
    """A table with the name, default and meaning of each parameter."""
    lines = [f"| {title} | default | meaning |", "| --- | --- | --- |"]
    for name, one in rows:
        lines.append(f"| `{_code(name)}` | {_cell(_default(one))} | {_cell(one.help)} |")
    return [*lines, ""]


def _argument(one: Any) -> str:
    name = one.metavar or one.name.upper()
    name += "..." if one.nargs == -1 else ""
    return name if one.required else f"[{name}]"


def _option(one: Any) -> str:
    """The spellings of an option, and the value that it takes."""
    if one.is_flag:
        value = ""
    elif one.metavar:
        value = f" {one.metavar}"
    else:
        value = f" {_values(one.type_descriptor.annotation)}"
    return ", ".join([*one.opts, *one.secondary_opts]) + value


def _values(annotation: Any) -> str:
    """What may be given for a type: the members of an enumeration, or the name of the type."""
    if inspect.isclass(annotation) and issubclass(annotation, Enum):
        return "|".join(str(member.value) for member in annotation)
    name = getattr(annotation, "__name__", "value")
    return {"int": "N", "float": "X", "str": "TEXT", "Path": "FILE", "list": "TEXT"}.get(name, name)


def _default(one: Any) -> str:
    """The default as a reader of the help sees it."""
    if one.required:
        return "required"
    if isinstance(one.show_default, str):
        return one.show_default
    value = one.default() if callable(one.default) else one.default
    if value is None or value is False or value == [] or not one.show_default:
        return ""
    if isinstance(value, tuple | list):
        return f"`{' '.join(map(_plain, value))}`"
    return f"`{_plain(value)}`"


def _plain(value: Any) -> str:
    return str(value.value if isinstance(value, Enum) else value)


def _paragraphs(command: Any) -> list[str]:
    """The help of a command without the markup of terminals."""
    text = re.sub(r"\[/?[a-z ]*\](?!\()", "", command.help or "")
    return [" ".join(part.split()) for part in text.split("\n\n") if part.strip()]


def _cell(text: str | None) -> str:
    return (text or "").replace("|", "\\|").replace("<", "&lt;").replace("*", "\\*")


def _code(text: str) -> str:
    """Code in a table, in which renderers differ over an escaped vertical bar."""
    return text.replace("|", "/")


def _anchor(title: str) -> str:
    """The anchor of a heading, as GitHub makes it."""
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")


def api_page() -> str:
    """The reference of the public names as Markdown, with directives for mkdocstrings."""
    lines = [API_INTRO]
    left = sorted((name for name in cxrview.__all__ if name[0] != "_"), key=str.lower)
    for title, belongs in SECTIONS.items():
        names = [name for name in left if belongs(getattr(cxrview, name))]
        left = [name for name in left if name not in names]
        lines += [f"## {title}", "", "| name | is |", "| --- | --- |"]
        lines += [f"| `{name}` | {_cell(_summary(name))} |" for name in names]
        lines += ["", *(f"::: {_origin(name)}\n" for name in names)]
    return "\n".join(lines)


def _is_error(value: Any) -> bool:
    return inspect.isclass(value) and issubclass(value, Exception)


SECTIONS = {
    "Functions": inspect.isfunction,
    "Errors": _is_error,
    "Classes": inspect.isclass,
    "Other names": lambda _: True,
}
"""The sections of the page; a name belongs to the first that takes it."""


def _origin(name: str) -> str:
    """Where mkdocstrings finds a name, `cxrview.classify` being a package, too."""
    return f"cxrview.{cxrview._MODULES[name]}.{name}"


def _summary(name: str) -> str:
    """The first paragraph of a docstring; of a constant or alias, of the text below it."""
    value = getattr(cxrview, name)
    if inspect.isfunction(value) or inspect.isclass(value):
        text = inspect.getdoc(value) or ""
    else:
        text = _text_below(name)
    return " ".join(text.split("\n\n")[0].split())


def _text_below(name: str) -> str:
    """The docstring of a module's attribute, which Python does not keep."""
    home = f"cxrview.{cxrview._MODULES[name]}"
    for module in [one for key, one in sys.modules.items() if key.startswith(home)]:
        body = ast.parse(inspect.getsource(module)).body
        for node, below in pairwise(body):
            targets = getattr(node, "targets", [])
            if any(getattr(one, "id", "") == name for one in targets) and isinstance(
                below, ast.Expr
            ):
                return str(ast.literal_eval(below.value))
    raise LookupError(f"{name} has no docstring")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else DOCS / "reference")
