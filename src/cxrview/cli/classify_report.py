"""Print the estimate of a run, its counts, and its first rows, for `cxrview classify`."""

import os
import shlex
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any

import typer

from cxrview.wording import plural

if TYPE_CHECKING:
    from cxrview.classify.plan import RunPlan
    from cxrview.cli.shared.progress import Advance
    from cxrview.results.files import Outputs
    from cxrview.results.result import Result
    from cxrview.results.summary import RunSummary

WIDTH_OF_A_FILE = 100
"""Width in characters if the output is not a terminal."""
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
"""UIDs that are not listed here are not printed, since a header may hold anything."""


def show_estimate(plan: "RunPlan") -> None:
    """Read a sample of the files of a run, and print files and time by syntax."""
    from rich.table import Table

    from cxrview.classify.estimate import estimate_run
    from cxrview.cli.shared.progress import progress
    from cxrview.cli.shared.tables import table_console

    with progress("files found") as advance:
        found = _counted(plan.inputs.find(), advance)
        estimate = estimate_run(found, plan.selection, plan.model, plan.options)
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


def _counted(paths: Iterable[str], advance: "Advance") -> Iterator[str]:
    for path in paths:
        advance(1)
        yield path


def _time(seconds: float) -> str:
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    rounded = round(seconds)
    if rounded < 60:
        return f"{rounded} s"
    if rounded < 3600:
        return f"{rounded // 60} min {rounded % 60:02} s"
    return f"{seconds / 3600:,.2f} hours"


def _interval(seconds: float, half_width: float) -> str:
    least, most = (max(0.0, seconds * (1 + k * half_width)) for k in (-1, 1))
    return f"{_time(least)} to {_time(most)}"


def report(result: "Result", plan: "RunPlan", *, show: bool) -> None:
    """Print the counts on stderr and, with `show`, the table on stdout."""
    summary, out = result.summary, plan.out
    files = None if out is None or isinstance(out, tuple) else out
    is_written = result.path is not None
    if show and files and is_written:
        show_rows(files)
    lines = [*counts(summary), *times(summary)]
    if files and not is_written:
        lines.append(f"{files.table} is the earlier result until this run is complete")
    elif files:
        lines.append(f"rows in {files.table}, failures in {files.failures}")
        lines += _read_again(summary, files)
    if not summary.is_complete:
        reason = "stopped at --until" if summary.is_time_up else "interrupted"
        how = "the same command with --resume continues" if files else "the rows so far are valid"
        lines.append(f"{reason}; {how}")
    known = plan.selection.known
    if known and not summary.known:
        lines.append(
            f"none of the files found is among the {len(known)} in --known: has the archive moved?"
        )
    typer.echo("\n".join(lines), err=True)


def times(summary: "RunSummary") -> list[str]:
    """Return the rate and the duration of a run as lines of text."""
    lines = []
    if summary.read_now:
        rate = summary.read_now / summary.seconds_now
        read = plural(summary.read_now, "file")
        lines.append(f"{read} read in {summary.seconds_now:.1f} s, {rate:.1f} a second")
    if summary.seconds > summary.seconds_now:
        lines.append(f"all runs together took {summary.seconds:.1f} s")
    return lines


def _read_again(summary: "RunSummary", files: "Outputs") -> list[str]:
    """Describe how to read files again that may have failed because of the disk or the machine."""
    passing = summary.transient_failures
    if not summary.is_complete or not passing or sum(summary.failed.values()) == summary.found:
        return []
    return [
        f"{sum(passing.values())} of the failures may be due to the disk or the machine "
        f"({', '.join(passing)}): once that is fixed, the same command with --known "
        f"{shlex.quote(str(files.table))} and another --out reads these again"
    ]


def counts(summary: "RunSummary") -> list[str]:
    """Return the counts of a run as lines of text."""
    failed = sum(summary.failed.values())
    lines = [
        f"{plural(summary.found, 'file')} = {summary.classified} classified "
        f"({summary.frontal} frontal, {summary.lateral} lateral) + {summary.review} review "
        f"+ {summary.not_chest} not chest + {summary.skipped} skipped + {failed} failed",
    ]
    if summary.failed:
        lines.append("failed: " + ", ".join(f"{n} {code}" for code, n in summary.failed.items()))
    if disagrees := summary.agreement.get("disagrees"):
        lines.append(f"{plural(disagrees, 'header names', 'headers name')} the other view")
    if summary.answers:
        lines.append(
            "by the model: " + ", ".join(f"{n} {answer}" for answer, n in summary.answers.items())
        )
    if summary.known:
        lines.append(f"{plural(summary.known, 'file')} left out: known from an earlier result")
    if summary.missing:
        lines.append(f"{plural(summary.missing, 'file')} dropped: read before, and no longer found")
    return lines


MAX_ROWS = 40
"""Number of rows that are printed."""

_STYLE = {"frontal": "bold cyan", "lateral": "bold magenta"}
_DECISION_STYLE = {"review": "yellow", "not_chest": "dim", "skipped": "dim"}


def show_rows(result: "Outputs") -> None:
    """Print the first rows and failures of a result to standard output."""
    from rich.markup import escape
    from rich.table import Table

    from cxrview.cli.shared.tables import table_console
    from cxrview.results.tables import each_failure, read_rows

    rows = read_rows(result.table, MAX_ROWS + 1)
    failures = list(islice(each_failure(result.failures), MAX_ROWS))
    folder = _common_folder([row["path"] for row in [*rows, *failures]])
    table = Table(header_style="bold", pad_edge=False)
    table.add_column("file", overflow="fold", ratio=3)
    for name in ("header", "view", "PFI %", "decision"):
        table.add_column(name, justify="right" if name == "PFI %" else "left", no_wrap=True)
    table.add_column("remarks", ratio=2)
    for row in rows[:MAX_ROWS]:
        table.add_row(*_cells(row, folder))
    for failure in failures:
        name = escape(_below(failure["path"], folder))
        table.add_row(name, "", "", "", "[red]failed[/]", escape(failure["code"].replace("_", " ")))
    console = table_console(WIDTH_OF_A_FILE)
    console.print(table)
    if len(rows) > MAX_ROWS:
        console.print(f"more rows in {escape(str(result.table))}")


def _cells(row: dict[str, Any], folder: str) -> list[str]:
    from rich.markup import escape

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
    # A name may hold the control characters of a terminal.
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in below)
