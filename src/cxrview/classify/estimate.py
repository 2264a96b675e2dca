"""Estimate how long a run over an archive will take, from a sample; nothing is written.

Every file is found and counted, and a sample is read as a run would read it. The estimate is the
time of the sample, scaled by the number of files. It is divided among the kinds of files by the
seconds that the workers spent on each, and its interval follows from how much these differ between
files.
"""

import random
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import sqrt
from statistics import fmean, stdev

from cxrview.classify.engine import classify_files
from cxrview.classify.model import Model
from cxrview.classify.options import ClassifyOptions
from cxrview.classify.selection import Selected, Selection
from cxrview.records.classification import Failure, Outcome
from cxrview.sources.paths import unique_paths
from cxrview.terms import Decision

SAMPLE = 256
"""Files read: a kind that 2 % of the files have is missed in 1 of 176 samples (0.98^256)."""
Z_95 = 1.96
"""Half the width of a 95 % interval in standard errors."""
FAILED, SKIPPED, PICTURE = "failed", "skipped", "picture"
"""Kinds of files besides transfer syntaxes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EstimatedKind:
    """Files of one kind."""

    kind: str
    """A transfer syntax UID, or FAILED, SKIPPED (by the header) or PICTURE (PNG, JPEG, TIFF)."""
    sampled: int
    files: float
    """Number of them in the whole archive."""
    seconds: float
    """Time of a run for all of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """The number of files and the estimated time of a run."""

    files: int
    """Number of files, counted and not estimated."""
    sampled: int
    known: int
    """Files left out because an earlier result has them."""
    kinds: tuple[EstimatedKind, ...]
    """Sorted by time, the longest first."""
    half_width: float | None
    """Half the 95 % interval of `seconds`, relative to it, by the spread among the sample's files
    alone; 0.0 if all files were read, None if the sample is too small."""

    @property
    def seconds(self) -> float:
        """Time of the whole run."""
        return sum(kind.seconds for kind in self.kinds)


def estimate_run(
    paths: Iterable[str],
    selection: Selection,
    model: Model,
    options: ClassifyOptions,
    *,
    sample: int = SAMPLE,
    seed: int = 0,
) -> Estimate:
    """Count the files and read a sample of them.

    Args:
        paths: from `find_images`; only those of the sample are kept in memory. Duplicates count
            once.
            selection: which of the paths to count.
            model: from `load_model`.
            options: of the run to be estimated.
            sample: number of files to read; all files if there are no more.
            seed: of the random sample.

    Raises:
        WorkerStartError: the processes that read files cannot be started.
    """
    selected = Selected(unique_paths(paths), selection)
    drawn, files = _draw(selected, sample, seed)
    spent: dict[str, float] = {}
    begins: list[float] = []

    def taken() -> Iterator[str]:
        begins.append(time.monotonic())
        yield from drawn

    # All readers are started first: the time to load their libraries counts once per run, and
    # must not be scaled with the number of files.
    outcomes = (
        list(classify_files(taken(), model, options, on_read=spent.__setitem__, starts_all=True))
        if drawn
        else []
    )
    seconds = time.monotonic() - begins[0] if begins else 0.0
    by_kind = Counter(_kind(outcome) for outcome in outcomes)
    worked: defaultdict[str, float] = defaultdict(float)
    for outcome in outcomes:
        worked[_kind(outcome)] += spent[_path(outcome)]
    scale = files / len(drawn) if drawn else 0.0
    share = seconds * scale / (sum(worked.values()) or 1.0)
    kinds = [
        EstimatedKind(kind=kind, sampled=n, files=n * scale, seconds=worked[kind] * share)
        for kind, n in by_kind.items()
    ]
    return Estimate(
        files=files,
        sampled=len(drawn),
        known=selected.known,
        kinds=tuple(sorted(kinds, key=lambda kind: -kind.seconds)),
        half_width=_half_width(list(spent.values()), files),
    )


def _half_width(seconds: list[float], files: int) -> float | None:
    """Compute half the 95 % interval of a total, relative to it, from a sample of `files`.

    Returns:
        0.0 if the sample is all files; None if it is too small.
    """
    count = len(seconds)
    if count == files:
        return 0.0
    if count < 2 or not (mean := fmean(seconds)):
        return None
    left_out = (files - count) / (files - 1)
    return Z_95 * stdev(seconds, mean) / mean * sqrt(left_out / count)


def _draw(paths: Iterable[str], most: int, seed: int) -> tuple[list[str], int]:
    """Draw `most` paths with equal probability, in their order, and count all."""
    rng = random.Random(seed)
    drawn: list[tuple[int, str]] = []
    count = 0
    for number, path in enumerate(paths):
        count += 1
        if len(drawn) < most:
            drawn.append((number, path))
        elif (place := rng.randrange(count)) < most:
            drawn[place] = (number, path)
    return [path for _, path in sorted(drawn)], count


def _path(outcome: Outcome) -> str:
    return outcome.path if isinstance(outcome, Failure) else outcome.instance.path


def _kind(outcome: Outcome) -> str:
    if isinstance(outcome, Failure):
        return FAILED
    if outcome.decision is Decision.SKIPPED:
        return SKIPPED
    return outcome.instance.transfer_syntax or PICTURE
