"""Sample the images of a new annotation study, from a table of results or from files."""

import os
import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from cxrview.annotate.image_list import iter_listed_images
from cxrview.annotate.sampling import MIN_PER_STRATUM, Sample, draw_sample
from cxrview.errors import NoPixelData, UnreadableImage, UsageError
from cxrview.image import open_image
from cxrview.records.annotation import StudyImage
from cxrview.sources.paths import local_path
from cxrview.sources.patient_source import PatientSource
from cxrview.terms import Decision, View

SOURCE = "source"
"""Stratify by this name if the table has no such column: the first folder below the root."""
USUAL_DECISIONS = (Decision.CLASSIFIED, Decision.REVIEW, Decision.NOT_CHEST)
"""Decisions drawn by default; images skipped by their header are drawn only when named."""
_KEPT = (
    *("decision", "view", "pfi", "header_view", "content_id", SOURCE),
    *("patient_key", "patient", "study_instance_uid", "study"),
)
"""Columns of a table that are copied into the study, if it has them."""
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Draw:
    """How images are drawn."""

    sample: int | None = None
    """Number of images; None for all."""
    stratify: tuple[str, ...] = ()
    """Columns of the table, or `source`."""
    least: int = MIN_PER_STRATUM
    """Smallest number of images of each stratum."""
    seed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Patients:
    """Where the patients of a new study come from, and how they are pseudonymised."""

    source: PatientSource = PatientSource()
    key: Callable[[str], str] = str
    """Returns the pseudonym of a patient from a column or a path."""

    def with_patient(self, image: StudyImage, row: Row) -> StudyImage:
        """Return an image with its patient, or unchanged if the source has none."""
        name = self.source.find(image.path.replace(os.sep, "/"), row)
        return replace(image, patient=self.key(name)) if name else image

    def need_some(self, images: Iterable[StudyImage]) -> None:
        """Check that a source gives a patient for at least one image.

        Raises:
            UsageError: a source was given, and no image has a patient.
        """
        if self.source and not any(image.patient for image in images):
            raise UsageError(
                f"the {self.source.words} gives no patient for any image",
                "A pattern is looked for in paths below the study's root (--root)",
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """The images drawn for a new study, and how they were drawn."""

    root: str
    """Folder that the paths are relative to; empty if there is none."""
    images: tuple[StudyImage, ...]
    about: Mapping[str, Any]
    """For publishing the labels: sample, seed, and every stratum with its size."""


def draw_from_table(
    table: Path,
    draw: Draw,
    *,
    root: Path | None = None,
    only: Sequence[str] = (),
    patients: Patients | None = None,
) -> Drawn:
    """Draw from a result of `classify`, or from a list of files in any table.

    Args:
        table: as for `iter_listed_images`.
        draw: number of images, and the columns that define strata.
        root: folder that relative paths of the table, and those of the study, are relative to.
        None for the working folder and for the deepest folder that contains all images.
        only: decisions; if empty, `USUAL_DECISIONS`. Ignored for a table without decisions.
        patients: their source; for images without a patient there, the columns `patient_key` and
        `patient` are used unchanged.

    Raises:
        UsageError: as `iter_listed_images` and `draw_sample`, a column is missing, or `patients`
            gives no patient for any image.
    """
    wanted = set(only or USUAL_DECISIONS)
    if wanted - set(Decision):
        raise UsageError(
            f"unknown decision {', '.join(sorted(wanted - set(Decision)))}",
            f"Decisions are {', '.join(Decision)}",
        )

    patients = patients or Patients()
    known = _check_columns(table, draw.stratify, patients.source)
    if root:
        holding = str(root.absolute())
    else:
        holding = _folder_of_all(
            _placed(row["path"], None) for row in iter_listed_images(table, ())
        )

    def each(columns: Sequence[str]) -> Iterator[Row]:
        for row in iter_listed_images(table, columns):
            if row.get("decision") in wanted or (not only and not row.get("decision")):
                yield row | {"path": _placed(row["path"], root)}

    needed = ("decision", *draw.stratify)
    strata = {row["path"]: _stratum(row, draw.stratify, holding) for row in each(needed)}
    if not strata:
        raise UsageError(f"{table} has no image with decision {' or '.join(sorted(wanted))}")
    sample = draw_sample(strata, draw.sample, least=draw.least, seed=draw.seed)
    images = [
        patients.with_patient(_image_of_row(row, holding, sample, SOURCE in draw.stratify), row)
        for row in each((*_KEPT, *patients.source.columns(known)))
        if row["path"] in sample.stratum_of
    ]
    patients.need_some(images)
    about = _about(draw, sample) | {"table": table.name, "decisions": sorted(wanted)}
    return Drawn(root=holding, images=tuple(images), about=about)


def draw_from_files(
    paths: Iterable[str],
    draw: Draw,
    *,
    root: Path | None = None,
    patient_key: Callable[[str], str],
    patients: PatientSource | None = None,
    on_failure: Callable[[UnreadableImage], None],
    watch: Callable[[int], None] = lambda done: None,
) -> Drawn:
    """Draw from files, after reading their headers; unreadable files are left out and reported.

    Args:
        paths: from `find_images`.
        draw: number of images; strata only by `source`, the first folder below the root.
        root: folder that the study's paths are relative to; None for the deepest folder of all.
        patient_key: returns the pseudonym of a patient's id.
        patients: a pattern that finds patients in paths; where it does not match, headers are used.
        on_failure: called with each file that is not a readable image.
        watch: called with the number of further files read.

    Raises:
        UsageError: as `draw_sample`; strata by anything but `source`; or `patients` names a
            column, or a pattern that matches no image.
    """
    if set(draw.stratify) - {SOURCE}:
        raise UsageError(
            "files can only be stratified by source, their first folder",
            "For other strata classify them first, and draw with --from views.parquet",
        )
    path_patients = Patients(source=patients or PatientSource(), key=patient_key)
    if path_patients.source.column:
        raise UsageError(
            "--patient-column is for a table: files themselves have no columns",
            "Name the table with --from, or use --patient-pattern",
        )
    found: dict[str, StudyImage] = {}
    for path in paths:
        placed = _placed(path, None)
        try:
            found[placed] = _image_of_file(path, placed, patient_key)
        except UnreadableImage as error:
            on_failure(error)
        watch(1)
    holding = str(root.absolute()) if root else _folder_of_all(found)
    strata = {path: _stratum({"path": path}, draw.stratify, holding) for path in found}
    sample = draw_sample(strata, draw.sample, least=draw.least, seed=draw.seed)
    by_source = SOURCE in draw.stratify
    images = [
        _belonging(found[path], holding, sample, _first_folder(path, holding) if by_source else "")
        for path in sample.stratum_of
    ]
    images = [path_patients.with_patient(image, {}) for image in images]
    path_patients.need_some(images)
    return Drawn(root=holding, images=tuple(images), about=_about(draw, sample))


def _image_of_file(path: str, placed: str, patient_key: Callable[[str], str]) -> StudyImage:
    instance = open_image(path, patient_key=patient_key).instance
    if not instance.rows or not instance.columns:
        raise NoPixelData(path, "its header describes no pixels", "Nothing to do if it is a report")
    return StudyImage(
        image_id=_new_id(),
        path=placed,
        patient=instance.patient_key,
        study=instance.study_instance_uid,
        content_id=instance.content_id,
        header_view=instance.header_view,
    )


def _image_of_row(row: Row, holding: str, sample: Sample, by_source: bool) -> StudyImage:
    """Build an image with the model's and the header's view, for use after the blind round."""
    source = row.get(SOURCE) or (_first_folder(row["path"], holding) if by_source else "")
    pfi, header_view = row.get("pfi"), row.get("header_view")
    try:
        image = StudyImage(
            image_id=_new_id(),
            path=row["path"],
            patient=row.get("patient_key") or row.get("patient") or "",
            study=row.get("study_instance_uid") or row.get("study") or "",
            content_id=row.get("content_id") or "",
            model_view=(row.get("view") or "") if row.get("decision") else "",
            model_decision=row.get("decision") or "",
            pfi=None if pfi is None else float(pfi),
            header_view=View(header_view) if header_view else None,
        )
    except ValueError as error:
        raise UsageError(
            "the table's pfi or header_view is not valid", "Name an unchanged result"
        ) from error
    return _belonging(image, holding, sample, str(source))


def _belonging(image: StudyImage, holding: str, sample: Sample, source: str) -> StudyImage:
    """Return the image with its path below the root, its stratum and its weight."""
    stratum = sample.stratum_of[image.path]
    inside = _below(image.path, holding)
    return replace(image, path=inside, source=source, stratum=stratum.name, weight=stratum.weight)


def _new_id() -> str:
    return secrets.token_hex(8)


def _placed(path: str, root: Path | None) -> str:
    """Return an absolute path without following links; a URL unchanged."""
    local = local_path(path)
    # Strings: pathlib would take half a minute for a million paths.
    return os.path.abspath(os.path.join(root or "", local)) if local else path  # noqa: PTH100, PTH118


def _folder_of_all(paths: Iterable[str]) -> str:
    """Return the deepest folder that contains every local path; empty if there is none."""
    folders = {os.path.dirname(path) for path in paths if "://" not in path}  # noqa: PTH120
    return os.path.commonpath(folders) if folders else ""


def _below(path: str, holding: str) -> str:
    """Return the path relative to the folder, or unchanged if it is outside of it."""
    below = os.path.join(holding, "")  # noqa: PTH118
    return path[len(below) :] if holding and path.startswith(below) else path


def _first_folder(path: str, holding: str) -> str:
    """Return the first folder of an image below the root; empty if there is none."""
    inside = Path(_below(path, holding))
    return "" if inside.is_absolute() or len(inside.parts) < 2 else inside.parts[0]


def _check_columns(table: Path, stratify: Sequence[str], patients: PatientSource) -> Row:
    """Return the first row, for the names of its columns."""
    first = next(iter_listed_images(table), None)
    if first is None:
        raise UsageError(f"{table} has no rows")
    if missing := set(stratify) - {SOURCE, *first}:
        raise UsageError(
            f"the table has no column {', '.join(sorted(missing))} to stratify by",
            f"It has {', '.join(first)}",
        )
    patients.need_column(first, table)
    return first


def _stratum(row: Row, columns: Sequence[str], holding: str) -> str:
    """Return the name of a stratum, such as `review|open-i`; `none` for an unknown value."""
    values = []
    for column in columns:
        if column == SOURCE and column not in row:
            values.append(_first_folder(row["path"], holding))
        else:
            values.append(str(row[column] or ""))
    return "|".join(value or "none" for value in values)


def _about(draw: Draw, sample: Sample) -> dict[str, Any]:
    return {
        "sample": len(sample.stratum_of),
        "seed": draw.seed,
        "stratify": list(draw.stratify),
        "strata": [{"name": s.name, "images": s.images, "drawn": s.drawn} for s in sample.strata],
    }
