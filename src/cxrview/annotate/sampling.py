"""Draws the images of an annotation study from an archive, by strata, each with its weight."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from cxrview.errors import UsageError
from cxrview.wording import plural

LEAST = 5
"""Images of each stratum, however small its share is: fewer say next to nothing of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stratum:
    """Images of an archive that have something in common, and how many of them were drawn."""

    name: str
    images: int
    """In the archive."""
    drawn: int

    @property
    def weight(self) -> float:
        """Images of the archive that each image drawn stands for."""
        return self.images / self.drawn


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """Which images were drawn, and from what."""

    strata: tuple[Stratum, ...]
    """By name."""
    stratum_of: Mapping[str, Stratum]
    """Of each image drawn, by its path; in the order of the archive."""


def draw_sample(
    stratum_names: Mapping[str, str], sample: int | None, *, least: int = LEAST, seed: int = 0
) -> Sample:
    """Draw so many images, of each stratum in proportion to its size but at least a few.

    Within a stratum, images stand in line by SHA-256 of `seed`, a line feed and their path, and
    the first are drawn: no order of rows and no machine changes that.

    Args:
        stratum_names: path to the name of its stratum, for every image of the archive.
        sample: images in all; every image where None or where there are no more.
        least: of each stratum, or all of it where it is smaller.
        seed: another one draws other images.

    Raises:
        UsageError: there is no image, or the sample is too small for so many strata.
    """
    if not stratum_names:
        raise UsageError("no images to draw from")
    members: dict[str, list[str]] = {}
    for path, name in stratum_names.items():
        members.setdefault(name, []).append(path)
    sizes = {name: len(members[name]) for name in sorted(members)}
    shares = share_out(sizes, len(stratum_names) if sample is None else sample, least=least)
    strata = {n: Stratum(name=n, images=sizes[n], drawn=shares[n]) for n in sizes}
    drawn: set[str] = set()
    for name in sizes:
        in_line = sorted(members[name], key=lambda path: _place_in_line(seed, path))
        drawn.update(in_line[: shares[name]])
    return Sample(
        strata=tuple(strata.values()),
        stratum_of={path: strata[name] for path, name in stratum_names.items() if path in drawn},
    )


def share_out(sizes: Mapping[str, int], sample: int, *, least: int = LEAST) -> dict[str, int]:
    """Say how many images to draw of each stratum.

    Every stratum gets `least`, or all that it has; those whose proportional share is less are
    done with that, and the others share the rest in proportion to their sizes. What fractions
    leave over goes to the largest fractions, as in an apportionment by Hamilton's method.

    Args:
        sizes: stratum to its images in the archive, each at least 1.
        sample: images in all.
        least: of each stratum.

    Raises:
        UsageError: the sample is too small for `least` of each.
    """
    if sample >= sum(sizes.values()):
        return dict(sizes)
    floors = {name: min(size, least) for name, size in sizes.items()}
    if sample < sum(floors.values()):
        raise UsageError(
            f"a sample of {sample} is too small for {len(sizes)} strata with "
            f"{plural(least, 'image')} each",
            "Draw more images, stratify by less, or ask for fewer of each with --least",
        )
    shares = dict(floors)
    open_ = set(sizes)
    while True:
        rest = sample - sum(floors[name] for name in sizes if name not in open_)
        of = sum(sizes[name] for name in open_)
        exact = {name: Fraction(rest * sizes[name], of) for name in sorted(open_)}
        below = {name for name, share in exact.items() if share < floors[name]}
        if not below:
            break
        open_ -= below
    shares |= {name: int(share) for name, share in exact.items()}
    by_fraction = sorted(exact, key=lambda name: (int(exact[name]) - exact[name], name))
    for name in by_fraction[: sample - sum(shares.values())]:
        shares[name] += 1
    return shares


def _place_in_line(seed: int, path: str) -> tuple[bytes, str]:
    return hashlib.sha256(f"{seed}\n{path}".encode("utf-8", "surrogateescape")).digest(), path
