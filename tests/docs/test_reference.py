"""Holds the reference pages against the code that they describe."""

import ast
import importlib.util
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

import cxrview
from cxrview import errors
from cxrview.cli import entry
from cxrview.results import columns
from cxrview.results.journal import TRANSIENT_CODES
from cxrview.terms import Decision

ROOT = Path(__file__).resolve().parents[2]
REFERENCE = ROOT / "docs" / "reference"
PACKAGE = ROOT / "src" / "cxrview"
EMITTERS = [
    *sorted((PACKAGE / "image").rglob("*.py")),
    PACKAGE / "classify" / "decide.py",
    PACKAGE / "classify" / "chest_rule.py",
    PACKAGE / "results" / "duplicates.py",
]
"""The modules that give warnings to rows."""
CODE = re.compile(r"[a-z]+(?:_[a-z0-9]+)+")


def tables(name: str, section: str = "") -> list[list[str]]:
    """The rows of all tables of a page, or of a section of it, without their heads."""
    text = (REFERENCE / name).read_text(encoding="utf-8")
    if section:
        text = text.split(f"## {section}\n")[1].split("\n## ")[0]
    rows = []
    for table in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE):
        for line in table.splitlines()[2:]:
            rows.append([cell.strip() for cell in line.strip("|").split(" | ")])
    return rows


def codes(rows: list[list[str]]) -> list[str]:
    """What stands in backticks in the first cells."""
    return [found[1] for row in rows if (found := re.match(r"\s*`([^`]+)`", row[0]))]


def failure_codes() -> set[str]:
    """The code of every error that costs a file its row."""
    return {
        error.code
        for error in vars(errors).values()
        if isinstance(error, type) and issubclass(error, errors.UnreadableImage)
    }


def warning_codes() -> set[str]:
    """Every text of the emitting modules that is put among warnings.

    These are members of tuples, values of module constants and of conditional or returned
    expressions; keys, arguments and lists of public names are other things.
    """
    found = set()
    for path in EMITTERS:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.Tuple | ast.Assign | ast.IfExp | ast.Return | ast.JoinedStr):
                for child in ast.iter_child_nodes(node):
                    if isinstance(child, ast.Constant) and isinstance(child.value, str):
                        code, colon, _ = child.value.partition(":")
                        is_code = CODE.fullmatch(code) and (not colon or child.value.endswith(":"))
                        found |= {code} if is_code else set()
    return found - failure_codes()


def test_columns_are_those_of_the_table_with_their_types():
    rows = tables("columns.md")[: len(columns.MERGED_COLUMNS)]

    assert [(row[0].strip("` "), row[1]) for row in rows] == list(columns.MERGED_COLUMNS.items())


def test_decisions_are_those_of_the_code():
    assert codes(tables("columns.md", "Decisions")) == [str(one) for one in Decision]


def test_failure_columns_are_those_of_the_table():
    assert codes(tables("columns.md", "The table of failures")) == list(columns.FAILURE_COLUMNS)


def test_failure_codes_are_those_of_the_errors():
    listed = [code for code in codes(tables("failure-codes.md")) if not code.startswith("--")]

    assert len(listed) == len(set(listed))
    assert set(listed) == failure_codes()


def test_failure_codes_say_which_a_resume_reads_again():
    again = {row[0].strip("` ") for row in tables("failure-codes.md") if row[-1] == "yes"}

    assert again == set(TRANSIENT_CODES)


def test_warnings_are_those_that_reading_emits():
    listed = [code.split(":")[0] for code in codes(tables("warnings.md"))]

    assert len(listed) == len(set(listed))
    assert set(listed) == warning_codes()


def test_warning_codes_finds_each_way_to_emit_one():
    by_hand = {"first_of_frames", "no_end_marker", "odd_vr", "odd_polarity", "skipped_by_modality"}

    assert by_hand < warning_codes()


def test_exit_codes_are_those_of_the_command():
    listed = [row[0] for row in tables("exit-codes.md")]
    named = [entry.USAGE_ERROR, entry.RUN_STOPPED, entry.INTERNAL_ERROR, entry.INTERRUPTED]

    assert listed == ["0", "1", *map(str, named)]


def test_summary_keys_are_those_of_the_file(tmp_path):
    (tmp_path / "empty").mkdir()
    made = subprocess.run(
        [sys.executable, "-m", "cxrview", "classify", "empty", "--key", "key"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert made.returncode == 0, made.stderr
    summary = json.loads((tmp_path / "views.summary.json").read_text(encoding="utf-8"))

    assert codes(tables("summary-file.md", "Keys")) == list(summary)
    assert codes(tables("summary-file.md", "Conditions")) == list(summary["conditions"])


def reference_pages() -> dict[str, str]:
    """The pages that a script writes, as it writes them now."""
    spec = importlib.util.spec_from_file_location(
        "reference_pages", ROOT / ".ci" / "reference_pages.py"
    )
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.pages()


@pytest.mark.parametrize("name", ["commands.md", "python-api.md"])
def test_written_pages_are_current(name):
    page = (REFERENCE / name).read_text(encoding="utf-8")

    assert page == reference_pages()[name], "run make docs"


def test_python_api_lists_every_public_name():
    listed = codes(tables("python-api.md"))

    assert sorted([*listed, "__version__"]) == sorted(cxrview.__all__)
