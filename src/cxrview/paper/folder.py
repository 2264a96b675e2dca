"""Where a run of the study keeps what."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cxrview.atomic_files import write_atomic
from cxrview.paper.candidates import Candidate


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyFolder:
    """The folder of one run; every stage has its own place in it.

    store/, external-store/     `cxrview prepare`
    split.csv                   `cxrview split`
    pre-trained/<name>/         `cxrview pretrain`
    candidates/<pre-training>/<fine-tuning>/   `cxrview finetune`
    model/                      `cxrview choose`
    assessment/                 `cxrview assess model`
    robustness/                 `cxrview robustness table`
    figures/, reproduction.html, CLAIM.md
    """

    root: Path

    @property
    def plan(self) -> Path:
        """What the run is made of, written first."""
        return self.root / "plan.json"

    @property
    def times(self) -> Path:
        """How long each stage took."""
        return self.root / "times.json"

    @property
    def store(self) -> Path:
        """Prepared images."""
        return self.root / "store"

    @property
    def external_store(self) -> Path:
        """Those of another labels file."""
        return self.root / "external-store"

    @property
    def split(self) -> Path:
        """As the scale has it."""
        return self.root / "split.csv"

    def pre_trained(self, name: str) -> Path:
        """Of one of the three."""
        return self.root / "pre-trained" / name

    @property
    def candidates(self) -> Path:
        """Of all nine."""
        return self.root / "candidates"

    def candidate(self, candidate: Candidate) -> Path:
        """Of one of the nine."""
        return self.candidates / candidate.pre_training / candidate.fine_tuning

    def features(self, pre_training: str) -> Path:
        """What its frozen trunk sees."""
        return self.candidates / pre_training / "features"

    @property
    def model(self) -> Path:
        """The chosen one, for `cxrview classify --model`."""
        return self.root / "model"

    @property
    def assessment(self) -> Path:
        """Scores and tables of the test images."""
        return self.root / "assessment"

    @property
    def robustness(self) -> Path:
        """Scores and table of the modified test images."""
        return self.root / "robustness"

    @property
    def figures(self) -> Path:
        """PNG and SVG."""
        return self.root / "figures"

    @property
    def page(self) -> Path:
        """All of it to read."""
        return self.root / "reproduction.html"

    @property
    def claim(self) -> Path:
        """The filled checklist."""
        return self.root / "CLAIM.md"


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
        write_atomic(self._path, json.dumps(self.seconds, indent=2) + "\n")


def _read(path: Path) -> dict[str, float]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        return {str(name): float(seconds) for name, seconds in found.items()}
    except (OSError, ValueError, AttributeError):
        return {}
