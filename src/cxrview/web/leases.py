"""Leases: which browser tab holds which image, so that another tab is given a different one."""

from collections.abc import Iterable

LEASE_SECONDS = 120
"""How long a tab holds the images that it fetched, unless it renews its lease. An open tab does so
every 45 seconds (`RENEW_MS` in `static/tab_lease.js`)."""


class Leases:
    """Leases that expire. A holder that does not renew its leases loses all of them.

    Args:
        seconds: after which a lease expires unless it is renewed.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._holder_of: dict[str, str] = {}
        self._held_by: dict[str, set[str]] = {}
        self._until: dict[str, float] = {}

    def hold(self, holder: str, things: Iterable[str], now: float) -> None:
        """Lease the things that no other holder has, and renew all leases of this holder.

        Args:
            holder: the name of a tab.
            things: to be leased or renewed.
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
        """Whether no other holder has a valid lease of it."""
        other = self._holder_of.get(thing, holder)
        return other == holder or self._until[other] <= now

    def release(self, holder: str) -> None:
        """End all leases of a holder; an unknown holder has none."""
        self._until.pop(holder, None)
        for thing in self._held_by.pop(holder, ()):
            del self._holder_of[thing]

    def end(self, things: Iterable[str]) -> None:
        """End the leases of these things, of any holder."""
        for thing in things:
            holder = self._holder_of.pop(thing, None)
            if holder is not None:
                self._held_by[holder].discard(thing)

    def release_others(self, start: str, but: str) -> None:
        """End the leases of all holders whose names begin with `start`, except `but`."""
        for holder in [one for one in self._until if one.startswith(start)]:
            if holder != but and not holder.startswith(f"{but}/"):
                self.release(holder)
