"""The classes of ILSVRC, and the hundred of them that the paper's subset pre-training takes."""

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cxrview.errors import UsageError

SUBSET_CLASSES = 100
_WHOLE = ("plant", "geologic formation", "natural object", "fungus")
_DRAWN = "artifact"


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageNetClass:
    """One class of ILSVRC with its category by WordNet."""

    index: int
    """Place in the published network's output, 0 to 999."""
    wnid: str
    category: str
    """plant, geologic formation, natural object, fungus, artifact or other."""


def read_classes(path: Path) -> list[ImageNetClass]:
    """Read a list of classes: CSV with `index, wnid, category`.

    Raises:
        UsageError: a column is missing, an index is no number, or a wnid stands twice.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as rows:
            classes = [
                ImageNetClass(index=int(r["index"]), wnid=r["wnid"], category=r["category"])
                for r in csv.DictReader(rows)
            ]
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise UsageError(
            f"{path} is no list of ILSVRC classes",
            "It needs the columns index, wnid and category, a class a line",
        ) from error
    if len({c.wnid for c in classes}) < len(classes):
        raise UsageError(f"{path} names a class twice")
    return classes


def subset_classes(
    classes: Sequence[ImageNetClass], *, seed: int, available: Iterable[str] | None = None
) -> tuple[ImageNetClass, ...]:
    """Choose the hundred classes of the subset, in order of their indices.

    Every plant, geologic formation, natural object and fungus; artifacts, of which there are
    too many, drawn by seed to make a hundred (ours: the paper does not list its hundred).

    Args:
        classes: all that are known.
        seed: decides which artifacts.
        available: wnids of which there are pictures; all where None.

    Raises:
        UsageError: there are not a hundred to be had by the rule.

    Source:
        Paper, section 3: plants, geologic formations, natural objects, fungi, artifacts.
    """
    within = None if available is None else frozenset(available)
    known = [c for c in classes if within is None or c.wnid in within]
    whole = [c for c in known if c.category in _WHOLE]
    # By wnid, so that the draw does not depend on the order of the file.
    artifacts = sorted((c for c in known if c.category == _DRAWN), key=lambda c: c.wnid)
    wanted = SUBSET_CLASSES - len(whole)
    if not 0 <= wanted <= len(artifacts):
        raise UsageError(
            f"the subset has {SUBSET_CLASSES} classes, but there are {len(whole)} natural ones "
            f"and {len(artifacts)} artifacts",
            "Give it pictures of more classes",
        )
    drawn = np.random.default_rng(seed).choice(len(artifacts), wanted, replace=False)
    return tuple(sorted([*whole, *(artifacts[k] for k in drawn)], key=lambda c: c.index))
