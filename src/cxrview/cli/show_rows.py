"""Prints the first rows of a result as a table for people."""

import os
from itertools import islice
from typing import Any

from rich.markup import escape
from rich.table import Table

from cxrview.cli.shared.tables import table_console
from cxrview.results.files import Outputs
from cxrview.results.tables import each_failure, read_rows

MOST_ROWS = 40
WIDTH_OF_A_FILE = 100
"""Columns where there is no terminal to ask."""

_STYLE = {"frontal": "bold cyan", "lateral": "bold magenta"}
_DECISION_STYLE = {"review": "yellow", "not_chest": "dim", "skipped": "dim"}


def show_rows(result: Outputs) -> None:
    """Print the first rows and failures of a result to standard output."""
    rows = read_rows(result.table, MOST_ROWS + 1)
    failures = list(islice(each_failure(result.failures), MOST_ROWS))
    folder = _common_folder([row["path"] for row in [*rows, *failures]])
    table = Table(header_style="bold", pad_edge=False)
    table.add_column("file", overflow="fold", ratio=3)
    for name in ("header", "view", "PFI %", "decision"):
        table.add_column(name, justify="right" if name == "PFI %" else "left", no_wrap=True)
    table.add_column("remarks", ratio=2)
    for row in rows[:MOST_ROWS]:
        table.add_row(*_cells(row, folder))
    for failure in failures:
        name = escape(_below(failure["path"], folder))
        table.add_row(name, "", "", "", "[red]failed[/]", escape(failure["code"].replace("_", " ")))
    console = table_console(WIDTH_OF_A_FILE)
    console.print(table)
    if len(rows) > MOST_ROWS:
        console.print(f"and more in {escape(str(result.table))}")


def _cells(row: dict[str, Any], folder: str) -> list[str]:
    view, decision = row["view"] or "", row["decision"]
    remarks = (row["warnings"] or "").split(";")
    if row["agreement"] == "disagrees":
        remarks.insert(0, "header disagrees")
    return [
        escape(_below(row["path"], folder)),
        row["header_view"] or "",
        f"[{_STYLE[view]}]{view}[/]" if view else "",
        "" if row["pfi"] is None else f"{row['pfi']:.3f}",
        _styled(decision),
        escape(", ".join(filter(None, remarks)).replace("_", " ")),
    ]


def _styled(decision: str) -> str:
    style = _DECISION_STYLE.get(decision)
    words = decision.replace("_", " ")
    return f"[{style}]{words}[/]" if style else words


def _common_folder(paths: list[str]) -> str:
    local = [path for path in paths if "://" not in path]
    return os.path.commonpath([os.path.dirname(p) for p in local]) if local else ""  # noqa: PTH120


def _below(path: str, folder: str) -> str:
    below = path.removeprefix(folder).lstrip("/") if folder else path
    # A name may hold what colours a terminal, or worse.
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in below)
