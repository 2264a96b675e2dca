"""The classes of ILSVRC, and the hundred of them for the paper's subset pre-training."""

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cxrview.errors import UsageError

SUBSET_CLASSES = 100
_NATURAL = ("plant", "geologic formation", "natural object", "fungus")
_SAMPLED = "artifact"


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageNetClass:
    """One class of ILSVRC and its WordNet category."""

    index: int
    """Index in the output of the published model, 0 to 999."""
    wnid: str
    category: str
    """plant, geologic formation, natural object, fungus, artifact or other."""


def read_classes(path: Path) -> list[ImageNetClass]:
    """Read a list of classes: CSV with `index, wnid, category`.

    Raises:
        UsageError: a column is missing, an index is not a number, or a wnid is repeated.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as rows:
            classes = [
                ImageNetClass(index=int(r["index"]), wnid=r["wnid"], category=r["category"])
                for r in csv.DictReader(rows)
            ]
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise UsageError(
            f"{path} is not a list of ILSVRC classes",
            "It needs the columns index, wnid and category, and one class per line",
        ) from error
    if len({c.wnid for c in classes}) < len(classes):
        raise UsageError(f"{path} repeats a class")
    return classes


def subset_classes(
    classes: Sequence[ImageNetClass], *, seed: int, available: Iterable[str] | None = None
) -> tuple[ImageNetClass, ...]:
    """Choose the hundred classes of the subset, in order of their indices.

    These are every plant, geologic formation, natural object and fungus, and artifacts sampled by
    seed to make a hundred (ours: the paper does not list its hundred).

    Args:
        classes: the complete list.
        seed: decides which artifacts.
        available: wnids that have pictures; all if None.

    Raises:
        UsageError: the rule does not give a hundred classes.

    Source:
        Paper, section 3: plants, geologic formations, natural objects, fungi, artifacts.
    """
    within = None if available is None else frozenset(available)
    known = [c for c in classes if within is None or c.wnid in within]
    natural = [c for c in known if c.category in _NATURAL]
    # By wnid, so that the sample does not depend on the order of the file.
    artifacts = sorted((c for c in known if c.category == _SAMPLED), key=lambda c: c.wnid)
    wanted = SUBSET_CLASSES - len(natural)
    if not 0 <= wanted <= len(artifacts):
        raise UsageError(
            f"the subset has {SUBSET_CLASSES} classes, but there are {len(natural)} natural ones "
            f"and {len(artifacts)} artifacts",
            "Give it pictures of more classes",
        )
    drawn = np.random.default_rng(seed).choice(len(artifacts), wanted, replace=False)
    return tuple(sorted([*natural, *(artifacts[k] for k in drawn)], key=lambda c: c.index))
