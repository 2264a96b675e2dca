"""`cxrview prepare`: labelled radiographs as the network takes them, in one folder."""

from pathlib import Path
from typing import Annotated

import typer

from cxrview.cli.shared.patients import (
    PatientColumn,
    PatientPattern,
    count_patients,
    warn_of_no_patient,
)
from cxrview.wording import plural


def prepare(
    labels: Annotated[
        Path,
        typer.Argument(
            help="CSV with file, patient, view, and study and source if known; files relative to "
            "it. Views are frontal and lateral, or words of these such as PA, AP, LL, RL.",
            show_default=False,
        ),
    ],
    out: Annotated[
        Path,
        typer.Option(
            metavar="STORE",
            help="Folder that gets pixels.npy, index.parquet, failures.csv and about.json.",
            show_default=False,
        ),
    ],
    headers: Annotated[
        Path | None,
        typer.Option(
            metavar="CSV",
            help="Headers of images that have none in their file, one row an image: file, "
            "Manufacturer, View Position, View Code Sequence; .csv or .csv.gz.",
            show_default=False,
        ),
    ] = None,
    patient_column: PatientColumn = None,
    patient_pattern: PatientPattern = None,
    as_published: Annotated[
        bool,
        typer.Option(
            "--as-published",
            help="Window as DCMTK does and pass each picture through JPEG of quality 90 before "
            "it is squashed, as the paper's conversion did.",
        ),
    ] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Begin anew, whatever store stands there.")
    ] = False,
    workers: Annotated[int, typer.Option(min=1, help="Processes that read files.")] = 2,
) -> None:
    """Read every labelled image once and keep it as 8-bit grey, squashed to 256 x 256.

    A run that was stopped, however it was, goes on by the same command and ends with the same
    bytes. A file that cannot be read becomes a row of failures.csv and never ends the run.

    Exit code: 0 done, 1 done with failures listed, 2 usage error, 3 store not writable.
    """
    from cxrview.cli.shared.progress import progress
    from cxrview.dataset.labels import read_labels
    from cxrview.dataset.prepare import prepare_images
    from cxrview.dataset.store import FAILURES
    from cxrview.sources.patient_source import PatientSource

    patients = PatientSource(column=patient_column or "", pattern=patient_pattern or "")
    labelled = read_labels(labels, patients=patients, need_patients=False)
    warn_of_no_patient(
        sum(not label.patient for label in labelled),
        len(labelled),
        "Tell them by --patient-column COLUMN or --patient-pattern REGEX (with --overwrite, if a "
        "store is made already)",
    )
    with progress("images", lambda: len(labelled)) as advance:
        store = prepare_images(
            labels,
            out,
            headers_path=headers,
            patients=patients,
            as_published=as_published,
            overwrite=overwrite,
            workers=workers,
            watch=advance,
        )
    frontal = sum(image.view == "frontal" for image in store.images)
    typer.echo(
        f"{plural(len(store.images), 'image')} in {out}: {frontal} frontal, "
        f"{len(store.images) - frontal} lateral, "
        f"of {count_patients(store.images)}"
    )
    if headers:
        found = sum(image.has_header for image in store.images)
        typer.echo(f"{plural(found, 'of them has', 'of them have')} a header")
    if store.failures:
        typer.echo(f"{len(store.failures)} could not be read: {out / FAILURES}", err=True)
        raise typer.Exit(1)
