"""Prints how long an archive will take."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from cxrview.classify.engine import EngineSettings
    from cxrview.classify.model import Model
    from cxrview.classify.selection import Selection
    from cxrview.cli.shared.progress import Advance

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
