"""What commands ask and say about the patients of images: whose they are, or that nobody knows."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from cxrview.wording import plural

if TYPE_CHECKING:
    from cxrview.records import Label, PreparedImage

PatientColumn = Annotated[
    str | None,
    typer.Option(
        "--patient-column",
        metavar="COLUMN",
        help="Column of the table that tells the patient of each image.",
        show_default="patient or patient_key",
    ),
]
PatientPattern = Annotated[
    str | None,
    typer.Option(
        "--patient-pattern",
        metavar="REGEX",
        help="Regular expression whose first group is the patient in an image's path, such as "
        r"'patient(\d+)'; for images that have no header and stand in no table of patients.",
        show_default=False,
    ),
]


def warn_of_no_patient(unknown: int, images: int, advice: str) -> None:
    """Say at once what a split would refuse only after all work; nothing where all are known."""
    if unknown:
        of = f"of {plural(images, 'image')}"
        no_patient = plural(unknown, f"{of} has", f"{of} have")
        typer.echo(
            f"cxrview: {no_patient} no patient: a split by patient will not "
            f"be possible. {advice}, or use cxrview split --by image later",
            err=True,
        )


def count_patients(images: "Sequence[Label | PreparedImage]") -> str:
    """Such as `12 patients`, and how many images have none."""
    patients = len({image.patient for image in images} - {""})
    unknown = sum(not image.patient for image in images)
    if unknown == len(images) and images:
        return "unknown patients"
    return plural(patients, "patient") + (f"; {unknown} of unknown patients" if unknown else "")
