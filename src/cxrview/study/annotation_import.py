"""Takes into a study what its readers said elsewhere; the same file twice changes nothing."""

import hashlib
import json
import os
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from cxrview.annotate.label_view import label_view
from cxrview.errors import UsageError
from cxrview.image.header_view import normal
from cxrview.records import (
    EXCLUSION_REASONS,
    AnnotationStudy,
    ForeignReading,
    Reading,
    StudyImage,
)
from cxrview.store.foreign_readings import read_foreign_readings
from cxrview.store.listed_file import RELATIVE, found_name, is_of_windows
from cxrview.store.readings import ReadingStore
from cxrview.study.annotation_study import absolute_path
from cxrview.terms import Act, How, Role, Round

EXCLUDED_WORDS = {
    "excluded": "",
    "no-view": "",
    "not-chest": "not a chest radiograph",
    "": "",
}
"""What tables say for an exclusion, and the reason that this gives by itself."""
FAULTS_NAMED = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """What became of a file of readings."""

    written: int
    known: int
    """Readings that the study had already."""
    passed_over: tuple[str, ...]
    """Readings of unknown files or labels, each with where it stands and why."""
    new_readers: tuple[str, ...]
    not_blind: int = 0
    """Adjudications and second looks in the file, which were left out."""


def import_readings(
    store: ReadingStore,
    path: Path,
    *,
    now: datetime,
    reader: str | None = None,
    rename: Mapping[str, str] | None = None,
    skip_unknown: bool = False,
) -> Imported:
    """Add the readings of a file as blind ones; all of them or, after an error, none.

    The uid of each is a digest of study, reader, image and what was said, when, so that it is
    written once however often it comes.

    Args:
        store: the study.
        path: as for `read_foreign_readings`.
        now: when a reading was made that does not say so.
        reader: who read all of it.
        rename: names there to names here.
        skip_unknown: pass over files and labels that the study has not, in place of refusing.

    Raises:
        UsageError: as `read_foreign_readings`; a file or a label is unknown; a reader says two
            things of one image; somebody is no reader of the study; or the blind round is closed.
    """
    if store.blind_round_closed():
        raise UsageError("the blind round of this study is closed", "What is read now is not blind")
    every = _renamed(path, read_foreign_readings(path, reader), rename or {})
    foreign = [one for one in every if one.is_blind]
    known_files = _Files(store, path.parent, is_loose=path.suffix.lower() == ".json")
    understood, faults = [], []
    for one in foreign:
        try:
            understood.append((one, known_files.find(one.file), *_verdict(one, store.study)))
        except ValueError as error:
            faults.append(f"{one.where}: {error}")
    if faults and not skip_unknown:
        raise UsageError(f"{path}: {_first_of(faults)}", "Or pass over these with --skip-unknown")
    _refuse_contradictions(path, understood)
    ids, new = _readers(store, [one.reader for one, *_ in understood])
    readings = [
        _reading(store.study, one, image, ids[one.reader], label, reason, now)
        for one, image, label, reason in understood
    ]
    written = store.add_readings(readings)
    return Imported(
        written=len(written),
        known=len(readings) - len(written),
        passed_over=tuple(faults),
        new_readers=tuple(new),
        not_blind=len(every) - len(foreign),
    )


def _renamed(
    path: Path, foreign: list[ForeignReading], rename: Mapping[str, str]
) -> list[ForeignReading]:
    if unused := set(rename) - {one.reader for one in foreign}:
        raise UsageError(f"{path} has no reader {', '.join(sorted(unused))} to rename")
    return [replace(one, reader=rename.get(one.reader, one.reader)) for one in foreign]


class _Files:
    """Finds the image that a foreign table means."""

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
        """The image of that name below the root or below the table's folder.

        Of Label Studio, which gives files paths of its own, also the one image whose path ends
        with that name, or with which that name ends.
        """
        named = found_name(file, lambda name: self._at(name) is not None)
        if image := self._at(named):
            return image
        if self._is_loose:
            end = file.replace("\\", "/")
            like = self._by_name[os.path.basename(end)]  # noqa: PTH119
            found = [i for i in like if _ends_with(i.path, end) or _ends_with(end, i.path)]
            if len(found) == 1:
                return found[0]
            if found:
                raise ValueError(f"{len(found)} images of the study could be {file}")
        advice = f" ({RELATIVE})" if is_of_windows(file) else ""
        raise ValueError(f"the study has no image {file}{advice}")

    def _at(self, name: str) -> StudyImage | None:
        """The image of that very name, from the root or from the table's folder."""
        beside = os.path.abspath(self._folder / name)  # noqa: PTH100 (links are not followed)
        return self._by_path.get(os.path.normpath(name)) or self._by_path.get(beside)


def _ends_with(path: str, end: str) -> bool:
    return f"/{path}".endswith("/" + end.lstrip("/"))


def _verdict(one: ForeignReading, study: AnnotationStudy) -> tuple[str, str]:
    """Label and reason, one of them empty."""
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
        raise ValueError(f"{reason or 'none'} is no reason to exclude; reasons are {known}")
    return "", reason


def _label_by_view(one: ForeignReading, study: AnnotationStudy) -> str:
    """The study's one label of the view that a word says: PA is frontal where there is no PA."""
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
    path: Path, understood: Iterable[tuple[ForeignReading, StudyImage, str, str]]
) -> None:
    """Refuse two verdicts of one reader on one image of which nobody knows which came last."""
    last: dict[tuple[str, str], tuple[ForeignReading, tuple[str, str]]] = {}
    for one, image, *said in understood:
        verdict = (said[0], said[1])
        before, earlier = last.get((one.reader, image.image_id), (one, verdict))
        if earlier != verdict and not (before.made and one.made):
            raise UsageError(
                f"{path}: {before.where} and {one.where} say two things of one image for "
                f"{one.reader}, and not which came last",
                "Take one of them out, or say in the column made when each was",
            )
        last[one.reader, image.image_id] = (one, verdict)


def _readers(store: ReadingStore, names: Iterable[str]) -> tuple[dict[str, int], list[str]]:
    """Each name's number; who is new is added, a reader without a link that anybody was given."""
    known = {reader.name: reader for reader in store.readers()}
    for name in set(names) & set(known):
        if Role.READER not in known[name].roles:
            raise UsageError(f"{name} is adjudicator of this study and no reader")
    new = sorted(set(names) - set(known))
    added = {name: store.add_reader(name, {Role.READER})[0] for name in new}
    return {name: reader.reader_id for name, reader in (known | added).items()}, new


def _reading(
    study: AnnotationStudy,
    one: ForeignReading,
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
        round=Round.BLIND,
        act=Act.LABEL if label else Act.EXCLUDE,
        label=label,
        reason=reason,
        note=one.note,
        how=How.IMPORT,
        made=one.made or now,
        milliseconds=one.milliseconds,
    )


def _first_of(faults: Sequence[str]) -> str:
    more = len(faults) - FAULTS_NAMED
    return "; ".join(faults[:FAULTS_NAMED]) + (f"; and {more} more" if more > 0 else "")
