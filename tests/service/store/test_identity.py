import warnings

import pydicom
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.uid import BasicTextSRStorage, ImplicitVRLittleEndian

from cxrview.service.store.identity import identify


def saved(dataset, path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        dataset.save_as(path)
    return path


def test_identify_reads_the_header(films):
    header = pydicom.dcmread(films[0], stop_before_pixels=True)

    found = identify(films[0])

    assert found.sop_instance_uid == header.SOPInstanceUID
    assert found.sop_class_uid == header.SOPClassUID
    assert found.modality == header.Modality
    assert found.transfer_syntax == header.file_meta.TransferSyntaxUID


def test_identify_leaves_the_file_meta_information_out(films, tmp_path):
    dataset = pydicom.dcmread(films[0])
    dataset.file_meta.ImplementationVersionName = "ANOTHER"
    dataset.preamble = b"II*\0" + bytes(124)

    assert identify(saved(dataset, tmp_path / "a")).digest == identify(films[0]).digest


@pytest.mark.parametrize("change", ["pixel", "element", "syntax"])
def test_identify_tells_other_content_apart(films, tmp_path, change):
    dataset = pydicom.dcmread(films[0])
    if change == "pixel":
        dataset.PixelData = bytes([dataset.PixelData[0] ^ 1]) + dataset.PixelData[1:]
    elif change == "element":
        dataset.StudyDescription = "another"
    else:
        dataset.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian

    other = identify(saved(dataset, tmp_path / "a"))

    assert other.digest != identify(films[0]).digest
    assert other.sop_instance_uid == dataset.SOPInstanceUID


@pytest.mark.parametrize("is_implicit", [False, True])
def test_identify_reads_an_object_without_pixels(films, tmp_path, is_implicit):
    dataset = pydicom.dcmread(films[0])
    del dataset.PixelData
    dataset.SOPClassUID = dataset.file_meta.MediaStorageSOPClassUID = BasicTextSRStorage
    if is_implicit:
        dataset.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian

    found = identify(saved(dataset, tmp_path / "report"))

    assert (found.sop_instance_uid, found.sop_class_uid) == (
        dataset.SOPInstanceUID,
        BasicTextSRStorage,
    )


@given(data=st.data())
def test_identify_accepts_any_bytes(films, tmp_path_factory, data):
    content = bytearray(films[0].read_bytes()[:3000])
    for _ in range(data.draw(st.integers(0, 6))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.getbasetemp() / "damaged"
    path.write_bytes(content[: data.draw(st.integers(0, len(content)))])

    assert len(identify(path).digest) == 64
