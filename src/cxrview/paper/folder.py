"""The folder of a run of the study, and the times of its stages."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cxrview.json_file import read_json, write_json
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
    paper-choice/               the paper's candidate, exported and assessed, if another was chosen
    figures/, reproduction.html, CLAIM.md, pre-training.csv
    """

    root: Path

    @property
    def plan(self) -> Path:
        """Conditions of the run, written first."""
        return self.root / "plan.json"

    @property
    def times(self) -> Path:
        """Seconds of each stage."""
        return self.root / "times.json"

    @property
    def store(self) -> Path:
        """Prepared images."""
        return self.root / "store"

    @property
    def external_store(self) -> Path:
        """Prepared external images of another labels file."""
        return self.root / "external-store"

    @property
    def split(self) -> Path:
        """The split, scaled."""
        return self.root / "split.csv"

    def pre_trained(self, name: str) -> Path:
        """Folder of one of the three pre-trained models."""
        return self.root / "pre-trained" / name

    @property
    def candidates(self) -> Path:
        """Folder of all nine candidates."""
        return self.root / "candidates"

    def candidate(self, candidate: Candidate) -> Path:
        """Folder of one candidate."""
        return self.candidates / candidate.pre_training / candidate.fine_tuning

    def features(self, pre_training: str) -> Path:
        """Features of the frozen trunk of a pre-trained model."""
        return self.candidates / pre_training / "features"

    @property
    def model(self) -> Path:
        """The chosen model, for `cxrview classify --model`."""
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
    def paper_choice(self) -> Path:
        """Model and assessment of the paper's candidate, where another one was chosen."""
        return self.root / "paper-choice"

    @property
    def figures(self) -> Path:
        """Figures as PNG and SVG."""
        return self.root / "figures"

    @property
    def page(self) -> Path:
        """The page with all results."""
        return self.root / "reproduction.html"

    @property
    def claim(self) -> Path:
        """The CLAIM checklist."""
        return self.root / "CLAIM.md"


SECONDS_BETWEEN_SAVES = 10.0


class Times:
    """Wall seconds by stage, in a JSON file; a killed run loses at most ten seconds.

    Args:
        path: of the file, which need not exist.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.seconds: dict[str, float] = _read(path)
        self._stage, self._since = "", 0.0

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Add the seconds of the block to a stage."""
        self._stage, self._since = name, time.monotonic()
        try:
            yield
        finally:
            self._save()
            self._stage = ""

    def tick(self) -> None:
        """Save the time of the running stage, if ten seconds have passed."""
        if self._stage and time.monotonic() - self._since > SECONDS_BETWEEN_SAVES:
            self._save()

    def _save(self) -> None:
        now = time.monotonic()
        spent = self.seconds.get(self._stage, 0.0) + now - self._since
        self.seconds[self._stage] = round(spent, 3)
        self._since = now
        write_json(self._path, self.seconds)


def _read(path: Path) -> dict[str, float]:
    try:
        return {name: float(seconds) for name, seconds in read_json(path).items()}
    except (OSError, ValueError, TypeError):
        return {}
