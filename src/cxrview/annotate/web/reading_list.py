"""One reader's list in the blind round, and how far it is read."""

from collections.abc import Callable, Iterable

from cxrview.annotate.worklist import Showing


class ReadingList:
    """Showings in the reader's own order. Telling what comes next costs what is asked for.

    A hidden repeat waits until its first showing has been read, or a page of sixty might show
    an image twice.

    Attributes:
        done: showings that have been read.
    """

    def __init__(self, showings: Iterable[Showing]) -> None:
        self._showings = tuple(showings)
        self._place = {one.showing_id: n for n, one in enumerate(self._showings)}
        self._place_of = {(one.image_id, one.occasion): n for n, one in enumerate(self._showings)}
        self._is_read = bytearray(len(self._showings))
        self._postponed: dict[int, None] = {}
        self._first = 0
        self.done = 0

    def __len__(self) -> int:
        return len(self._showings)

    @property
    def left(self) -> int:
        """Showings that have not been read."""
        return len(self._showings) - self.done

    @property
    def showings(self) -> tuple[Showing, ...]:
        """All of them, in order."""
        return self._showings

    def find(self, showing_id: str) -> Showing | None:
        """Find a showing by its id; None where the list has none such."""
        place = self._place.get(showing_id)
        return None if place is None else self._showings[place]

    def showing_of(self, image_id: str, occasion: int) -> Showing | None:
        """Find the showing of an image; None where it is not for this reader."""
        place = self._place_of.get((image_id, occasion))
        return None if place is None else self._showings[place]

    def is_read(self, image_id: str) -> bool:
        """Whether every showing of an image has been read, or there is none."""
        places = (self._place_of.get((image_id, occasion)) for occasion in (0, 1))
        return all(self._is_read[place] for place in places if place is not None)

    def mark(self, image_id: str, occasion: int, *, is_read: bool, is_postponed: bool) -> None:
        """Take note of where a showing stands; one that is postponed goes behind all others."""
        place = self._place_of.get((image_id, occasion))
        if place is None:  # read by import, though it is another reader's
            return
        self.done += is_read - self._is_read[place]
        self._is_read[place] = is_read
        self._postponed.pop(place, None)
        if is_postponed:
            self._postponed[place] = None
        self._first = min(self._first, place)

    def following(self, count: int, is_wanted: Callable[[str], bool]) -> list[Showing]:
        """Give the next that are not read, postponed ones last.

        Args:
            count: how many at the most.
            is_wanted: by showing id, whether it may be among them.
        """
        while self._first < len(self._showings) and self._is_past(self._first):
            self._first += 1
        found: list[Showing] = []
        ahead = (n for n in range(self._first, len(self._showings)) if not self._is_past(n))
        for places in (ahead, iter(self._postponed)):
            for place in places:
                if len(found) >= count:
                    return found
                one = self._showings[place]
                if self._is_ready(one) and is_wanted(one.showing_id):
                    found.append(one)
        return found

    def _is_ready(self, one: Showing) -> bool:
        return one.occasion == 0 or bool(self._is_read[self._place_of[one.image_id, 0]])

    def _is_past(self, place: int) -> bool:
        return bool(self._is_read[place]) or place in self._postponed


class Leases:
    """Holders of things for a while. A holder who is not heard of loses all that it holds.

    Args:
        seconds: after which that is.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._holder_of: dict[str, str] = {}
        self._held_by: dict[str, set[str]] = {}
        self._until: dict[str, float] = {}

    def hold(self, holder: str, things: Iterable[str], now: float) -> None:
        """Hold what nobody else holds, and go on holding what one has.

        Args:
            holder: such as a tab.
            things: that it has or takes.
            now: seconds of a clock.
        """
        for late in [name for name, until in self._until.items() if until <= now]:
            self.release(late)
        self._until[holder] = now + self._seconds
        held = self._held_by.setdefault(holder, set())
        for thing in things:
            if self._holder_of.setdefault(thing, holder) == holder:
                held.add(thing)

    def is_free(self, thing: str, holder: str, now: float) -> bool:
        """Whether nobody but the holder has it."""
        other = self._holder_of.get(thing, holder)
        return other == holder or self._until[other] <= now

    def release(self, holder: str) -> None:
        """Let go of all that a holder has; one that is not known has nothing."""
        self._until.pop(holder, None)
        for thing in self._held_by.pop(holder, ()):
            del self._holder_of[thing]

    def release_others(self, start: str, but: str) -> None:
        """Let go of what holders have whose names begin with `start`, but for `but`."""
        for holder in [one for one in self._until if one.startswith(start)]:
            if holder != but and not holder.startswith(f"{but}/"):
                self.release(holder)
