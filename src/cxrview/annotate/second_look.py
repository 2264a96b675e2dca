"""Where model and label differ, once the blind round is closed: the label may be the wrong one."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from cxrview.annotate.settle import label_view
from cxrview.records import Settled, StudyImage
from cxrview.terms import ReadingRound, View


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubt:
    """A settled label that the model does not share."""

    image_id: str
    surprise: float
    """What the model gave to the other view, percent: 100 where it was quite sure of it."""
    is_looked_at: bool
    """Whether an adjudicator has confirmed it by a second look."""


def second_look_order(
    images: Iterable[StudyImage], settled: Mapping[str, Settled]
) -> tuple[Doubt, ...]:
    """The labels to look at once more, the most surprising first.

    Where the model named a view, the label differs from it; where it named none, its PFI lies on
    the other side of 50. Exclusions, and labels that are no view such as `other`, are no matter
    for a model that knows two views, and neither is an image that the model did not score.

    Args:
        images: of the study, with what the model said of them.
        settled: where each stands, by image id.
    """
    doubts = []
    for image in images:
        at = settled.get(image.image_id)
        view = None if at is None else label_view(at.label)
        if at is None or view is None or not _differs(image, view):
            continue
        looked_at = any(reading.round is ReadingRound.SECOND_LOOK for reading in at.readings)
        doubts.append(
            Doubt(
                image_id=image.image_id,
                surprise=_given_to_the_other(image, view),
                is_looked_at=looked_at,
            )
        )
    return tuple(sorted(doubts, key=lambda doubt: (-doubt.surprise, doubt.image_id)))


def _differs(image: StudyImage, view: View) -> bool:
    if image.model_view:
        return label_view(image.model_view) is not view
    return image.pfi is not None and _given_to_the_other(image, view) > 50


def _given_to_the_other(image: StudyImage, view: View) -> float:
    if image.pfi is None:
        return 100.0
    return 100 - image.pfi if view is View.FRONTAL else image.pfi
