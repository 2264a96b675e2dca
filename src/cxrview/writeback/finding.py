"""What is to be written into one file, and who decided it."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from cxrview.results.columns import COLUMNS, ORIGIN, Row, from_printable
from cxrview.terms import Agreement, Decision, Projection, View

NEEDED_COLUMNS = tuple(
    name
    for name in COLUMNS
    if name
    in {
        "path",
        "sop_instance_uid",
        "series_instance_uid",
        "study_instance_uid",
        "sop_class_uid",
        "modality",
        "transfer_syntax",
        "decision",
        "view",
        "pfi",
        "agreement",
        "model_id",
        "content_id",
    }
) + (ORIGIN,)
"""Columns of a result that a write-back reads."""

MODEL = "model"
"""What `view_origin` says where no reader overrode the model."""

LABELLED = "labelled"
"""The decision of a row whose view is a reader's settled label (`cxrview merge`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """The view of one image, as it will be written."""

    path: str
    """Of the source, absolute or relative to the working folder, as the result has it."""
    sop_instance_uid: str
    series_instance_uid: str
    study_instance_uid: str
    modality: str
    content_id: str
    """Of the file that was classified; a file with another one is refused."""
    view: View
    projection: Projection | None = None
    """None unless a person decided it: a two-class model does not know it."""
    is_of_person: bool = False
    """A reader's label, or a person's decision on the model's proposal."""
    model_id: str = ""
    pfi: float | None = None
    """Probability of frontal in percent, 0 to 100; None for a person's label without one."""

    def at(self, path: str) -> "Finding":
        """The same finding of a file under another name."""
        return replace(self, path=path)

    @property
    def decided_by(self) -> str:
        """In words, for Contribution Description (0018,A003) and the list of changes."""
        return "a reader" if self.is_of_person else f"model {self.model_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """The findings of a result that are to be written, and why the other rows are not."""

    findings: tuple[Finding, ...]
    left_out: Counter[str] = field(default_factory=Counter)
    """Rows by reason: their decision, `not_dicom` or `already_right`."""


def select_findings(rows: Iterable[Row], *, with_agreeing: bool = False) -> Selection:
    """Choose what may be written: `classified` images and persons' decisions, nothing else.

    Args:
        rows: of a result, with NEEDED_COLUMNS.
        with_agreeing: also images whose header names the right view already.
    """
    findings: list[Finding] = []
    left_out: Counter[str] = Counter()
    for row in rows:
        reason = _reason_to_leave_out(row, with_agreeing=with_agreeing)
        if reason:
            left_out[reason] += 1
        else:
            findings.append(_finding(row))
    return Selection(findings=tuple(findings), left_out=left_out)


def _reason_to_leave_out(row: Row, *, with_agreeing: bool) -> str:
    if row["decision"] not in (Decision.CLASSIFIED, LABELLED) or not row["view"]:
        return str(row["decision"])
    if not (row["transfer_syntax"] or row["sop_class_uid"] or row["sop_instance_uid"]):
        return "not_dicom"
    if row["agreement"] == Agreement.AGREES and not with_agreeing:
        return "already_right"
    return ""


def _finding(row: Row) -> Finding:
    return Finding(
        path=from_printable(row["path"]),
        sop_instance_uid=row["sop_instance_uid"] or "",
        series_instance_uid=row["series_instance_uid"] or "",
        study_instance_uid=row["study_instance_uid"] or "",
        modality=row["modality"] or "",
        content_id=row["content_id"] or "",
        view=View(row["view"]),
        is_of_person=(row[ORIGIN] or MODEL) != MODEL,
        model_id=row["model_id"] or "",
        pfi=row["pfi"],
    )


def series_with_both_views(findings: Iterable[Finding]) -> tuple[str, ...]:
    """Series Instance UIDs of CR series whose images do not all show one view.

    View Position belongs to the *series* in the CR Series module (PS3.3 C.8.1.1), so such a series
    contradicts itself whatever stands in it.
    """
    views: dict[str, set[View]] = {}
    for one in findings:
        if one.modality == "CR" and one.series_instance_uid:
            views.setdefault(one.series_instance_uid, set()).add(one.view)
    return tuple(sorted(uid for uid, seen in views.items() if len(seen) > 1))
