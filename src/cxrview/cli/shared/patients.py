"""Options that name the patients of images, and messages about images without a patient."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from cxrview.wording import plural

if TYPE_CHECKING:
    from cxrview.records.dataset import Label, PreparedImage

PatientColumn = Annotated[
    str | None,
    typer.Option(
        "--patient-column",
        metavar="COLUMN",
        help="Column of the table that holds the patient of each image.",
        show_default="patient or patient_key",
    ),
]
PatientPattern = Annotated[
    str | None,
    typer.Option(
        "--patient-pattern",
        metavar="REGEX",
        help="Regular expression whose first group is the patient in an image's path, such as "
        r"'patient(\d+)'; for images without a header and without a column for patients.",
        show_default=False,
    ),
]


def warn_of_no_patient(unknown: int, images: int, advice: str) -> None:
    """Warn early that a split by patient would be refused; nothing if all patients are known.

    Args:
        unknown: number of images without a patient.
        images: number of all images.
        advice: how to name the patients, as the beginning of a sentence.
    """
    if unknown:
        of = f"of {plural(images, 'image')}"
        no_patient = plural(unknown, f"{of} has", f"{of} have")
        typer.echo(
            f"cxrview: {no_patient} no patient: a split by patient will not "
            f"be possible. {advice}, or use cxrview split --by image later",
            err=True,
        )


def count_patients(images: "Sequence[Label | PreparedImage]") -> str:
    """Return text such as `12 patients`, with the number of images without a patient."""
    patients = len({image.patient for image in images} - {""})
    unknown = sum(not image.patient for image in images)
    if unknown == len(images) and images:
        return "unknown patients"
    return plural(patients, "patient") + (f"; {unknown} of unknown patients" if unknown else "")
