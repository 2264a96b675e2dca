"""Counts a result for an audit, and chooses the images to show; no image is read."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cxrview.audit.header_counts import HeaderCounts
from cxrview.audit.pose_counts import POSE_COLUMNS, PoseCounts
from cxrview.audit.select_images import ImageSelection, Section
from cxrview.audit.select_poses import PoseSelection
from cxrview.claims.claimed_rows import ClaimSource, claimed_rows, count_problems, match_result
from cxrview.claims.match import ClaimMatches
from cxrview.results.columns import Row
from cxrview.results.side_files import FAILURES_ENDING, beside
from cxrview.results.tables import each_failure, each_row

PICTURES = 60
"""Images shown in one section unless told otherwise."""
_COLUMNS = (
    *("path", "decision", "view", "pfi", "chest", "agreement", "warnings", "model_id"),
    *("header_view", "header_view_position", "header_view_code", "view_origin", "content_id"),
    *("manufacturer", "manufacturer_model", "study_year", "modality", "transfer_syntax"),
    *POSE_COLUMNS,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PageSettings:
    """What the page shows."""

    pictures: int = PICTURES
    """Images a section; 0 makes a page without pixels."""
    masks_border: bool = False
    """Cover the outer tenth of each image."""
    shows_paths: bool = False
    """Print the path of each image, and keys of the metadata table; names of folders can name
    patients."""
    seed: int = 0
    """Of the random sample of what agrees."""
    claims: ClaimSource | None = None
    """A metadata table whose views take the place of those of the headers."""


@dataclass(slots=True, kw_only=True)
class ClaimedPatients:
    """How many patients the errors of a metadata table concern."""

    wrong: int
    """Patients with an image whose view the table names wrongly."""
    missing: int
    """Patients with an image whose view the table does not name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """What a page reports, for the terminal as well."""

    counts: HeaderCounts
    sections: tuple[Section, ...]
    poses: PoseCounts
    """Of turned, mirrored and inverted images; without an image where the model does not say."""
    pose_sections: tuple[Section, ...]
    """A few images of each kind that occurs."""
    failures: Counter[str]
    """Files that could not be read, by code."""
    advice: dict[str, str]
    """What to do about most files of a code."""
    matches: ClaimMatches | None = None
    """Of the metadata table, where there is one."""
    patients: ClaimedPatients | None = None
    """Where the metadata table names patients."""
    unread: int = 0
    """Images to be shown that could not be read."""

    @property
    def shown(self) -> Iterator[Row]:
        """Rows whose images the page shows, each once."""
        sections = (*self.sections, *self.pose_sections)
        yield from {row["path"]: row for one in sections for row in one.rows}.values()

    @property
    def is_silent(self) -> bool:
        """No header names a view, as of JPEG and PNG files."""
        total = self.counts.agreement.total
        return not self.matches and 0 < total == self.counts.agreement.silent

    @property
    def key_problems(self) -> Counter[str]:
        """Keys of the metadata table whose claim is not used, by reason."""
        return count_problems(self.matches) if self.matches else Counter()


def audit_table(table: Path, settings: PageSettings, folder: str = "") -> Audit:
    """Count a result and choose the images to show; no image is read.

    Args:
        table: a result of `cxrview classify`, `merge` or `concat`, in any format.
        settings: what the page shows.
        folder: what relative paths of the table are relative to; where the run stood if empty.

    Raises:
        UsageError: the result or the metadata table cannot be read, or they have no image in
            common.
    """
    matches = match_result(table, settings.claims, folder) if settings.claims else None
    counts, poses = HeaderCounts(), PoseCounts()
    pose_selection = PoseSelection(most=settings.pictures)
    selection = ImageSelection(
        most=settings.pictures, seed=settings.seed, who="table" if matches else "header"
    )
    for row in _rows(table, matches):
        counts.add(row)
        selection.add(row)
        poses.add(row)
        pose_selection.add(row)
    failures, advice = _failures(table)
    return Audit(
        counts=counts,
        sections=selection.sections(),
        poses=poses,
        pose_sections=pose_selection.sections(),
        failures=failures,
        advice=advice,
        matches=matches,
        patients=_patients(table, matches) if matches else None,
    )


def _rows(table: Path, matches: ClaimMatches | None) -> Iterator[Row]:
    rows = each_row(table, _COLUMNS)
    return claimed_rows(rows, matches) if matches else rows


def _failures(table: Path) -> tuple[Counter[str], dict[str, str]]:
    """Failures by code, and the commonest advice of each."""
    path = beside(table, FAILURES_ENDING, in_parts=table.is_dir())
    if not path.exists():
        return Counter(), {}
    by_code: dict[str, Counter[str]] = {}
    for row in each_failure(path):
        by_code.setdefault(row["code"], Counter())[row["advice"] or ""] += 1
    return (
        Counter({code: advice.total() for code, advice in by_code.items()}),
        {code: advice.most_common(1)[0][0] for code, advice in by_code.items()},
    )


def _patients(table: Path, matches: ClaimMatches) -> ClaimedPatients | None:
    if not matches.table.has_patients:
        return None
    wrong, missing = set(), set()
    rows = each_row(table, ("path", "decision", "view"))
    for row, claim in zip(rows, matches.claims(), strict=True):
        if claim and claim.patient and row["view"]:
            if claim.view is None:
                missing.add(claim.patient)
            elif claim.view != row["view"]:
                wrong.add(claim.patient)
    return ClaimedPatients(wrong=len(wrong), missing=len(missing))
