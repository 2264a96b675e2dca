"""Put a finding into the header of one instance; pixels are not touched.

Source: PS3.3 C.12.1.1.9 (Original Attributes), C.12.1 (Contributing Equipment), C.7.6.1 (Source
Image Sequence); PS3.16 CID 7005 and CID 7202.
"""

import uuid
from dataclasses import dataclass
from functools import lru_cache

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
    contradicts,
    view_code_sequence,
    view_of_codes,
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


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrectedHeader:
    """What a correction changes in a header."""

    changes: tuple[ElementChange, ...]
    """Of the view and the identity, in the order of their tags; empty where the header said all of
    it before."""
    elements: Dataset
    """The elements to add or replace; more than `changes` names, since the history is among
    them. Empty where nothing changes."""


def correct_header(
    dataset: Dataset, finding: Finding, settings: CorrectionSettings
) -> CorrectedHeader:
    """Work out how a header must change to name the view that was found.

    Args:
        dataset: of the source, with at least the elements of `header.NEEDED_TAGS` that it has;
            it stays as it is.
        finding: of this instance.
        settings: of the run.
    """
    header = _HeaderChange(dataset, finding, settings)
    header.correct_position()
    header.correct_code()
    if header.changes:
        header.complete_positioning()
        header.replace_uid()
        header.add_original_attributes()
        header.add_contributing_equipment()
    changes = tuple(sorted(header.changes, key=lambda one: one.tag))
    return CorrectedHeader(changes=changes, elements=header.elements)


def corrected_uid(sop_instance_uid: str, finding: Finding) -> str:
    """The SOP Instance UID of the corrected copy: the same for the same finding of the same image.

    Args:
        sop_instance_uid: of the source.
        finding: its view, projection and file content make the name.

    Source:
        PS3.5 B.2: 2.25 and a UUID as a decimal number.
    """
    projection = finding.projection or ""
    if finding.model_projection is not None:
        projection = f"model {finding.model_projection}"
    name = "/".join((sop_instance_uid, finding.content_id, finding.view, projection, "copy"))
    return f"2.25.{uuid.uuid5(_UID_NAMES, name).int}"


class _HeaderChange:
    """The changes of one header, while they are collected."""

    def __init__(self, dataset: Dataset, finding: Finding, settings: CorrectionSettings) -> None:
        self._dataset, self._finding, self._settings = dataset, finding, settings
        # Taken before pydicom converts them: old values are kept as bytes.
        self._before = {
            keyword: dataset.get_item(keyword)
            for keyword in ("SOPInstanceUID", "ViewPosition", "ViewCodeSequence")
            if keyword in dataset
        }
        self.changes: list[ElementChange] = []
        self.elements = Dataset()
        self._original: list[str] = []
        """Keywords of Original Attributes Sequence."""

    def correct_position(self) -> None:
        """Empty a View Position that contradicts the view, or write a projection that is known.

        That of a person replaces any value, that of the model an empty one alone.
        """
        old = _text(self._dataset.get("ViewPosition"))
        new = old
        if self._finding.projection is not None:
            new = self._finding.projection.value
        elif contradicts(old, self._finding.view):
            new = "" if self._settings.position is ConflictingPosition.EMPTY else old
        if not new and self._finding.model_projection is not None:
            new = self._finding.model_projection.value
        if new != old:
            self._replace("ViewPosition", new, old, new)

    def correct_code(self) -> None:
        """Name the view in View Code Sequence, unless it does so already."""
        view, projection = self._finding.view, self._finding.projection
        old = self._dataset.get("ViewCodeSequence")
        if view_of_codes(old) is view and _is_specific_enough(old, projection):
            return
        new = view_code_sequence(view, projection)
        self._replace("ViewCodeSequence", new, _code_text(old), _code_text(new))

    def complete_positioning(self) -> None:
        """Add an empty Positioner Type to a DX image without one.

        It is Type 2 in the DX Positioning module (PS3.3 C.8.11.5), to which View Code Sequence
        belongs.
        """
        if self._dataset.SOPClassUID in _DX_CLASSES and "PositionerType" not in self._dataset:
            self._replace("PositionerType", "", "", "")

    def replace_uid(self) -> None:
        """Give the copy a SOP Instance UID of its own, and refer to the source.

        A UID that is not valid cannot be referred to: it is kept among the original attributes.
        """
        if self._settings.keep_uid:
            return
        old = str(self._dataset.SOPInstanceUID)
        new = corrected_uid(old, self._finding)
        self._replace("SOPInstanceUID", new, old, new)
        if not _can_be_referred_to(old):
            return
        self._original.remove("SOPInstanceUID")
        source = Dataset()
        source.ReferencedSOPClassUID = self._dataset.SOPClassUID
        source.ReferencedSOPInstanceUID = old
        source.PurposeOfReferenceCodeSequence = Sequence([code_item(*_PURPOSE_SOURCE)])
        self._append("SourceImageSequence", source)

    def add_original_attributes(self) -> None:
        """Keep the old values (PS3.3 C.12.1.1.9); empty ones of elements that were absent."""
        if self._settings.deidentified:
            return
        old = Dataset()
        for keyword in self._original:
            if keyword in self._before:
                old[keyword] = self._before[keyword]
            else:
                setattr(old, keyword, Sequence() if keyword == "ViewCodeSequence" else "")
        item = Dataset()
        item.ModifiedAttributesSequence = Sequence([old])
        item.AttributeModificationDateTime = self._settings.date_time
        item.ModifyingSystem = self._settings.system
        item.SourceOfPreviousValues = ""
        item.ReasonForTheAttributeModification = "CORRECT"
        self._append("OriginalAttributesSequence", item)

    def add_contributing_equipment(self) -> None:
        """Say which program changed the object, and who decided its view."""
        item = _contributing_equipment(self._settings, self._finding.decided_by)
        self._append("ContributingEquipmentSequence", item)

    def _replace(self, keyword: str, value: object, old: str, new: str) -> None:
        """Set an element, and note the change."""
        setattr(self.elements, keyword, value)
        number = self.elements[keyword].tag
        tag = f"({number.group:04X},{number.element:04X})"
        self.changes.append(ElementChange(tag=tag, keyword=keyword, old=old, new=new))
        self._original.append(keyword)

    def _append(self, keyword: str, item: Dataset) -> None:
        """Add an item to a sequence, after those that are there."""
        there = self._dataset.get(keyword) or ()
        setattr(self.elements, keyword, Sequence([*there, item]))


@lru_cache(maxsize=8)  # the settings of the service differ for each image
def _contributing_equipment(settings: CorrectionSettings, decided_by: str) -> Dataset:
    """One item, the same for all files of a run whose view one model named (PS3.3 C.12.1)."""
    item = Dataset()
    item.PurposeOfReferenceCodeSequence = Sequence([code_item(*_PURPOSE_MODIFYING)])
    item.Manufacturer = "cxrview"
    item.ManufacturerModelName = "cxrview"
    item.SoftwareVersions = settings.software_version
    if not settings.deidentified:
        item.ContributionDateTime = settings.date_time
        # ASCII: the object may have any Specific Character Set.
        words = f"view named by {decided_by}"
        item.ContributionDescription = words.encode("ascii", "replace").decode()[:64]
    return item


def _can_be_referred_to(uid: str) -> bool:
    """Whether a UID is valid (PS3.5 section 9); that of a de-identified image often is not.

    A reference to one that is not would be one more error of the object.
    """
    return UID(uid).is_valid and uid.startswith(("1.", "2."))


def _is_specific_enough(items: Sequence, projection: Projection | None) -> bool:
    """A code of the right view stays, unless a person knows more than it says."""
    if projection is None:
        return True
    return _code_text(items) == _code_text(view_code_sequence(projection.view, projection))


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
