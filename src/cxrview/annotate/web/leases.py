"""Which tab holds which image for the moment, so that two tabs of a reader show different ones."""

from collections.abc import Iterable


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
