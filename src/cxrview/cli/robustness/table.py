"""`cxrview robustness table`: count right images of a store under each modification."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cxrview.cli.robustness.shared import (
    CutoffOption,
    load_with_cutoffs,
    name_cutoffs,
    need_extra,
)
from cxrview.cli.shared.options import (
    ModelOption,
    OverwriteFlag,
    SeedOption,
    SplitOption,
    in_path,
    out_folder,
)
from cxrview.cli.shared.tables import WIDTH_OF_A_FILE, number, print_table, text
from cxrview.errors import UsageError

if TYPE_CHECKING:
    from cxrview.records.evaluation import AnsweredCount, Interval, ModifiedCount
    from cxrview.terms import Partition

_WIDTH_WITH_POSES = 150
"""Width in characters, if the output is not a terminal, of a table with answers on the pose."""


def table_command(
    store: Annotated[Path, in_path("STORE", "Labelled images, made by cxrview prepare.")],
    out: Annotated[Path, out_folder("robustness.csv and robustness.parquet.")],
    model: ModelOption = "default",
    cutoff: CutoffOption = None,
    split: SplitOption = None,
    partition: Annotated[
        str,
        typer.Option(metavar="training|validation|test", help="Which images of the store."),
    ] = "test",
    sample: Annotated[
        int | None,
        typer.Option(
            min=1, metavar="N", help="Draw N of these images by seed.", show_default="all"
        ),
    ] = None,
    seed: SeedOption = 0,
    overwrite: OverwriteFlag = False,
) -> None:
    """Count what a model gets right under each modification and severity, a row each.

    Of a model that answers them, also the shares of images whose rotation, mirroring and inversion
    are answered, and answered wrong.

    The same command resumes a run that was stopped. Needs what the extra named train installs.

    Exit code: 0 done, 2 usage error, 3 folder not writable.
    """
    need_extra()
    from cxrview.assess.robustness_run import COUNTS, TABLE
    from cxrview.assess.robustness_store import assess_store, images_of_partition
    from cxrview.cli.shared.progress import progress
    from cxrview.dataset.split_files import read_split
    from cxrview.dataset.store import open_prepared

    part = _partition(partition)
    images = images_of_partition(
        open_prepared(store), read_split(split) if split else None, part, sample=sample, seed=seed
    )
    loaded, models = load_with_cutoffs(model, cutoff)
    with progress("modified images", lambda: images.pictures) as advance:
        counts = assess_store(images, loaded, cutoff, out, overwrite=overwrite, watch=advance)
    drawn = f", drawn by seed {seed}" if len(images.images) < images.drawn_from else ""
    _print(counts, f"{name_cutoffs(models)}, {part} images{drawn}")
    if counts[0].poses:
        typer.echo("rotation, mirrored, inverted: answered / answered wrong, in percent of images")
    typer.echo(f"table in {out / COUNTS}, every PFI in {out / TABLE}")


def _partition(name: str) -> "Partition":
    from cxrview.terms import Partition

    try:
        return Partition(name)
    except ValueError:
        raise UsageError(
            f"partition {name} does not exist", "Use training, validation or test"
        ) from None


def _print(counts: "Sequence[ModifiedCount]", title: str) -> None:
    """Print a row for each modification and severity, and the number of images counted."""
    total, drawn_from = counts[0].table.total, counts[0].drawn_from
    of = f"all {total}" if total == drawn_from else f"{total} of {drawn_from}"
    rows = [
        (
            one.modification,
            one.severity,
            f"{100 * one.table.accuracy:.2f} ({_percent(one.interval)})",
            f"{one.table.frontal_called_frontal}/{one.table.frontal}",
            f"{one.table.lateral_called_lateral}/{one.table.lateral}",
            f"{one.lost}/{one.gained}",
            f"{100 * one.difference:+.1f}",
            *map(_answered, one.poses),
        )
        for one in counts
    ]
    numbers = ["right, % (95 % CI)", "frontal", "lateral", "lost/gained", "difference"]
    numbers += [f"{one.answer}, %" for one in counts[0].poses]
    print_table(
        [
            text("modification"),
            text("severity"),
            *(number(name, keeps_lines=True) for name in numbers),
        ],
        rows,
        title=f"{title}: {of}",
        is_ruled=False,
        width_of_a_file=_WIDTH_WITH_POSES if counts[0].poses else WIDTH_OF_A_FILE,
    )


def _answered(one: "AnsweredCount") -> str:
    """Shares answered and answered wrong, such as `98.0/0.0`."""
    if not one.images:
        return ""
    wrong = "?" if one.wrong is None else f"{100 * one.wrong / one.images:.1f}"
    return f"{100 * one.answered / one.images:.1f}/{wrong}"


def _percent(interval: "Interval") -> str:
    return f"{100 * interval.low:.2f}-{100 * interval.high:.2f}"
