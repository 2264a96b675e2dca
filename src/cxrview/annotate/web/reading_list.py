"""A reader's list of the blind round: what comes next and what has been read."""

from collections.abc import Callable, Iterable

from cxrview.annotate.worklist import Showing


class ReadingList:
    """Showings in the reader's own order.

    A hidden repeat comes only after its first showing has been read. Otherwise a page of sixty
    thumbnails might show an image twice.

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
        """Return the showing with this id; None if it is not on the list."""
        place = self._place.get(showing_id)
        return None if place is None else self._showings[place]

    def showing_of(self, image_id: str, occasion: int) -> Showing | None:
        """Return the showing of an image; None if it is not on the list."""
        place = self._place_of.get((image_id, occasion))
        return None if place is None else self._showings[place]

    def is_read(self, image_id: str) -> bool:
        """Whether every showing of an image has been read; true if the list has none."""
        places = (self._place_of.get((image_id, occasion)) for occasion in (0, 1))
        return all(self._is_read[place] for place in places if place is not None)

    def mark(self, image_id: str, occasion: int, *, is_read: bool, is_postponed: bool) -> None:
        """Set the state of a showing; a postponed one goes to the end of the list."""
        place = self._place_of.get((image_id, occasion))
        if place is None:  # imported, of an image on another reader's list
            return
        self.done += is_read - self._is_read[place]
        self._is_read[place] = is_read
        self._postponed.pop(place, None)
        if is_postponed:
            self._postponed[place] = None
        self._first = min(self._first, place)

    def following(self, count: int, is_wanted: Callable[[str], bool]) -> list[Showing]:
        """Return the next showings that are not read, postponed ones last.

        Args:
            count: how many at most.
            is_wanted: takes a showing id; whether it may be returned.
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
