"""What the server has in mind of a study, so that no request has to go through all readings.

All of it follows from the store, and is made from it anew at each start.
"""

import threading
from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import islice

from cxrview.annotate.database.store import ReadingStore
from cxrview.annotate.database.study_log import reveal_of
from cxrview.annotate.effective import VERDICTS, EffectiveReadings, ReadingSlot, slot_of
from cxrview.annotate.progress import has_read
from cxrview.annotate.settle import settle
from cxrview.annotate.study import absolute_path
from cxrview.annotate.web.content_check import ContentCheck
from cxrview.annotate.web.group_commit import GroupCommitWriter
from cxrview.annotate.web.reading_list import Leases, ReadingList
from cxrview.annotate.web.settings import ServeSettings
from cxrview.annotate.worklist import showing_id, worklist
from cxrview.records import AnnotationStudy, LogEntry, Reader, Reading, Settled, StudyImage
from cxrview.terms import LabelStatus, ReadingRound, Role, StudyEvent


class LabelStatuses:
    """Settles again what a reading touched since the last look.

    Args:
        study: gives how many readings an image needs.
        standing: what stands, kept up to date by somebody else.
    """

    def __init__(self, study: AnnotationStudy, standing: EffectiveReadings) -> None:
        self._study, self._standing = study, standing
        self._readers: tuple[Reader, ...] = ()
        self._settled: dict[str, Settled] = {}
        self._touched: set[str] = set()
        self._conflicts: set[str] = set()

    def set_up(self, image_ids: Iterable[str], readers: Iterable[Reader]) -> None:
        """Take the images and readers of the study, when there are others than before."""
        self._readers = tuple(readers)
        self._touched = set(image_ids)

    def touch(self, image_id: str) -> None:
        """Say that something was said of this image."""
        self._touched.add(image_id)

    def all(self) -> dict[str, Settled]:
        """Where each image stands, by its id."""
        if self._touched:
            said = (r for image_id in self._touched for r in self._standing.of_image(image_id))
            now = settle(self._study, self._touched, said, self._readers)
            self._settled.update(now)
            self._conflicts -= self._touched
            self._conflicts |= {i for i, one in now.items() if one.how is LabelStatus.CONFLICT}
            self._touched = set()
        return self._settled

    def conflicts(self) -> set[str]:
        """Images that wait for an adjudicator."""
        self.all()
        return self._conflicts


RECENT = 200
"""Readings that can be undone after a page was loaded anew: three pages of thumbnails and more."""
_SHOWN = {StudyEvent.OPINION_SHOWN, StudyEvent.IMAGE_REVEALED}
"""Entries of the log that change nothing of what counts."""
_LOOK_SECONDS = 1.0
"""After which the store is looked at again for what others than this server wrote."""
Place = tuple[str, ReadingRound, int]
"""Image id, round and occasion: what a showing id stands for."""


class StudyState:
    """One study while it is served. Whoever uses its parts holds `lock`.

    Attributes:
        store: what is on the disk.
        study: what all readers have in common.
        lock: over everything that follows.
        standing: what the readings that were written come to.
        settlements: where the images stand.
        pen: by which readings are written.
        leases: which tab holds what.
        content: which files are still those that the study was made of.
        blind_round_closed: when it was; None while it is open.
        late_limit: how long after that what was read before it is still taken.
    """

    blind_round_closed: datetime | None
    late_limit: timedelta
    _lists: dict[int, ReadingList]
    _places: dict[int, dict[str, Place]]
    _recent: defaultdict[tuple[int, ReadingRound], dict[ReadingSlot, None]]
    _turn_of: dict[str, ReadingSlot]
    _opinion_shown: set[int]

    def __init__(self, store: ReadingStore, settings: ServeSettings) -> None:
        self.store, self.study = store, store.study
        self._clock = settings.clock
        self.lock = threading.RLock()
        self.pen = GroupCommitWriter(store)
        self.leases = Leases(settings.lease_seconds)
        self.content = ContentCheck()
        self._revealed: set[tuple[int, str]] = set()
        """Reader and image id: the reader has seen what others say of the image."""
        self._images: dict[str, StudyImage] = {}
        self._readers: tuple[Reader, ...] = ()
        self._entry = 0
        self._gone = store.withdrawn()
        self.late_limit = store.late_limit()
        self._opinion_shown = set()
        self._content_of: tuple[str, int] | None = None
        self._content_ids: dict[str, str] = {}
        self._looked = float("-inf")
        self._forget()
        self.look()

    @property
    def now(self) -> float:
        """Seconds of the clock, for leases."""
        return self._clock().timestamp()

    @property
    def time(self) -> datetime:
        """The server's time, by which it is decided what is blind."""
        return self._clock()

    @property
    def readers(self) -> tuple[Reader, ...]:
        """All of the study."""
        return self._readers

    @property
    def images(self) -> dict[str, StudyImage]:
        """All of the study, by id."""
        return self._images

    def look(self, *, at_once: bool = False) -> None:
        """See what the shell may have changed meanwhile: an import, a new reader, more images.

        Args:
            at_once: also where somebody looked a moment ago.
        """
        with self.lock:
            if not at_once and self.now - self._looked < _LOOK_SECONDS:
                return
            self._looked = self.now
            self.look_at_log()
            readers = self.store.readers()
            if readers != self._readers or self.store.count_images() != len(self._images):
                self._readers = readers
                self._images = {image.image_id: image for image in self.store.images()}
                self.settlements.set_up(self._images, readers)
                self._lists, self._places = {}, {}
            self.catch_up()

    def look_at_log(self) -> None:
        """See whether the blind round was closed or readings were withdrawn, at once."""
        with self.lock:
            self.blind_round_closed = self.store.blind_round_closed()
            entries = self.store.log(after=self._entry)
            if not entries:
                return
            self._entry = entries[-1].entry_id
            self._take_entries(entries)
            if {entry.what for entry in entries} <= _SHOWN:
                return
            self.late_limit = self.store.late_limit()
            gone = self.store.withdrawn()
            if gone != self._gone:
                self._gone = gone
                self._forget()
                self.settlements.set_up(self._images, self._readers)
                self.catch_up()

    def was_shown_opinion(self, reader: Reader) -> bool:
        """Whether the reader has seen what the model or others say of an image."""
        return reader.reader_id in self._opinion_shown

    def note_opinion_shown(self, reader: Reader) -> None:
        """Write down that the reader is about to see it: nothing is blind after that."""
        with self.lock:
            if self.blind_round_closed and not self.was_shown_opinion(reader):
                self.store.note_opinion_shown(reader.reader_id, self.time)
                self._opinion_shown.add(reader.reader_id)

    def record_reveals(
        self, reader: Reader, image_ids: Iterable[str], shown_in: ReadingRound
    ) -> None:
        """Write to the study's log, once each, that the reader is about to see what others say."""
        with self.lock:
            new = [one for one in image_ids if (reader.reader_id, one) not in self._revealed]
            if new:
                self.store.record_reveals(reader.reader_id, new, shown_in, self.time)
                self._revealed.update((reader.reader_id, one) for one in new)

    def record_reveal_of_all(self, reader: Reader) -> None:
        """Write the same of every image of the study, as before an export."""
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
        return any(slot[1] == image_id for slot in self.standing.flags)

    def _take_entries(self, entries: Iterable[LogEntry]) -> None:
        for entry in entries:
            if entry.what is StudyEvent.OPINION_SHOWN and entry.reader_id is not None:
                self._opinion_shown.add(entry.reader_id)
            elif reveal := reveal_of(entry):
                if reveal.image_id is not None:
                    image_ids = [reveal.image_id]
                else:
                    image_ids = [one.image_id for one in self.store.images()][: reveal.images]
                self._revealed.update((reveal.reader_id, one) for one in image_ids)

    def _forget(self) -> None:
        """Drop all that follows from the readings, to make it anew from those that count."""
        self.standing = EffectiveReadings()
        self.settlements = LabelStatuses(self.study, self.standing)
        self._lists, self._places = {}, {}
        self._recent = defaultdict(dict)
        self._turn_of = {}
        self._last = 0

    def catch_up(self) -> None:
        """Take in what was written, in the order in which it was."""
        with self.lock:
            for reading in self.store.every_reading(after=self._last):
                if not self._gone.holds(reading.reading_id, reading.reader_id):
                    self._take(reading)
                self._last = reading.reading_id

    def list_of(self, reader: Reader) -> ReadingList:
        """Give what a reader is to read blind. Making it takes a moment for a large study."""
        while True:
            with self.lock:
                found = self._lists.get(reader.reader_id)
                if found is not None:
                    return found
                images, readers = self._images, self._readers
                done = has_read(self.standing)
            showings = worklist(self.study, images.values(), readers, reader, has_read=done)
            made = ReadingList(showings)
            with self.lock:
                if images is self._images and readers is self._readers:
                    self._mark_all(reader, made)
                    return self._lists.setdefault(reader.reader_id, made)

    def place_of(self, reader: Reader, showing: str) -> Place | None:
        """Say what a showing id of this reader stands for; None where it is none of his.

        An image that has meanwhile become somebody else's to read is among them: a reading of it
        that waited in the browser is not lost.
        """
        if own := self.list_of(reader).find(showing):
            return own.image_id, ReadingRound.BLIND, own.occasion
        with self.lock:
            places = self._places.get(reader.reader_id)
            images = self._images
        if places is None:
            places = self._places_of(reader, images)
            with self.lock:
                if images is self._images:
                    self._places[reader.reader_id] = places
        return places.get(showing)

    def showing_of(self, reader: Reader, place: Place) -> str:
        """Name an image before a reader, as `place_of` knows it."""
        image_id, shown_in, occasion = place
        return showing_id(self.study, reader.reader_id, image_id, occasion, shown_in)

    def recent(self, reader: Reader, shown_in: ReadingRound) -> list[Reading]:
        """Give the reader's last verdicts in a round that stand, the last one first."""
        turns = reversed(self._recent[reader.reader_id, shown_in])
        return [self.standing.verdicts[turn] for turn in islice(turns, RECENT)]

    def owner_of(self, uid: str) -> int | None:
        """Whose reading has this uid: a reader id, or None where nobody's has."""
        turn = self._turn_of.get(uid)
        return None if turn is None else turn[0]

    def has_blind_left(self, reader: Reader) -> bool:
        """Whether the reader still has something to read blind."""
        return self.blind_round_closed is None and self.list_of(reader).left > 0

    def path_of(self, image_id: str) -> str:
        """Where an image lies, as only the store says."""
        return absolute_path(self.store, self._images[image_id].path)

    def content_id_at(self, path: str) -> str:
        """The digest that the file there must have; empty where nobody knows it."""
        root, images = self.store.study.root, self._images
        if self._content_of != (root, id(images)):
            self._content_of = root, id(images)
            self._content_ids = {self.path_of(one): i.content_id for one, i in images.items()}
        return self._content_ids.get(path, "")

    def _take(self, reading: Reading) -> None:
        self.standing.take(reading)
        turn = slot_of(reading)
        undone = self._turn_of.get(reading.undoes)
        if undone and undone[0] == reading.reader_id:
            turn = undone
        self._turn_of[reading.uid] = turn
        reader_id, image_id, shown_in, _ = turn
        self.settlements.touch(image_id)
        if shown_in is not ReadingRound.BLIND:  # of studies older than the entries in the log, too
            self._revealed.add((reader_id, image_id))
        recent = self._recent[reader_id, shown_in]
        if turn not in self.standing.verdicts:
            recent.pop(turn, None)
        elif reading.act in VERDICTS:
            recent.pop(turn, None)
            recent[turn] = None
            while len(recent) > 2 * RECENT:
                del recent[next(iter(recent))]
        reading_list = self._lists.get(reader_id)
        if reading_list is not None and shown_in is ReadingRound.BLIND:
            self._mark(reading_list, turn)

    def _mark(self, reading_list: ReadingList, turn: ReadingSlot) -> None:
        _, image_id, _, occasion = turn
        reading_list.mark(
            image_id,
            occasion,
            is_read=turn in self.standing.verdicts,
            is_postponed=turn in self.standing.postponed,
        )

    def _mark_all(self, reader: Reader, reading_list: ReadingList) -> None:
        # Those put off in the order in which they were.
        put_off = [turn for turn in self.standing.postponed if turn[0] == reader.reader_id]
        for one in reading_list.showings:
            turn = (reader.reader_id, one.image_id, ReadingRound.BLIND, one.occasion)
            if turn in self.standing.verdicts:
                self._mark(reading_list, turn)
        for turn in put_off:
            if turn[2] is ReadingRound.BLIND:
                self._mark(reading_list, turn)

    def _places_of(self, reader: Reader, image_ids: Iterable[str]) -> dict[str, Place]:
        rounds: list[tuple[ReadingRound, int]] = []
        if Role.READER in reader.roles:
            rounds += [(ReadingRound.BLIND, 0), (ReadingRound.BLIND, 1)]
        if Role.ADJUDICATOR in reader.roles:
            rounds += [(ReadingRound.ADJUDICATION, 0), (ReadingRound.SECOND_LOOK, 0)]
        places = [(image_id, *one) for image_id in image_ids for one in rounds]
        return {self.showing_of(reader, place): place for place in places}
