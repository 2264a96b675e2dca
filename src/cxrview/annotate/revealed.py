"""Which readers have seen what others say of which image, and so cannot read it blind any more."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime

from cxrview.annotate.database.store import ReadingStore
from cxrview.records.annotation import Reading
from cxrview.terms import ReadingRound


def first_revealed(
    store: ReadingStore, readings: Iterable[Reading]
) -> dict[tuple[int, str], datetime]:
    """Return, by reader and image id, when the reader first saw the result of others.

    The log of a study served by an older version of cxrview has no entries for it: there the time
    of the reader's first adjudication or second look of the image is used, the latest possible one.

    Args:
        store: the study.
        readings: those that count.
    """
    first: dict[tuple[int, str], datetime] = {}

    def note(reader_id: int, image_id: str, when: datetime) -> None:
        known = first.setdefault((reader_id, image_id), when)
        first[reader_id, image_id] = min(known, when)

    order = [image.image_id for image in store.images()]
    for reveal in store.reveals():
        one = reveal.image_id
        for image_id in order[: reveal.images] if one is None else [one]:
            note(reveal.reader_id, image_id, reveal.happened)
    for reading in readings:
        if reading.round is not ReadingRound.BLIND and reading.received is not None:
            note(reading.reader_id, reading.image_id, reading.received)
    return first


def has_seen(revealed: Iterable[tuple[int, str]]) -> dict[str, set[int]]:
    """Return reader ids by image id, for `worklist`, from pairs of a reader and an image id."""
    seen: defaultdict[str, set[int]] = defaultdict(set)
    for reader_id, image_id in revealed:
        seen[image_id].add(reader_id)
    return dict(seen)
