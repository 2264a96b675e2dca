"""`cxrview classify`: which way every radiograph of an archive faces."""

import io
import sys
from pathlib import Path
from typing import Annotated

import typer

from cxrview.terms import Device, Precision
from cxrview.wording import plural

INTERRUPTED = 130
MOST_WORKERS = 1024
READERS_OF_URLS = 8
FLAG = ""
"""In place of Typer's <bool>, which reads as if a value were wanted."""


def classify(
    paths: Annotated[
        list[str],
        typer.Argument(
            metavar="PATH",
            help="Files, folders, globs, URLs (s3://, zip://...), or - for a list on standard "
            "input, one path a line. Files are known by their content, not by their names.",
            show_default=False,
        ),
    ],
    out: Annotated[
        str,
        typer.Option(
            metavar="FILE",
            help="The result: .parquet, .csv or .jsonl; a name with / at its end for a folder of "
            "Parquet parts; - for JSON lines on standard output. Failures and a summary are "
            "written beside it.",
        ),
    ] = "views.parquet",
    overwrite: Annotated[
        bool, typer.Option("--overwrite", metavar=FLAG, help="Replace a result that stands there.")
    ] = False,
    resume: Annotated[
        bool, typer.Option("--resume", metavar=FLAG, help="Go on with a run that was stopped.")
    ] = False,
    forget_missing: Annotated[
        bool,
        typer.Option(
            "--forget-missing",
            metavar=FLAG,
            help="With --resume: drop what was read before and is not found any more.",
        ),
    ] = False,
    show: Annotated[
        bool,
        typer.Option(
            "--show", metavar=FLAG, help="Print the result as a table, its first 40 rows."
        ),
    ] = False,
    review_band: Annotated[
        tuple[float, float] | None,
        typer.Option(
            metavar="LOW HIGH",
            help="PFI in percent, ends included, that goes to review instead of being decided.",
            rich_help_panel="Decisions",
            show_default="the model card's",
        ),
    ] = None,
    no_review: Annotated[
        bool,
        typer.Option(
            "--no-review",
            metavar=FLAG,
            help="Decide every image, however unsure.",
            rich_help_panel="Decisions",
        ),
    ] = False,
    chest_cutoff: Annotated[
        float | None,
        typer.Option(
            min=0,
            max=100,
            metavar="PERCENT",
            help="Least probability of a chest radiograph of what gets a view; 0 refuses nothing.",
            rich_help_panel="Decisions",
            show_default="the model card's",
        ),
    ] = None,
    no_skip: Annotated[
        bool,
        typer.Option(
            "--no-skip",
            metavar=FLAG,
            help="Classify also what is no chest radiograph by its header.",
            rich_help_panel="Decisions",
        ),
    ] = False,
    model: Annotated[
        str,
        typer.Option(
            metavar="FOLDER",
            help="Holds model.onnx and card.json.",
            rich_help_panel="Decisions",
        ),
    ] = "default",
    precision: Annotated[
        Precision,
        typer.Option(
            help="What the network computes with; auto: int8 where the model has it and the "
            "processor is quick at it.",
            rich_help_panel="Decisions",
        ),
    ] = Precision.AUTO,
    device: Annotated[
        Device,
        typer.Option(
            help="What the network runs on; auto: cuda where ONNX Runtime was built for it.",
            rich_help_panel="Decisions",
        ),
    ] = Device.AUTO,
    chest_rule: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Your own rule for what is skipped, in place of the published one (TOML).",
            rich_help_panel="Decisions",
            show_default=False,
        ),
    ] = None,
    header_terms: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Your own table of what headers call frontal and lateral (CSV).",
            rich_help_panel="Decisions",
            show_default=False,
        ),
    ] = None,
    key: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Key of the patients' pseudonyms, made on first use. The same key gives the "
            "same pseudonyms.",
            rich_help_panel="Privacy",
            show_default="~/.config/cxrview/patient.key",
        ),
    ] = None,
    identify: Annotated[
        bool,
        typer.Option(
            "--identify",
            metavar=FLAG,
            help="Write real patient ids into patient_key.",
            rich_help_panel="Privacy",
        ),
    ] = False,
    exact: Annotated[
        bool,
        typer.Option(
            "--exact",
            metavar=FLAG,
            help="Read every pixel, and window as DCMTK does, padding values counted in.",
            rich_help_panel="Reading",
        ),
    ] = False,
    workers: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=MOST_WORKERS,
            help="Cores to use, for decoding and the network together; no more than there are.",
            rich_help_panel="Reading",
            show_default="all",
        ),
    ] = None,
    readers: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=MOST_WORKERS,
            help="Processes that open files, for storage that is slow to answer; they share "
            "the cores. About 40 MiB each.",
            rich_help_panel="Reading",
            show_default="one per core, at least 8 for URLs",
        ),
    ] = None,
    timeout: Annotated[
        float,
        typer.Option(
            min=0.1,
            max=86_400.0,
            metavar="SECONDS",
            help="How long one file may take.",
            rich_help_panel="Reading",
        ),
    ] = 60.0,
    memory_limit: Annotated[
        int,
        typer.Option(
            min=64,
            max=1 << 20,
            metavar="MIB",
            help="How much memory one reading process may take beyond what it starts with.",
            rich_help_panel="Reading",
        ),
    ] = 4096,
    max_file_mib: Annotated[
        int,
        typer.Option(
            min=1, metavar="MIB", help="Largest file that is read.", rich_help_panel="Reading"
        ),
    ] = 2048,
    max_pixel_mib: Annotated[
        int,
        typer.Option(
            min=1,
            metavar="MIB",
            help="Largest image: rows x columns x samples x frames x bytes.",
            rich_help_panel="Reading",
        ),
    ] = 1024,
    estimate: Annotated[
        bool,
        typer.Option(
            "--estimate",
            metavar=FLAG,
            help="Read a sample and tell how many files and hours there are; write nothing.",
            rich_help_panel="Nights",
        ),
    ] = False,
    until: Annotated[
        str | None,
        typer.Option(
            metavar="HH:MM",
            help="Stop at this time of day and exit with 0; --resume goes on the next night.",
            rich_help_panel="Nights",
            show_default=False,
        ),
    ] = None,
    known: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="RESULT",
            help="An earlier result: files whose path has a row there are left out unopened. "
            "Several may be given.",
            rich_help_panel="Nights",
            show_default=False,
        ),
    ] = None,
    max_read_rate: Annotated[
        str | None,
        typer.Option(
            metavar="RATE",
            help="How fast files may be read, all processes together, such as 200MB/s.",
            rich_help_panel="Nights",
            show_default=False,
        ),
    ] = None,
    shard: Annotated[
        str | None,
        typer.Option(
            metavar="K/N",
            help="Only the K-th of N shares of the files, for N machines; cxrview concat joins "
            "their results. Give all machines the same --key (a copy of one file) and --precision "
            "(such as fp32).",
            rich_help_panel="Nights",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Say which way every radiograph under PATH faces, one row per image.

    Each image is [bold]classified[/] as frontal or lateral with its PFI (probability of
    frontal, percent), sent to [bold]review[/] where the model is not sure,
    [bold]not_chest[/] where the picture shows no chest radiograph, or [bold]skipped[/]
    where its header says so already. A file that cannot be read becomes a row of the
    failures file and never ends the run.

    Exit code: 0 done or stopped by --until, 1 done with failures listed, 2 usage error, 3
    stopped before the end, 70 a fault of cxrview's own, 130 interrupted; what was finished is kept
    for --resume.
    """
    from cxrview.classify.conditions import conditions_of
    from cxrview.classify.decide import NO_REVIEW
    from cxrview.classify.engine import EngineSettings
    from cxrview.classify.model import load_model
    from cxrview.classify.read_settings import ReadSettings
    from cxrview.classify.run import classify_archive
    from cxrview.cli.classify_report import report, show_estimate
    from cxrview.cli.shared.paths import check_paths, count_paths, find_paths
    from cxrview.cli.shared.progress import progress
    from cxrview.cli.shared.run_options import (
        bytes_per_second,
        is_past,
        selection_of,
        tell_if_all_was_new,
    )
    from cxrview.cli.shared.shard_notice import ShardKey, tell_what_must_agree
    from cxrview.cli.shared.smoke_model import warn_of_smoke_test
    from cxrview.image import Limits, ReadOptions
    from cxrview.image.pseudonyms import default_key_path, load_or_make_key
    from cxrview.records import Failure
    from cxrview.results.files import Outputs
    from cxrview.results.journal import count_recorded
    from cxrview.workers.cores import available_cores

    if no_review and review_band:
        raise typer.BadParameter("--no-review and --review-band exclude each other")
    if review_band and not 0 <= review_band[0] <= review_band[1] <= 100:
        raise typer.BadParameter("--review-band takes LOW HIGH with 0 <= LOW <= HIGH <= 100")
    if overwrite and resume:
        raise typer.BadParameter("--overwrite and --resume exclude each other")
    if forget_missing and not resume:
        raise typer.BadParameter("--forget-missing goes with --resume")
    if out == "-" and (resume or show or until):
        raise typer.BadParameter("--resume, --show and --until need a file: give --out one")
    if estimate and (overwrite or resume or show or until):
        raise typer.BadParameter(
            "--estimate writes nothing: leave out --overwrite, --resume, --show and --until"
        )
    is_time_up, rate = is_past(until), bytes_per_second(max_read_rate)
    result = None if out == "-" or estimate else Outputs.named(out)
    if result:
        result.check(overwrite=overwrite, resume=resume)
    selection = selection_of(shard, known or (), result)
    goes_on = resume and result is not None and result.journal.exists()
    for empty in check_paths(paths, may_be_away=goes_on):
        typer.echo(f"{empty} holds no file: is its disk mounted?", err=True)
    if workers and workers > (here := available_cores()):
        typer.echo(
            f"--workers {workers}: this process has {plural(here, 'core')}, and uses {here}; "
            "--readers is for slow storage",
            err=True,
        )
    loaded = load_model(model, precision=precision, device=device)
    warn_of_smoke_test(loaded.card)
    key_path = None if identify or estimate else key or default_key_path()
    is_new_key = key_path is not None and not key_path.exists()
    settings = EngineSettings(
        read=ReadSettings(
            side=loaded.card.input_side,
            options=ReadOptions(
                exact=exact,
                header_terms=header_terms,
                limits=Limits(
                    max_file_bytes=max_file_mib << 20, max_pixel_bytes=max_pixel_mib << 20
                ),
            ),
            memory_bytes=memory_limit << 20,
            key=load_or_make_key(key_path) if key_path else None,
            identify=identify and not estimate,
            skip=not no_skip,
            chest_rule=chest_rule,
        ),
        review_band=NO_REVIEW if no_review else review_band,
        chest_cutoff=chest_cutoff,
        workers=workers,
        readers=readers or (READERS_OF_URLS if any(":" in path for path in paths) else None),
        timeout_s=timeout,
        bytes_per_second=rate,
    )
    if estimate:
        show_estimate(find_paths(paths, []), selection, loaded, settings)
        return
    if selection.shard and selection.shard.count > 1 and not goes_on:
        secret = settings.read.key
        shard_key = (
            ShardKey(path=key_path, key=secret, is_named=key is not None, is_new=is_new_key)
            if key_path and secret
            else None
        )
        tell_what_must_agree(str(selection.shard), shard_key, loaded, precision, device)
    if isinstance(sys.stdout, io.TextIOWrapper) and not result:
        sys.stdout.reconfigure(encoding="utf-8")  # JSON is nothing else (RFC 8259)
    own = [*(result.all() if result else ()), *([key_path] if key_path else ())]
    leave_out = [path.resolve() for path in own]
    done = count_recorded(result.journal) if result and resume else 0
    with progress("images", lambda: count_paths(paths, leave_out, selection, done)) as advance:
        tally = classify_archive(
            find_paths(paths, leave_out),
            result or (sys.stdout, sys.stderr),
            loaded,
            settings,
            conditions=conditions_of(paths, loaded, settings),
            anew=overwrite,
            forget_missing=forget_missing,
            watch=lambda some: advance(len(some), sum(isinstance(o, Failure) for o in some)),
            selection=selection,
            is_time_up=is_time_up,
        )
    report(tally, result, show=show)
    tell_if_all_was_new(tally, selection)
    raise typer.Exit(tally.exit_code if tally.is_complete or tally.is_time_up else INTERRUPTED)
