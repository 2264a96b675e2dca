"""Creates a prepared store from a labels file; every image is read once."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

from cxrview.dataset.decode import Squashed
from cxrview.dataset.decode_pool import squash_files
from cxrview.dataset.labels import read_headers, read_labels
from cxrview.dataset.store import open_prepared
from cxrview.dataset.store_writer import PreparedWriter
from cxrview.digests import file_sha256
from cxrview.errors import UsageError
from cxrview.image import SIDE
from cxrview.records.classification import Failure
from cxrview.records.dataset import HeaderFacts, Label, Prepared, PreparedImage
from cxrview.sources.patient_source import PatientSource


def prepare_images(
    labels_path: Path,
    out: Path,
    *,
    headers_path: Path | None = None,
    patients: PatientSource | None = None,
    as_published: bool = False,
    overwrite: bool = False,
    workers: int = 2,
    watch: Callable[[int], None] = lambda done: None,
) -> Prepared:
    """Read, window and squash every labelled image into one store, and open it.

    If it is stopped, the same call resumes and ends with the same bytes. A complete store is
    opened, and no image is read again.

    Args:
        labels_path: as for `read_labels`.
        out: folder; new, empty, or of the same call.
        headers_path: table of the headers of images whose files have none, as for `read_headers`;
            rows of other files are ignored.
        patients: finds patients without the labels' column `patient`. Images without a patient
            can only be split by image.
        as_published: window as DCMTK does and compress the image in full size as JPEG of quality
            90 first, as the paper's conversion did.
        overwrite: replace an existing store.
        workers: processes that read images, at least 1. The result does not depend on it.
        watch: called with how many more labels have an outcome.

    Returns:
        The store. Its `failures` are the files that could not be read; they have no row.

    Raises:
        UsageError: labels or headers are not valid, no image is frontal or lateral, or `out` has
            other files or a store of other conditions.
        CannotWrite: the disk is full or not writable.

    Source:
        Paper, section 1: 8-bit grey, min-max window, squashed to 256 x 256.
    """
    labels = read_labels(labels_path, patients=patients, need_patients=False)
    if not labels:
        raise UsageError(f"{labels_path} has no frontal and no lateral image")
    headers = read_headers(headers_path) if headers_path else {}
    conditions = {
        "labels_sha256": file_sha256(labels_path),
        "headers_sha256": file_sha256(headers_path) if headers_path else None,
        "reader": "exact" if as_published else "default",
        "as_published": as_published,
        "patients": patients.words if patients else None,
        "version": version("cxrview"),
    }
    with PreparedWriter(out, SIDE, conditions, overwrite=overwrite) as writer:
        if not writer.is_complete:
            watch(writer.done)
            left = labels[writer.done :]
            paths = [labels_path.parent / label.file for label in left]
            outcomes = squash_files(paths, as_published=as_published, workers=workers)
            for label, outcome in zip(left, outcomes, strict=True):
                _keep(writer, label, outcome, headers)
                watch(1)
            writer.finish()
    return open_prepared(out)


def _keep(
    writer: PreparedWriter,
    label: Label,
    outcome: Squashed | Failure,
    headers: Mapping[str, HeaderFacts],
) -> None:
    if isinstance(outcome, Failure):
        writer.fail(replace(outcome, path=label.file))
        return
    header = outcome.header or headers.get(label.file)  # the header in the file itself has priority
    facts = header or HeaderFacts()
    image = PreparedImage(
        row=0,  # the store numbers its rows
        file=label.file,
        source=label.source,
        study=label.study,
        patient=label.patient,
        view=label.view,
        file_sha256=outcome.file_sha256,
        pixel_sha256=outcome.pixel_sha256,
        warnings=outcome.warnings,
        has_header=header is not None,
        manufacturer=facts.manufacturer,
        header_view=facts.view,
    )
    writer.keep(image, outcome.pixels)
