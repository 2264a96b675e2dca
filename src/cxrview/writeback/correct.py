"""Put a finding into the header of one instance; pixels are not touched.

Source: PS3.3 C.12.1.1.9 (Original Attributes), C.12.1 (Contributing Equipment), C.7.6.1 (Source
Image Sequence); PS3.16 CID 7005 and CID 7202.
"""

import uuid
from copy import deepcopy
from dataclasses import dataclass

from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import (
    UID,
    DigitalXRayImageStorageForPresentation,
    DigitalXRayImageStorageForProcessing,
)

from cxrview.terms import Projection
from cxrview.writeback.finding import Finding
from cxrview.writeback.settings import ConflictingPosition, CorrectionSettings
from cxrview.writeback.view_codes import (
    code_item,
    view_code_sequence,
    view_of_codes,
    view_of_position,
)

_PURPOSE_MODIFYING = ("109103", "DCM", "Modifying Equipment")
_PURPOSE_SOURCE = ("121322", "DCM", "Source image for image processing operation")
_DX_CLASSES = {DigitalXRayImageStorageForPresentation, DigitalXRayImageStorageForProcessing}
_UID_NAMES = uuid.UUID("8f1c2d7e-5b0a-4c11-9a4e-6d2f4be3a9c1")


@dataclass(frozen=True, slots=True, kw_only=True)
class ElementChange:
    """One changed element, in words for a person."""

    tag: str
    """As `(0018,5101)`."""
    keyword: str
    """As in PS3.6, such as `ViewPosition`."""
    old: str
    """Empty where the element was absent or had no value."""
    new: str


def correct_header(
    dataset: Dataset, finding: Finding, settings: CorrectionSettings
) -> tuple[ElementChange, ...]:
    """Change a header so that it names the view that was found.

    Args:
        dataset: everything before Pixel Data; changed in place.
        finding: of this instance.
        settings: of the run.

    Returns:
        The changed elements of the view and the identity, in the order of their tags; empty where
        the header said all of it before, in which case nothing was changed.
    """
    before = {
        "SOPInstanceUID": str(dataset.SOPInstanceUID),
        "ViewPosition": dataset.get("ViewPosition"),
        "ViewCodeSequence": deepcopy(dataset.get("ViewCodeSequence")),
    }
    changed = [*_correct_position(dataset, finding, settings), *_correct_code(dataset, finding)]
    if not changed:
        return ()
    changed += _complete_positioning(dataset)
    original = [one.keyword for one in changed]
    if not settings.keep_uid:
        if _can_be_referred_to(before["SOPInstanceUID"]):
            _refer_to_source(dataset)
        else:
            original.append("SOPInstanceUID")
        changed.append(_replace_uid(dataset, finding))
    if not settings.deidentified:
        _add_original_attributes(dataset, before, original, settings)
    _add_contributing_equipment(dataset, finding, settings)
    return tuple(sorted(changed, key=lambda one: one.tag))


def corrected_uid(sop_instance_uid: str, finding: Finding) -> str:
    """The SOP Instance UID of the corrected copy: the same for the same finding of the same image.

    Args:
        sop_instance_uid: of the source.
        finding: its view, projection and file content make the name.

    Source:
        PS3.5 B.2: 2.25 and a UUID as a decimal number.
    """
    name = "/".join(
        (sop_instance_uid, finding.content_id, finding.view, finding.projection or "", "copy")
    )
    return f"2.25.{uuid.uuid5(_UID_NAMES, name).int}"


def _correct_position(
    dataset: Dataset, finding: Finding, settings: CorrectionSettings
) -> list[ElementChange]:
    old = _text(dataset.get("ViewPosition"))
    new = old
    if finding.projection is not None:
        new = finding.projection.value
    elif view_of_position(old) not in (None, finding.view):
        new = "" if settings.position is ConflictingPosition.EMPTY else old
    if new == old:
        return []
    dataset.ViewPosition = new
    return [ElementChange(tag="(0018,5101)", keyword="ViewPosition", old=old, new=new)]


def _correct_code(dataset: Dataset, finding: Finding) -> list[ElementChange]:
    old = dataset.get("ViewCodeSequence")
    if view_of_codes(old) is finding.view and _is_specific_enough(old, finding.projection):
        return []
    new = view_code_sequence(finding.view, finding.projection)
    change = ElementChange(
        tag="(0054,0220)", keyword="ViewCodeSequence", old=_code_text(old), new=_code_text(new)
    )
    dataset.ViewCodeSequence = new
    return [change]


def _complete_positioning(dataset: Dataset) -> list[ElementChange]:
    """Add an empty Positioner Type to a DX image without one.

    It is Type 2 in the DX Positioning module (PS3.3 C.8.11.5), to which View Code Sequence belongs.
    """
    if dataset.SOPClassUID not in _DX_CLASSES or "PositionerType" in dataset:
        return []
    dataset.PositionerType = ""
    return [ElementChange(tag="(0018,1508)", keyword="PositionerType", old="", new="")]


def _can_be_referred_to(uid: str) -> bool:
    """Whether a UID is valid (PS3.5 section 9); that of a de-identified image often is not.

    A reference to one that is not would be one more error of the object: it is kept among the
    original attributes instead.
    """
    return UID(uid).is_valid and uid.startswith(("1.", "2."))


def _refer_to_source(dataset: Dataset) -> None:
    source = Dataset()
    source.ReferencedSOPClassUID = dataset.SOPClassUID
    source.ReferencedSOPInstanceUID = dataset.SOPInstanceUID
    source.PurposeOfReferenceCodeSequence = Sequence([code_item(*_PURPOSE_SOURCE)])
    _append(dataset, "SourceImageSequence", source)


def _is_specific_enough(items: Sequence, projection: Projection | None) -> bool:
    """A code of the right view stays, unless a person knows more than it says."""
    if projection is None:
        return True
    return _code_text(items) == _code_text(view_code_sequence(projection.view, projection))


def _add_original_attributes(
    dataset: Dataset, before: dict[str, object], keywords: list[str], settings: CorrectionSettings
) -> None:
    old = Dataset()
    for keyword in keywords:
        empty = Sequence() if keyword == "ViewCodeSequence" else ""
        value = before.get(keyword)
        setattr(old, keyword, empty if value is None else value)
    item = Dataset()
    item.ModifiedAttributesSequence = Sequence([old])
    item.AttributeModificationDateTime = settings.date_time
    item.ModifyingSystem = settings.system
    item.SourceOfPreviousValues = ""
    item.ReasonForTheAttributeModification = "CORRECT"
    _append(dataset, "OriginalAttributesSequence", item)


def _add_contributing_equipment(
    dataset: Dataset, finding: Finding, settings: CorrectionSettings
) -> None:
    item = Dataset()
    item.PurposeOfReferenceCodeSequence = Sequence([code_item(*_PURPOSE_MODIFYING)])
    item.Manufacturer = "cxrview"
    item.ManufacturerModelName = "cxrview"
    item.SoftwareVersions = settings.software_version
    item.ContributionDateTime = settings.date_time
    if not settings.deidentified:
        item.ContributionDescription = f"view named by {finding.decided_by}"[:64]
    _append(dataset, "ContributingEquipmentSequence", item)


def _replace_uid(dataset: Dataset, finding: Finding) -> ElementChange:
    old = str(dataset.SOPInstanceUID)
    dataset.SOPInstanceUID = corrected_uid(old, finding)
    return ElementChange(
        tag="(0008,0018)", keyword="SOPInstanceUID", old=old, new=str(dataset.SOPInstanceUID)
    )


def _append(dataset: Dataset, keyword: str, item: Dataset) -> None:
    """Append to a sequence; items that are there stay as they are."""
    items = dataset.get(keyword)
    if items:
        items.append(item)
    else:
        setattr(dataset, keyword, Sequence([item]))


def _code_text(items: Sequence | None) -> str:
    if not items:
        return ""
    first = items[0]
    return f"{_text(first.get('CodeValue'))} {_text(first.get('CodingSchemeDesignator'))}".strip()


def _text(value: object) -> str:
    """A value as it stands in the header; several values joined by backslashes."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value.strip()
    try:
        return "\\".join(str(one) for one in value).strip()  # type: ignore[attr-defined]
    except TypeError:
        return str(value)
