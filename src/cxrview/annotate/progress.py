"""Progress of a study: what each reader has left to read, and the status of its images."""

from collections import Counter
from collections.abc import Iterable, Mapping
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


def progress(
    study: AnnotationStudy,
    images: Iterable[StudyImage],
    readings: Iterable[Reading],
    readers: Iterable[Reader],
) -> Progress:
    """Count what is read and what is left.

    Args:
        study: its settings.
        images: all images of the study.
        readings: all readings that count, in the order in which they were written.
        readers: all readers of the study.
    """
    images, readers = tuple(images), tuple(readers)
    now = EffectiveReadings(readings)
    image_ids = [image.image_id for image in images]
    settled = settle(study, image_ids, now.verdicts.values(), readers)
    counted = Counter(at.how for at in settled.values())
    done = has_read(now)
    return Progress(
        images=len(images),
        readers=tuple(
            _reader_progress(now, reader, worklist(study, images, readers, reader, has_read=done))
            for reader in sorted(readers, key=lambda reader: reader.reader_id)
            if Role.READER in reader.roles
        ),
        statuses={how: counted[how] for how in LabelStatus},
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
