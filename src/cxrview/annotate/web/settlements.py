"""Where every image stands, kept up to date image by image and not all at each look."""

from collections.abc import Iterable

from cxrview.annotate.effective import Standing
from cxrview.annotate.settle import settle
from cxrview.records import AnnotationStudy, Reader, Settled
from cxrview.terms import Settlement


class Settlements:
    """Settles again what a reading touched since the last look.

    Args:
        study: gives how many readings an image needs.
        standing: what stands, kept up to date by somebody else.
    """

    def __init__(self, study: AnnotationStudy, standing: Standing) -> None:
        self._study, self._standing = study, standing
        self._readers: tuple[Reader, ...] = ()
        self._settled: dict[str, Settled] = {}
        self._touched: set[str] = set()
        self._conflicts: set[str] = set()

    def set_up(self, image_ids: Iterable[str], readers: Iterable[Reader]) -> None:
        """Take the images and readers of the study, when there are others than before."""
        self._readers = tuple(readers)
        self._touched = set(image_ids)

    def touch(self, image_id: str) -> None:
        """Say that something was said of this image."""
        self._touched.add(image_id)

    def all(self) -> dict[str, Settled]:
        """Where each image stands, by its id."""
        if self._touched:
            said = (r for image_id in self._touched for r in self._standing.of_image(image_id))
            now = settle(self._study, self._touched, said, self._readers)
            self._settled.update(now)
            self._conflicts -= self._touched
            self._conflicts |= {i for i, one in now.items() if one.how is Settlement.CONFLICT}
            self._touched = set()
        return self._settled

    def conflicts(self) -> set[str]:
        """Images that wait for an adjudicator."""
        self.all()
        return self._conflicts
