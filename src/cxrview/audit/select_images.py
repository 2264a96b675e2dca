"""Which images the page shows, most doubtful first, and a random sample of the others."""

import heapq
import random
from collections.abc import Iterable
from dataclasses import dataclass, field

from cxrview.audit.header_counts import has_view
from cxrview.results.columns import Row
from cxrview.terms import Agreement, Decision


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """Images that are shown for one reason."""

    key: str
    title: str
    reason: str
    """Why an image is here, in a sentence."""
    rows: tuple[Row, ...]
    total: int
    """Of all such images; those beyond `rows` are not shown."""

    @property
    def left_out(self) -> int:
        """Images of the section that the page does not show."""
        return self.total - len(self.rows)


_SECTIONS = {
    "disagrees": (
        "The header names the other view",
        "The view that the image shows differs from the one that its header names.",
    ),
    "review": ("Review", "The model is not sure which view the image shows."),
    "not_chest": (
        "Refused as no chest radiograph",
        "The image does not look like a chest radiograph to the model.",
    ),
    "agrees": (
        "A random sample of what agrees",
        "Header and image agree. Nobody doubted these: they show what the others are like.",
    ),
}


@dataclass(slots=True)
class _Most:
    """The most doubtful rows of a section; of equal ones, the first."""

    size: int
    heap: list[tuple[float, int, Row]] = field(default_factory=list)
    total: int = 0

    def add(self, doubt: float, row: Row) -> None:
        self.total += 1
        item = (doubt, -self.total, row)
        if len(self.heap) < self.size:
            heapq.heappush(self.heap, item)
        elif self.size and item[:2] > self.heap[0][:2]:
            heapq.heapreplace(self.heap, item)

    def rows(self) -> tuple[Row, ...]:
        return tuple(row for _, _, row in sorted(self.heap, key=lambda one: one[:2], reverse=True))


def select_images(rows: Iterable[Row], *, most: int, seed: int = 0) -> tuple[Section, ...]:
    """Choose the images of each section; memory does not grow with the rows.

    Args:
        rows: of a result.
        most: images a section.
        seed: of the random sample.

    Returns:
        Sections in the order of the page, also those without an image.
    """
    draw = random.Random(seed)
    chosen = {key: _Most(most) for key in _SECTIONS}
    for row in rows:
        key = _section_of(row)
        if key:
            doubt = draw.random() if key == "agrees" else _doubt(row)
            chosen[key].add(doubt, row)
    return tuple(
        Section(key=key, title=title, reason=reason, rows=one.rows(), total=one.total)
        for (key, (title, reason)), one in zip(_SECTIONS.items(), chosen.values(), strict=True)
    )


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
