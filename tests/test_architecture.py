"""ARCHITECTURE.md and CONTRIBUTING.md describe the tree that is there."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGES = ("ARCHITECTURE.md", "CONTRIBUTING.md")


def named_paths(page: str) -> list[str]:
    """Everything in backquotes that begins like a path of the repository."""
    text = (ROOT / page).read_text(encoding="utf-8")
    quoted = re.findall(r"`([^`\n]+)`", text)
    return [q for q in quoted if re.match(r"(src|tests|benchmarks|docs|\.ci)/", q)]


@pytest.mark.parametrize("page", PAGES)
def test_every_path_that_a_page_names_exists(page):
    paths = named_paths(page)

    assert paths
    assert [path for path in paths if not (ROOT / path).exists()] == []


def test_architecture_names_every_package_and_top_module():
    package = ROOT / "src" / "cxrview"
    inside = [p for p in package.iterdir() if (p / "__init__.py").exists() or p.suffix == ".py"]
    named = {path.rstrip("/") for path in named_paths("ARCHITECTURE.md")}

    missing = {f"src/cxrview/{p.name}" for p in inside if not p.name.startswith("__")} - named

    assert missing == set()


def test_architecture_has_the_layers_that_import_linter_checks():
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    layers = [re.split(r" [|:] ", layer) for layer in contracts["contracts"][0]["layers"]]
    table = re.findall(
        r"^\| (`src/cxrview/[^|]+) \|", (ROOT / "ARCHITECTURE.md").read_text(), re.MULTILINE
    )
    rows = [re.findall(r"src/cxrview/(\w+)", row) for row in table if "what" not in row]

    assert [sorted(row) for row in rows[: len(layers) - 1]] == [
        sorted(layer) for layer in layers if layer != ["__main__"]
    ]


@pytest.mark.parametrize("target", ["quick", "lint", "fix", "test", "bench", "classify"])
def test_make_knows_the_targets_that_contributing_and_readme_name(target):
    makefile = (ROOT / "Makefile").read_text()

    assert re.search(rf"^{target}:", makefile, re.MULTILINE)
