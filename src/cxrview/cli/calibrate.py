"""`cxrview calibrate`: thresholds that keep a promise about errors in one archive."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cxrview.cli.annotate.shared import opened
from cxrview.cli.shared.options import OverwriteFlag, RootOption, in_path, out_file, refuse_existing
from cxrview.cli.shared.tables import number, print_table, text
from cxrview.wording import plural

if TYPE_CHECKING:
    from cxrview.assess.calibrate import CalibrationImages
    from cxrview.records.calibration import Calibration, HeadCalibration


def calibrate(
    views: Annotated[Path, in_path("VIEWS", "A result of cxrview classify, with its summary.")],
    labels: Annotated[
        str,
        typer.Option(
            metavar="STUDY",
            help="An annotation study (cxrview annotate) of images drawn at random from VIEWS.",
            show_default=False,
        ),
    ],
    max_error: Annotated[
        float,
        typer.Option(
            metavar="SHARE",
            help="Largest share of errors among decided images, such as 0.001.",
            show_default=False,
        ),
    ],
    out: Annotated[Path, out_file("the calibration, which cxrview classify --calibration takes.")],
    confidence: Annotated[
        float,
        typer.Option(
            metavar="SHARE", help="Probability, over such samples, that the promise holds."
        ),
    ] = 0.95,
    root: RootOption = None,
    overwrite: OverwriteFlag = False,
) -> None:
    """Set the thresholds of a model by labelled images of your archive, to keep errors rare.

    Among the images that cxrview classify decides with the file in OUT, at most the named share is
    wrong, with the named confidence. One image of each patient counts. Needs what the extra named
    annotate installs.

    Exit code: 0 done, 2 usage error, too few images or too many errors, 3 file not writable.
    """
    refuse_existing(out, overwrite)
    with opened(labels) as store:
        from cxrview.annotate.archive_error import labelled_rows, need_sample_of_archive
        from cxrview.assess.calibrate import calibrate_archive
        from cxrview.classify.calibration_file import write_calibration

        need_sample_of_archive(store)
        rows = labelled_rows(views, store, root=root)
        calibration, images = calibrate_archive(
            views, rows, max_error=max_error, confidence=confidence
        )
    write_calibration(out, calibration)
    _show(calibration)
    for line in _image_lines(images):
        typer.echo(line)
    typer.echo(f"calibration in {out}; to use it: cxrview classify PATH --calibration {out}")


def _show(calibration: "Calibration") -> None:
    columns = [text("head"), *map(number, ("threshold", "decided", "share", "errors", "promise"))]
    print_table(columns, [_cells(head, one) for head, one in calibration.heads.items()])


def _cells(head: str, one: "HeadCalibration") -> tuple[str, ...]:
    promise = f"{100 * one.max_error:g} % at {100 * one.confidence:g} %"
    if one.threshold is None:
        return head, "none", f"0 of {one.patients:,}", "0.0 %", "", promise
    at = one.curve.thresholds.index(one.threshold)
    decided = one.curve.decided[at]
    return (
        head,
        f"{one.threshold:g} %",
        f"{decided:,} of {one.patients:,}",
        f"{100 * decided / one.patients:.1f} %",
        f"{one.curve.errors[at]:,}",
        promise,
    )


def _image_lines(images: "CalibrationImages") -> Iterator[str]:
    """Yield a line for each kind of image that is not counted, or counted with reserve."""
    for count, one, many in (
        (images.unsettled, "image is not settled yet", "images are not settled yet"),
        (images.without_row, "image has no row in the result", "images have no row in the result"),
        (
            images.without_truth,
            "image was excluded by the readers, and not as something else than a chest",
            "images were excluded by the readers, and not as something else than a chest",
        ),
        (
            images.oversampled,
            "image is of a stratum that was sampled more densely",
            "images are of strata that were sampled more densely",
        ),
        (images.same_patient, "further image of a patient", "further images of patients"),
    ):
        if count:
            yield f"not counted: {plural(count, one, many, form=',')}"
    if images.without_patient:
        unknown = plural(images.without_patient, "image has", "images have", form=",")
        yield f"{unknown} no patient: the promise holds only if all of these are different patients"
