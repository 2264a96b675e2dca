"""How far the headers of an archive agree with what its images show."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from math import log10

from cxrview.results.columns import Row
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

    def losses(self) -> Iterator[FilterLoss]:
        """What filtering by the header loses and takes wrongly, for each view."""
        for view in View:
            other = View.LATERAL if view is View.FRONTAL else View.FRONTAL
            kept = self.claims[view, view]
            wrong = self.claims[other, view]
            shown = sum(count for (is_, _), count in self.claims.items() if is_ == view)
            yield FilterLoss(view=view, kept=kept, lost=shown - kept, wrong=wrong)

    def listed(self, column: str) -> list[tuple[str, AgreementCount]]:
        """The commonest values of a column, then all others together."""
        values = sorted(self.by_column[column].items(), key=lambda one: (-one[1].total, one[0]))
        shown, rest = values[:MOST_VALUES], values[MOST_VALUES:]
        if rest:
            other = AgreementCount(
                agrees=sum(count.agrees for _, count in rest),
                disagrees=sum(count.disagrees for _, count in rest),
                silent=sum(count.silent for _, count in rest),
            )
            shown.append((f"{len(rest):,} other values", other))
        return shown


def count_headers(rows: Iterable[Row]) -> HeaderCounts:
    """Count agreement, overall and by each of GROUPINGS; memory does not grow with the rows.

    Args:
        rows: of a result, with the columns of GROUPINGS, `decision`, `view`, `pfi`, `agreement`
            and `header_view`.
    """
    counts = HeaderCounts()
    for row in rows:
        counts.decisions[row["decision"]] += 1
        if row["pfi"] is not None:
            counts.histogram[min(int(row["pfi"] * BINS / 100), BINS - 1)] += 1
        if not has_view(row):
            continue
        agreement = row["agreement"] or Agreement.SILENT
        counts.views[row["view"]] += 1
        counts.agreement.add(agreement)
        counts.claims[row["view"], row["header_view"] or ""] += 1
        for column, values in counts.by_column.items():
            value = "" if row[column] is None else str(row[column])
            values.setdefault(value, AgreementCount()).add(agreement)
    return counts


def has_view(row: Row) -> bool:
    """Whether the model decided or a reader labelled the image."""
    return row["decision"] in (Decision.CLASSIFIED, LABELLED) and bool(row["view"])


def log_heights(histogram: Iterable[int]) -> list[float]:
    """Heights of the bars on a logarithmic scale, 0 to 1; 0 for an empty bin.

    A bin with one image is visible.
    """
    counts = list(histogram)
    top = log10(max([*counts, 1]) + 1)
    return [log10(count + 1) / top if count else 0.0 for count in counts]
