"""Facts of a DICOM header: UIDs, modality, size and view as an `Instance`."""

from collections.abc import Callable

from cxrview.errors import NotAnImage
from cxrview.image.dicom.elements import Header
from cxrview.image.dicom.parse import Parsed
from cxrview.image.dicom.pixel_module import count_frames
from cxrview.records.classification import Instance

_FIRST_YEAR, _LAST_YEAR = 1895, 2100


def read_instance(
    path: str,
    content_id: str,
    parsed: Parsed,
    header: Header,
    patient_key: Callable[[str], str],
) -> tuple[Instance, tuple[str, ...]]:
    """Read the facts of the header that go into the table.

    Args:
        path: as the user named it.
        content_id: the digest of the file.
        parsed: the elements of the file.
        header: its data set.
        patient_key: returns the pseudonym of a Patient ID; not called if that is empty.

    Returns:
        The instance, without `header_view`, and warnings.

    Raises:
        NotAnImage: the header has neither SOP Class nor Modality nor Rows.
    """
    meta = Header(parsed.meta)
    sop_class, odd_class = header.uid(0x00080016)
    if not sop_class:  # a DICOMDIR has it only in the meta information
        sop_class, odd_class = meta.uid(0x00020002)
    sop_instance, odd_instance = header.uid(0x00080018)
    series, odd_series = header.uid(0x0020000E)
    study, odd_study = header.uid(0x0020000D)
    rows, odd_rows = _length(header, 0x00280010)
    columns, odd_columns = _length(header, 0x00280011)
    modality = header.text(0x00080060)
    if not (sop_class or modality or rows):
        raise NotAnImage(path, "it is not a valid DICOM file")
    patient = header.text(0x00100020, longest=1024)
    return Instance(
        path=path,
        content_id=content_id,
        sop_instance_uid=sop_instance,
        series_instance_uid=series,
        study_instance_uid=study,
        patient_key=patient_key(patient) if patient else "",
        sop_class_uid=sop_class,
        modality=modality,
        body_part=header.text(0x00180015),
        manufacturer=header.text(0x00080070),
        manufacturer_model=header.text(0x00081090),
        study_year=_year(header.text(0x00080020)),
        photometric=header.text(0x00280004),
        transfer_syntax=Header(parsed.meta).uid(0x00020010)[0],
        rows=rows,
        columns=columns,
        frames=count_frames(header)[0] if rows else None,
        header_view_position=header.text(0x00185101),
        header_view_code=_view_code(header),
    ), _once(odd_class + odd_instance + odd_series + odd_study + odd_rows + odd_columns)


def _length(header: Header, tag: int) -> tuple[int | None, tuple[str, ...]]:
    """Read Rows or Columns, which have 16 bits (PS3.3 C.7.6.3); None for larger numbers."""
    value = header.number(tag)
    if value is None or 0 <= value <= 65535:
        return value, ()
    return None, ("odd_size",)


def _once(notes: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(notes))


def _view_code(header: Header) -> str:
    item = header.first_item(0x00540220)
    value = item.text(0x00080100) if item else ""
    return f"{value}^{item.text(0x00080102)}"[:64] if item and value else ""


def _year(date: str) -> int | None:
    year = int(date[:4]) if date[:4].isascii() and date[:4].isdigit() else 0
    return year if _FIRST_YEAR <= year <= _LAST_YEAR else None
