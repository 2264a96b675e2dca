"""Which images the page shows, most doubtful first, and a random sample of the others."""

import heapq
import random
from collections.abc import Iterable
from dataclasses import dataclass, field

from cxrview.audit.header_counts import has_view
from cxrview.results.columns import Row
from cxrview.terms import Agreement, Decision

ROW_NUMBER = "row_number"
"""Added to the rows of a section: their number in the result, from 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """Images that are shown for one reason."""

    key: str
    title: str
    reason: str
    """Why an image is here, in a sentence."""
    condition: str
    """How to find all of them: in the result, or in the table of `writeback --as table`."""
    rows: tuple[Row, ...]
    """Each with ROW_NUMBER."""
    total: int
    """Of all such images; those beyond `rows` are not shown."""

    @property
    def left_out(self) -> int:
        """Images of the section that the page does not show."""
        return self.total - len(self.rows)


@dataclass(frozen=True, slots=True)
class _Kind:
    title: str
    reason: str
    condition: str


def _kinds(who: str) -> dict[str, _Kind]:
    by_header = who == "header"
    return {
        "disagrees": _Kind(
            f"The {who} names the other view",
            f"The view that the image shows differs from the one that the {who} names. Most "
            "doubtful first: the first ones may be errors of the model.",
            "agreement = disagrees" if by_header else "cxrview_change = corrected",
        ),
        "review": _Kind(
            "Sent to review",
            "The model is not sure which view the image shows. Have a person look at these.",
            "decision = review",
        ),
        "not_chest": _Kind(
            "Refused as no chest radiograph",
            "The image does not look like a chest radiograph to the model. Nearest to one first.",
            "decision = not_chest",
        ),
        "agrees": _Kind(
            "A random sample of what agrees",
            f"The {who} and the image agree. Nobody doubted these, so look at them too.",
            "agreement = agrees" if by_header else "cxrview_change = kept",
        ),
    }


@dataclass(slots=True)
class MostDoubtful:
    """The most doubtful rows of a section; of equal ones, the first."""

    size: int
    """Rows that are kept."""
    heap: list[tuple[float, int, Row]] = field(default_factory=list)
    total: int = 0
    """Rows that were added."""

    def add(self, doubt: float, row: Row, number: int) -> None:
        """Consider a row.

        Args:
            doubt: larger ones come first.
            row: of a result.
            number: of the row, from 1.
        """
        self.total += 1
        if len(self.heap) < self.size:
            heapq.heappush(self.heap, (doubt, -number, row | {ROW_NUMBER: number}))
        elif self.size and (doubt, -number) > self.heap[0][:2]:
            heapq.heapreplace(self.heap, (doubt, -number, row | {ROW_NUMBER: number}))

    def rows(self) -> tuple[Row, ...]:
        """Rows with ROW_NUMBER, most doubtful first."""
        return tuple(row for _, _, row in sorted(self.heap, key=lambda one: one[:2], reverse=True))


class ImageSelection:
    """Chooses the images of each section; memory does not grow with the rows.

    Args:
        most: images a section.
        seed: of the random sample.
        who: what names the view that the image is compared with: `header` or `table`.
    """

    def __init__(self, *, most: int, seed: int = 0, who: str = "header") -> None:
        self._draw = random.Random(seed)
        self._kinds = _kinds(who)
        self._chosen = {key: MostDoubtful(most) for key in self._kinds}
        self._seen = 0

    def add(self, row: Row) -> None:
        """Consider the next row of a result."""
        self._seen += 1
        key = _section_of(row)
        if key:
            doubt = self._draw.random() if key == "agrees" else _doubt(row)
            self._chosen[key].add(doubt, row, self._seen)

    def sections(self) -> tuple[Section, ...]:
        """Sections in the order of the page, also those without an image."""
        return tuple(
            Section(
                key=key,
                title=kind.title,
                reason=kind.reason,
                condition=kind.condition,
                rows=self._chosen[key].rows(),
                total=self._chosen[key].total,
            )
            for key, kind in self._kinds.items()
        )


def select_images(rows: Iterable[Row], *, most: int, seed: int = 0) -> tuple[Section, ...]:
    """Choose the images of each section; see `ImageSelection`.

    Args:
        rows: of a result.
        most: images a section.
        seed: of the random sample.
    """
    selection = ImageSelection(most=most, seed=seed)
    for row in rows:
        selection.add(row)
    return selection.sections()


def _section_of(row: Row) -> str:
    if has_view(row):
        return {Agreement.DISAGREES: "disagrees", Agreement.AGREES: "agrees"}.get(
            row["agreement"], ""
        )
    if row["decision"] in (Decision.REVIEW, Decision.NOT_CHEST):
        return str(row["decision"])
    return ""


def _doubt(row: Row) -> float:
    """How near the model was to the other answer, 0 to 50; of a refused image, to a chest."""
    if row["decision"] == Decision.NOT_CHEST and row["chest"] is not None:
        return float(row["chest"])
    return 50.0 if row["pfi"] is None else 50 - abs(row["pfi"] - 50)
