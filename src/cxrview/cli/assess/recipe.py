"""`cxrview assess --leave-source-out`: a recipe where it was never trained."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import typer

from cxrview.cli.shared.extras import training_extra
from cxrview.cli.shared.training_progress import staged_watch
from cxrview.errors import UsageError

WIDTH_OF_A_FILE = 150
"""Columns where there is no terminal to ask."""


def assess_recipe(
    labels: Path,
    published: Path,
    recipe: str,
    out: Path,
    *,
    seed: int,
    alone: Sequence[str],
    photographs: Path | None,
    device: str,
    workers: int | None,
) -> None:
    """Train without each source in turn, and print what becomes of it."""
    with training_extra("training"):
        import scipy  # noqa: F401  (loaded late by what is imported here)

        from cxrview.train.hardware import find_hardware
        from cxrview.train.leave_source_out import leave_source_out as leave_out
        from cxrview.train.leave_source_out import left_out_rows
        from cxrview.train.pool import read_pool
        from cxrview.train.recipes import RECIPES
    if recipe not in RECIPES:
        raise UsageError(f"there is no recipe {recipe}", f"There are {', '.join(RECIPES)}")
    need_published(published)
    hardware = find_hardware(device, workers)
    chosen, watch = RECIPES[recipe], staged_watch()
    pool = read_pool(
        labels,
        with_others=chosen.has_chest,
        photographs=photographs,
        progress=lambda more: watch.count(more, 0, "pictures read"),
    )
    done = leave_out(
        pool, published, chosen, out, seed=seed, alone=alone, hardware=hardware, watch=watch
    )
    _show(left_out_rows(done))
    typer.echo(f"scores, models and this table in {out}")


def need_published(published: Path) -> None:
    """See to it that the weights are there, before all pictures are read."""
    if not published.is_file():
        raise UsageError(f"there is no file {published}", "Name the published GoogLeNet, .npz")


def _show(rows: Sequence[Mapping[str, Any]]) -> None:
    from rich.markup import escape
    from rich.table import Table

    from cxrview.cli.shared.tables import table_console

    table = Table(header_style="bold", pad_edge=False)
    table.add_column("model", no_wrap=True)
    table.add_column("asked about", no_wrap=True)
    table.add_column("view")
    for name in ("images", "errors", "accuracy, 95 % interval", "decided, errors", "refused"):
        table.add_column(name, justify="right")
    table.add_column("16 orientations: errors", justify="right")
    table.add_column("decided, errors", justify="right")
    for row in rows:
        low, high = row["interval_low_percent"], row["interval_high_percent"]
        table.add_row(
            escape(row["model"]),
            escape(row["left_out"]),
            row["view"],
            f"{row['images']:,}",
            str(row["errors"]),
            f"{row['accuracy_percent']:.2f} % ({low:.2f}–{high:.2f})",
            f"{row['decided']:,}, {row['errors_decided']}",
            str(row["refused"]),
            f"{row['orientation_errors']} of {row['orientations']:,}",
            f"{row['orientation_decided']:,}, {row['orientation_errors_decided']}",
        )
    table_console(WIDTH_OF_A_FILE).print(table)
