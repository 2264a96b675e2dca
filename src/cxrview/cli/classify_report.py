"""Prints how long an archive will take."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from cxrview.classify.engine import EngineSettings
    from cxrview.classify.model import Model
    from cxrview.classify.selection import Selection
    from cxrview.cli.shared.progress import Advance
import shlex

from cxrview.wording import plural

if TYPE_CHECKING:
    from cxrview.results.files import Outputs
    from cxrview.results.summary import RunSummary
import os
from itertools import islice
from typing import Any

from rich.markup import escape
from rich.table import Table

from cxrview.cli.shared.tables import table_console
from cxrview.results.files import Outputs
from cxrview.results.tables import each_failure, read_rows

WIDTH_OF_A_FILE = 100
"""Columns where there is no terminal to ask."""
_UID = "1.2.840.10008.1.2"
_WORDS = {
    "failed": "cannot be read",
    "skipped": "skipped by the header",
    "picture": "PNG, JPEG, TIFF",
    _UID: "implicit little endian",
    f"{_UID}.1": "explicit little endian",
    f"{_UID}.1.98": "encapsulated uncompressed",
    f"{_UID}.1.99": "deflated",
    f"{_UID}.2": "explicit big endian",
    f"{_UID}.5": "RLE",
    f"{_UID}.8.1": "deflated frames",
    f"{_UID}.4.50": "JPEG baseline",
    f"{_UID}.4.51": "JPEG extended",
    f"{_UID}.4.57": "JPEG lossless",
    f"{_UID}.4.70": "JPEG lossless, first order",
    f"{_UID}.4.80": "JPEG-LS lossless",
    f"{_UID}.4.81": "JPEG-LS",
    f"{_UID}.4.90": "JPEG 2000 lossless",
    f"{_UID}.4.91": "JPEG 2000",
    f"{_UID}.4.201": "HTJ2K lossless",
    f"{_UID}.4.202": "HTJ2K lossless, RPCL",
    f"{_UID}.4.203": "HTJ2K",
}
"""A UID from a header that stands not here is not printed: it could be anything."""


def show_estimate(
    paths: Iterable[str], selection: "Selection", model: "Model", settings: "EngineSettings"
) -> None:
    """Read a sample, and print files and time by syntax to standard output."""
    from rich.table import Table

    from cxrview.classify.estimate import estimate_run
    from cxrview.cli.shared.progress import progress
    from cxrview.cli.shared.tables import table_console

    with progress("files found") as advance:
        found = _telling(paths, advance)
        estimate = estimate_run(found, selection, model, settings)
    table = Table(header_style="bold", pad_edge=False)
    table.add_column("files")
    for name in ("in the sample", "in all, about", "time, about"):
        table.add_column(name, justify="right")
    for kind in estimate.kinds:
        words = _WORDS.get(kind.kind, "another transfer syntax")
        table.add_row(words, f"{kind.sampled:,}", f"{kind.files:,.0f}", _time(kind.seconds))
    table.add_section()
    table.add_row("all", f"{estimate.sampled:,}", f"{estimate.files:,}", _time(estimate.seconds))
    table_console(WIDTH_OF_A_FILE).print(table)
    if estimate.half_width:
        typer.echo(
            f"{_interval(estimate.seconds, estimate.half_width)} is the 95 % interval, "
            "as far as it depends on which files were drawn."
        )
    if estimate.known:
        typer.echo(f"{estimate.known:,} more are left out: known from an earlier result")
    typer.echo("Nothing was written.")


def _telling(paths: Iterable[str], advance: "Advance") -> Iterator[str]:
    for path in paths:
        advance(1)
        yield path


def _time(seconds: float) -> str:
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02} s"
    return f"{seconds / 3600:,.2f} hours"


def _interval(seconds: float, half_width: float) -> str:
    least, most = (max(0.0, seconds * (1 + k * half_width)) for k in (-1, 1))
    return f"{_time(least)} to {_time(most)}"


def report(tally: "RunSummary", result: "Outputs | None", *, show: bool) -> None:
    """Tell on stderr what was found; on stdout, where asked, the table."""
    if show and result:
        show_rows(result)
    lines = counts(tally)
    if tally.read_now:
        rate = tally.read_now / tally.seconds_now
        read = plural(tally.read_now, "file")
        lines.append(f"{read} read in {tally.seconds_now:.1f} s, {rate:.1f} a second")
    if tally.seconds > tally.seconds_now:
        lines.append(f"all runs together took {tally.seconds:.1f} s")
    if result:
        lines.append(f"rows in {result.table}, failures in {result.failures}")
        passing = tally.failed_in_passing
        if tally.is_complete and passing and sum(tally.failed.values()) < tally.found:
            lines.append(
                f"{sum(passing.values())} of the failures may lie in the disk or the machine "
                f"({', '.join(passing)}): once that is mended, the same command with --known "
                f"{shlex.quote(str(result.table))} and another --out reads these again"
            )
    if not tally.is_complete:
        go_on = "the same command with --resume goes on" if result else "rows so far are right"
        lines.append(f"{'stopped in time' if tally.is_time_up else 'interrupted'}; {go_on}")
    typer.echo("\n".join(lines), err=True)


def counts(tally: "RunSummary") -> list[str]:
    """What became of the files, in lines for people."""
    failed = sum(tally.failed.values())
    lines = [
        f"{plural(tally.found, 'file')} = {tally.classified} classified ({tally.frontal} frontal, "
        f"{tally.lateral} lateral) + {tally.review} review "
        f"+ {tally.not_chest} not chest + {tally.skipped} skipped + {failed} failed",
    ]
    if tally.failed:
        lines.append("failed: " + ", ".join(f"{n} {code}" for code, n in tally.failed.items()))
    if disagrees := tally.agreement.get("disagrees"):
        lines.append(f"{plural(disagrees, 'header names', 'headers name')} the other view")
    if tally.known:
        lines.append(f"{plural(tally.known, 'file')} left out: known from an earlier result")
    if tally.gone:
        lines.append(f"{plural(tally.gone, 'file')} dropped: read before, and not found any more")
    return lines


MOST_ROWS = 40
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
