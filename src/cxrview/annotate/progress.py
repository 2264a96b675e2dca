"""Progress of a study: what each reader has left to read, and the status of its images."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from cxrview.annotate.effective import EffectiveReadings, ReadingSlot
from cxrview.annotate.settle import settle
from cxrview.annotate.worklist import Showing, worklist
from cxrview.records.annotation import AnnotationStudy, Reader, Reading, StudyImage
from cxrview.terms import LabelStatus, ReadingRound, Role


@dataclass(frozen=True, slots=True, kw_only=True)
class ReaderProgress:
    """Progress of one reader in the blind round, in showings."""

    reader_id: int
    done: int
    all: int
    """Number of showings to read; for a retired reader the same as `done`."""
    flagged: int
    """Images that the reader has flagged, in any round."""

    @property
    def left(self) -> int:
        """Return the number of showings that are left."""
        return self.all - self.done


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """Progress of a study."""

    images: int
    readers: tuple[ReaderProgress, ...]
    """Progress of all with the role of a reader, by reader id."""
    statuses: Mapping[LabelStatus, int]
    """Number of images by label status; every status is a key."""
    without_reader: int = 0
    """Images that lack a reader who can read them blind; see `count_without_reader`."""


def progress(
    study: AnnotationStudy,
    images: Iterable[StudyImage],
    readings: Iterable[Reading],
    readers: Iterable[Reader],
    *,
    has_seen: Mapping[str, Collection[int]] | None = None,
) -> Progress:
    """Count what is read and what is left.

    Args:
        study: its settings.
        images: all images of the study.
        readings: all readings that count, in the order in which they were written.
        readers: all readers of the study.
        has_seen: by image id, the ids of readers who have seen what others say of the image.
    """
    images, readers = tuple(images), tuple(readers)
    now = EffectiveReadings(readings)
    image_ids = [image.image_id for image in images]
    settled = settle(study, image_ids, now.verdicts.values(), readers)
    counted = Counter(at.how for at in settled.values())
    shown = {
        reader.reader_id: worklist(
            study, images, readers, reader, has_read=has_read(now), has_seen=has_seen
        )
        for reader in sorted(readers, key=lambda reader: reader.reader_id)
        if Role.READER in reader.roles
    }
    of = {reader.reader_id: reader for reader in readers}
    return Progress(
        images=len(images),
        readers=tuple(_reader_progress(now, of[one], shown[one]) for one in shown),
        statuses={how: counted[how] for how in LabelStatus},
        without_reader=count_without_reader(study, readers, shown, has_seen or {}),
    )


def count_without_reader(
    study: AnnotationStudy,
    readers: Iterable[Reader],
    shown: Mapping[int, Iterable[Showing]],
    has_seen: Mapping[str, Collection[int]],
) -> int:
    """Count images that lack a reader because an active one has seen what others say of them.

    Args:
        study: has the readings per image.
        readers: all readers of the study.
        shown: the list of each of them, by reader id.
        has_seen: by image id, the ids of readers who have seen what others say of the image.
    """
    active = {r.reader_id for r in readers if Role.READER in r.roles and not r.is_retired}
    given: dict[str, set[int]] = {}
    for reader_id, showings in shown.items():
        for one in showings:
            given.setdefault(one.image_id, set()).add(reader_id)
    return sum(
        len(given.get(image_id, ())) < study.readings_per_image
        and bool(active & set(seen) - given.get(image_id, set()))
        for image_id, seen in has_seen.items()
    )


def has_read(now: EffectiveReadings) -> dict[str, set[int]]:
    """Return the readers with an effective blind reading, by image id, for `worklist`."""
    done: dict[str, set[int]] = {}
    for reader_id, image_id, shown_in, occasion in now.verdicts:
        if shown_in is ReadingRound.BLIND and occasion == 0:
            done.setdefault(image_id, set()).add(reader_id)
    return done


def _reader_progress(
    now: EffectiveReadings, reader: Reader, showings: tuple[Showing, ...]
) -> ReaderProgress:
    done = sum(_slot(reader.reader_id, showing) in now.verdicts for showing in showings)
    return ReaderProgress(
        reader_id=reader.reader_id,
        done=done,
        all=done if reader.is_retired else len(showings),
        flagged=len({image_id for of, image_id, _, _ in now.flags if of == reader.reader_id}),
    )


def _slot(reader_id: int, showing: Showing) -> ReadingSlot:
    return reader_id, showing.image_id, ReadingRound.BLIND, showing.occasion
