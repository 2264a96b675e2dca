"""Prepared pictures: squashed pixels as one memory map, with labels and the teacher's answers."""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cxrview.atomic_files import atomic_path, locked, writing
from cxrview.callbacks import ignore
from cxrview.classify.model import Model
from cxrview.csv_files import read_csv_rows, write_csv
from cxrview.dataset.natural.photographs import SOURCE as PHOTOGRAPHS
from cxrview.dataset.natural.photographs import read_photographs
from cxrview.errors import UsageError
from cxrview.image import SIDE, read_radiograph, squash
from cxrview.json_file import read_about, write_json
from cxrview.records.answers import Answers, join_answers
from cxrview.terms import Partition, Projection, View
from cxrview.train.fast.labels import (
    PictureLabel,
    Untrusted,
    check_names,
    read_corrections,
    read_picture_labels,
)

PIXELS, INDEX, ABOUT = "pixels.npy", "index.csv", "about.json"
FORMAT = 1
_COLUMNS = ("file", "source", "patient", "view", "projection", "teacher_pfi", "teacher_chest")
_CALL = 64
"""Pictures that the teacher gets in one call."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pictures:
    """Labelled pictures, in one order."""

    labels: tuple[PictureLabel, ...]
    pixels: NDArray[np.uint8]
    """Shape (n, 256, 256), uint8; memory-mapped where a folder was opened."""
    teacher: Answers
    """Of the upright pictures, as they are."""
    sha256: str = ""
    """Of pixels, labels and answers, as hexadecimal; a training belongs to it."""

    @property
    def sources(self) -> NDArray[np.str_]:
        """Shape (n,)."""
        return np.array([label.source for label in self.labels], str)

    def is_in(self, partition: Partition) -> NDArray[np.bool_]:
        """Whether each picture's patient is in a partition of `fast_partition_of`, shape (n,)."""
        return np.array([label.partition is partition for label in self.labels], bool)

    @property
    def is_photograph(self) -> NDArray[np.bool_]:
        """Shape (n,)."""
        return np.asarray(self.sources == PHOTOGRAPHS)

    def kinds(self) -> NDArray[np.str_]:
        """`frontal`, `lateral` or `not-chest` of each picture, shape (n,)."""
        return np.array([str(label.view or "not-chest") for label in self.labels], str)

    def projections(self) -> NDArray[np.str_]:
        """`AP`, `PA` or an empty text of each picture, shape (n,)."""
        return np.array([str(label.projection or "") for label in self.labels], str)


def prepare_pictures(
    labels_files: Sequence[Path],
    out: Path,
    teacher: Model,
    *,
    photographs: Path | None = None,
    corrections: Path | None = None,
    untrusted: Untrusted = (),
    progress: Callable[[int], None] = ignore,
    warn: Callable[[str], None] = ignore,
) -> Pictures:
    """Read and squash every labelled picture once, and run the teacher on it.

    The teacher sees each picture upright and unchanged. On the changed ones it would say more, but
    each of its answers costs as much as several steps of the small model.

    Args:
        labels_files: CSV as `read_picture_labels` takes them; each file of a picture once.
        out: gets pixels.npy, index.csv and about.json; a complete folder is replaced when
            everything was read and answered.
        teacher: a model with the output `chest`.
        photographs: tar or folder of pictures that are not radiographs.
        corrections: CSV with `file` and `view`.
        untrusted: projections that are left unknown.
        progress: called with 1 after each picture is read, and again after the teacher's answer.
        warn: called with a sentence if some corrections name no picture of the labels.

    Raises:
        UsageError: a labels file, the corrections or the photographs are not valid; no correction
            names a picture of the labels, or a source of `untrusted` has none.
        UnreadableImage: a labelled file cannot be read.
        CannotWrite: the folder cannot be written.
    """
    if teacher.card.chest_cutoff is None:
        raise UsageError("the teacher has no output chest", "Give a model of recipe world")
    right = read_corrections(corrections) if corrections else {}
    labelled = [
        (path.parent, label)
        for path in labels_files
        for label in read_picture_labels(path, right, untrusted)
    ]
    check_names((label for _, label in labelled), right, untrusted, warn)
    with writing(out):
        out.mkdir(parents=True, exist_ok=True)
        with locked(out):
            with atomic_path(out / PIXELS) as part:
                labels = _write_pixels(part, labelled, photographs, progress)
                answers = _run_teacher(teacher, np.load(part, mmap_mode="r"), progress)
                (out / ABOUT).unlink(missing_ok=True)
            _write_index(out / INDEX, labels, answers)
            about = {"format": FORMAT, "complete": True, "teacher": teacher.card.model_id}
            write_json(out / ABOUT, {**about, "sha256": _sha256(out / PIXELS, out / INDEX)})
    return open_pictures(out)


def open_pictures(folder: Path) -> Pictures:
    """Open a folder that `prepare_pictures` wrote.

    Raises:
        UsageError: it is not complete, or of another kind or version.
    """
    about = read_about(
        folder / ABOUT, version=FORMAT, needs=("teacher", "sha256"), what="prepared pictures"
    )
    if about is None:
        raise UsageError(
            f"{folder} does not hold prepared pictures", "Create it with cxrview fast-model prepare"
        )
    rows = list(read_csv_rows(folder / INDEX))
    pixels = np.load(folder / PIXELS, mmap_mode="r")
    if len(rows) != len(pixels):
        raise UsageError(f"{folder} is damaged", "Create it again with cxrview fast-model prepare")
    return Pictures(
        labels=tuple(map(_label, rows)),
        pixels=pixels,
        teacher=Answers(
            pfi=np.array([float(row["teacher_pfi"]) for row in rows]),
            chest=np.array([float(row["teacher_chest"]) for row in rows]),
        ),
        sha256=str(about["sha256"]),
    )


def _write_pixels(
    path: Path,
    labelled: Sequence[tuple[Path, PictureLabel]],
    photographs: Path | None,
    progress: Callable[[int], None],
) -> list[PictureLabel]:
    """Write the squashed pixels; gives the labels in their order."""
    seen = {label.file for _, label in labelled}
    if len(seen) < len(labelled):
        raise UsageError("a file is named by two labels files", "Remove one of the rows")
    rows, shown = read_photographs(photographs, progress) if photographs else ((), [])
    labels = [label for _, label in labelled] + [
        PictureLabel(file=row.file, source=row.source, patient=row.patient, view=None)
        for row in rows
    ]
    # Row by row through a map, so that no more than one picture is in memory.
    pixels = np.lib.format.open_memmap(
        path, mode="w+", dtype=np.uint8, shape=(len(labels), SIDE, SIDE)
    )
    for place, (folder, label) in zip(pixels, labelled, strict=False):
        place[:] = squash(read_radiograph(str(folder / label.file)).pixels)
        progress(1)
    if len(rows):
        pixels[len(labelled) :] = shown
    pixels.flush()
    return labels


def _run_teacher(
    teacher: Model, pixels: NDArray[np.uint8], progress: Callable[[int], None]
) -> Answers:
    answers = []
    for start in range(0, len(pixels), _CALL):
        answers.append(teacher.answer(np.asarray(pixels[start : start + _CALL])))
        progress(len(answers[-1].pfi))
    return join_answers(answers)


def _write_index(path: Path, labels: Sequence[PictureLabel], answers: Answers) -> None:
    with atomic_path(path) as part:
        write_csv(part, _COLUMNS, _index_rows(labels, answers))


def _index_rows(labels: Sequence[PictureLabel], answers: Answers) -> Iterable[list[object]]:
    assert answers.chest is not None
    for label, pfi, chest in zip(labels, answers.pfi, answers.chest, strict=True):
        known = [label.file, label.source, label.patient, label.view, label.projection]
        yield [*known, f"{pfi:.4f}", f"{chest:.4f}"]


def _label(row: dict[str, str]) -> PictureLabel:
    return PictureLabel(
        file=row["file"],
        source=row["source"],
        patient=row["patient"],
        view=View(row["view"]) if row["view"] else None,
        projection=Projection(row["projection"]) if row["projection"] else None,
    )


def _sha256(*paths: Path) -> str:
    digest = hashlib.sha256()
    for path in paths:
        for block in _blocks(path):
            digest.update(block)
    return digest.hexdigest()


def _blocks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            yield block
