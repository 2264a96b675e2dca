"""`cxrview annotate create`: create a study from an archive or from a result of classify."""

import shlex
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cxrview.cli.annotate.shared import HOST, PORT, StudyName, without_password
from cxrview.cli.shared.extras import needs_extra
from cxrview.cli.shared.patients import PatientColumn, PatientPattern, warn_of_no_patient
from cxrview.errors import UnreadableImage, UsageError
from cxrview.wording import plural

if TYPE_CHECKING:
    from cxrview.annotate.sample_images import Draw, Drawn
    from cxrview.sources.patient_source import PatientSource


def create(
    study: StudyName,
    images: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[IMAGES]...",
            help="Files, folders, globs or URLs, as for cxrview classify.",
            show_default=False,
        ),
    ] = None,
    table: Annotated[
        Path | None,
        typer.Option(
            "--from",
            metavar="TABLE",
            help="Take the images of a result of cxrview classify instead, or of any list with a "
            "column path or file: .parquet, .csv, .jsonl.",
            show_default=False,
        ),
    ] = None,
    root: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="Folder that the study's paths, and those of TABLE, are relative to.",
            show_default="the folder that holds all images",
        ),
    ] = None,
    sample: Annotated[
        int | None,
        typer.Option(
            min=1, metavar="N", help="Number of images to draw by the seed.", show_default="all"
        ),
    ] = None,
    stratify: Annotated[
        str | None,
        typer.Option(
            metavar="COLUMN,...",
            help="Draw in proportion from strata: columns of TABLE, or source, which is the first "
            "folder if TABLE has no such column.",
            show_default=False,
        ),
    ] = None,
    least: Annotated[
        int, typer.Option(min=1, metavar="N", help="Minimum number of images of each stratum.")
    ] = 5,
    only: Annotated[
        str | None,
        typer.Option(
            metavar="DECISION,...",
            help="Only rows of TABLE with these decisions, such as review.",
            show_default="classified,review,not_chest",
        ),
    ] = None,
    labels: Annotated[
        str, typer.Option(metavar="LABEL:KEY,...", help="The labels, and the key of each.")
    ] = "frontal:f,lateral:l",
    reader: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME[:ROLES]",
            help="Add a reader; ROLES is reader, adjudicator or manager, or several as in "
            "reader+adjudicator; repeatable.",
            show_default=False,
        ),
    ] = None,
    name: Annotated[
        str | None,
        typer.Option(help="Name of the study, as readers see it.", show_default="the file's name"),
    ] = None,
    readings_per_image: Annotated[
        int, typer.Option(min=1, metavar="N", help="Readers who read each image independently.")
    ] = 2,
    repeat_share: Annotated[
        float,
        typer.Option(
            min=0,
            max=1,
            metavar="P",
            help="Share of images that each reader is shown twice, unannounced, 0 to 1.",
        ),
    ] = 0.0,
    seed: Annotated[
        int,
        typer.Option(min=0, metavar="N", help="Seed of the sample and of every reader's order."),
    ] = 0,
    patient_column: PatientColumn = None,
    patient_pattern: PatientPattern = None,
    key: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Key of the patients' pseudonyms, for IMAGES, --patient-column and "
            "--patient-pattern; created on first use.",
            show_default="~/.config/cxrview/patient.key",
        ),
    ] = None,
) -> None:
    """Create an annotation study with its images, labels and readers.

    Example: cxrview annotate create study.db --from views.parquet --reader anna --reader ben

    Prints each reader's sign-in link, which is not stored: pass it on now. IMAGES that cannot be
    read are listed and left out.

    Exit code: 0 done, 1 done with unreadable files listed, 2 usage error.
    """
    if bool(images) == (table is not None):
        raise UsageError("name either IMAGES or, with --from, a table")
    if only and not table:
        raise UsageError("--only selects rows of a table: name one with --from")
    from cxrview.sources.patient_source import PatientSource

    patients = PatientSource(column=patient_column or "", pattern=patient_pattern or "")
    with needs_extra("annotate", "annotation"):
        from cxrview.annotate.sample_images import Draw, Patients, draw_from_table
        from cxrview.annotate.study import create_study, parse_choices, parse_roles

    choices = parse_choices(labels)
    readers = [parse_roles(text) for text in reader or []]
    draw = Draw(sample=sample, stratify=_words(stratify), least=least, seed=seed)
    failed: list[UnreadableImage] = []
    if table:
        named = Patients(source=patients, key=_pseudonyms(key)) if patients else Patients()
        drawn = draw_from_table(table, draw, root=root, only=_words(only), patients=named)
    else:
        drawn = _draw_from_files(images or [], draw, root, key, patients, failed)
    secrets = create_study(
        study,
        drawn,
        readers,
        name=name or "",
        choices=choices,
        seed=seed,
        readings_per_image=readings_per_image,
        repeat_share=repeat_share,
    )
    typer.echo(_reader_row(without_password(study), drawn))
    for who, secret in secrets.items():
        typer.echo(link_line(who, secret))
    typer.echo(_what_next(without_password(study), secrets))
    warn_of_no_patient(
        sum(not image.patient for image in drawn.images),
        len(drawn.images),
        "Remove the study now and create it with --patient-pattern REGEX, or --from a table with "
        "--patient-column COLUMN",
    )
    for error in failed:
        typer.echo(f"cxrview: left out: {error}", err=True)
    if failed:
        raise typer.Exit(1)


def link_line(name: str, secret: str) -> str:
    """Return a reader's sign-in link at the default address of `cxrview annotate serve`."""
    return f"{name}: http://{HOST}:{PORT}/enter#{secret}"


def _what_next(study: str, readers: Mapping[str, str]) -> str:
    """Return the command to run next."""
    named = shlex.quote(study)
    if not readers:
        return (
            f"next: cxrview annotate reader {named} NAME --role reader for each reader, then "
            f"cxrview annotate serve {named}; or cxrview annotate import {named} FILE"
        )
    return (
        f"next: cxrview annotate serve {named} (if its address is not "
        f"http://{HOST}:{PORT}, links begin with its address)"
    )


def _pseudonyms(key: Path | None) -> Callable[[str], str]:
    from functools import partial

    from cxrview.image.pseudonyms import default_key_path, load_or_make_key, pseudonym

    return partial(pseudonym, load_or_make_key(key or default_key_path()))


def _draw_from_files(
    images: list[str],
    draw: "Draw",
    root: Path | None,
    key: Path | None,
    patients: "PatientSource",
    failed: list[UnreadableImage],
) -> "Drawn":
    from cxrview.annotate.sample_images import draw_from_files
    from cxrview.cli.shared.paths import check_paths, find_paths
    from cxrview.cli.shared.progress import progress

    if len(empty := check_paths(images)) == len(images):
        raise UsageError(
            f"no file was found in {', '.join(empty)}",
            "Check the name, and that its disk is mounted",
        )
    if root is None and len(images) == 1 and Path(images[0]).is_dir():
        root = Path(images[0])
    patient_key = _pseudonyms(key)
    with progress("headers") as advance:
        return draw_from_files(
            find_paths(images, []),
            draw,
            root=root,
            patient_key=patient_key,
            patients=patients,
            on_failure=failed.append,
            watch=advance,
        )


def _words(text: str | None) -> tuple[str, ...]:
    return tuple(word.strip() for word in (text or "").split(",") if word.strip())


def _reader_row(study: str, drawn: "Drawn") -> str:
    """Return a summary of the study, one line for each stratum."""
    lines = [f"{plural(len(drawn.images), 'image')} in {study}"]
    strata = drawn.about["strata"]
    if len(strata) > 1:
        width = max(len(stratum["name"]) for stratum in strata)
        lines += [
            f"  {s['name']:{width}} {s['drawn']:6} of {s['images']:,}, each stands for "
            f"{s['images'] / s['drawn']:.4g}"
            for s in strata
        ]
    return "\n".join(lines)
