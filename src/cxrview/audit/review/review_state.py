"""The state of a running review: what is left, which tab holds what, and what was decided."""

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from cxrview.audit.review.decision_log import Decided, DecisionLog, Entry, Undone
from cxrview.audit.review.doubtful_images import DoubtfulImage
from cxrview.records.review_decision import ReviewDecision
from cxrview.terms import Projection, Ruling, View
from cxrview.web.leases import LEASE_SECONDS, Leases

UNDO, SKIP = "undo", "skip"


def now() -> datetime:
    """Return the current time in UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class SentAction:
    """What a page sends about one image."""

    uid: str
    """Drawn by the page: an action that is sent twice is written once."""
    showing: str
    act: str
    """A `Ruling`, UNDO or SKIP."""
    projection: Projection | None = None
    undoes: str = ""
    """For UNDO: the `uid` of the decision; empty if the image was only skipped."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How many images are decided."""

    total: int
    decided: int
    skipped: int
    """Skipped since the server started, and not decided."""

    @property
    def left(self) -> int:
        """Neither decided nor skipped."""
        return self.total - self.decided - self.skipped


class ReviewState:
    """State of one review; its methods may be called from any thread.

    Args:
        images: to be looked at, in the order in which they are shown.
        log: where decisions are written.
        reader: name of the person, written with each decision.
        clock: gives the current time.
    """

    def __init__(
        self,
        images: Sequence[DoubtfulImage],
        log: DecisionLog,
        reader: str,
        clock: Callable[[], datetime] = now,
    ) -> None:
        self._images, self._log, self._reader, self._clock = images, log, reader, clock
        self._showings = [image.showing for image in images]
        self._place = {showing: place for place, showing in enumerate(self._showings)}
        self._leases = Leases(LEASE_SECONDS)
        self._lock = threading.RLock()
        self._skipped: set[int] = set()
        self._decided = self._find_decided()
        self._first_left = 0
        """Every image before this place is decided or skipped."""

    def find(self, showing: str) -> DoubtfulImage | None:
        """The image of a showing; None if there is none."""
        place = self._place.get(showing)
        return None if place is None else self._images[place]

    def progress(self) -> Progress:
        """How many images are decided."""
        with self._lock:
            total, decided = len(self._images), len(self._decided)
            return Progress(total=total, decided=decided, skipped=len(self._skipped))

    def decision_on(self, image: DoubtfulImage) -> Decided | None:
        """The decision that counts for an image: on the file that the result is about."""
        with self._lock:
            found = self._log.find(image.path)
            if found is None or found.decision.content_id not in ("", image.content_id):
                return None
            return found

    def following(
        self, tab: str, count: int, held: Iterable[str], *, ahead: int = 0
    ) -> list[DoubtfulImage]:
        """Return the next images that are left, and lease them to a tab.

        Args:
            tab: that shows them; other tabs get other images for a while.
            count: how many, in addition to those that the tab holds.
            held: showings that the tab has already.
            ahead: how many to return after those, without leasing them.
        """
        with self._lock:
            moment, has = self._clock().timestamp(), set(held)
            self._leases.hold(tab, has & self._place.keys(), moment)
            while self._first_left < len(self._images) and not self._is_left(self._first_left):
                self._first_left += 1
            found: list[int] = []
            for place in range(self._first_left, len(self._images)):
                if len(found) >= count + ahead:
                    break
                showing = self._showings[place]
                is_free = self._leases.is_free(showing, tab, moment)
                if showing not in has and is_free and self._is_left(place):
                    found.append(place)
            self._leases.hold(tab, (self._showings[place] for place in found[:count]), moment)
            return [self._images[place] for place in found]

    def finished(self, tab: str, showings: Iterable[str]) -> list[str]:
        """Those of the showings that are decided, another tab's by now, or not of this review."""
        with self._lock:
            moment = self._clock().timestamp()
            return [
                one
                for one in showings
                if not self._is_left(self._place.get(one, len(self._images)))
                or not self._leases.is_free(one, tab, moment)
            ]

    def submit(self, actions: Iterable[SentAction]) -> dict[str, str]:
        """Write actions; those without a reason are on the disk when this returns.

        Returns:
            The reason for each `uid` that is refused.

        Raises:
            CannotWrite: the disk is full or fails; then none of them is written.
        """
        with self._lock:
            entries: list[Entry] = []
            taken: list[SentAction] = []
            refused: dict[str, str] = {}
            for action in actions:
                image = self.find(action.showing)
                reason = "the image is not part of this review"
                if image:
                    reason = _refusal(action, image)
                if image is None or reason:
                    refused[action.uid] = reason
                    continue
                taken.append(action)
                if action.act != SKIP and (action.act != UNDO or action.undoes):
                    entries.append(self._entry(action, image))
            self._log.append(entries)
            for action in taken:
                self._update(action)
            return refused

    def show_skipped_again(self) -> None:
        """Put skipped images back into the list."""
        with self._lock:
            self._skipped.clear()
            self._first_left = 0

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Let no decision in within the block, which may append to the log."""
        with self._lock:
            yield
            self._decided = self._find_decided()
            self._skipped -= self._decided
            self._first_left = 0

    def latest(self, most: int) -> list[tuple[DoubtfulImage, Decided]]:
        """The images of this review that were decided last, the last of them first."""
        with self._lock:
            decided = {one.decision.path: one for one in self._log.latest(most)}
            images = {self._images[place].path: self._images[place] for place in self._decided}
            return [(images[path], one) for path, one in decided.items() if path in images]

    def _find_decided(self) -> set[int]:
        return {place for place, image in enumerate(self._images) if self.decision_on(image)}

    def _is_left(self, place: int) -> bool:
        is_known = place < len(self._images)
        return is_known and place not in self._decided and place not in self._skipped

    def _update(self, action: SentAction) -> None:
        place = self._place[action.showing]
        self._skipped.discard(place)
        if self.decision_on(self._images[place]):
            self._decided.add(place)
        else:
            self._decided.discard(place)
            if action.act == SKIP:
                self._skipped.add(place)
        if self._is_left(place):
            self._first_left = min(self._first_left, place)

    def _entry(self, action: SentAction, image: DoubtfulImage) -> Entry:
        moment = self._clock()
        if action.act == UNDO:
            return Undone(uid=action.uid, path=image.path, undoes=action.undoes, decided_at=moment)
        ruling = Ruling(action.act)
        decision = ReviewDecision(
            path=image.path,
            content_id=image.content_id,
            proposed=image.proposed,
            decision=ruling,
            view=_view(ruling, image.proposed),
            projection=action.projection,
            reader=self._reader,
            decided_at=moment,
        )
        return Decided(uid=action.uid, decision=decision)


def _refusal(action: SentAction, image: DoubtfulImage) -> str:
    if action.act in (UNDO, SKIP) or action.projection is None:
        return ""
    if action.projection.view is not _view(Ruling(action.act), image.proposed):
        return f"{action.projection} is not a projection of the view that was decided"
    return ""


def _view(ruling: Ruling, proposed: View) -> View | None:
    """What the image shows by a person's decision: of two views, the other one if rejected."""
    if ruling is Ruling.UNREADABLE:
        return None
    if ruling is Ruling.ACCEPT:
        return proposed
    return View.LATERAL if proposed is View.FRONTAL else View.FRONTAL
