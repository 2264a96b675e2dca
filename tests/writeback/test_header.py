"""Elements that a correction does not concern stay byte for byte as they are."""

import struct
import warnings
from dataclasses import replace
from pathlib import Path

import pydicom
import pytest
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_dataset
from pydicom.sequence import Sequence
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from cxrview.errors import CorruptHeader, UnreadableImage
from cxrview.records.classification import Failure
from cxrview.terms import Projection, View
from cxrview.writeback.copy_file import correct_file, preview_file
from cxrview.writeback.correct import corrected_uid
from cxrview.writeback.element_spans import ElementReader, Incomplete, Malformed
from cxrview.writeback.header import Header, parse_header
from cxrview.writeback.jobs import ReportJob
from cxrview.writeback.refusals import WithoutIdentity
from cxrview.writeback.settings import ConflictingPosition, CorrectionSettings

NATIVE = [
    ImplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    DeflatedExplicitVRLittleEndian,
]
CHANGED = {0x00080018, 0x00082112, 0x0018A001, 0x00181508, 0x00185101, 0x00540220, 0x04000561}


def radiograph(syntax: UID, sop_class: str = "1.2.840.10008.5.1.4.1.1.1") -> pydicom.FileDataset:
    """A small frontal whose header says LL, with all kinds of elements."""
    dataset = Dataset()
    dataset.SpecificCharacterSet = ["", "ISO 2022 IR 87"]
    dataset.SOPClassUID, dataset.SOPInstanceUID = sop_class, "1.2.3.4"
    dataset.Modality, dataset.ViewPosition = "CR", "LL"
    dataset.PatientName = "Yamada^Tarou=\u5c71\u7530^\u592a\u90ce"
    block = dataset.private_block(0x0029, "PHANTOM WORKS", create=True)
    block.add_new(0x10, "OB", b"\1\2\3\4")
    block.add_new(0x11, "UN", b"\xff" * 300)
    item = Dataset()
    item.CodeValue, item.CodeMeaning = "1", "odd"
    nested = Dataset()
    nested.ProcedureCodeSequence = Sequence([item, Dataset()])
    dataset.ReferencedStudySequence = Sequence([nested])
    dataset["ReferencedStudySequence"].is_undefined_length = True
    nested["ProcedureCodeSequence"].is_undefined_length = True
    nested.is_undefined_length_sequence_item = True
    dataset.add(DataElement(0x00190010, "LO", "SOMEBODY"))
    dataset.add(DataElement(0x00191001, "UN", b"\0" * 70_000))
    dataset.Rows, dataset.Columns, dataset.SamplesPerPixel = 4, 4, 1
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 16, 12, 11
    dataset.PhotometricInterpretation, dataset.PixelRepresentation = "MONOCHROME2", 0
    dataset.PixelData = bytes(range(32))
    dataset["PixelData"].VR = "OW"
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = syntax
    return dataset


def write(dataset: Dataset, path: Path) -> Path:
    dataset.save_as(path, enforce_file_format=True)
    return path


def header_of(path: Path) -> Header:
    return parse_header(str(path), path.read_bytes(), is_all=True)


def elements_of(header: Header) -> dict[int, bytes]:
    return {tag: header.data[slice(*span)] for tag, span in header.spans.items()}


@pytest.mark.parametrize("syntax", NATIVE, ids=lambda uid: uid.name)
def test_a_copy_keeps_the_bytes_of_all_other_elements(find, settings, tmp_path, syntax):
    source = write(radiograph(syntax), tmp_path / "source.dcm")

    correct_file(find(source, View.FRONTAL), tmp_path / "copy.dcm", settings)

    before, after = header_of(source), header_of(tmp_path / "copy.dcm")
    kept = {tag: data for tag, data in elements_of(before).items() if tag not in CHANGED}
    assert kept.items() <= elements_of(after).items()
    assert set(elements_of(after)) - set(kept) <= CHANGED
    assert list(after.spans) == sorted(after.spans)
    assert before.data[before.end :] == after.data[after.end :]
    assert (after.transfer_syntax, after.is_little) == (syntax, syntax != ExplicitVRBigEndian)
    copy = pydicom.dcmread(tmp_path / "copy.dcm")
    assert copy.ViewPosition == ""
    assert copy.ViewCodeSequence[0].CodeMeaning == "frontal"
    assert copy.OriginalAttributesSequence[0].ModifiedAttributesSequence[0].ViewPosition == "LL"
    assert copy.PatientName.ideographic == "\u5c71\u7530^\u592a\u90ce"


@pytest.mark.parametrize("syntax", NATIVE[:3], ids=lambda uid: uid.name)
def test_a_file_without_preamble_and_meta_information_gets_them(find, settings, tmp_path, syntax):
    source = write(radiograph(syntax), tmp_path / "source.dcm")
    whole = source.read_bytes()
    first = min(begin for begin, _ in header_of(source).spans.values())
    source.write_bytes(whole[first:])

    correct_file(find(source, View.FRONTAL), tmp_path / "copy.dcm", settings)

    copy = pydicom.dcmread(tmp_path / "copy.dcm")
    assert copy.file_meta.TransferSyntaxUID == syntax
    assert copy.file_meta.MediaStorageSOPInstanceUID == copy.SOPInstanceUID
    assert copy.preamble == b"\0" * 128
    assert copy.PixelData == bytes(range(32))


def test_items_that_are_there_keep_their_bytes(find, settings, tmp_path):
    dataset = radiograph(ExplicitVRLittleEndian)
    old = Dataset()
    old.ViewPosition = "AP"
    item = Dataset()
    item.ModifiedAttributesSequence = Sequence([old])
    item.ModifyingSystem = "PACS"
    item.add(DataElement(0x04000011, "LO", "SOMEBODY"))
    item.add(DataElement(0x04001101, "UN", b"\xfe" * 9_001))
    dataset.OriginalAttributesSequence = Sequence([item])
    source = write(dataset, tmp_path / "source.dcm")
    span = elements_of(header_of(source))[0x04000561]

    correct_file(find(source, View.FRONTAL), tmp_path / "copy.dcm", settings)

    assert span[12:] in elements_of(header_of(tmp_path / "copy.dcm"))[0x04000561]
    assert len(pydicom.dcmread(tmp_path / "copy.dcm").OriginalAttributesSequence) == 2


@pytest.mark.parametrize("is_undefined", [False, True], ids=["defined", "undefined length"])
def test_items_of_a_sequence_of_unknown_kind_stay_readable(find, settings, tmp_path, is_undefined):
    """Archives that do not know a sequence store it as UN, implicit inside (PS3.5 6.2.2)."""
    code, old, item = Dataset(), Dataset(), Dataset()
    code.CodeValue = "1"
    old.ViewPosition, old.ViewCodeSequence = "AP", Sequence([code])
    item.ModifiedAttributesSequence = Sequence([old])
    item.ModifyingSystem = "PACS"
    for dataset, keyword in ((item, "ModifiedAttributesSequence"), (old, "ViewCodeSequence")):
        dataset[keyword].is_undefined_length = is_undefined
    data = write(radiograph(ExplicitVRLittleEndian), tmp_path / "source.dcm").read_bytes()
    pixels = data.index(b"\xe0\x7f\x10\0")
    unknown = stored_as_unknown(0x04000561, item, is_undefined=is_undefined)
    (tmp_path / "source.dcm").write_bytes(data[:pixels] + unknown + data[pixels:])

    correct_file(find(tmp_path / "source.dcm", View.FRONTAL), tmp_path / "copy.dcm", settings)

    kept, added = pydicom.dcmread(tmp_path / "copy.dcm").OriginalAttributesSequence
    assert kept.ModifyingSystem == "PACS"
    (before,) = kept.ModifiedAttributesSequence
    assert before.ViewPosition == "AP"
    assert before.ViewCodeSequence[0].CodeValue == "1"
    assert added.ModifiedAttributesSequence[0].ViewPosition == "LL"


def stored_as_unknown(tag: int, item: Dataset, *, is_undefined: bool) -> bytes:
    """A sequence of one item as UN."""
    buffer = DicomBytesIO()
    buffer.is_implicit_VR, buffer.is_little_endian = True, True
    write_dataset(buffer, item)
    inside = buffer.getvalue()
    value = struct.pack("<HHI", 0xFFFE, 0xE000, len(inside)) + inside
    if is_undefined:
        value += struct.pack("<HHI", 0xFFFE, 0xE0DD, 0)
    length = 0xFFFFFFFF if is_undefined else len(value)
    return struct.pack("<HH2s2xI", tag >> 16, tag & 0xFFFF, b"UN", length) + value


@pytest.mark.parametrize(
    ("position", "view", "after"),
    [
        ("PA", View.FRONTAL, "PA"),
        ("AP SUPINE", View.FRONTAL, "AP SUPINE"),
        ("LATERAL", View.LATERAL, "LATERAL"),
        ("PA", View.LATERAL, ""),
        (["PA", "AP"], View.LATERAL, ""),
        (["PA", "LL"], View.LATERAL, ""),
        ("LLD", View.FRONTAL, "LLD"),
        ("WHATEVER", View.FRONTAL, "WHATEVER"),
        ("", View.FRONTAL, ""),
    ],
)
def test_a_view_position_stays_unless_it_names_the_other_view(
    find, settings, tmp_path, position, view, after
):
    dataset = radiograph(ExplicitVRLittleEndian)
    dataset.ViewPosition = position
    source = write(dataset, tmp_path / "source.dcm")

    correct_file(find(source, view), tmp_path / "copy.dcm", settings)

    copy = pydicom.dcmread(tmp_path / "copy.dcm")
    assert copy.ViewPosition == after
    original = copy.OriginalAttributesSequence[0].ModifiedAttributesSequence[0]
    assert original.get("ViewPosition", after) == (position if after == "" else after)


@pytest.mark.parametrize(
    ("position", "after"),
    [("LL", "AP"), ("", "AP"), ("PA", "PA"), ("AP SUPINE", "AP SUPINE"), ("LLD", "LLD")],
)
def test_the_projection_of_a_model_is_written_where_a_view_position_would_be_empty(
    find, settings, tmp_path, position, after
):
    dataset = radiograph(ExplicitVRLittleEndian)
    dataset.ViewPosition = position
    source = write(dataset, tmp_path / "source.dcm")
    finding = find(source, View.FRONTAL, model_projection=Projection.AP)

    correct_file(finding, tmp_path / "copy.dcm", settings)

    copy = pydicom.dcmread(tmp_path / "copy.dcm")
    assert copy.ViewPosition == after
    assert copy.ViewCodeSequence[0].CodeValue == "399033003"  # frontal, not AP
    plain = find(source, View.FRONTAL)
    assert corrected_uid("1.2", finding) != corrected_uid("1.2", plain)


def test_a_position_that_is_kept_is_not_replaced_by_the_projection_of_a_model(
    find, settings, tmp_path
):
    dataset = radiograph(ExplicitVRLittleEndian)
    dataset.ViewPosition = "LL"
    source = write(dataset, tmp_path / "source.dcm")
    kept = replace(settings, position=ConflictingPosition.KEEP)

    finding = find(source, View.FRONTAL, model_projection=Projection.AP)
    correct_file(finding, tmp_path / "copy.dcm", kept)

    assert pydicom.dcmread(tmp_path / "copy.dcm").ViewPosition == "LL"


@pytest.mark.parametrize(
    ("sop_class", "code"),
    [
        ("1.2.840.10008.5.1.4.1.1.1", ""),  # CR
        ("1.2.840.10008.5.1.4.1.1.1.1", ""),  # DX
        ("1.2.840.10008.5.1.4.1.1.7", ""),  # secondary capture
        ("1.2.840.10008.5.1.4.1.1.7.2", ""),  # of several frames
        ("1.2.840.10008.5.1.4.1.1.12.1.1", "not_a_projection_image"),  # enhanced XA
        ("1.2.840.10008.5.1.4.1.1.1.2", "not_a_projection_image"),  # mammography
        ("1.2.840.10008.5.1.4.1.1.2", "not_a_projection_image"),  # CT
    ],
)
def test_only_classes_of_chest_radiographs_are_written(find, settings, tmp_path, sop_class, code):
    source = write(radiograph(ExplicitVRLittleEndian, sop_class), tmp_path / "source.dcm")
    finding = find(source, View.FRONTAL, projection=Projection.AP)

    if code:
        with pytest.raises(UnreadableImage) as caught:
            correct_file(finding, tmp_path / "copy.dcm", settings)
        assert caught.value.code == code
        return
    correct_file(finding, tmp_path / "copy.dcm", settings)
    copy = pydicom.dcmread(tmp_path / "copy.dcm")
    assert (copy.ViewPosition, copy.ViewCodeSequence[0].CodeValue) == ("AP", "399348003")
    assert ("PositionerType" in copy) == sop_class.endswith("1.1.1.1")


def test_an_element_that_stands_twice_is_refused(find, settings, tmp_path):
    source = write(radiograph(ExplicitVRLittleEndian), tmp_path / "source.dcm")
    element = elements_of(header_of(source))[0x00185101]
    source.write_bytes(source.read_bytes().replace(element, element * 2))

    with pytest.raises(CorruptHeader):
        preview_file(find(source, View.FRONTAL), settings)


@pytest.mark.parametrize(
    ("keyword", "vr", "value"),
    [
        ("ViewCodeSequence", "US", [1, 2]),  # found by `make fuzz`
        ("SourceImageSequence", "LO", "one"),
        ("OriginalAttributesSequence", "UL", 7),
        ("ContributingEquipmentSequence", "OB", b"ab"),
        ("ViewPosition", "SQ", [Dataset()]),
    ],
)
def test_a_sequence_that_is_a_single_value_is_refused(find, settings, tmp_path, keyword, vr, value):
    dataset = radiograph(ExplicitVRLittleEndian)
    dataset[keyword] = DataElement(keyword, vr, value)
    source = write(dataset, tmp_path / "source.dcm")

    with pytest.raises(CorruptHeader, match=f"{keyword} has the value representation {vr}"):
        preview_file(find(source, View.FRONTAL), settings)


def test_a_value_that_cannot_be_converted_is_refused(find, settings, tmp_path):
    source = write(radiograph(ExplicitVRLittleEndian), tmp_path / "source.dcm")
    element = elements_of(header_of(source))[0x00185101]
    source.write_bytes(source.read_bytes().replace(element, element.replace(b"CS", b"FD")))

    with pytest.raises(CorruptHeader, match="strictly"):
        preview_file(find(source, View.FRONTAL), settings)


@pytest.mark.parametrize("tag", [0x00080016, 0x00080018])
def test_a_uid_that_is_stored_as_numbers_is_none(find, settings, tmp_path, tag):
    source = write(radiograph(ExplicitVRLittleEndian), tmp_path / "source.dcm")
    element = elements_of(header_of(source))[tag]
    source.write_bytes(source.read_bytes().replace(element, element.replace(b"UI", b"US")))

    with pytest.raises(WithoutIdentity):
        preview_file(find(source, View.FRONTAL), settings)


@pytest.mark.parametrize("keyword", ["StudyInstanceUID", "SeriesInstanceUID"])
def test_a_report_leaves_out_an_image_of_two_studies_or_series(find, settings, tmp_path, keyword):
    dataset = radiograph(ExplicitVRLittleEndian)
    dataset.StudyInstanceUID = dataset.SeriesInstanceUID = "1.2.3"
    dataset[keyword].value = ["1.2.3", "1.2.4"]
    source = write(dataset, tmp_path / "source.dcm")
    findings = (find(source, View.FRONTAL),)
    job = ReportJob(study_instance_uid="1.2.3", findings=findings, folder=tmp_path)

    (failure,) = job.carry_out(settings)

    assert isinstance(failure, Failure) and failure.code == WithoutIdentity.code


def test_a_report_leaves_out_an_image_whose_header_cannot_be_converted(find, settings, tmp_path):
    dataset = radiograph(ExplicitVRLittleEndian)
    dataset.StudyInstanceUID = "1.2.3"
    source = write(dataset, tmp_path / "source.dcm")
    element = elements_of(header_of(source))[0x0020000D]
    source.write_bytes(source.read_bytes().replace(element, element.replace(b"UI", b"FD")))
    job = ReportJob(
        study_instance_uid="1.2.3", findings=(find(source, View.FRONTAL),), folder=tmp_path
    )

    (failure,) = job.carry_out(settings)

    assert isinstance(failure, Failure)


@pytest.mark.parametrize("system", ["", "x" * 65, "Klinik K\u00f6ln", "a\\b", "a\nb"])
def test_settings_refuse_a_system_that_is_not_one_ascii_value(settings, system):
    with pytest.raises(ValueError, match="a system"):
        CorrectionSettings(modified=settings.modified, system=system, software_version="1")


def test_element_reader_stops_at_every_cut(tmp_path):
    """Cut anywhere, a header is incomplete or malformed; never read beyond, never accepted."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        source = write(radiograph(ExplicitVRLittleEndian), tmp_path / "source.dcm")
    header = header_of(source)
    first = min(begin for begin, _ in header.spans.values())
    ends = [0, 1, 7, 8, 11, *range(12, 600), header.end - first - 1, header.end - first + 3]

    for end in ends:
        reader = ElementReader(header.data[: first + end], is_implicit=False, is_little=True)
        with pytest.raises((Incomplete, Malformed)):
            reader.spans(first)
