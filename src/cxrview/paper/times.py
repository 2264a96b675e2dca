"""Notes how long each stage of a run took, over all the calls that it took."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cxrview.atomic_files import write_whole

SECONDS_BETWEEN_NOTES = 10.0


class Times:
    """Wall seconds by stage, in a JSON file; what a killed run spent is lost to ten seconds.

    Args:
        path: of the file; it need not be there.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.seconds: dict[str, float] = _read(path)
        self._stage, self._since = "", 0.0

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Count the seconds that the block takes to those of a stage."""
        self._stage, self._since = name, time.monotonic()
        try:
            yield
        finally:
            self._note()
            self._stage = ""

    def tick(self) -> None:
        """Call now and then within a stage."""
        if self._stage and time.monotonic() - self._since > SECONDS_BETWEEN_NOTES:
            self._note()

    def _note(self) -> None:
        now = time.monotonic()
        spent = self.seconds.get(self._stage, 0.0) + now - self._since
        self.seconds[self._stage] = round(spent, 3)
        self._since = now
        write_whole(self._path, json.dumps(self.seconds, indent=2) + "\n")


def _read(path: Path) -> dict[str, float]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        return {str(name): float(seconds) for name, seconds in found.items()}
    except (OSError, ValueError, AttributeError):
        return {}
