"""When deliveries that failed are tried again."""

import heapq
from collections.abc import Iterable


class RetryTimes:
    """The times of the next tries, by destination.

    They are kept in memory, by a clock that only runs forward: after a restart every delivery that
    failed before is due at once, and a change of the wall clock has no effect.

    Args:
        tried: (delivery, destination, tries) of those that failed before.
    """

    def __init__(self, tried: Iterable[tuple[int, str, int]]) -> None:
        self._due: dict[int, float] = {}
        self._heaps: dict[str, list[tuple[float, int]]] = {}
        for delivery, destination, _ in tried:
            self.add(destination, delivery, 0.0)

    def add(self, destination: str, delivery: int, due: float) -> None:
        """Set the time of the next try."""
        self._due[delivery] = due
        heapq.heappush(self._heaps.setdefault(destination, []), (due, delivery))

    def drop(self, delivery: int) -> None:
        """Forget a delivery, which was stored or given up."""
        self._due.pop(delivery, None)

    def due(self, destination: str, now: float, most: int) -> list[int]:
        """The deliveries whose time has come, the longest due first."""
        heap = self._heaps.get(destination, [])
        found: list[tuple[float, int]] = []
        while heap and heap[0][0] <= now and len(found) < most:
            due, delivery = heapq.heappop(heap)
            if self._due.get(delivery) == due:  # otherwise it was dropped, or has another time
                found.append((due, delivery))
        for one in found:  # due until it is recorded
            heapq.heappush(heap, one)
        return [delivery for _, delivery in found]
