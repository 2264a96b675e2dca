"""`cxrview assess recipe`: the errors of a recipe on sources that it was not trained on."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cxrview.cli.shared.extras import needs_extra
from cxrview.cli.shared.options import (
    BatchWorkersOption,
    DeviceOption,
    PhotographsOption,
    PublishedOption,
    RecipeOption,
    SeedOption,
    in_file,
    out_folder,
)
from cxrview.cli.shared.progress import staged_watch
from cxrview.cli.shared.tables import number, print_table, text

if TYPE_CHECKING:
    from cxrview.records.card_about import LeftOutCounts


def recipe_command(
    labels: Annotated[Path, in_file("LABELS", "CSV with file, patient, view and source.")],
    published: PublishedOption,
    out: Annotated[Path, out_folder("models, scores and leave-source-out.csv.")],
    recipe: RecipeOption = "world",
    alone: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="Also train on this source with no other, and count errors on the others; "
            "repeatable.",
            show_default=False,
        ),
    ] = None,
    photographs: PhotographsOption = None,
    seed: SeedOption = 0,
    device: DeviceOption = "auto",
    workers: BatchWorkersOption = None,
) -> None:
    """Count the errors of a recipe on sources that it was not trained on.

    Each source of the labels is left out in turn: a model is trained on the others and counted
    on that one. The same command resumes a run that was stopped. Needs what the extra named
    train installs (torch).

    Exit code: 0 done, 2 usage error, 3 folder not writable.
    """
    with needs_extra("train", "training"):
        import scipy  # noqa: F401  (imported late by the library)

        from cxrview.train.hardware import find_hardware
        from cxrview.train.leave_source_out import leave_source_out, left_out_counts
        from cxrview.train.pool import read_pool
        from cxrview.train.recipes import recipe_named
        from cxrview.train.setup import TrainingSetup
    chosen, watch = recipe_named(recipe), staged_watch()
    pool = read_pool(
        labels,
        with_others=chosen.has_chest,
        photographs=photographs,
        progress=lambda more: watch.count(more, 0, "pictures read"),
    )
    hardware = find_hardware(device, workers)
    setup = TrainingSetup(recipe=chosen, published=published, hardware=hardware, watch=watch)
    done = leave_source_out(pool, setup, out, seed=seed, alone=alone or [])
    _show(left_out_counts(done))
    typer.echo(f"scores, models and this table in {out}")


def _show(rows: "Sequence[LeftOutCounts]") -> None:
    cells = [
        (
            row.model,
            row.left_out,
            row.view,
            f"{row.images:,}",
            str(row.errors),
            f"{row.accuracy_percent:.2f} % "
            f"({row.interval_low_percent:.2f}–{row.interval_high_percent:.2f})",
            f"{row.decided:,}, {row.errors_decided}",
            str(row.refused),
            f"{row.orientation_errors} of {row.orientations:,}",
            f"{row.orientation_decided:,}, {row.orientation_errors_decided}",
        )
        for row in rows
    ]
    numbers = ("images", "errors", "accuracy, 95 % interval", "decided, errors", "refused")
    columns = [
        text("model", keeps_lines=True),
        text("tested on", keeps_lines=True),
        text("view"),
        *map(number, numbers),
        number("16 orientations: errors"),
        number("decided, errors"),
    ]
    print_table(columns, cells, width_of_a_file=150)
