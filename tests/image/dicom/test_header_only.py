"""A header that is read alone says what it says when the whole file is read."""

import os
from dataclasses import replace

import numpy as np
import pytest

from cxrview.image import open_image
from cxrview.image.dicom import header_only
from cxrview.image.dicom.header_only import read_header

EXPLICIT, IMPLICIT, BIG_ENDIAN, DEFLATED = (
    f"1.2.840.10008.1.2{end}" for end in (".1", "", ".2", ".1.99")
)
LARGE = np.zeros((600, 500), np.uint16)


def keyed(patient_id: str) -> str:
    return f"<{patient_id}>"


@pytest.mark.parametrize("syntax", [EXPLICIT, IMPLICIT, BIG_ENDIAN, "1.2.840.10008.1.2.4.70"])
@pytest.mark.parametrize("more", [{}, {"ImageComments": "x" * 9000}, {"Modality": None}])
def test_a_header_says_what_the_whole_file_says(tmp_path, make_dicom, syntax, more):
    path = tmp_path / "film.dcm"
    path.write_bytes(make_dicom(LARGE, syntax, **more))

    header = read_header(str(path), patient_key=keyed)

    assert header == replace(
        open_image(path, patient_key=keyed).instance, path=str(path), content_id=""
    )
    assert header.patient_key == "<P1>"


def test_no_more_is_read_of_a_file_than_its_header_takes(tmp_path, make_dicom):
    path = tmp_path / "film.dcm"
    data = make_dicom(LARGE)
    path.write_bytes(data[: 1 << 16])  # what lies behind it is not there

    assert len(data) > 1 << 17
    assert read_header(str(path)).sop_instance_uid == "1.2.3.4"


def test_a_header_longer_than_the_first_step_is_read_to_its_end(tmp_path, make_dicom, monkeypatch):
    monkeypatch.setattr(header_only, "_STEPS", (200, 400, 1 << 20))
    path = tmp_path / "film.dcm"
    path.write_bytes(make_dicom(LARGE))

    assert read_header(str(path), patient_key=keyed).patient_key == "<P1>"


def test_of_what_is_no_dicom_file_on_a_disk_there_is_no_header(tmp_path, make_dicom):
    (tmp_path / "text").write_text("no film")
    (tmp_path / "empty").touch()
    (tmp_path / "deflated").write_bytes(
        make_dicom(np.random.default_rng(0).integers(0, 65536, LARGE.shape, np.uint16), DEFLATED)
    )
    os.mkfifo(tmp_path / "pipe")

    names = ["text", "empty", "deflated", "pipe", "missing", "", "\0"]
    assert [read_header(str(tmp_path / name)) for name in names] == [None] * len(names)
    assert read_header("zip://film.dcm::films.zip") is None
