"""Reads labels files for the fast model: view, projection, and the partition of each patient."""

import hashlib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cxrview.callbacks import ignore
from cxrview.dataset.labels import NO_VIEW, label_word, read_labels, read_not_chest
from cxrview.dataset.split import partition_of
from cxrview.errors import UsageError
from cxrview.records.dataset import Label, NotChest
from cxrview.sources.csv_rows import FILE_COLUMNS, VIEW_COLUMNS, read_csv
from cxrview.terms import Partition, Projection, View
from cxrview.wording import plural

_NAMED = 10
"""More corrections without a picture usually have one common cause, such as a wrong folder."""
Untrusted = Collection[tuple[str, Projection]]
"""Sources and projections whose labels are not used, such as `("covid", Projection.PA)`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureLabel:
    """What is known of one picture."""

    file: str
    """Path relative to its labels file, or the name of a photograph in its tar or folder."""
    source: str
    patient: str
    view: View | None
    """None of a picture that does not show a chest."""
    projection: Projection | None = None
    """PA or AP of a frontal radiograph; None where it is unknown or not trusted."""

    @property
    def is_chest(self) -> bool:
        """Whether it is a chest radiograph."""
        return self.view is not None

    @property
    def partition(self) -> Partition:
        """The part of the training that the patient belongs to; see `fast_partition_of`."""
        return fast_partition_of(self.patient)


def fast_partition_of(patient: str) -> Partition:
    """Assign a patient to a partition of the training of a fast model, permanently.

    The test patients of `partition_of`, a fifth, are not trained on. Half of them, those whose
    SHA-256 ends in 8 modulo 10, are the validation patients here: cutoffs and thresholds are set on
    them. The other half are only counted. All others train, since nothing is chosen between.

    Raises:
        ValueError: an empty name.
    """
    if partition_of(patient) is not Partition.TEST:
        return Partition.TRAINING
    return Partition.VALIDATION if _last_digit(patient) == 8 else Partition.TEST


def read_picture_labels(
    path: Path, corrections: Mapping[str, View | None], untrusted: Untrusted = ()
) -> list[PictureLabel]:
    """Read all rows of a labels file: radiographs in the file's order, then other pictures.

    Args:
        path: CSV as `read_labels` takes it; a column `projection` is used where there is one.
        corrections: as `read_corrections` gives them.
        untrusted: projections that are left unknown.

    Raises:
        UsageError: the file cannot be read, or a row is not valid.
    """
    projections = _projections(path)
    labels = []
    rows: list[Label | NotChest] = [*read_labels(path), *read_not_chest(path)]
    for row in rows:
        view = row.view if isinstance(row, Label) else None
        name = _slashed(row.file)
        view = corrections.get(name, view)
        projection = projections.get(name) if view is View.FRONTAL else None
        if projection and (row.source, projection) in untrusted:
            projection = None
        labels.append(
            PictureLabel(
                file=row.file,
                source=row.source,
                patient=row.patient,
                view=view,
                projection=projection,
            )
        )
    return labels


def read_corrections(path: Path) -> dict[str, View | None]:
    """Read a table of corrections, columns `file` and `view`.

    Returns:
        The right view by file, with slashes in place of the backslashes of Windows; None of a
        picture that does not show a chest.

    Raises:
        UsageError: the table cannot be read, a view is unknown or `no-view`, or a file has two.
    """
    found = read_csv(path, {"file": FILE_COLUMNS, "view": VIEW_COLUMNS}, needed=("file", "view"))
    corrections: dict[str, View | None] = {}
    for number, row in found.rows:
        word = label_word(row["view"])
        if word is None:
            raise UsageError(f"{path}: line {number}: view {row['view']!r} is unknown")
        if word == NO_VIEW:
            raise UsageError(
                f"{path}: line {number}: {NO_VIEW} is not a correction",
                "Remove the picture from the labels instead",
            )
        name, view = _slashed(row["file"]), word if isinstance(word, View) else None
        if corrections.setdefault(name, view) is not view:
            raise UsageError(f"{path}: line {number}: file {name} has another view above")
    return corrections


def check_names(
    labels: Iterable[PictureLabel],
    corrections: Collection[str],
    untrusted: Untrusted = (),
    warn: Callable[[str], None] = ignore,
) -> None:
    """Report corrections and sources that name nothing in the labels, such as misspelt ones.

    Args:
        labels: of all labels files.
        corrections: files, as `read_corrections` gives them.
        untrusted: sources and projections.
        warn: called with a sentence if some corrections name no picture.

    Raises:
        UsageError: no correction names a picture, or a source has none.
    """
    files, sources = set(), set()
    for label in labels:
        files.add(_slashed(label.file))
        sources.add(label.source)
    if unknown := sorted({source for source, _ in untrusted} - sources):
        raise UsageError(
            f"source {unknown[0]} has no picture", f"Choose from {', '.join(sorted(sources))}"
        )
    unused = [file for file in corrections if file not in files]
    if not unused:
        return
    more = f" and {len(unused) - _NAMED} more" if len(unused) > _NAMED else ""
    words = (
        f"{len(unused)} of {plural(len(corrections), 'correction')} "
        f"{'names' if len(unused) == 1 else 'name'} no picture of the labels: "
        f"{', '.join(unused[:_NAMED])}{more}"
    )
    if len(unused) == len(corrections):
        raise UsageError(words, "Files are named as in the labels files, relative to them")
    warn(words)


def parse_untrusted(texts: Sequence[str]) -> frozenset[tuple[str, Projection]]:
    """Parse `SOURCE:AP` and `SOURCE:PA`.

    Raises:
        UsageError: a text has another form.
    """
    parsed = set()
    for text in texts:
        source, _, word = text.rpartition(":")
        if not source or word not in (Projection.AP, Projection.PA):
            raise UsageError(f"{text} is not SOURCE:AP or SOURCE:PA", "Such as covid:PA")
        parsed.add((source, Projection(word)))
    return frozenset(parsed)


def _projections(path: Path) -> dict[str, Projection]:
    """PA and AP by file, also of entries such as `AP Supine`; others are left out."""
    found = read_csv(path, {"file": FILE_COLUMNS, "projection": ()}, needed=("file",))
    return dict(_known_projections(row for _, row in found.rows))


def _known_projections(rows: Iterator[dict[str, str]]) -> Iterator[tuple[str, Projection]]:
    for row in rows:
        first = row.get("projection", "").upper().split()[:1]
        if first in (["AP"], ["PA"]):
            yield _slashed(row["file"]), Projection(first[0])


def _slashed(file: str) -> str:
    """A name under which all tables find a file: `read_labels` takes backslashes for slashes."""
    return file.replace("\\", "/")


def _last_digit(patient: str) -> int:
    return int.from_bytes(hashlib.sha256(patient.encode()).digest()) % 10
