"""Which images of a result a person should look at, most doubtful first."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from hashlib import blake2b
from pathlib import Path
from typing import Any

from cxrview.audit.header_counts import has_view
from cxrview.claims.claimed_rows import ClaimSource, claimed_rows, match_result
from cxrview.results.columns import ORIGIN, ORIGIN_MODEL, Row
from cxrview.results.tables import each_row
from cxrview.terms import Agreement, Decision, View

_COLUMNS = (
    "path",
    "content_id",
    "header_view_position",
    "header_view_code",
    "header_view",
    "decision",
    "view",
    "pfi",
    "agreement",
    ORIGIN,
)
_EVEN = 50.0
"""PFI in percent from which frontal is the more probable view."""


class Reason(StrEnum):
    """Why a person should look at an image."""

    DISAGREES = "disagrees"
    """The header, or the metadata table, names the other view."""
    REVIEW = "review"
    """The model is not sure which view the image shows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DoubtfulImage:
    """An image that a person should look at, and the view that is proposed for it."""

    path: str
    """As the result has it."""
    content_id: str
    """Empty where the result has none."""
    reason: Reason
    header: str
    """View Position or View Code Sequence as it stands in the header, or the view as the metadata
    table has it; empty if there is none."""
    header_view: View | None
    proposed: View
    pfi: float | None
    """Probability of frontal in percent, 0 to 100."""
    is_labelled: bool = False
    """Whether readers proposed the view, and not the model."""

    @property
    def showing(self) -> str:
        """A short name for addresses, which does not contain the path: 16 hexadecimal digits."""
        told = "\0".join([self.path, self.content_id, self.proposed])
        return blake2b(told.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()

    @property
    def doubt(self) -> float:
        """How near the model was to the other view, 0 to 50."""
        return _EVEN if self.pfi is None else _EVEN - abs(self.pfi - _EVEN)


def read_doubtful_images(
    table: Path, claims: ClaimSource | None = None, folder: str = ""
) -> list[DoubtfulImage]:
    """List the disagreements of a result, then its review band, each most doubtful first.

    Args:
        table: a result of `cxrview classify` or `cxrview merge`, in any format.
        claims: a metadata table whose views take the place of those of the headers.
        folder: what relative paths of the result are relative to; where the run stood if empty.

    Returns:
        One entry a path. Of equal doubt, the first in the table comes first.

    Raises:
        UsageError: the result or the metadata table cannot be read, or they have no image in
            common.
    """
    rows = each_row(table, _COLUMNS)
    if claims:
        rows = claimed_rows(rows, match_result(table, claims, folder))
    return sort_doubtful_images(rows)


def sort_doubtful_images(rows: Iterable[Row]) -> list[DoubtfulImage]:
    """Do the same with rows."""
    found = {image.path: image for row in rows if (image := _doubtful_image(row))}
    order = list(Reason)
    return sorted(found.values(), key=lambda one: (order.index(one.reason), -one.doubt))


def _doubtful_image(row: Row) -> DoubtfulImage | None:
    if has_view(row) and row["agreement"] == Agreement.DISAGREES:
        return _image(row, Reason.DISAGREES, View(row["view"]))
    if row["decision"] == Decision.REVIEW:
        is_frontal = row["pfi"] is None or row["pfi"] >= _EVEN
        return _image(row, Reason.REVIEW, View.FRONTAL if is_frontal else View.LATERAL)
    return None


def _image(row: Row, reason: Reason, proposed: View) -> DoubtfulImage:
    def text(name: str) -> Any:
        return row[name] or ""

    return DoubtfulImage(
        path=row["path"],
        content_id=text("content_id"),
        reason=reason,
        header=text("header_view_position") or text("header_view_code"),
        header_view=View(row["header_view"]) if row["header_view"] else None,
        proposed=proposed,
        pfi=row["pfi"],
        is_labelled=(row[ORIGIN] or ORIGIN_MODEL) != ORIGIN_MODEL,
    )
