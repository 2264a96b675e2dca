"""Import readings that were made outside of cxrview; importing a file twice is harmless."""

import hashlib
import json
import os
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import combinations
from pathlib import Path

from cxrview.annotate.database.store import ReadingStore
from cxrview.annotate.effective import effective_readings
from cxrview.annotate.formats.readings import read_imported_readings
from cxrview.annotate.settle import label_view
from cxrview.annotate.study import absolute_path
from cxrview.errors import UsageError
from cxrview.image.dicom.view_position import normal
from cxrview.records.annotation import (
    EXCLUSION_REASONS,
    AnnotationStudy,
    ImportedReading,
    Reading,
    StudyImage,
)
from cxrview.sources.windows_paths import RELATIVE, existing_name, is_windows_path
from cxrview.terms import Action, Method, ReadingRound, Role

EXCLUDED_WORDS = {
    "excluded": "",
    "no-view": "",
    "not-chest": "not a chest radiograph",
    "": "",
}
"""Words for an exclusion in tables, each with the reason that it implies."""
FAULTS_NAMED = 10
MIN_ALIKE = 20
"""With fewer common images, two readers may agree on all by chance. It is our choice."""
_Verdicts = dict[str, dict[str, tuple[str, str]]]
"""By reader name and image id: label and reason."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IdenticalReaders:
    """Two readers who gave the same verdict on every image that both read."""

    first: str
    second: str
    images: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """The outcome of an import."""

    number: int | None
    """Number by which the import can be undone; None if nothing was written."""
    written: int
    """Readings that were written; in a dry run, those that would be."""
    known: int
    """Readings that the study already had."""
    skipped: tuple[str, ...]
    """Skipped readings of unknown files or labels, each with its line and the reason."""
    new_readers: tuple[str, ...]
    not_blind: int = 0
    """Adjudications and second looks in the file, which were left out."""
    identical_readers: tuple[IdenticalReaders, ...] = ()
    """Readers of the file who gave the same verdicts as another reader."""


def import_readings(
    store: ReadingStore,
    path: Path,
    *,
    now: datetime,
    reader: str | None = None,
    rename: Mapping[str, str] | None = None,
    skip_unknown: bool = False,
    is_dry: bool = False,
) -> Imported:
    """Add the readings of a file as blind ones; all of them or, after an error, none.

    The uid of each is a digest of study, reader, image, verdict and time, so that it is written
    once even if it is imported several times.

    Args:
        store: the study.
        path: as for `read_imported_readings`.
        now: time of readings without one.
        reader: of all rows.
        rename: from names in the file to names in the study.
        skip_unknown: skip files and labels that are not in the study, instead of raising an error.
        is_dry: write nothing, and return what would be written.

    Raises:
        UsageError: as `read_imported_readings`; a file or a label is unknown; a reader has two
            verdicts on one image; a person is not a reader of the study; or the round is closed.
    """
    if store.blind_round_closed():
        raise UsageError(
            "the blind round of this study is closed", "Readings made now would not be blind"
        )
    every = _renamed(path, read_imported_readings(path, reader), rename or {})
    foreign = [one for one in every if one.is_blind]
    known_files = _Files(store, path.parent, is_loose=path.suffix.lower() == ".json")
    understood, faults = [], []
    for one in foreign:
        try:
            understood.append((one, known_files.find(one.file), *_verdict(one, store.study)))
        except ValueError as error:
            faults.append(f"{one.where}: {error}")
    if faults and not skip_unknown:
        raise UsageError(f"{path}: {_first_of(faults)}", "Or skip these with --skip-unknown")
    _refuse_contradictions(path, understood)
    names = [one.reader for one, *_ in understood]
    new = _new_readers(store, names)
    said: _Verdicts = {}
    for one, image, label, reason in understood:
        said.setdefault(one.reader, {})[image.image_id] = (label, reason)
    identical_readers = tuple(_identical_readers(store, said))
    ids = _ids_of(store, new, is_dry=is_dry)
    readings = [
        _reading(store.study, one, image, ids[one.reader], label, reason, now)
        for one, image, label, reason in understood
    ]
    readings = _with_new_uid_if_withdrawn(store, readings)
    if is_dry:
        fresh = len({reading.uid for reading in readings} - set(store.known_uids(_uids(readings))))
        written, number = fresh, None
    else:
        written = len(store.add_readings(readings, imported_from=path.name))
        number = store.imports()[-1].number if written else None
    return Imported(
        number=number,
        written=written,
        known=len(readings) - written,
        skipped=tuple(faults),
        new_readers=tuple(new),
        not_blind=len(every) - len(foreign),
        identical_readers=identical_readers,
    )


def _renamed(
    path: Path, foreign: list[ImportedReading], rename: Mapping[str, str]
) -> list[ImportedReading]:
    if unused := set(rename) - {one.reader for one in foreign}:
        raise UsageError(f"{path} has no reader {', '.join(sorted(unused))} to rename")
    return [replace(one, reader=rename.get(one.reader, one.reader)) for one in foreign]


class _Files:
    """Finds the image of the study that a row names."""

    def __init__(self, store: ReadingStore, folder: Path, *, is_loose: bool) -> None:
        self._folder = folder
        self._is_loose = is_loose
        self._by_path: dict[str, StudyImage] = {}
        self._by_name: defaultdict[str, list[StudyImage]] = defaultdict(list)
        for image in store.images():
            self._by_path[os.path.normpath(image.path)] = image
            self._by_path[os.path.normpath(absolute_path(store, image.path))] = image
            self._by_name[os.path.basename(image.path)].append(image)  # noqa: PTH119

    def find(self, file: str) -> StudyImage:
        """Return the image of that name below the root or below the table's folder.

        For Label Studio, which changes file paths, also the one image whose path ends
        with that name, or with which that name ends.
        """
        named = existing_name(file, lambda name: self._at(name) is not None)
        if image := self._at(named):
            return image
        if self._is_loose:
            end = file.replace("\\", "/")
            like = self._by_name[os.path.basename(end)]  # noqa: PTH119
            found = [i for i in like if _ends_with(i.path, end) or _ends_with(end, i.path)]
            if len(found) == 1:
                return found[0]
            if found:
                raise ValueError(f"{len(found)} images of the study match {file}")
        advice = f" ({RELATIVE})" if is_windows_path(file) else ""
        raise ValueError(f"the study has no image {file}{advice}")

    def _at(self, name: str) -> StudyImage | None:
        """Return the image with exactly that path, from the root or from the table's folder."""
        beside = os.path.abspath(self._folder / name)  # noqa: PTH100 (links are not followed)
        return self._by_path.get(os.path.normpath(name)) or self._by_path.get(beside)


def _ends_with(path: str, end: str) -> bool:
    return f"/{path}".endswith("/" + end.lstrip("/"))


def _verdict(one: ImportedReading, study: AnnotationStudy) -> tuple[str, str]:
    """Return label and reason, one of which is empty."""
    labels = {choice.name.casefold(): choice.name for choice in study.choices}
    said = one.says.casefold()
    if said in labels:
        if one.reason:
            raise ValueError("a label and a reason to exclude at once")
        return labels[said], ""
    said = normal(said).lower().replace(" ", "-")  # Not_chest is not-chest
    if said not in EXCLUDED_WORDS:
        return _label_by_view(one, study), ""
    reason = one.reason or EXCLUDED_WORDS[said]
    if reason not in EXCLUSION_REASONS:
        known = ", ".join(EXCLUSION_REASONS)
        if not said and not reason:
            raise ValueError("neither a label nor a reason to exclude")
        raise ValueError(f"{reason or 'none'} is not a reason to exclude; reasons are {known}")
    return "", reason


def _label_by_view(one: ImportedReading, study: AnnotationStudy) -> str:
    """Return the study's only label of a view: PA is frontal if the study has no label PA."""
    view = label_view(one.says)
    if view is None or one.reason:
        raise ValueError(f"the study has no label {one.says!r}")
    like = [choice.name for choice in study.choices if label_view(choice.name) is view]
    if len(like) > 1:
        raise ValueError(f"{one.says!r} could be any of the labels {', '.join(like)}")
    if not like:
        raise ValueError(f"the study has no label {one.says!r}, and none that is {view}")
    return like[0]


def _refuse_contradictions(
    path: Path, understood: Iterable[tuple[ImportedReading, StudyImage, str, str]]
) -> None:
    """Raise UsageError for two verdicts of one reader on one image whose order is not known."""
    last: dict[tuple[str, str], tuple[ImportedReading, tuple[str, str]]] = {}
    for one, image, *said in understood:
        verdict = (said[0], said[1])
        before, earlier = last.get((one.reader, image.image_id), (one, verdict))
        if earlier != verdict and not (before.made and one.made):
            raise UsageError(
                f"{path}: {before.where} and {one.where} are different verdicts of "
                f"{one.reader} on one image, and do not say which came last",
                "Remove one of them, or give the time of each in the column made",
            )
        last[one.reader, image.image_id] = (one, verdict)


def _new_readers(store: ReadingStore, names: Iterable[str]) -> list[str]:
    """Return the names in the file that are not readers of the study.

    Raises:
        UsageError: a person is not a reader of the study, is retired, or was renamed.
    """
    known = {reader.name: reader for reader in store.readers()}
    former = store.former_names()
    for name in sorted(set(names) & set(known)):
        if Role.READER not in known[name].roles:
            raise UsageError(f"{name} is an adjudicator of this study and not a reader")
        if known[name].is_retired:
            raise UsageError(
                f"{name} is retired", "See cxrview annotate reader --restore, or import as another"
            )
    if renamed := sorted(set(names) & set(former)):
        old, new = renamed[0], former[renamed[0]]
        raise UsageError(
            f"{old} was renamed to {new} in this study",
            f"Import with --rename {old}={new}, or {old}=NAME if it is another person",
        )
    return sorted(set(names) - set(known))


def _ids_of(store: ReadingStore, new: Sequence[str], *, is_dry: bool) -> dict[str, int]:
    """Return the reader id of each name; new readers are added, without a link."""
    ids = {reader.name: reader.reader_id for reader in store.readers()}
    if is_dry:
        last = max(ids.values(), default=0)
        return ids | {name: last + n for n, name in enumerate(new, start=1)}
    return ids | {name: store.add_reader(name, {Role.READER})[0].reader_id for name in new}


def _uids(readings: Iterable[Reading]) -> list[str]:
    return [reading.uid for reading in readings]


def _with_new_uid_if_withdrawn(store: ReadingStore, readings: Sequence[Reading]) -> list[Reading]:
    """Give a reading a new uid if the same one was withdrawn, so that it can be imported again."""
    withdrawn = store.withdrawn()
    found, waiting = list(readings), dict(enumerate(readings))
    while waiting:
        known = store.known_uids(_uids(waiting.values()))
        for place, reading in list(waiting.items()):
            there = known.get(reading.uid)
            if there is None or not withdrawn.holds(there.reading_id, there.reader_id):
                del waiting[place]
            else:
                digest = hashlib.blake2b(f"{reading.uid} again".encode(), digest_size=16)
                found[place] = waiting[place] = replace(reading, uid=digest.hexdigest())
    return found


def _identical_readers(store: ReadingStore, said: _Verdicts) -> Iterator[IdenticalReaders]:
    """Find readers of the file whose verdicts are the same as another reader's."""
    of_study: _Verdicts = {}
    names = {reader.reader_id: reader.name for reader in store.readers()}
    for slot, reading in effective_readings(store.readings()).items():
        if slot[2] is ReadingRound.BLIND and slot[3] == 0:
            verdict = reading.label, reading.reason
            of_study.setdefault(names[slot[0]], {})[slot[1]] = verdict
    every = of_study | {name: of_study.get(name, {}) | new for name, new in said.items()}
    for first, second in combinations(sorted(every), 2):
        if first not in said and second not in said:
            continue
        both = every[first].keys() & every[second].keys()
        is_same = all(every[first][one] == every[second][one] for one in both)
        if len(both) >= MIN_ALIKE and is_same:
            yield IdenticalReaders(first=first, second=second, images=len(both))


def _reading(
    study: AnnotationStudy,
    one: ImportedReading,
    image: StudyImage,
    reader_id: int,
    label: str,
    reason: str,
    now: datetime,
) -> Reading:
    made = one.made.isoformat() if one.made else ""
    content = [study.study_id, reader_id, image.image_id, label, reason, one.note, made]
    digest = hashlib.blake2b(json.dumps(content).encode(), digest_size=16)
    return Reading(
        uid=digest.hexdigest(),
        reader_id=reader_id,
        image_id=image.image_id,
        round=ReadingRound.BLIND,
        act=Action.LABEL if label else Action.EXCLUDE,
        label=label,
        reason=reason,
        note=one.note,
        how=Method.IMPORT,
        made=one.made or now,
        milliseconds=one.milliseconds,
    )


def _first_of(faults: Sequence[str]) -> str:
    more = len(faults) - FAULTS_NAMED
    return "; ".join(faults[:FAULTS_NAMED]) + (f"; and {more} more" if more > 0 else "")
