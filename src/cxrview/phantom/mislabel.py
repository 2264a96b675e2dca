"""Header faults about the view, in otherwise valid files.

In the public Open-i collection, most wrong headers are laterals labelled PA; free text in View
Position and contradicting codes occur in other archives.
"""

from collections.abc import Callable
from dataclasses import dataclass

from pydicom.config import IGNORE
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from cxrview.terms import Projection, View

Change = Callable[[Dataset, Projection], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class HeaderFault:
    """One kind of fault."""

    name: str
    what: str
    """One line."""
    apply: Change
    """Takes a data set, which is changed in place, and the true projection."""


def _silent(dataset: Dataset, truth: Projection) -> None:
    dataset.ViewPosition = ""
    dataset.SeriesDescription = ""
    if "ViewCodeSequence" in dataset:
        del dataset.ViewCodeSequence


def _absent(dataset: Dataset, truth: Projection) -> None:
    _silent(dataset, truth)
    del dataset.ViewPosition


def _wrong(dataset: Dataset, truth: Projection) -> None:
    _silent(dataset, truth)
    dataset.ViewPosition = "LL" if truth.view is View.FRONTAL else "PA"


def _says(frontal: str, lateral: str) -> Change:
    def change(dataset: Dataset, truth: Projection) -> None:
        _silent(dataset, truth)
        said = frontal if truth.view is View.FRONTAL else lateral
        # Unchecked, since PS3.5 does not allow lower case in CS.
        dataset["ViewPosition"] = DataElement("ViewPosition", "CS", said, validation_mode=IGNORE)

    return change


def _two_values(dataset: Dataset, truth: Projection) -> None:
    _silent(dataset, truth)
    dataset.ViewPosition = ["PA", "LL"]


def _contradicting_code(dataset: Dataset, truth: Projection) -> None:
    frontal = truth.view is View.FRONTAL
    dataset.ViewPosition = truth.value
    code = Dataset()
    code.CodeValue = "399067008" if frontal else "399033003"
    code.CodingSchemeDesignator = "SCT"
    code.CodeMeaning = "lateral" if frontal else "frontal"
    dataset.ViewCodeSequence = Sequence([code])


def _empty_code(dataset: Dataset, truth: Projection) -> None:
    _silent(dataset, truth)
    dataset.ViewCodeSequence = Sequence()


def _no_body_part(dataset: Dataset, truth: Projection) -> None:
    dataset.BodyPartExamined = ""


def _hand(dataset: Dataset, truth: Projection) -> None:
    _silent(dataset, truth)
    dataset.BodyPartExamined = "HAND"
    dataset.StudyDescription = "HAND 2 VIEWS"
    if "AnatomicRegionSequence" in dataset:
        del dataset.AnatomicRegionSequence


HEADER_FAULTS: dict[str, HeaderFault] = {
    name: HeaderFault(name=name, what=what, apply=apply)
    for name, what, apply in (
        ("view-missing", "View Position empty, no view code, no description", _silent),
        ("view-absent", "the View Position element is missing", _absent),
        ("view-wrong", "a lateral labelled PA, a frontal labelled LL", _wrong),
        ("free-text", "View Position LATERAL or FRONTAL, which are not defined terms",
         _says("FRONTAL", "LATERAL")),
        ("lower-case", "View Position pa or ll, which its value representation does not allow",
         _says("pa", "ll")),
        ("two-values", "View Position PA and LL at once", _two_values),
        ("code-contradicts", "View Code Sequence contradicts View Position",
         _contradicting_code),
        ("code-empty", "View Code Sequence without an item", _empty_code),
        ("body-part-missing", "Body Part Examined empty", _no_body_part),
        ("hand", "Body Part Examined HAND, no view: to be skipped", _hand),
    )
}  # fmt: skip
"""All faults by name."""
