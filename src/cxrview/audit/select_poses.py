"""Which turned, mirrored and inverted images the page shows: a few of each, doubtful ones first."""

from types import MappingProxyType

from cxrview.audit.pose_counts import KINDS, UNSURE, kinds_of, unsure_of
from cxrview.audit.select_images import MostDoubtful, Section
from cxrview.results.columns import Row

FEW = 6
"""Images of each kind: a row of the page at 1280 pixels."""
_WORDS = MappingProxyType(
    {
        **{
            f"turned-{degrees}": (f"Turned by {degrees}° clockwise", f"rotation = {degrees}")
            for degrees in (90, 180, 270)
        },
        "mirrored": ("Mirrored left for right", "mirrored = true"),
        "inverted": ("Inverted: bone is dark", "inverted = true"),
        UNSURE: (
            "The model is not sure of the orientation",
            "rotation or inverted empty, or mirrored empty where mirrored_probability is not",
        ),
    }
)
"""Title of each kind, and how to find all such images in the result."""


class PoseSelection:
    """Chooses the images of each kind; memory does not grow with the rows.

    Args:
        most: images of a kind that the page may show; at most FEW are chosen.
    """

    def __init__(self, *, most: int) -> None:
        self._chosen = {kind: MostDoubtful(min(most, FEW)) for kind in KINDS}
        self._seen = 0

    def add(self, row: Row) -> None:
        """Consider the next row of a result; an image may be of several kinds."""
        self._seen += 1
        for kind in kinds_of(row):
            self._chosen[kind].add(-_sureness(row, kind), row, self._seen)

    def sections(self) -> tuple[Section, ...]:
        """Kinds in the order of the page, those without an image left out."""
        return tuple(
            Section(
                key=kind,
                title=_WORDS[kind][0],
                reason="",
                condition=_WORDS[kind][1],
                rows=chosen.rows(),
                total=chosen.total,
            )
            for kind, chosen in self._chosen.items()
            if chosen.total
        )


def pose_probability(row: Row, answer: str) -> float:
    """The probability, percent, of the more probable answer.

    Args:
        row: of a result, with `ANSWER_probability`.
        answer: `rotation`, `mirrored` or `inverted`.
    """
    percent = float(row[f"{answer}_probability"])
    return percent if answer == "rotation" else max(percent, 100 - percent)


def _sureness(row: Row, kind: str) -> float:
    if kind == UNSURE:
        return min(pose_probability(row, answer) for answer in unsure_of(row))
    return pose_probability(row, "rotation" if kind.startswith("turned") else kind)
