"""The options of `cxrview classify`, and parsers of their values (time of day, read rate)."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from cxrview.terms import Device, Precision

MAX_WORKERS = 1024
FLAG = ""
"""Instead of Typer's <bool>, which looks as if a value were expected."""

PathArguments = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="PATH",
        help="Files, folders, globs, URLs (s3://, zip://...), or - for a list on standard "
        "input, one path a line. Files are known by their content, not by their names.",
        show_default=False,
    ),
]
ResultFile = Annotated[
    str,
    typer.Option(
        metavar="FILE",
        help="The result: .parquet, .csv or .jsonl; a name with / at its end for a folder of "
        "Parquet parts; - for JSON lines on standard output. Failures and a summary are "
        "written beside it.",
    ),
]
Overwrite = Annotated[
    bool, typer.Option("--overwrite", metavar=FLAG, help="Replace a result that exists.")
]
Resume = Annotated[
    bool, typer.Option("--resume", metavar=FLAG, help="Continue a run that was interrupted.")
]
ForgetMissing = Annotated[
    bool,
    typer.Option(
        "--forget-missing",
        metavar=FLAG,
        help="With --resume: drop rows of files that are not found any more.",
    ),
]
Show = Annotated[
    bool,
    typer.Option("--show", metavar=FLAG, help="Print the result as a table, its first 40 rows."),
]
Report = Annotated[
    Path | None,
    typer.Option(
        "--report",
        metavar="FILE.html",
        help="Write the page of cxrview audit after the run: what is wrong with the headers. "
        "--overwrite replaces it.",
        show_default=False,
    ),
]
Explain = Annotated[
    bool,
    typer.Option(
        "--explain",
        metavar=FLAG,
        help="With --report: show what the model relies on, for the first 12 images under review; "
        "see cxrview explain.",
    ),
]
ReviewBand = Annotated[
    tuple[float, float] | None,
    typer.Option(
        metavar="LOW HIGH",
        help="PFI range (percent, inclusive) sent to review.",
        rich_help_panel="Decisions",
        show_default="the model card's",
    ),
]
NoReview = Annotated[
    bool,
    typer.Option(
        "--no-review",
        metavar=FLAG,
        help="Decide every image, even if the model is not sure.",
        rich_help_panel="Decisions",
    ),
]
MaxError = Annotated[
    float | None,
    typer.Option(
        metavar="SHARE",
        help="Largest share of wrong views among those decided, such as 0.001, with 95 % "
        "confidence by the calibration images in the model card; sets the review band.",
        rich_help_panel="Decisions",
        show_default=False,
    ),
]
CalibrationFile = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="Made by cxrview calibrate: sets the review band so that its promise is kept in the "
        "archive that was calibrated.",
        rich_help_panel="Decisions",
        show_default=False,
    ),
]
ChestCutoff = Annotated[
    float | None,
    typer.Option(
        min=0,
        max=100,
        metavar="PERCENT",
        help="Minimum probability of a chest radiograph for a view; 0 refuses no image.",
        rich_help_panel="Decisions",
        show_default="the model card's",
    ),
]
NoSkip = Annotated[
    bool,
    typer.Option(
        "--no-skip",
        metavar=FLAG,
        help="Also classify images whose header says they are not chest radiographs.",
        rich_help_panel="Decisions",
    ),
]
ModelFolder = Annotated[
    str,
    typer.Option(
        metavar="FOLDER|NAME",
        help="Folder with model.onnx and card.json, or a model in the package: fast, which leaves "
        "what it is not sure of to googlenet, or googlenet alone; default is fast.",
        rich_help_panel="Decisions",
    ),
]
PrecisionChoice = Annotated[
    Precision,
    typer.Option(
        help="Numbers the model computes with; auto: int8 if the model has it and the "
        "processor is fast at it.",
        rich_help_panel="Decisions",
    ),
]
DeviceChoice = Annotated[
    Device,
    typer.Option(
        help="Device the model runs on; auto: cuda if ONNX Runtime was built for it.",
        rich_help_panel="Decisions",
    ),
]
ChestRule = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="Your own rule for which images are skipped, in place of the published one (TOML).",
        rich_help_panel="Decisions",
        show_default=False,
    ),
]
HeaderTerms = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="Your own table of the words that headers use for frontal and lateral (CSV).",
        rich_help_panel="Decisions",
        show_default=False,
    ),
]
KeyFile = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="Key of the patients' pseudonyms, created on first use. The same key gives the "
        "same pseudonyms.",
        rich_help_panel="Privacy",
        show_default="~/.config/cxrview/patient.key",
    ),
]
Identify = Annotated[
    bool,
    typer.Option(
        "--identify",
        metavar=FLAG,
        help="Write real patient ids into patient_key.",
        rich_help_panel="Privacy",
    ),
]
Exact = Annotated[
    bool,
    typer.Option(
        "--exact",
        metavar=FLAG,
        help="Decode every pixel, and window as DCMTK does, padding values included.",
        rich_help_panel="Reading",
    ),
]
Workers = Annotated[
    int | None,
    typer.Option(
        min=1,
        max=MAX_WORKERS,
        help="Cores to use, for decoding and the model together; no more than there are.",
        rich_help_panel="Reading",
        show_default="all",
    ),
]
Readers = Annotated[
    int | None,
    typer.Option(
        min=1,
        max=MAX_WORKERS,
        help="Processes that open files, for slow storage; they share "
        "the cores. About 40 MiB each.",
        rich_help_panel="Reading",
        show_default="one per core, at least 8 for URLs",
    ),
]
Timeout = Annotated[
    float,
    typer.Option(
        min=0.1,
        max=86_400.0,
        metavar="SECONDS",
        help="Time limit for one file.",
        rich_help_panel="Reading",
    ),
]
MemoryLimit = Annotated[
    int,
    typer.Option(
        min=64,
        max=1 << 20,
        metavar="MIB",
        help="Memory that one reading process may take beyond what it starts with.",
        rich_help_panel="Reading",
    ),
]
MaxFileMib = Annotated[
    int,
    typer.Option(
        min=1, metavar="MIB", help="Largest file that is read.", rich_help_panel="Reading"
    ),
]
MaxPixelMib = Annotated[
    int,
    typer.Option(
        min=1,
        metavar="MIB",
        help="Largest image: rows x columns x samples x frames x bytes.",
        rich_help_panel="Reading",
    ),
]
Estimate = Annotated[
    bool,
    typer.Option(
        "--estimate",
        metavar=FLAG,
        help="Read a sample and print how many files and hours there are; write nothing.",
        rich_help_panel="Long runs",
    ),
]
Until = Annotated[
    str | None,
    typer.Option(
        metavar="HH:MM",
        help="Stop at this time of day and exit with 0; --resume continues the next night.",
        rich_help_panel="Long runs",
        show_default=False,
    ),
]
Known = Annotated[
    list[Path] | None,
    typer.Option(
        metavar="RESULT",
        help="An earlier result: files whose path has a row there are not opened. "
        "Several may be given.",
        rich_help_panel="Long runs",
        show_default=False,
    ),
]
MaxReadRate = Annotated[
    str | None,
    typer.Option(
        metavar="RATE",
        help="Limit on the read rate of all processes together, such as 200MB/s.",
        rich_help_panel="Long runs",
        show_default=False,
    ),
]
Shard = Annotated[
    str | None,
    typer.Option(
        metavar="K/N",
        help="Read only the K-th of N shares of the files, for N machines; cxrview concat joins "
        "their results. Give all machines the same --key (a copy of one file) and --precision "
        "(such as fp32).",
        rich_help_panel="Long runs",
        show_default=False,
    ),
]

Manifest = Annotated[
    str | None,
    typer.Option(
        "--manifest",
        metavar="FILE",
        help="Read the files that this file or URL names, too: a column path or file of .parquet "
        "or .csv, otherwise one path a line.",
        rich_help_panel="Long runs",
        show_default=False,
    ),
]
ClusterAddress = Annotated[
    str | None,
    typer.Option(
        "--cluster",
        metavar="ADDRESS",
        help="Run on a Ray cluster: ray://HOST:PORT, HOST:PORT, auto for that of this machine, "
        "or local. PATH and --out must be there on all machines, or be URLs; --out is a folder "
        "of Parquet parts, such as s3://bucket/views/.",
        rich_help_panel="Long runs",
        show_default=False,
    ),
]

_RATE = re.compile(r"(\d+(?:\.\d+)?)\s*([kKMG]?i?)B(?:/s)?")
_BYTES = {"": 1, "k": 10**3, "M": 10**6, "G": 10**9, "ki": 1 << 10, "Mi": 1 << 20, "Gi": 1 << 30}


def is_past(until: str | None) -> Callable[[], bool]:
    """Return a function that checks if the next HH:MM has passed; always False for None.

    Raises:
        typer.BadParameter: `until` is not a time of day.
    """
    if until is None:
        return lambda: False
    end = next_time(until, datetime.now())
    return lambda: datetime.now() >= end


def next_time(text: str, now: datetime) -> datetime:
    """Return the next time at which the clock shows HH:MM, in local time, at most in 24 hours."""
    if not re.fullmatch(r"([01]?\d|2[0-3]):[0-5]\d", text, re.ASCII):
        raise typer.BadParameter(f"--until takes a time of day such as 06:00, not {text}")
    hour, minute = map(int, text.split(":"))
    today = now.replace(hour=hour, minute=minute, second=0, microsecond=0)
    return today if today > now else today + timedelta(days=1)


def bytes_per_second(rate: str | None) -> float | None:
    """Convert a rate such as 200MB/s to bytes per second; None for None.

    Raises:
        typer.BadParameter: the rate is not valid, or not above 0.
    """
    if rate is None:
        return None
    found = _RATE.fullmatch(rate.strip())
    number = float(found[1]) * _BYTES.get(found[2].replace("K", "k"), 0) if found else 0.0
    if not number:
        raise typer.BadParameter(f"--max-read-rate takes a rate such as 200MB/s, not {rate}")
    return number
