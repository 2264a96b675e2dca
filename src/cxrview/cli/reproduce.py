"""`cxrview reproduce`: the paper's study, from labelled images to figures, in one command."""

from pathlib import Path
from typing import Annotated, Any

import typer

from cxrview.cli.shared.extras import training_extra
from cxrview.cli.shared.training_progress import staged_watch
from cxrview.errors import UsageError
from cxrview.wording import plural


def reproduce(
    labels: Annotated[
        Path | None,
        typer.Argument(
            help="CSV with file, patient, view, and study and source if known; files relative to "
            "it. Without one, and at smoke scale only, everything is drawn.",
            show_default=False,
        ),
    ] = None,
    out: Annotated[
        Path,
        typer.Option(metavar="FOLDER", help="Gets everything; a run begun there goes on."),
    ] = Path("study"),
    scale: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="smoke (a test), laptop (two cores, 40 minutes), night (two cores, a night or "
            "more) or paper (one GPU).",
        ),
    ] = "laptop",
    published: Annotated[
        Path | None,
        typer.Option(
            metavar="NPZ", help="The published BVLC GoogLeNet as arrays.", show_default=False
        ),
    ] = None,
    pictures: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER|TAR",
            help="For grey pre-training: train/<wnid>/* and val/<wnid>/*.",
            show_default=False,
        ),
    ] = None,
    classes: Annotated[
        Path | None,
        typer.Option(
            metavar="CSV",
            help="The 1,000 classes of ILSVRC with index, wnid and category.",
            show_default=False,
        ),
    ] = None,
    source: Annotated[
        list[str] | None,
        typer.Option(
            help="Only images of this source are in the study; repeatable.", show_default=False
        ),
    ] = None,
    external: Annotated[
        Path | None,
        typer.Option(
            metavar="LABELS",
            help="Labels file of the external test set; it may be the same as LABELS.",
            show_default=False,
        ),
    ] = None,
    external_source: Annotated[
        list[str] | None,
        typer.Option(
            help="Only images of this source are external; repeatable.", show_default=False
        ),
    ] = None,
    sample: Annotated[
        int | None,
        typer.Option(
            min=1,
            metavar="N",
            help="External images, drawn by seed; the paper's are 1000.",
            show_default="all",
        ),
    ] = None,
    headers: Annotated[
        Path | None,
        typer.Option(
            metavar="CSV",
            help="Headers of images that have none in their files, one row a file.",
            show_default=False,
        ),
    ] = None,
    by: Annotated[
        str, typer.Option(metavar="patient|image", help="How to split; the paper: by image.")
    ] = "patient",
    counts: Annotated[
        str | None,
        typer.Option(
            metavar="N,N,N",
            help="Images in training, validation and test; the paper's are 1129,376,377.",
            show_default="60, 20, 20 %",
        ),
    ] = None,
    as_published: Annotated[
        bool,
        typer.Option("--as-published", help="Pass images through JPEG first, as the paper did."),
    ] = False,
    seed: Annotated[int, typer.Option(min=0, metavar="N", help="Decides every draw.")] = 0,
    publish: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="Also write here what shows no patient: tables, page, and figures, of which "
            "those with radiographs show phantoms.",
            show_default=False,
        ),
    ] = None,
    workers: Annotated[
        int, typer.Option(min=1, metavar="N", help="Processes that read images.")
    ] = 2,
    device: Annotated[
        str, typer.Option(metavar="NAME", help="cpu, cuda, or auto: cuda where there is one.")
    ] = "auto",
) -> None:
    """Carry out the paper's study and print its figures and ours side by side.

    Prepares, splits, pre-trains, fine-tunes nine candidates, chooses one, assesses it beside
    older classifiers, and draws everything on one page. Stopped at any point, however it was,
    the same command goes on. Needs the extra `train`.

    Exit code: 0 done, 1 done with images that could not be read, 2 usage error, 3 not writable.
    """
    with training_extra("the study"):
        from cxrview.paper.reproduce import run_study
        from cxrview.paper.write import write_results
    from cxrview.cli.reproduce_plan import drawn_plan, plan_of_files
    from cxrview.cli.reproduce_report import print_reproduction

    given = (labels, published, pictures, classes)
    common: dict[str, Any] = {
        "seed": seed,
        "by": by,
        "counts": counts,
        "as_published": as_published,
        "sample": sample,
        "workers": workers,
        "device": device,
    }
    if publish is not None and publish.resolve() == out.resolve():
        raise UsageError("--publish is another folder than --out: the latter shows patients")
    if not any(given):
        if source or external or external_source or headers:
            raise UsageError("sources, external labels or headers are named, and no LABELS")
        plan = drawn_plan(out, scale, **common)
    else:
        plan = plan_of_files(
            *given,
            scale,
            sources=tuple(source or ()),
            external=external,
            external_sources=tuple(external_source or ()),
            headers=headers,
            **common,
        )
    studied = run_study(plan, out, staged_watch())
    print_reproduction(write_results(studied, publish))
    typer.echo(f"all of it to read: {studied.folder.page}")
    if studied.unreadable:
        typer.echo(f"{plural(studied.unreadable, 'image')} could not be read", err=True)
        raise typer.Exit(1)
