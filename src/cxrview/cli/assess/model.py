"""`cxrview assess`: how often a model is right, beside what it must beat."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cxrview.cli.shared.extras import training_extra
from cxrview.errors import UsageError

if TYPE_CHECKING:
    from cxrview.assess.assess import AssessmentRun
    from cxrview.assess.images import AssessmentImages
    from cxrview.records import Assessed

WIDTH_OF_A_FILE = 110
"""Columns where there is no terminal to ask."""


def assess(
    images: Annotated[
        Path,
        typer.Argument(
            metavar="STORE|LABELS|VIEWS",
            help="Images of the study, of cxrview prepare; with --leave-source-out a CSV with "
            "file, patient, view and source; with --labels a result of cxrview classify.",
            show_default=False,
        ),
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="Gets scores.parquet, the result tables and the figures. Some of them show "
            "patients. With --labels it may be left out.",
            show_default=False,
        ),
    ] = None,
    split: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Of cxrview split: its test images are the inside test set, its validation "
            "images choose cutoffs, baselines learn from its training images.",
            show_default=False,
        ),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(
            metavar="FOLDER|default",
            help="Holds model.onnx and card.json; default is the model in the package.",
            show_default=False,
        ),
    ] = None,
    external: Annotated[
        Path | None,
        typer.Option(
            metavar="STORE",
            help="Second set of images, from elsewhere: the external test set.",
            show_default=False,
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
            help="So many of the external images, drawn by seed; the paper took 1000.",
            show_default="all",
        ),
    ] = None,
    seed: Annotated[
        int,
        typer.Option(
            min=0,
            metavar="N",
            help="Of the sample, of Boone's perceptron and of Fig 4; of each training without a "
            "source.",
        ),
    ] = 0,
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
        typer.Option("--no-baselines", help="Only the network: no older classifiers, no headers."),
    ] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace an assessment that stands there.")
    ] = False,
    labels: Annotated[
        str | None,
        typer.Option(
            metavar="STUDY",
            help="Assess a result instead: an annotation study (cxrview annotate) of images of "
            "its archive.",
            show_default=False,
            rich_help_panel="An archive's own error",
        ),
    ] = None,
    root: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="What relative paths in VIEWS are relative to.",
            show_default="the working folder",
            rich_help_panel="An archive's own error",
        ),
    ] = None,
    leave_source_out: Annotated[
        bool,
        typer.Option(
            "--leave-source-out",
            help="Assess a recipe instead: for each source train on the others and count errors "
            "on it.",
            rich_help_panel="A recipe where it was never trained",
        ),
    ] = False,
    alone: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="Also train on this source with no other, and count errors on the others; "
            "repeatable.",
            show_default=False,
            rich_help_panel="A recipe where it was never trained",
        ),
    ] = None,
    recipe: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Of cxrview finetune.",
            show_default="world",
            rich_help_panel="A recipe where it was never trained",
        ),
    ] = None,
    published: Annotated[
        Path | None,
        typer.Option(
            metavar="NPZ",
            help="The published BVLC GoogLeNet as arrays, which every training begins with.",
            show_default=False,
            rich_help_panel="A recipe where it was never trained",
        ),
    ] = None,
    photographs: Annotated[
        Path | None,
        typer.Option(
            metavar="TAR|FOLDER",
            help="Of cxrview finetune: photographs of anything, to be known as no chest.",
            show_default=False,
            rich_help_panel="A recipe where it was never trained",
        ),
    ] = None,
    device: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="To train on: cpu, cuda, or auto: cuda where there is one.",
            rich_help_panel="A recipe where it was never trained",
        ),
    ] = "auto",
    workers: Annotated[
        int | None,
        typer.Option(
            min=0,
            metavar="N",
            help="Processes that draw batches ahead of the network.",
            show_default="0; all cores but one for cuda",
            rich_help_panel="A recipe where it was never trained",
        ),
    ] = None,
) -> None:
    """Count what a model gets right on test images, with exact intervals, beside its rivals.

    These are Lehmann's nearest neighbours and Boone's perceptron, learnt from the same training
    images, and the header. A run that was stopped, however it was, ends by the same command with
    the same bytes. Needs what the extra named train installs (scipy, matplotlib, scikit-learn).

    Exit code: 0 done, 2 usage error or images refused, 3 folder not writable.
    """
    from cxrview.cli.shared.progress import progress

    of_model = (split, model, external, external_source, sample)
    is_for_model = any(of_model) or no_baselines or cutoff_from != "validation"
    of_recipe = (published, recipe, alone, photographs, workers)
    is_for_recipe = any(of_recipe) or device != "auto" or leave_source_out
    if labels:
        from cxrview.cli.assess.archive import assess_archive

        if is_for_model or is_for_recipe or seed:
            raise UsageError("--labels takes VIEWS, --root, --out and --overwrite")
        assess_archive(images, labels, out, root, overwrite=overwrite)
        return
    if root:
        raise UsageError("--root is for --labels")
    if leave_source_out:
        from cxrview.cli.assess.recipe import assess_recipe

        if published is None or out is None or is_for_model or overwrite:
            raise UsageError(
                "--leave-source-out takes LABELS, --out, --published, --alone, --recipe, --seed, "
                "--photographs, --device and --workers"
            )
        assess_recipe(
            images,
            published,
            recipe or "world",
            out,
            seed=seed,
            alone=alone or [],
            photographs=photographs,
            device=device,
            workers=workers,
        )
        return
    if split is None or model is None or out is None or is_for_recipe:
        raise UsageError("an assessment of a model takes STORE, --out, --split and --model")
    with training_extra("an assessment"):
        # Loaded late by what is imported here: to be missed now, not when all is computed.
        import matplotlib  # noqa: F401
        import scipy  # noqa: F401

        from cxrview.assess.assess import assess_model, headline
        from cxrview.assess.score import asked_in_all
        from cxrview.classify.model import load_model
        from cxrview.cli.shared.smoke_model import warn_of_smoke_test
    chosen = _images(images, split, external, external_source or [], sample, seed)
    baselines = not no_baselines
    loaded = load_model(model, precision="fp32", device="cpu")
    warn_of_smoke_test(loaded.card)
    with progress("images", lambda: asked_in_all(chosen, baselines=baselines)) as advance:
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
    typer.echo(f"scores, tables and figures in {out}")


def _images(
    store: Path,
    split: Path,
    external: Path | None,
    sources: Sequence[str],
    sample: int | None,
    seed: int,
) -> "AssessmentImages":
    from cxrview.assess.images import choose_images
    from cxrview.dataset.split_files import read_split
    from cxrview.dataset.store import open_prepared

    return choose_images(
        open_prepared(store),
        read_split(split),
        external=open_prepared(external) if external else None,
        external_sources=sources,
        sample=sample,
        seed=seed,
    )


def _show(run: "AssessmentRun", rows: "Sequence[Assessed]") -> None:
    """One line a classifier and set by the paper's rule; beside it what ours gets right."""
    from rich.markup import escape
    from rich.table import Table

    from cxrview.assess.classifiers import AT_ITS_WORD, MIDDLE
    from cxrview.cli.shared.tables import table_console
    from cxrview.reports.format import format_cutoff, format_interval, format_right, format_share

    ours = {(row.classifier, row.images): row.assessment for row in rows if row.rule == MIDDLE}
    table = Table(header_style="bold", pad_edge=False)
    for name in ("classifier", "images"):
        table.add_column(name)
    for name in ("cutoff", "right", "accuracy", "95 % interval", "right at the middle (ours)"):
        table.add_column(name, justify="right")
    for row in rows:
        if row.rule == MIDDLE:
            continue
        found = row.assessment
        middle = ours.get((row.classifier, row.images))
        table.add_row(
            escape(row.classifier),
            row.images,
            AT_ITS_WORD if row.rule == AT_ITS_WORD else format_cutoff(found.cutoff),
            format_right(found.table.right, found.table.total),
            format_share(found.table.accuracy),
            format_interval(found.interval),
            f"{middle.table.right:,} at {format_cutoff(middle.cutoff)}" if middle else "",
        )
    console = table_console(WIDTH_OF_A_FILE)
    console.print(table)
    for remark in run.remarks:
        console.print(escape(remark), soft_wrap=True)
