"""`cxrview assess model`: how often a model is right, beside older classifiers."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cxrview.cli.shared.extras import needs_extra
from cxrview.cli.shared.options import (
    ModelOption,
    OverwriteFlag,
    SeedOption,
    in_file,
    in_path,
    out_folder,
)
from cxrview.cli.shared.tables import number, print_table, table_console, text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cxrview.assess.assess import AssessmentRun
    from cxrview.assess.pose_files import SetPoses
    from cxrview.records.evaluation import Assessed


def model_command(
    store: Annotated[Path, in_path("STORE", "Images of the study, made by cxrview prepare.")],
    split: Annotated[
        Path,
        in_file(
            "FILE",
            "Made by cxrview split: its test images are the inside test set, its validation images "
            "choose cutoffs, baselines learn from its training images.",
            flag="--split",
        ),
    ],
    out: Annotated[
        Path,
        out_folder(
            "scores.parquet, the result tables and the figures. Some of them show patients."
        ),
    ],
    model: ModelOption = "default",
    external: Annotated[
        Path | None,
        in_path(
            "STORE",
            "Second set of images, from elsewhere: the external test set.",
            flag="--external",
        ),
    ] = None,
    external_source: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="External images are those of this source, in the external store if one is "
            "named, else in STORE; repeatable.",
            show_default=False,
        ),
    ] = None,
    sample: Annotated[
        int | None,
        typer.Option(
            min=1,
            metavar="N",
            help="Draw N of the external images by seed; the paper took 1000.",
            show_default="all",
        ),
    ] = None,
    seed: SeedOption = 0,
    cutoff_from: Annotated[
        str,
        typer.Option(
            metavar="validation|test",
            help="Images whose cutoff is printed and decides what is listed as an error. test is "
            "the paper's way. Both are in the files.",
        ),
    ] = "validation",
    no_baselines: Annotated[
        bool,
        typer.Option(
            "--no-baselines",
            metavar="",
            help="Only the model: no older classifiers, no headers.",
        ),
    ] = False,
    overwrite: OverwriteFlag = False,
) -> None:
    """Count how often a model is right on test images, beside older classifiers and the header.

    These are Lehmann's nearest neighbours and Boone's perceptron, trained on the same training
    images. Intervals are exact. The same command resumes a run that was stopped, and ends with the
    same bytes. A model that answers how an image is oriented is also run on test images that are
    turned, mirrored and inverted. Needs what the extra named train installs (scipy, matplotlib,
    scikit-learn).

    Exit code: 0 done, 2 usage error or images refused, 3 folder not writable.
    """
    with needs_extra("train", "an assessment"):
        # The library imports these late; a missing one is reported before anything is computed.
        import matplotlib  # noqa: F401
        import scipy  # noqa: F401

        from cxrview.assess.assess import assess_model, headline
        from cxrview.assess.images import choose_images
        from cxrview.assess.pose_files import pictures_to_turn
        from cxrview.assess.score import images_to_score
        from cxrview.classify.model import load_model
        from cxrview.cli.shared.progress import progress
        from cxrview.cli.shared.smoke_model import warn_of_smoke_test
        from cxrview.dataset.split_files import read_split
        from cxrview.dataset.store import open_prepared
    chosen = choose_images(
        open_prepared(store),
        read_split(split),
        external=open_prepared(external) if external else None,
        external_sources=external_source or [],
        sample=sample,
        seed=seed,
    )
    baselines = not no_baselines
    loaded = load_model(model, precision="fp32", device="cpu")
    warn_of_smoke_test(loaded.card)
    total = images_to_score(chosen, baselines=baselines)
    total += pictures_to_turn(chosen) if loaded.card.thresholds else 0
    with progress("images", lambda: total) as advance:
        run = assess_model(
            chosen,
            loaded,
            out,
            cutoff_from=cutoff_from,
            baselines=baselines,
            seed=seed,
            overwrite=overwrite,
            watch=advance,
        )
    _show(run, headline(run.assessed, cutoff_from))
    _show_poses(run.poses)
    typer.echo(f"scores, tables and figures in {out}")


def _show(run: "AssessmentRun", rows: "Sequence[Assessed]") -> None:
    """Print a row for each classifier and test set, by the paper's rule and by ours."""
    from cxrview.assess.classifiers import AS_NAMED, MIDDLE
    from cxrview.reports.format import format_cutoff, format_interval, format_right, format_share

    ours = {(row.classifier, row.images): row.assessment for row in rows if row.rule == MIDDLE}
    cells = []
    for row in rows:
        if row.rule == MIDDLE:
            continue
        found = row.assessment
        middle = ours.get((row.classifier, row.images))
        cells.append(
            (
                row.classifier,
                row.images,
                AS_NAMED if row.rule == AS_NAMED else format_cutoff(found.cutoff),
                format_right(found.table.right, found.table.total),
                format_share(found.table.accuracy),
                format_interval(found.interval),
                f"{middle.table.right:,} at {format_cutoff(middle.cutoff)}" if middle else "",
            )
        )
    numbers = ("cutoff", "right", "accuracy", "95 % interval", "right at the middle (ours)")
    print_table([text("classifier"), text("images"), *map(number, numbers)], cells)
    console = table_console()
    for remark in run.remarks:
        console.print(remark, soft_wrap=True, markup=False)


def _show_poses(poses: "Sequence[SetPoses]") -> None:
    """Print a row for each answer and test set, over sixteen orientations and all sources."""
    if not poses:
        return
    from cxrview.assess.pose_files import MOST_TURNED
    from cxrview.dataset.augment.poses import ORIENTATIONS
    from cxrview.reports.format import format_interval, format_share

    cells = [
        (
            one.answer,
            of.images,
            f"{one.pictures:,}",
            format_share(one.decided / one.pictures),
            f"{one.errors_decided:,} of {one.decided:,}",
            format_interval(one.error_interval) if one.decided else "",
        )
        for of in poses
        for one in of.sums
        if one.source == "all"
    ]
    numbers = ("pictures", "answered", "wrong of these", "95 % interval")
    print_table(
        [text("answer"), text("images"), *map(number, numbers)],
        cells,
        title=f"{len(ORIENTATIONS)} orientations of at most {MOST_TURNED} images of each source "
        "and view",
    )
