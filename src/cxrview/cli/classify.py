"""`cxrview classify`: which way every radiograph of an archive faces."""

import hashlib
import io
import json
import os
import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cxrview.terms import Device, Precision

if TYPE_CHECKING:
    from cxrview.classify.archive import Outputs, Tally
    from cxrview.classify.engine import EngineSettings
    from cxrview.classify.runtime import Model

INTERRUPTED = 130
MOST_WORKERS = 1024
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
            help="The result: .parquet, .csv or .jsonl; - for JSON lines on standard output. "
            "Failures and a summary are written beside it.",
        ),
    ] = "views.parquet",
    overwrite: Annotated[
        bool, typer.Option("--overwrite", metavar=FLAG, help="Replace a result that stands there.")
    ] = False,
    resume: Annotated[
        bool, typer.Option("--resume", metavar=FLAG, help="Go on with a run that was stopped.")
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
            help="Window as DCMTK does, padding values counted in.",
            rich_help_panel="Reading",
        ),
    ] = False,
    workers: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=MOST_WORKERS,
            help="Processes that read files.",
            rich_help_panel="Reading",
            show_default="one per core",
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
) -> None:
    """Say which way every radiograph under PATH faces, one row per image.

    Each image is [bold]classified[/] as frontal or lateral with its PFI (probability of
    frontal, percent), sent to [bold]review[/] where the model is not sure,
    [bold]not_chest[/] where the picture shows no chest radiograph, or [bold]skipped[/]
    where its header says so already. A file that cannot be read becomes a row of the
    failures file and never ends the run.

    Exit code: 0 done, 1 done with failures listed, 2 usage error, 3 stopped before the
    end, 130 interrupted; what was finished is kept for --resume.
    """
    from cxrview.classify.abstain import NO_REVIEW
    from cxrview.classify.archive import Outputs, classify_archive
    from cxrview.classify.decode_worker import ReadSettings
    from cxrview.classify.engine import EngineSettings
    from cxrview.classify.runtime import load_model
    from cxrview.cli.progress import progress
    from cxrview.image import Limits, ReadOptions
    from cxrview.store.journal import count_recorded
    from cxrview.store.patient_key import default_key_path, load_or_make_key

    if no_review and review_band:
        raise typer.BadParameter("--no-review and --review-band exclude each other")
    if review_band and not 0 <= review_band[0] <= review_band[1] <= 100:
        raise typer.BadParameter("--review-band takes LOW HIGH with 0 <= LOW <= HIGH <= 100")
    if overwrite and resume:
        raise typer.BadParameter("--overwrite and --resume exclude each other")
    if out == "-" and (resume or show):
        raise typer.BadParameter("--resume and --show need a file: give --out one")
    result = None if out == "-" else Outputs(table=Path(out))
    if result:
        result.check(overwrite=overwrite, resume=resume)
    _check_paths(paths)
    loaded = load_model(model, precision=precision, device=device)
    key_path = None if identify else key or default_key_path()
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
            identify=identify,
            skip=not no_skip,
            chest_rule=chest_rule,
        ),
        review_band=NO_REVIEW if no_review else review_band,
        chest_cutoff=chest_cutoff,
        workers=workers,
        timeout_s=timeout,
    )
    if isinstance(sys.stdout, io.TextIOWrapper) and not result:
        sys.stdout.reconfigure(encoding="utf-8")  # JSON is nothing else (RFC 8259)
    own = [*(result.all() if result else ()), *([key_path] if key_path else ())]
    leave_out = [path.resolve() for path in own]
    known = count_recorded(result.journal) if result and resume else 0
    with progress("images", lambda: _count(paths, leave_out, known)) as advance:
        tally = classify_archive(
            _find(paths, leave_out),
            result or (sys.stdout, sys.stderr),
            loaded,
            settings,
            conditions=_conditions(paths, loaded, settings),
            anew=overwrite,
            watch=lambda outcomes: advance(len(outcomes)),
        )
    _report(tally, result, show=show)
    raise typer.Exit(tally.exit_code if tally.is_complete else INTERRUPTED)


def _check_paths(paths: list[str]) -> None:
    """Refuse a pattern that matches nothing before any work is done."""
    from cxrview.image import find_images

    for path in paths:
        if path != "-":
            next(find_images([path]), None)


def _find(paths: list[str], leave_out: list[Path]) -> Iterator[str]:
    """Every file named, found or listed, but for what this run itself writes."""
    from cxrview.image import find_images

    for path in paths:
        if path == "-":
            listed = filter(None, (os.fsdecode(line.rstrip(b"\r\n")) for line in sys.stdin.buffer))
            yield from find_images(listed, leave_out=leave_out, is_literal=True)
        else:
            yield from find_images([path], leave_out=leave_out)


def _count(paths: list[str], leave_out: list[Path], known: int) -> int | None:
    """How many files there are to do; None where a list is still coming in."""
    if "-" in paths:
        return None
    return max(0, sum(1 for _ in _find(paths, leave_out)) - known)


def _conditions(paths: list[str], model: "Model", settings: "EngineSettings") -> dict[str, str]:
    """What the result depends on besides the files; a resume must agree on all of it."""
    from cxrview.classify.chest_rule import load_chest_rule
    from cxrview.image.header_view import load_table

    read = settings.read
    band = settings.review_band or model.card.review_band
    return {
        "paths": json.dumps([path if ":" in path else os.path.abspath(path) for path in paths]),  # noqa: PTH100
        "cxrview": version("cxrview"),
        "model": model.card.model_id,
        "weights_sha256": model.card.weights_sha256,
        "precision": model.card.precision,
        "backend": model.backend.name,
        "reader": "exact" if read.options.exact else "default",
        "limits": str(read.options.limits),
        "memory_bytes": str(read.memory_bytes),
        "timeout_seconds": f"{settings.timeout_s:g}",
        "cutoff": str(model.card.cutoff),
        "review_band": f"{band[0]:g} {band[1]:g}",
        "chest_cutoff": str(
            model.card.chest_cutoff if settings.chest_cutoff is None else settings.chest_cutoff
        ),
        "chest_rule": _named(read.chest_rule, load_chest_rule(read.chest_rule).version)
        if read.skip
        else "off",
        "header_terms": _named(
            read.options.header_terms, load_table(read.options.header_terms).version
        ),
        "patients": "identified" if read.identify else f"key {_fingerprint(read.key or b'')}",
    }


def _named(own: Path | None, published_version: str) -> str:
    """A published file by its version, a user's own by its content."""
    return _fingerprint(own.read_bytes()) if own else f"version {published_version}"


def _fingerprint(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:16]


def _report(tally: "Tally", result: "Outputs | None", *, show: bool) -> None:
    """Tell on stderr what was found; on stdout, where asked, the table."""
    if show and result:
        from cxrview.cli.show_rows import show_rows

        show_rows(result)
    failed = sum(tally.failed.values())
    lines = [
        f"{tally.found} files = {tally.classified} classified ({tally.frontal} frontal, "
        f"{tally.lateral} lateral) + {tally.review} review "
        f"+ {tally.not_chest} not chest + {tally.skipped} skipped + {failed} failed",
    ]
    if tally.failed:
        lines.append("failed: " + ", ".join(f"{n} {code}" for code, n in tally.failed.items()))
    if disagrees := tally.agreement.get("disagrees"):
        lines.append(f"{disagrees} headers name the other view")
    if tally.read_now:
        rate = tally.read_now / tally.seconds
        lines.append(f"{tally.read_now} files read in {tally.seconds:.1f} s, {rate:.1f} a second")
    if result:
        lines.append(f"rows in {result.table}, failures in {result.failures}")
    if not tally.is_complete:
        go_on = "the same command with --resume goes on" if result else "rows so far are right"
        lines.append(f"interrupted; {go_on}")
    typer.echo("\n".join(lines), err=True)
