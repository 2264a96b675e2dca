"""Keeps the house honest: its public names, its commands, its docs, its weight."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import typer

import cxrview
from cxrview.cli.main import app

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def every_command(commands, before=""):
    """Each command by its whole name, those of a group as well: `annotate create`."""
    found = {}
    for name, command in commands.items():
        found[before + name] = command
        found |= every_command(getattr(command, "commands", {}), f"{before}{name} ")
    return found


COMMANDS = every_command(typer.main.get_command(app).commands)


def test_the_public_names_are_these_and_no_others():
    assert sorted(cxrview.__all__) == [
        "Agreement",
        "CxrviewError",
        "Decision",
        "EngineSettings",
        "Failure",
        "Instance",
        "Limits",
        "Model",
        "ModelCard",
        "Outputs",
        "Prediction",
        "Radiograph",
        "ReadOptions",
        "ReadSettings",
        "UnreadableImage",
        "View",
        "classify_archive",
        "classify_files",
        "find_images",
        "load_model",
        "read_radiograph",
    ]
    assert all(getattr(cxrview, name).__doc__ for name in cxrview.__all__)


def test_another_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        cxrview.nonsense  # noqa: B018


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_a_page_and_a_place_in_the_readme(command):
    page, *_ = command.split()  # a group's commands share one page, and one row

    assert COMMANDS[command].help
    assert all(parameter.help for parameter in COMMANDS[command].params)
    assert f"cxrview {command}" in (ROOT / "docs" / f"{page}.md").read_text(encoding="utf-8")
    assert f"cxrview {page}" in (ROOT / "README.md").read_text(encoding="utf-8")


def python_blocks() -> list[tuple[str, str]]:
    return [
        (f"{page.name}-{number}", block)
        for page in PAGES
        for number, block in enumerate(
            re.findall(r"^```python\n(.*?)^```", page.read_text(encoding="utf-8"), re.M | re.S)
        )
    ]


@pytest.mark.slow
@pytest.mark.parametrize(
    "block", [b for _, b in python_blocks()], ids=[n for n, _ in python_blocks()]
)
def test_every_python_block_of_the_docs_runs(block, tmp_path):
    from cxrview.phantom.archive import draw_archive

    draw_archive(tmp_path / "archive", patients=1, size=(256, 210), seed=0)

    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", block], cwd=tmp_path, capture_output=True, text=True
    )

    assert done.returncode == 0, done.stderr
    assert done.stdout


def test_every_link_within_the_docs_leads_somewhere():
    broken = [
        f"{page.name}: {target}"
        for page in PAGES
        for target in re.findall(r"\]\(([^)#:]+)[)#]", page.read_text(encoding="utf-8"))
        if not (page.parent / target).exists()
    ]

    assert broken == []


@pytest.mark.parametrize(
    ("names", "unwanted"),
    [
        ("cxrview.cli.main", ["numpy", "onnxruntime", "pydicom", "pyarrow", "torch", "rich.table"]),
        ("cxrview.cli.main", ["sqlalchemy", "alembic", "argon2", "fastapi", "uvicorn", "sqlite3"]),
        (
            "cxrview.classify.run, cxrview.image.dicom.file, cxrview.image.raster",
            ["torch", "scipy", "cv2", "onnx", "matplotlib"],
        ),
        (  # what classifies: it decodes nothing itself, and writes the table at the end
            "cxrview.classify.run, cxrview.classify.model, cxrview.cli.shared.progress",
            ["pydicom", "imagecodecs", "tifffile", "pyarrow", "fsspec", "onnxruntime", "rich"],
        ),
        (  # what decodes
            "cxrview.classify.decode_worker, cxrview.image.dicom.file, cxrview.image.raster",
            ["onnxruntime", "pyarrow", "sqlite3", "tifffile", "fsspec", "typer", "rich"],
        ),
    ],
)
def test_nothing_is_imported_that_is_not_used(names, unwanted):
    code = f"import {names}, sys; print([n for n in {unwanted} if n in sys.modules])"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"


def test_no_file_tells_more_than_one_idea():
    long = [
        f"{path.relative_to(ROOT)}: {lines} lines"
        for path in (ROOT / "src").rglob("*.py")
        if (lines := len(path.read_text(encoding="utf-8").splitlines())) > 400
    ]

    assert long == []
