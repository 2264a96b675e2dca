"""The label status of every image, recomputed only for images with new readings."""

from collections.abc import Iterable

from cxrview.annotate.effective import EffectiveReadings
from cxrview.annotate.settle import settle
from cxrview.records.annotation import AnnotationStudy, Reader, Settled
from cxrview.terms import LabelStatus


class LabelStatuses:
    """A cache of `settle` for all images of a study.

    Args:
        study: gives how many readings an image needs.
        effective: the effective readings; the caller updates them and calls `touch`.
    """

    def __init__(self, study: AnnotationStudy, effective: EffectiveReadings) -> None:
        self._study, self._effective = study, effective
        self._readers: tuple[Reader, ...] = ()
        self._settled: dict[str, Settled] = {}
        self._touched: set[str] = set()
        self._conflicts: set[str] = set()

    def set_up(self, image_ids: Iterable[str], readers: Iterable[Reader]) -> None:
        """Start again with these images and readers of the study."""
        self._readers = tuple(readers)
        self._touched = set(image_ids)

    def touch(self, image_id: str) -> None:
        """Mark an image that has a new reading."""
        self._touched.add(image_id)

    def all(self) -> dict[str, Settled]:
        """Return the status of every image, by image id."""
        if self._touched:
            readings = (r for one in self._touched for r in self._effective.of_image(one))
            now = settle(self._study, self._touched, readings, self._readers)
            self._settled.update(now)
            self._conflicts -= self._touched
            self._conflicts |= {i for i, one in now.items() if one.how is LabelStatus.CONFLICT}
            self._touched = set()
        return self._settled

    def conflicts(self) -> set[str]:
        """Return the ids of the images that wait for an adjudicator."""
        self.all()
        return self._conflicts
