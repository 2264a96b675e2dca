"""`cxrview prepare`: read labelled radiographs into one store of 256 x 256 pixels."""

from pathlib import Path
from typing import Annotated

import typer

from cxrview.cli.shared.options import (
    HeadersOption,
    OverwriteFlag,
    ReadWorkersOption,
    in_file,
    out_folder,
)
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
        in_file(
            "LABELS",
            "CSV with file, patient, view, and study and source if known; files relative to "
            "it. Views are frontal and lateral, or words for these such as PA, AP, LL, RL.",
        ),
    ],
    out: Annotated[
        Path,
        out_folder("pixels.npy, index.parquet, failures.csv and about.json.", metavar="STORE"),
    ],
    headers: HeadersOption = None,
    patient_column: PatientColumn = None,
    patient_pattern: PatientPattern = None,
    as_published: Annotated[
        bool,
        typer.Option(
            "--as-published",
            metavar="",
            help="Window as DCMTK does and pass each picture through JPEG of quality 90 before "
            "it is squashed, as the paper's conversion did.",
        ),
    ] = False,
    overwrite: OverwriteFlag = False,
    workers: ReadWorkersOption = 2,
) -> None:
    """Read every labelled image once and keep it as 8-bit grey, squashed to 256 x 256.

    The same command resumes a run that was stopped, and ends with the same bytes. A file that
    cannot be read becomes a row of failures.csv; the run continues.

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
