"""`cxrview classify`: which way every radiograph of an archive faces."""

import io
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from cxrview.cli.shared.run_options import (
    CalibrationFile,
    ChestCutoff,
    ChestRule,
    ClusterAddress,
    DeviceChoice,
    Estimate,
    Exact,
    Explain,
    ForgetMissing,
    HeaderTerms,
    Identify,
    KeyFile,
    Known,
    Manifest,
    MaxError,
    MaxFileMib,
    MaxPixelMib,
    MaxReadRate,
    MemoryLimit,
    ModelFolder,
    NoReview,
    NoSkip,
    Overwrite,
    PathArguments,
    PrecisionChoice,
    Readers,
    Report,
    ResultFile,
    Resume,
    ReviewBand,
    Shard,
    Show,
    Timeout,
    Until,
    Workers,
    bytes_per_second,
    is_past,
)
from cxrview.terms import Device, Precision
from cxrview.wording import plural

if TYPE_CHECKING:
    from collections.abc import Callable

    from cxrview.classify.model import Model
    from cxrview.classify.plan import RunPlan
    from cxrview.results.result import Result


def classify(
    context: typer.Context,
    paths: PathArguments = None,
    out: ResultFile = "views.parquet",
    overwrite: Overwrite = False,
    resume: Resume = False,
    forget_missing: ForgetMissing = False,
    show: Show = False,
    report: Report = None,
    explain: Explain = False,
    review_band: ReviewBand = None,
    no_review: NoReview = False,
    max_error: MaxError = None,
    calibration: CalibrationFile = None,
    chest_cutoff: ChestCutoff = None,
    no_skip: NoSkip = False,
    model: ModelFolder = "default",
    precision: PrecisionChoice = Precision.AUTO,
    device: DeviceChoice = Device.AUTO,
    chest_rule: ChestRule = None,
    header_terms: HeaderTerms = None,
    key: KeyFile = None,
    identify: Identify = False,
    exact: Exact = False,
    workers: Workers = None,
    readers: Readers = None,
    timeout: Timeout = 60.0,
    memory_limit: MemoryLimit = 4096,
    max_file_mib: MaxFileMib = 2048,
    max_pixel_mib: MaxPixelMib = 1024,
    estimate: Estimate = False,
    until: Until = None,
    known: Known = None,
    max_read_rate: MaxReadRate = None,
    shard: Shard = None,
    manifest: Manifest = None,
    cluster: ClusterAddress = None,
) -> None:
    """Find out which way every radiograph under PATH faces, one row per image.

    Each image is [bold]classified[/] as frontal or lateral with its PFI (probability of
    frontal, percent), sent to [bold]review[/] where the model is not sure,
    [bold]not_chest[/] where the image is not a chest radiograph, or [bold]skipped[/]
    where its header already says so. A file that cannot be read becomes a row of the
    failures file and never ends the run.

    Example: cxrview classify /archive --out views.parquet

    Exit code: 0 done or stopped by --until, 1 done with failures listed, 2 usage error, 3
    stopped before the end, 70 internal error, 130 interrupted; finished work is kept for
    --resume.
    """
    from cxrview.classify.options import NO_REVIEW, ClassifyOptions
    from cxrview.classify.plan import plan_run
    from cxrview.cli.classify_report import report as report_run
    from cxrview.cli.classify_report import show_estimate
    from cxrview.cli.shared.paths import inputs_of
    from cxrview.image import Limits

    if no_review and review_band:
        raise typer.BadParameter("--no-review and --review-band exclude each other")
    if out == "-" and (resume or show or until or report):
        raise typer.BadParameter(
            "--resume, --show, --until and --report need a file: give --out one"
        )
    if explain and not report:
        raise typer.BadParameter("--explain needs a page: name it with --report")
    if estimate and (overwrite or resume or show or until or report):
        raise typer.BadParameter(
            "--estimate writes nothing: leave out --overwrite, --resume, --show, --until and "
            "--report"
        )
    if report:
        _check_page(report, overwrite=overwrite)
    is_time_up = is_past(until)
    options = ClassifyOptions(
        review_band=NO_REVIEW if no_review else review_band,
        max_error=max_error,
        calibration=calibration,
        chest_cutoff=chest_cutoff,
        skip_by_header=not no_skip,
        chest_rule=chest_rule,
        header_terms=header_terms,
        exact=exact,
        limits=Limits(max_file_bytes=max_file_mib << 20, max_pixel_bytes=max_pixel_mib << 20),
        memory_bytes=memory_limit << 20,
        timeout_seconds=timeout,
        key=key,
        identify=identify,
        workers=workers,
        readers=readers,
        bytes_per_second=bytes_per_second(max_read_rate),
    )
    if cluster:
        from cxrview.cli.classify_cluster import (
            classify_on_cluster,
            folder_named,
            refuse_without_cluster,
        )

        refuse_without_cluster(out=out, estimate=estimate, forget_missing=forget_missing)
        done = classify_on_cluster(
            inputs_of(paths or (), manifest),
            cluster,
            folder_named(context, out),
            options,
            is_time_up,
            model=model,
            precision=precision,
            device=device,
            resume=resume,
            overwrite=overwrite,
            known=known or (),
            shard=shard,
            show=show,
        )
        if report:
            with done.local_result() as result:
                _write_page(result, report, done.model if explain else None)
        raise typer.Exit(done.result.exit_code)
    streams = (sys.stdout, sys.stderr)
    plan = plan_run(
        inputs_of(paths or (), manifest),
        out=None if estimate else streams if out == "-" else out,
        model=model,
        precision=precision,
        device=device,
        options=options,
        resume=resume,
        overwrite=overwrite,
        forget_missing=forget_missing,
        known=known or (),
        shard=shard,
        creates_key=not estimate,
    )
    _print_notices(plan, precision, device)
    if estimate:
        show_estimate(plan)
        return
    result = _run(plan, is_time_up)
    report_run(result, plan, show=show)
    if report:
        _write_page(result, report, plan.model if explain else None)
    raise typer.Exit(result.exit_code)


def _check_page(page: Path, *, overwrite: bool) -> None:
    """Refuse a page that cannot be written, before the run."""
    from cxrview.audit.page import check_page_name
    from cxrview.cli.shared.extras import needs_extra

    with needs_extra("audit", "the page of --report"):
        check_page_name(page, overwrite=overwrite)


def _write_page(result: "Result", page: Path, model: "Model | None") -> None:
    """Write the page of a complete result; what was stopped has no table yet.

    With a model, images under review get an occlusion map.
    """
    from cxrview.audit.page import write_audit
    from cxrview.cli.audit import audit_lines
    from cxrview.cli.shared.progress import progress

    if result.path is None or not result.summary.is_complete:
        typer.echo(f"{page} was not written, because the run is not complete", err=True)
        return
    with progress("images of the page") as advance:
        done = write_audit(result.path, page, model=model, on_picture=advance)
    for line in audit_lines(done):
        typer.echo(line, err=True)
    typer.echo(f"page in {page}", err=True)


def _print_notices(plan: "RunPlan", precision: Precision, device: Device) -> None:
    """Print on stderr, before the run, what the user may want to change."""
    from cxrview.cli.shared.shard_notice import print_shard_notice
    from cxrview.cli.shared.smoke_model import warn_of_smoke_test
    from cxrview.workers.cores import available_cores

    for folder in plan.empty:
        typer.echo(f"{folder} holds no file: is its disk mounted?", err=True)
    workers, cores = plan.options.workers, available_cores()
    if workers and workers > cores:
        typer.echo(
            f"--workers {workers}: this process has {plural(cores, 'core')}, and uses {cores}; "
            "--readers is for slow storage",
            err=True,
        )
    warn_of_smoke_test(plan.model.card)
    print_shard_notice(plan, precision, device)


def _run(plan: "RunPlan", is_time_up: "Callable[[], bool]") -> "Result":
    """Run with a progress bar."""
    from cxrview.cli.shared.progress import progress
    from cxrview.records.classification import Failure

    if isinstance(plan.out, tuple) and isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8")  # JSON is always UTF-8 (RFC 8259)
    with progress("images", plan.count) as advance:
        return plan.run(
            lambda some: advance(len(some), sum(isinstance(one, Failure) for one in some)),
            is_time_up,
        )
