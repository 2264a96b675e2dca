"""Checks of the package as a whole: public names, commands, docs, imports, size of files."""

import ast
import dataclasses
import inspect
import json
import re
import subprocess
import sys
import typing
from pathlib import Path

import pytest
import typer

import cxrview
from cxrview.cli.main import app
from cxrview.records import card_about

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def every_command(commands, before=""):
    """Each command by its whole name, those of a group as well: `annotate create`.

    Hidden ones are in development, and have no page yet.
    """
    found = {}
    for name, command in commands.items():
        if command.hidden:
            continue
        found[before + name] = command
        found |= every_command(getattr(command, "commands", {}), f"{before}{name} ")
    return found


COMMANDS = every_command(typer.main.get_command(app).commands)


def names_for_type_checkers() -> set[str]:
    tree = ast.parse(Path(cxrview.__file__).read_text(encoding="utf-8"))
    (block,) = [node for node in tree.body if isinstance(node, ast.If)]
    return {name.asname for node in block.body for name in node.names}


def test_public_names_are_the_same_for_people_and_type_checkers():
    public = set(cxrview.__all__)

    assert names_for_type_checkers() | {"__version__"} == public
    assert public <= set(dir(cxrview))
    assert all(getattr(cxrview, name) is not None for name in public)
    assert re.fullmatch(r"\d+\.\d+\.\d+", cxrview.__version__)


def test_classify_is_the_function_though_a_package_has_its_name():
    code = (
        "import cxrview.classify.run, cxrview; from cxrview import classify; "
        "print(callable(classify), cxrview.classify is classify)"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.split() == ["True", "True"]


FUNCTIONS = [name for name in cxrview.__all__ if inspect.isfunction(getattr(cxrview, name))]
CLASSES = [name for name in cxrview.__all__ if inspect.isclass(getattr(cxrview, name))]
METHODS = [
    f"{name}.{method}"
    for name in CLASSES
    for method, value in vars(getattr(cxrview, name)).items()
    if inspect.isfunction(value) and not method.startswith("_")
]


CARD_RECORDS = {name for name, value in vars(card_about).items() if inspect.isclass(value)}
"""Rows and groups of `CardAbout`, public as `cxrview.records.card_about`."""


def public(name: str):
    value = cxrview
    for part in name.split("."):
        value = getattr(value, part)
    return value


def types_in(hint):
    """The classes of cxrview that a type names, also within unions and lists."""
    if inspect.isclass(hint) and hint.__module__.startswith("cxrview."):
        yield hint
    for part in typing.get_args(hint):
        yield from types_in(part)


@pytest.mark.parametrize("name", [*FUNCTIONS, *CLASSES, *METHODS])
def test_every_type_in_a_public_signature_is_public(name):
    import pandas
    import pyarrow
    import pydicom

    from_elsewhere = {"pandas": pandas, "pyarrow": pyarrow, "Dataset": pydicom.Dataset}
    hints = typing.get_type_hints(public(name), localns=from_elsewhere)

    types = {one.__name__ for hint in hints.values() for one in types_in(hint)}
    assert types <= set(cxrview.__all__) | CARD_RECORDS


@pytest.mark.parametrize("name", [*FUNCTIONS, *CLASSES, *METHODS])
def test_every_public_name_has_its_arguments_and_attributes_in_its_help(name):
    value = public(name)
    doc = inspect.getdoc(value)
    if dataclasses.is_dataclass(value):
        names = [field.name for field in dataclasses.fields(value)]
    elif inspect.isfunction(value):
        names = [one for one in inspect.signature(value).parameters if one not in ("self", "cls")]
    else:
        names = []

    assert doc
    assert [one for one in names if not re.search(rf"\b{one}\b", doc)] == []


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


def code_cells(notebook: Path) -> list[str]:
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    return ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]


RUN_CELLS = """
import ast, json, sys

names = {"__name__": "__main__"}
for number, cell in enumerate(json.load(sys.stdin)):
    tree = ast.parse(cell)
    last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, f"cell {number}", "exec"), names)
    if last:
        print(repr(eval(compile(ast.Expression(last.value), f"cell {number}", "eval"), names)))
"""
"""Runs the cells one after the other in one namespace, and prints the value of the last line of
each: what a kernel does, without the packages of one."""


@pytest.mark.slow
@pytest.mark.parametrize(
    "notebook", sorted((ROOT / "examples").glob("*.ipynb")), ids=lambda p: p.name
)
def test_every_notebook_runs_and_is_stored_without_outputs(notebook, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "settings"))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    cells = code_cells(notebook)

    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", RUN_CELLS],
        cwd=tmp_path,
        input=json.dumps(cells),
        capture_output=True,
        text=True,
    )

    assert done.returncode == 0, done.stderr
    assert "are right" in done.stdout and "classified" in done.stdout
    stored = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    assert not any(cell.get("outputs") or cell.get("execution_count") for cell in stored)


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


def test_no_file_is_longer_than_400_lines():
    long = [
        f"{path.relative_to(ROOT)}: {lines} lines"
        for path in (ROOT / "src").rglob("*.py")
        if (lines := len(path.read_text(encoding="utf-8").splitlines())) > 400
    ]

    assert long == []
