"""What is to be written into one file, and who decided it."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from cxrview.results.columns import COLUMNS, ORIGIN, Row, from_printable
from cxrview.terms import Agreement, Decision, Projection, View
from cxrview.writeback.person_views import PersonView, PersonViews

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
        "header_view_position",
        "header_view",
        "decision",
        "view",
        "pfi",
        "projection",
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
    """None unless a person decided it."""
    model_projection: Projection | None = None
    """PA or AP where the model answered it, for a frontal that no person decided; written where
    View Position would be empty."""
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
    """Rows by reason: their decision, `not_dicom` or `already_right`; what a person decided
    (`unreadable`, `rejected`, `no_view`), also of an equal file (`equal_file_decided`), or that no
    person did (`not_decided`); and `labels_of_other_files`, which have no row."""
    both_views: tuple[str, ...] = ()
    """Series Instance UIDs of CR series that hold frontal and lateral images, of all rows."""


def select_findings(
    rows: Iterable[Row],
    persons: PersonViews | None = None,
    *,
    with_agreeing: bool = False,
    only_persons: bool = False,
) -> Selection:
    """Choose what may be written: `classified` images and persons' decisions, nothing else.

    Args:
        rows: of a result, with NEEDED_COLUMNS.
        persons: decisions that replace what a row says.
        with_agreeing: also images whose header names the right view already.
        only_persons: only images in `persons` and labels, nothing that the model alone says.

    Raises:
        UsageError: a decision belongs to no row.
    """
    persons = persons or PersonViews(())
    findings: list[Finding] = []
    left_out: Counter[str] = Counter()
    series = _SeriesViews()
    settled: set[tuple[str, str]] = set()
    for row in rows:
        person = persons.of(row)
        series.add(row, person)
        reason = (
            _reason_of_person(row, person, with_agreeing=with_agreeing)
            if person
            else _reason_to_leave_out(row, with_agreeing=with_agreeing)
            or ("not_decided" if only_persons and row["decision"] != LABELLED else "")
        )
        if reason:
            left_out[reason] += 1
            if person and row["sop_instance_uid"] and row["content_id"]:
                settled.add((row["sop_instance_uid"], row["content_id"]))
        else:
            findings.append(_finding(row, person))
    if others := persons.check():
        left_out["labels_of_other_files"] = others
    if settled:  # of an equal file, the model's view must not be written against the person
        count = len(findings)
        findings = [
            one
            for one in findings
            if one.is_of_person or (one.sop_instance_uid, one.content_id) not in settled
        ]
        if count > len(findings):
            left_out["equal_file_decided"] = count - len(findings)
    return Selection(findings=tuple(findings), left_out=left_out, both_views=series.with_both())


def _reason_to_leave_out(row: Row, *, with_agreeing: bool) -> str:
    if _view(row) is None:
        return str(row["decision"])
    if not _is_dicom(row):
        return "not_dicom"
    if row["agreement"] == Agreement.AGREES and not with_agreeing:
        return "already_right"
    return ""


def _reason_of_person(row: Row, person: PersonView, *, with_agreeing: bool) -> str:
    if person.view is None:
        return person.reason
    if not _is_dicom(row):
        return "not_dicom"
    is_right = row["header_view"] == person.view and (
        person.projection is None or row["header_view_position"] == person.projection
    )
    return "already_right" if is_right and not with_agreeing else ""


def _is_dicom(row: Row) -> bool:
    return bool(row["transfer_syntax"] or row["sop_class_uid"] or row["sop_instance_uid"])


def _finding(row: Row, person: PersonView | None) -> Finding:
    return Finding(
        path=from_printable(row["path"]),
        sop_instance_uid=row["sop_instance_uid"] or "",
        series_instance_uid=row["series_instance_uid"] or "",
        study_instance_uid=row["study_instance_uid"] or "",
        modality=row["modality"] or "",
        content_id=row["content_id"] or "",
        view=person.view if person and person.view else View(row["view"]),
        projection=person.projection if person else None,
        model_projection=None if person else _model_projection(row),
        is_of_person=person is not None or (row[ORIGIN] or MODEL) != MODEL,
        model_id=row["model_id"] or "",
        pfi=row["pfi"],
    )


def _model_projection(row: Row) -> Projection | None:
    is_of_model = (row[ORIGIN] or MODEL) == MODEL and row["view"] == View.FRONTAL
    answered = row.get("projection")
    return Projection(answered) if is_of_model and answered else None


class _SeriesViews:
    """Views of the images of each CR series.

    View Position belongs to the *series* in the CR Series module (PS3.3 C.8.1.1), so a series that
    holds both views contradicts itself whatever stands in it.
    """

    def __init__(self) -> None:
        self._first: dict[str, View] = {}
        self._both: set[str] = set()

    def add(self, row: Row, person: PersonView | None) -> None:
        """Count one row, whether it is written or not."""
        view = person.view if person else _view(row)
        uid = row["series_instance_uid"]
        if view and uid and row["modality"] == "CR" and self._first.setdefault(uid, view) != view:
            self._both.add(uid)

    def with_both(self) -> tuple[str, ...]:
        """Series Instance UIDs of those whose images do not all show one view."""
        return tuple(sorted(self._both))


def _view(row: Row) -> View | None:
    """The view that a row has without a person's decision."""
    is_decided = row["decision"] in (Decision.CLASSIFIED, LABELLED) and row["view"]
    return View(row["view"]) if is_decided else None
