"""From a labels file to a prepared store: every image read once, for all that is learnt from it."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

from cxrview.dataset.decode import Squashed, squash_files
from cxrview.dataset.labels import read_headers, read_labels
from cxrview.dataset.store import open_prepared
from cxrview.dataset.store_writer import PreparedWriter
from cxrview.errors import UsageError
from cxrview.image import SIDE
from cxrview.records import Failure, HeaderFacts, Label, Prepared, PreparedImage
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

    Stopped at any point, the same call goes on and ends with the same bytes. A store that is
    complete is opened as it stands; no image is read again.

    Args:
        labels_path: as `read_labels` reads it.
        out: folder; new, empty, or begun by the same call.
        headers_path: table of the headers of images that have none in their file, as
            `read_headers` reads it; rows that name no labelled file are passed over.
        patients: where patients are told from in place of the labels' column `patient`. Images
            without any are kept, and can only be split by image.
        as_published: window as DCMTK does and pass the picture in its full size through JPEG of
            quality 90 first, as the paper's conversion did.
        overwrite: begin anew, whatever store stands there.
        workers: processes that read, at least 1. The result does not depend on it.
        watch: called with how many more labels have their outcome.

    Returns:
        The store. `failures` are the files that could not be read; they have no row.

    Raises:
        UsageError: labels or headers are at fault or no label is left, `out` holds something
            else or a store made under other conditions.
        CannotWrite: the disk took no more.

    Source:
        Paper, section 1: 8-bit grey, min-max window, squashed to 256 x 256.
    """
    labels = read_labels(labels_path, patients=patients, need_patients=False)
    if not labels:
        raise UsageError(f"{labels_path} names no frontal and no lateral image")
    headers = read_headers(headers_path) if headers_path else {}
    conditions = {
        "labels_sha256": _file_sha256(labels_path),
        "headers_sha256": _file_sha256(headers_path) if headers_path else None,
        "reader": "exact" if as_published else "default",
        "as_published": as_published,
        "version": version("cxrview"),
    } | ({"patients": patients.words} if patients else {})
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


def _file_sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _keep(
    writer: PreparedWriter,
    label: Label,
    outcome: Squashed | Failure,
    headers: Mapping[str, HeaderFacts],
) -> None:
    if isinstance(outcome, Failure):
        writer.fail(replace(outcome, path=label.file))
        return
    header = outcome.header or headers.get(label.file)  # what is in the file itself goes first
    said = header or HeaderFacts()
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
        manufacturer=said.manufacturer,
        header_view=said.view,
    )
    writer.keep(image, outcome.pixels)
