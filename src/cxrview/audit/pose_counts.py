"""How many images of an archive are turned, mirrored or inverted; AP and PA beside the header."""

from collections import Counter
from dataclasses import dataclass, field

from cxrview.audit.header_counts import has_view
from cxrview.image.dicom.view_position import normal
from cxrview.results.columns import Row
from cxrview.terms import Projection, View

POSE_COLUMNS = (
    *("projection", "projection_ap", "rotation", "rotation_probability"),
    *("mirrored", "mirrored_probability", "inverted", "inverted_probability"),
)
"""Columns that `PoseCounts` needs besides those of `HeaderCounts`."""
UNSURE = "unsure"
"""The model gives a probability and no answer."""
KINDS = ("turned-90", "turned-180", "turned-270", "mirrored", "inverted", UNSURE)
"""Of images that the page shows for how they lie."""
_PROJECTIONS = (Projection.AP, Projection.PA)


@dataclass(frozen=True, slots=True, kw_only=True)
class HeaderProjection:
    """Frontal images whose View Position is the same, by the projection that the model names."""

    header: str
    """`AP`, `PA`, or empty where View Position names neither."""
    ap: int
    pa: int
    unsure: int

    @property
    def total(self) -> int:
        """All of them."""
        return self.ap + self.pa + self.unsure

    @property
    def agrees(self) -> int:
        """Images of which the model names the projection of the header."""
        return {"AP": self.ap, "PA": self.pa}.get(self.header, 0)

    @property
    def disagrees(self) -> int:
        """Images of which the model names the other projection."""
        return self.ap + self.pa - self.agrees if self.header else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectionAgreement:
    """Frontal images by whether header and model name the same projection."""

    agrees: int
    disagrees: int
    silent: int
    """The header names neither AP nor PA."""
    unsure: int
    """The header names one of them, and the model is not sure."""

    @property
    def total(self) -> int:
        """All of them."""
        return self.agrees + self.disagrees + self.silent + self.unsure


@dataclass(slots=True, kw_only=True)
class PoseCounts:
    """Counts over a result, by the columns from `projection` on."""

    images: int = 0
    """Images that the model was run on with these answers."""
    rotations: Counter[int | None] = field(default_factory=Counter)
    """Images by degrees clockwise; None where the model is not sure."""
    mirrored: Counter[bool | None] = field(default_factory=Counter)
    """Frontal images; None where the model is not sure."""
    inverted: Counter[bool | None] = field(default_factory=Counter)
    unsure: int = 0
    """Images with at least one of these three answers missing."""
    projections: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Frontal images by View Position and by the model: `AP`, `PA`, or empty."""

    def add(self, row: Row) -> None:
        """Count one row, with POSE_COLUMNS, `decision`, `view` and `header_view_position`."""
        if row["rotation_probability"] is None:
            return
        self.images += 1
        self.rotations[row["rotation"]] += 1
        self.inverted[row["inverted"]] += 1
        if row["mirrored_probability"] is not None:
            self.mirrored[row["mirrored"]] += 1
        self.unsure += UNSURE in kinds_of(row)
        is_frontal = has_view(row) and row["view"] == View.FRONTAL
        if is_frontal and row["projection_ap"] is not None:
            header = projection_in_header(row["header_view_position"] or "")
            self.projections[header or "", row["projection"] or ""] += 1

    @property
    def turned(self) -> int:
        """Images that are turned by 90, 180 or 270 degrees."""
        return sum(self.rotations[degrees] for degrees in (90, 180, 270))

    def by_header(self) -> tuple[HeaderProjection, ...]:
        """The projections, by what the header says: AP, PA, neither."""
        return tuple(
            HeaderProjection(
                header=header,
                ap=self.projections[header, Projection.AP],
                pa=self.projections[header, Projection.PA],
                unsure=self.projections[header, ""],
            )
            for header in (*_PROJECTIONS, "")
        )

    def projection_agreement(self) -> ProjectionAgreement:
        """The projections, all headers together."""
        *named, neither = self.by_header()
        return ProjectionAgreement(
            agrees=sum(one.agrees for one in named),
            disagrees=sum(one.disagrees for one in named),
            silent=neither.total,
            unsure=sum(one.unsure for one in named),
        )


def kinds_of(row: Row) -> tuple[str, ...]:
    """The KINDS that an image is of; none where the model does not say how it lies.

    Args:
        row: with POSE_COLUMNS.
    """
    if row["rotation_probability"] is None:
        return ()
    is_of = {
        f"turned-{row['rotation']}": bool(row["rotation"]),
        "mirrored": bool(row["mirrored"]),
        "inverted": bool(row["inverted"]),
        UNSURE: bool(unsure_of(row)),
    }
    return tuple(kind for kind, holds in is_of.items() if holds)


def unsure_of(row: Row) -> tuple[str, ...]:
    """The answers that the model has a probability of and does not give: `rotation` and so on."""
    return tuple(
        answer
        for answer in ("rotation", "mirrored", "inverted")
        if row[answer] is None and row[f"{answer}_probability"] is not None
    )


def projection_in_header(position: str) -> Projection | None:
    """AP or PA where View Position names one of them, else None.

    Args:
        position: View Position (0018,5101) as in the file, such as `PA` or `AP SUPINE`.
    """
    named = [one for one in _PROJECTIONS if one in normal(position).split()]
    return named[0] if len(named) == 1 else None
