"""Stratified sampling of the images of an annotation study, with the weight of each image."""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from cxrview.digests import shuffle_key
from cxrview.errors import UsageError
from cxrview.wording import plural

MIN_PER_STRATUM = 5
"""Minimum number of images of each stratum, however small its share is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stratum:
    """A stratum of an archive: its size, and how many of its images were drawn."""

    name: str
    images: int
    """Number of its images in the archive."""
    drawn: int

    @property
    def weight(self) -> float:
        """Number of images of the archive that each drawn image represents."""
        return self.images / self.drawn


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """The drawn images, and the strata."""

    strata: tuple[Stratum, ...]
    """Strata by name."""
    stratum_of: Mapping[str, Stratum]
    """Stratum of each drawn image, by path, in the order of the archive."""


def draw_sample(
    stratum_names: Mapping[str, str],
    sample: int | None,
    *,
    least: int = MIN_PER_STRATUM,
    seed: int = 0,
) -> Sample:
    """Draw a sample with images of each stratum in proportion to its size, but at least a few.

    Within a stratum, images are sorted by the SHA-256 of `seed`, a line feed and their path, and
    the first are drawn, so that the sample does not depend on the order of rows or the machine.

    Args:
        stratum_names: from path to the name of the stratum, for every image of the archive.
        sample: number of images; None for all, as for an archive that has no more.
        least: minimum of each stratum, or all of a smaller one.
        seed: another seed draws other images.

    Raises:
        UsageError: the archive has no image, or the sample is too small for its strata.
    """
    if not stratum_names:
        raise UsageError("no images to draw from")
    members: dict[str, list[str]] = {}
    for path, name in stratum_names.items():
        members.setdefault(name, []).append(path)
    sizes = {name: len(members[name]) for name in sorted(members)}
    shares = allocate(sizes, len(stratum_names) if sample is None else sample, least=least)
    strata = {n: Stratum(name=n, images=sizes[n], drawn=shares[n]) for n in sizes}
    drawn: set[str] = set()
    for name in sizes:
        in_line = sorted(members[name], key=lambda path: shuffle_key(seed, path))
        drawn.update(in_line[: shares[name]])
    return Sample(
        strata=tuple(strata.values()),
        stratum_of={path: strata[name] for path, name in stratum_names.items() if path in drawn},
    )


def allocate(
    sizes: Mapping[str, int], sample: int, *, least: int = MIN_PER_STRATUM
) -> dict[str, int]:
    """Compute how many images to draw of each stratum.

    Every stratum gets `least`, or all of its images if it has fewer. Strata whose proportional
    share is smaller get no more; the others divide the rest in proportion to their sizes, by
    Hamilton's method of largest remainders.

    Args:
        sizes: from stratum to the number of its images in the archive, each at least 1.
        sample: number of images.
        least: minimum of each stratum.

    Raises:
        UsageError: the sample is too small for `least` images of each.
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
