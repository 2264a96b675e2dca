"""In-memory state of the study that is served, rebuilt from the database at each start.

It saves each request from reading all readings again.
"""

import threading
from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import islice

from cxrview.annotate.database.store import ReadingStore
from cxrview.annotate.database.study_log import reveal_of
from cxrview.annotate.effective import VERDICTS, EffectiveReadings, ReadingSlot, slot_of
from cxrview.annotate.progress import count_without_reader, has_read
from cxrview.annotate.revealed import has_seen
from cxrview.annotate.study import absolute_path
from cxrview.annotate.web.content_check import ContentCheck
from cxrview.annotate.web.group_commit import GroupCommitWriter
from cxrview.annotate.web.label_statuses import LabelStatuses
from cxrview.annotate.web.reading_list import ReadingList
from cxrview.annotate.web.settings import ServeSettings
from cxrview.annotate.worklist import showing_id, worklist
from cxrview.records.annotation import LogEntry, Reader, Reading, StudyImage
from cxrview.terms import ReadingRound, Role, StudyEvent
from cxrview.web.leases import Leases

RECENT = 200
"""Readings of a reader that can be undone after a reload: more than three pages of thumbnails."""
_REVEALING = {StudyEvent.OPINION_SHOWN, StudyEvent.IMAGE_REVEALED}
"""Entries of the log that do not change which readings count."""
_REFRESH_SECONDS = 1.0
"""The database is read again after this time, for changes that the command line made."""
ShownImage = tuple[str, ReadingRound, int]
"""What a showing id stands for: image id, round and occasion."""


class StudyState:
    """The state of the served study. A caller that uses its attributes holds `lock`.

    Attributes:
        store: the open study in its database.
        study: the settings that all readers share.
        lock: protects the attributes below.
        effective: the effective readings of all readers.
        label_statuses: the label status of every image.
        writer: writes readings to the database.
        leases: which browser tab holds which image.
        content: which files were replaced after the study was created.
        blind_round_closed: when the blind round was closed; None while it is open.
        late_limit: for how long after the closing an earlier reading is still accepted.
    """

    blind_round_closed: datetime | None
    late_limit: timedelta
    _lists: dict[int, ReadingList]
    _places: dict[int, dict[str, ShownImage]]
    _recent: defaultdict[tuple[int, ReadingRound], dict[ReadingSlot, None]]
    _slot_by_uid: dict[str, ReadingSlot]
    _opinion_shown: set[int]

    def __init__(self, store: ReadingStore, settings: ServeSettings) -> None:
        self.store, self.study = store, store.study
        self._clock = settings.clock
        self.lock = threading.RLock()
        self.writer = GroupCommitWriter(store)
        self.leases = Leases(settings.lease_seconds)
        self.content = ContentCheck()
        self._revealed: set[tuple[int, str]] = set()
        """Reader id and image id: the reader has seen what others say of the image."""
        self._images: dict[str, StudyImage] = {}
        self._readers: tuple[Reader, ...] = ()
        self._entry = 0
        self._withdrawn = store.withdrawn()
        self.late_limit = store.late_limit()
        self._opinion_shown = set()
        self._content_of: tuple[str, int] | None = None
        self._content_ids: dict[str, str] = {}
        self._refreshed = float("-inf")
        self._reset()
        self.refresh()

    @property
    def now(self) -> float:
        """Return the time in seconds since 1970, for leases."""
        return self._clock().timestamp()

    @property
    def time(self) -> datetime:
        """Return the server's time, which decides what is blind."""
        return self._clock()

    @property
    def readers(self) -> tuple[Reader, ...]:
        """Return all readers of the study."""
        return self._readers

    @property
    def images(self) -> dict[str, StudyImage]:
        """Return all images of the study, by image id."""
        return self._images

    def refresh(self, *, at_once: bool = False) -> None:
        """Read changes from the database: imports, new or changed readers, more images.

        Args:
            at_once: also if it was read within the last second.
        """
        with self.lock:
            if not at_once and self.now - self._refreshed < _REFRESH_SECONDS:
                return
            self._refreshed = self.now
            self.refresh_log()
            readers = self.store.readers()
            if readers != self._readers or self.store.count_images() != len(self._images):
                self._readers = readers
                self._images = {image.image_id: image for image in self.store.images()}
                self.label_statuses.set_up(self._images, readers)
                self._lists, self._places = {}, {}
            self.apply_new_readings()

    def refresh_log(self) -> None:
        """Read from the study log whether the round was closed or readings were withdrawn."""
        with self.lock:
            self.blind_round_closed = self.store.blind_round_closed()
            entries = self.store.log(after=self._entry)
            if not entries:
                return
            self._entry = entries[-1].entry_id
            self._apply_entries(entries)
            if {entry.what for entry in entries} <= _REVEALING:
                return
            self.late_limit = self.store.late_limit()
            withdrawn = self.store.withdrawn()
            if withdrawn != self._withdrawn:
                self._withdrawn = withdrawn
                self._reset()
                self.label_statuses.set_up(self._images, self._readers)
                self.apply_new_readings()

    def was_shown_opinion(self, reader: Reader) -> bool:
        """Whether the reader has seen what the model or others say of any image, once closed."""
        return reader.reader_id in self._opinion_shown

    def note_opinion_shown(self, reader: Reader) -> None:
        """Record that the reader is about to see what the model or others say.

        None of their readings is blind after that.
        """
        with self.lock:
            if self.blind_round_closed and not self.was_shown_opinion(reader):
                self.store.note_opinion_shown(reader.reader_id, self.time)
                self._opinion_shown.add(reader.reader_id)

    def record_reveals(
        self, reader: Reader, image_ids: Iterable[str], shown_in: ReadingRound
    ) -> None:
        """Record, once for each image, that the reader is about to see what others say of it."""
        with self.lock:
            new = [one for one in image_ids if (reader.reader_id, one) not in self._revealed]
            if new:
                self.store.record_reveals(reader.reader_id, new, shown_in, self.time)
                self._revealed.update((reader.reader_id, one) for one in new)

    def record_reveal_of_all(self, reader: Reader) -> None:
        """Record that the reader is about to see what others say of every image, in an export."""
        with self.lock:
            if any((reader.reader_id, one) not in self._revealed for one in self._images):
                self.store.record_reveal_of_all(reader.reader_id, len(self._images), self.time)
                self._revealed.update((reader.reader_id, one) for one in self._images)

    def was_revealed(self, reader: Reader, image_id: str) -> bool:
        """Whether the reader has seen what others say of an image, or has ever settled it."""
        with self.lock:
            return (reader.reader_id, image_id) in self._revealed

    def is_flagged(self, image_id: str) -> bool:
        """Whether any reader has flagged an image for discussion."""
        return any(slot[1] == image_id for slot in self.effective.flags)

    def _apply_entries(self, entries: Iterable[LogEntry]) -> None:
        for entry in entries:
            if entry.what is StudyEvent.OPINION_SHOWN and entry.reader_id is not None:
                self._opinion_shown.add(entry.reader_id)
            elif reveal := reveal_of(entry):
                if reveal.image_id is not None:
                    image_ids = [reveal.image_id]
                else:
                    image_ids = [one.image_id for one in self.store.images()][: reveal.images]
                self._revealed.update((reveal.reader_id, one) for one in image_ids)

    def _reset(self) -> None:
        """Drop everything that is computed from readings, to compute it from those that count."""
        self.effective = EffectiveReadings()
        self.label_statuses = LabelStatuses(self.study, self.effective)
        self._lists, self._places = {}, {}
        self._recent = defaultdict(dict)
        self._slot_by_uid = {}
        self._last = 0

    def apply_new_readings(self) -> None:
        """Apply the readings that were appended since the last call, in their order."""
        with self.lock:
            for reading in self.store.every_reading(after=self._last):
                if not self._withdrawn.holds(reading.reading_id, reading.reader_id):
                    self._apply(reading)
                self._last = reading.reading_id

    def list_of(self, reader: Reader) -> ReadingList:
        """Return the reader's list of the blind round. The first call is slow for a large study."""
        while True:
            with self.lock:
                found = self._lists.get(reader.reader_id)
                if found is not None:
                    return found
                images, readers = self._images, self._readers
                done, seen = has_read(self.effective), has_seen(self._revealed)
            showings = worklist(
                self.study, images.values(), readers, reader, has_read=done, has_seen=seen
            )
            made = ReadingList(showings)
            with self.lock:
                if images is self._images and readers is self._readers:
                    self._mark_all(reader, made)
                    return self._lists.setdefault(reader.reader_id, made)

    def place_of(self, reader: Reader, showing: str) -> ShownImage | None:
        """Return what a showing id of this reader stands for; None if it is not one of theirs.

        Images that now belong to another reader's list are found too, so that a reading that
        waited in the browser is not lost.
        """
        if own := self.list_of(reader).find(showing):
            return own.image_id, ReadingRound.BLIND, own.occasion
        with self.lock:
            places = self._places.get(reader.reader_id)
            images = self._images
        if places is None:
            places = self._all_places(reader, images)
            with self.lock:
                if images is self._images:
                    self._places[reader.reader_id] = places
        return places.get(showing)

    def showing_of(self, reader: Reader, place: ShownImage) -> str:
        """Return the showing id of an image for a reader; the inverse of `place_of`."""
        image_id, shown_in, occasion = place
        return showing_id(self.study, reader.reader_id, image_id, occasion, shown_in)

    def recent(self, reader: Reader, shown_in: ReadingRound) -> list[Reading]:
        """Return the reader's effective verdicts of a round, the latest first, at most `RECENT`."""
        slots = reversed(self._recent[reader.reader_id, shown_in])
        return [self.effective.verdicts[slot] for slot in islice(slots, RECENT)]

    def owner_of(self, uid: str) -> int | None:
        """Return the id of the reader whose reading has this uid; None if there is none."""
        slot = self._slot_by_uid.get(uid)
        return None if slot is None else slot[0]

    def place_of_reading(self, uid: str) -> ShownImage | None:
        """Return the image, round and occasion of the reading with this uid; None if unknown."""
        slot = self._slot_by_uid.get(uid)
        return None if slot is None else slot[1:]

    def count_without_reader(self) -> int:
        """Count images that lack a reader because the others have seen what was said of them."""
        if self.blind_round_closed is not None:
            return 0
        of = {one.reader_id: one for one in self.readers if Role.READER in one.roles}
        shown = {number: self.list_of(one).showings for number, one in of.items()}
        with self.lock:
            seen = has_seen(self._revealed)
        return count_without_reader(self.study, of.values(), shown, seen)

    def has_blind_left(self, reader: Reader) -> bool:
        """Whether the blind round is open and the reader has readings left in it."""
        return self.blind_round_closed is None and self.list_of(reader).left > 0

    def path_of(self, image_id: str) -> str:
        """Return the absolute path or URL of an image."""
        return absolute_path(self.store, self._images[image_id].path)

    def content_id_at(self, path: str) -> str:
        """Return the digest that the file at a path must have; empty if it is not known."""
        root, images = self.store.study.root, self._images
        if self._content_of != (root, id(images)):
            self._content_of = root, id(images)
            self._content_ids = {self.path_of(one): i.content_id for one, i in images.items()}
        return self._content_ids.get(path, "")

    def _apply(self, reading: Reading) -> None:
        self.effective.add(reading)
        slot = slot_of(reading)
        self._slot_by_uid[reading.uid] = slot
        reader_id, image_id, shown_in, _ = slot
        self.label_statuses.touch(image_id)
        if shown_in is not ReadingRound.BLIND:  # older studies have no such entry in the log
            self._revealed.add((reader_id, image_id))
        recent = self._recent[reader_id, shown_in]
        if slot not in self.effective.verdicts:
            recent.pop(slot, None)
        elif reading.act in VERDICTS:
            recent.pop(slot, None)
            recent[slot] = None
            while len(recent) > 2 * RECENT:
                del recent[next(iter(recent))]
        reading_list = self._lists.get(reader_id)
        if reading_list is not None and shown_in is ReadingRound.BLIND:
            self._mark(reading_list, slot)

    def _mark(self, reading_list: ReadingList, slot: ReadingSlot) -> None:
        _, image_id, _, occasion = slot
        reading_list.mark(
            image_id,
            occasion,
            is_read=slot in self.effective.verdicts,
            is_postponed=slot in self.effective.postponed,
        )

    def _mark_all(self, reader: Reader, reading_list: ReadingList) -> None:
        # Postponed images come back in the order in which they were postponed.
        postponed = [slot for slot in self.effective.postponed if slot[0] == reader.reader_id]
        for one in reading_list.showings:
            slot = (reader.reader_id, one.image_id, ReadingRound.BLIND, one.occasion)
            if slot in self.effective.verdicts:
                self._mark(reading_list, slot)
        for slot in postponed:
            if slot[2] is ReadingRound.BLIND:
                self._mark(reading_list, slot)

    def _all_places(self, reader: Reader, image_ids: Iterable[str]) -> dict[str, ShownImage]:
        rounds: list[tuple[ReadingRound, int]] = []
        if Role.READER in reader.roles:
            rounds += [(ReadingRound.BLIND, 0), (ReadingRound.BLIND, 1)]
        if Role.ADJUDICATOR in reader.roles:
            rounds += [(ReadingRound.ADJUDICATION, 0), (ReadingRound.SECOND_LOOK, 0)]
        places = [(image_id, *one) for image_id in image_ids for one in rounds]
        return {self.showing_of(reader, place): place for place in places}
