"""Labels to look at again after the blind round, because the model's view differs from them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from cxrview.annotate.settle import label_view
from cxrview.records.annotation import Settled, StudyImage
from cxrview.terms import ReadingRound, View


@dataclass(frozen=True, slots=True, kw_only=True)
class Disagreement:
    """A settled label that differs from the model's view."""

    image_id: str
    surprise: float
    """The model's probability of the other view, in percent, 0 to 100."""
    is_looked_at: bool
    """Whether an adjudicator has confirmed the label by a second look."""


def second_look_order(
    images: Iterable[StudyImage], settled: Mapping[str, Settled]
) -> tuple[Disagreement, ...]:
    """Return the labels to look at again, the most surprising first.

    The label differs from the view that the model named or, if it named none, the PFI is on the
    other side of 50. Exclusions, labels that are not a view such as `other`, and images without a
    PFI are left out.

    Args:
        images: of the study, with the model's result.
        settled: label status by image id.
    """
    doubts = []
    for image in images:
        at = settled.get(image.image_id)
        view = None if at is None else label_view(at.label)
        if at is None or view is None or not _differs(image, view):
            continue
        looked_at = any(reading.round is ReadingRound.SECOND_LOOK for reading in at.readings)
        doubts.append(
            Disagreement(
                image_id=image.image_id,
                surprise=_probability_of_other_view(image, view),
                is_looked_at=looked_at,
            )
        )
    return tuple(sorted(doubts, key=lambda doubt: (-doubt.surprise, doubt.image_id)))


def _differs(image: StudyImage, view: View) -> bool:
    if image.model_view:
        return label_view(image.model_view) is not view
    return image.pfi is not None and _probability_of_other_view(image, view) > 50


def _probability_of_other_view(image: StudyImage, view: View) -> float:
    if image.pfi is None:
        return 100.0
    return 100 - image.pfi if view is View.FRONTAL else image.pfi
