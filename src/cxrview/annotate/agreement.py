"""How far the readers agree with one another, and each with himself on the hidden repeats.

An exclusion is one more class, `excluded`, whatever its reason.
"""

from collections import defaultdict
from collections.abc import Iterable
from itertools import combinations

from cxrview.annotate.effective import standing
from cxrview.annotate.settle import EXCLUDED, verdict_of
from cxrview.records import AnnotationStudy, Kappa, Reader, Reading
from cxrview.stats import cohen_kappa
from cxrview.terms import Role, Round

_Said = dict[tuple[int, int], dict[str, str]]
"""By reader id and occasion: image id to what was said of it."""


def between_readers(
    study: AnnotationStudy, readings: Iterable[Reading], readers: Iterable[Reader]
) -> dict[tuple[int, int], Kappa]:
    """Kappa of each two readers on the images that both read blind, by their ids.

    The adjudicator's rulings are not in it. Two who have no image in common are left out.

    Args:
        study: gives the order of the labels.
        readings: all of the study, or those that stand.
        readers: all of the study.
    """
    said = _said(readings)
    ids = sorted(reader.reader_id for reader in readers if Role.READER in reader.roles)
    pairs = {
        pair: _kappa(study, said[pair[0], 0], said[pair[1], 0]) for pair in combinations(ids, 2)
    }
    return {pair: kappa for pair, kappa in pairs.items() if kappa is not None}


def within_readers(
    study: AnnotationStudy, readings: Iterable[Reading], readers: Iterable[Reader]
) -> dict[int, Kappa]:
    """Kappa of each reader's first and second reading of the hidden repeats, by reader id.

    Who has read no image twice is left out. The arguments are those of `between_readers`.
    """
    said = _said(readings)
    ids = sorted(reader.reader_id for reader in readers if Role.READER in reader.roles)
    own = {reader_id: _kappa(study, said[reader_id, 0], said[reader_id, 1]) for reader_id in ids}
    return {reader_id: kappa for reader_id, kappa in own.items() if kappa is not None}


def write_kappa(value: float) -> str:
    """Three digits after the point; what rounds to 0 has no sign."""
    return f"{round(value, 3) + 0.0:.3f}"


def _said(readings: Iterable[Reading]) -> _Said:
    said: _Said = defaultdict(dict)
    for reading in standing(readings).values():
        if reading.round is Round.BLIND:
            said[reading.reader_id, reading.occasion][reading.image_id] = verdict_of(reading)
    return said


def _kappa(study: AnnotationStudy, first: dict[str, str], second: dict[str, str]) -> Kappa | None:
    both = [image_id for image_id in first if image_id in second]
    if not both:
        return None
    labels = list(dict.fromkeys([*(choice.name for choice in study.choices), EXCLUDED]))
    return cohen_kappa(
        [first[i] for i in both], [second[i] for i in both], labels=labels, seed=study.seed
    )
