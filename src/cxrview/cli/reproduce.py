"""`cxrview reproduce`: the paper's study, from labelled images to figures, in one command."""

from pathlib import Path
from typing import Annotated

import typer

from cxrview.cli.shared.extras import needs_extra
from cxrview.cli.shared.options import (
    PUBLISHED_HELP,
    ClassesOption,
    DeviceOption,
    HeadersOption,
    PicturesOption,
    ReadWorkersOption,
    SeedOption,
    in_file,
    out_folder,
)
from cxrview.cli.shared.progress import staged_watch
from cxrview.errors import UsageError
from cxrview.wording import plural


def reproduce(
    labels: Annotated[
        Path | None,
        in_file(
            "LABELS",
            "CSV with file, patient, view, and study and source if known; files relative to "
            "it. Without one, and at smoke scale only, everything is drawn.",
        ),
    ] = None,
    out: Annotated[
        Path, out_folder("the whole study; a run that was stopped is resumed.", show_default=True)
    ] = Path("study"),
    scale: Annotated[
        str,
        typer.Option(
            metavar="smoke|laptop|night|paper",
            help="smoke (a test), laptop (two cores, 40 minutes), night (two cores, a night or "
            "more) or paper (one GPU).",
        ),
    ] = "laptop",
    published: Annotated[Path | None, in_file("NPZ", PUBLISHED_HELP, flag="--published")] = None,
    pictures: PicturesOption = None,
    classes: ClassesOption = None,
    source: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="Only images of this source are in the study; repeatable.",
            show_default=False,
        ),
    ] = None,
    external: Annotated[
        Path | None,
        in_file(
            "LABELS",
            "Labels file of the external test set; it may be the same as LABELS.",
            flag="--external",
        ),
    ] = None,
    external_source: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="Only images of this source are external; repeatable.",
            show_default=False,
        ),
    ] = None,
    sample: Annotated[
        int | None,
        typer.Option(
            min=1,
            metavar="N",
            help="Draw N of the external images by seed; the paper's are 1000.",
            show_default="all",
        ),
    ] = None,
    headers: HeadersOption = None,
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
        typer.Option(
            "--as-published", metavar="", help="Pass images through JPEG first, as the paper did."
        ),
    ] = False,
    seed: SeedOption = 0,
    publish: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="Also write here what shows no patient: tables, page, and figures, of which "
            "those with radiographs show phantoms.",
            show_default=False,
        ),
    ] = None,
    beside: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="Show the figures of an earlier run, from its --publish folder, in columns beside "
            "those of this one.",
            show_default=False,
        ),
    ] = None,
    workers: ReadWorkersOption = 2,
    device: DeviceOption = "auto",
) -> None:
    """Carry out the paper's study and print its figures and ours side by side.

    Prepares, splits, pre-trains, fine-tunes nine candidates, chooses one, assesses it beside
    older classifiers, and draws everything on one page. The same command resumes a run that was
    stopped. Needs what the extra named train installs.

    Exit code: 0 done, 1 done with images that could not be read, 2 usage error, 3 not writable.
    """
    with needs_extra("train", "the study"):
        from cxrview.paper.earlier_run import read_earlier_run
        from cxrview.paper.reproduce import run_study
        from cxrview.paper.write import write_results
        from cxrview.train.hardware import find_device
    from cxrview.cli.reproduce_plan import StudySettings, drawn_plan, parse_counts, plan_of_files
    from cxrview.cli.reproduce_report import print_reproduction

    if publish is not None and publish.resolve() == out.resolve():
        raise UsageError("--publish is another folder than --out: the latter shows patients")
    earlier = read_earlier_run(beside) if beside else None
    settings = StudySettings(
        seed=seed,
        by=by,
        counts=parse_counts(counts),
        as_published=as_published,
        sample=sample,
        workers=workers,
        device=find_device(device),
    )
    if not (labels or published or pictures or classes):
        if source or external or external_source or headers:
            raise UsageError("sources, external labels or headers are named, and no LABELS")
        plan = drawn_plan(out, scale, settings)
    else:
        plan = plan_of_files(
            scale,
            settings,
            labels=labels,
            published=published,
            pictures=pictures,
            classes=classes,
            sources=tuple(source or ()),
            external=external,
            external_sources=tuple(external_source or ()),
            headers=headers,
        )
    studied = run_study(plan, out, staged_watch())
    print_reproduction(write_results(studied, publish, earlier=earlier))
    typer.echo(f"the whole study as a page: {studied.folder.page}")
    if studied.unreadable:
        typer.echo(f"{plural(studied.unreadable, 'image')} could not be read", err=True)
        raise typer.Exit(1)
