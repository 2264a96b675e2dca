"""How far the headers of an archive, or a table in their place, agree with what its images show."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from math import log10

from cxrview.image.dicom.view_position import load_table
from cxrview.results.columns import ORIGIN, ORIGIN_MODEL, Row
from cxrview.terms import Agreement, Decision, View

LABELLED = "labelled"
"""The decision of a row whose view is a reader's settled label (`cxrview merge`)."""
GROUPINGS = {
    "header_view_position": "View Position as it stands",
    "manufacturer": "Manufacturer",
    "manufacturer_model": "Model",
    "study_year": "Year",
    "modality": "Modality",
    "transfer_syntax": "Transfer syntax",
}
"""Columns by which agreement is counted, and their headings."""
BINS = 50
"""Of the PFI histogram, each 2 percent wide."""
MOST_VALUES = 40
"""Values listed of one column; the rest are added up."""
_SKIPPED = "skipped_by_"
"""Begins the warning that says why an image was skipped."""


@dataclass(slots=True, kw_only=True)
class AgreementCount:
    """Images with a view, by what their header says."""

    agrees: int = 0
    disagrees: int = 0
    silent: int = 0

    @property
    def total(self) -> int:
        """All of them."""
        return self.agrees + self.disagrees + self.silent

    def add(self, agreement: str) -> None:
        """Count one image."""
        setattr(self, agreement, getattr(self, agreement) + 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class FilterLoss:
    """What a filter by the header does for one view."""

    view: View
    kept: int
    """Images whose header names the view and that show it."""
    lost: int
    """Images that show the view and whose header does not say so."""
    wrong: int
    """Images whose header names the view and that show the other one."""

    @property
    def shown(self) -> int:
        """Images that show the view."""
        return self.kept + self.lost


@dataclass(slots=True, kw_only=True)
class HeaderCounts:
    """Counts over a result."""

    decisions: Counter[str] = field(default_factory=Counter)
    views: Counter[str] = field(default_factory=Counter)
    agreement: AgreementCount = field(default_factory=AgreementCount)
    by_column: dict[str, dict[str, AgreementCount]] = field(
        default_factory=lambda: {name: {} for name in GROUPINGS}
    )
    histogram: list[int] = field(default_factory=lambda: [0] * BINS)
    claims: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Images by the view that they show and the one that their header names."""
    positions: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Images by the view that they show and the one that View Position alone names."""
    skipped: Counter[str] = field(default_factory=Counter)
    """Skipped images by what of their header says that they are no chest radiographs."""
    models: Counter[str] = field(default_factory=Counter)
    """Images with a view by the model that decided, or by `readers`."""

    @property
    def rows(self) -> int:
        """Rows of the result."""
        return self.decisions.total()

    def add(self, row: Row) -> None:
        """Count one row, with the columns of GROUPINGS and those of a decision."""
        self.decisions[row["decision"]] += 1
        if row["pfi"] is not None:
            self.histogram[min(int(row["pfi"] * BINS / 100), BINS - 1)] += 1
        if row["decision"] == Decision.SKIPPED:
            self.skipped[_reason_of_skip(row["warnings"] or "")] += 1
        if not has_view(row):
            return
        agreement = row["agreement"] or Agreement.SILENT
        self.views[row["view"]] += 1
        self.models[_decided_by(row)] += 1
        self.agreement.add(agreement)
        self.claims[row["view"], row["header_view"] or ""] += 1
        self.positions[row["view"], _view_of_position(row)] += 1
        for column, values in self.by_column.items():
            value = "" if row[column] is None else str(row[column])
            values.setdefault(value, AgreementCount()).add(agreement)

    def losses(self) -> Iterator[FilterLoss]:
        """What filtering by the header loses and takes wrongly, for each view."""
        return _losses(self.claims)

    def other_losses_by_position(self) -> dict[View, FilterLoss]:
        """The same by View Position alone, of the views for which that is something else."""
        by_header = {loss.view: loss for loss in self.losses()}
        return {loss.view: loss for loss in _losses(self.positions) if loss != by_header[loss.view]}

    def listed(self, column: str) -> list[tuple[str, AgreementCount]]:
        """The commonest values of a column, years in their order, then all others together."""
        values = sorted(self.by_column[column].items(), key=lambda one: (-one[1].total, one[0]))
        shown, rest = values[:MOST_VALUES], values[MOST_VALUES:]
        if column == "study_year":
            shown.sort(key=lambda one: one[0])
        if rest:
            other = AgreementCount(
                agrees=sum(count.agrees for _, count in rest),
                disagrees=sum(count.disagrees for _, count in rest),
                silent=sum(count.silent for _, count in rest),
            )
            shown.append((f"{len(rest):,} other values", other))
        return shown

    def has_values(self, column: str) -> bool:
        """Whether a column is filled anywhere; JPEG files have no header."""
        return any(self.by_column[column])


def count_headers(rows: Iterable[Row]) -> HeaderCounts:
    """Count agreement, overall and by each of GROUPINGS; memory does not grow with the rows.

    Args:
        rows: of a result, with the columns of GROUPINGS, `decision`, `view`, `pfi`, `agreement`,
            `header_view`, `header_view_code`, `warnings`, `model_id` and `view_origin`.
    """
    counts = HeaderCounts()
    for row in rows:
        counts.add(row)
    return counts


def has_view(row: Row) -> bool:
    """Whether the model decided or a reader labelled the image."""
    return row["decision"] in (Decision.CLASSIFIED, LABELLED) and bool(row["view"])


def _losses(claims: Counter[tuple[str, str]]) -> Iterator[FilterLoss]:
    for view in View:
        other = View.LATERAL if view is View.FRONTAL else View.FRONTAL
        kept = claims[view, view]
        wrong = claims[other, view]
        shown = sum(count for (is_, _), count in claims.items() if is_ == view)
        yield FilterLoss(view=view, kept=kept, lost=shown - kept, wrong=wrong)


def _view_of_position(row: Row) -> str:
    """The view that a header names without its View Code Sequence; empty if it names none."""
    if not row["header_view_code"]:
        return row["header_view"] or ""
    view, _ = load_table().view_of(row["header_view_position"] or "", "")
    return view or ""


def _reason_of_skip(warnings: str) -> str:
    """Such as `modality`, of the warning `skipped_by_modality`."""
    found = (one for one in warnings.split(";") if one.startswith(_SKIPPED))
    reason = next(found, "").removeprefix(_SKIPPED) or "header"
    return reason.replace("sop_class", "SOP class").replace("_", " ")


def _decided_by(row: Row) -> str:
    is_of_reader = (row[ORIGIN] or ORIGIN_MODEL) != ORIGIN_MODEL
    return "readers" if is_of_reader else row["model_id"] or "a model without a name"


def log_heights(histogram: Iterable[int]) -> list[float]:
    """Heights of the bars on a logarithmic scale, 0 to 1; 0 for an empty bin.

    A bin with one image is visible.
    """
    counts = list(histogram)
    top = log10(max([*counts, 1]) + 1)
    return [log10(count + 1) / top if count else 0.0 for count in counts]


def log_ticks(histogram: Iterable[int]) -> list[tuple[int, float]]:
    """Powers of ten within a histogram, and their heights on the scale of `log_heights`."""
    top = log10(max([*histogram, 1]) + 1)
    ticks, tick = [], 1
    while (height := log10(tick + 1) / top) <= 1:
        ticks.append((tick, height))
        tick *= 10
    return ticks
