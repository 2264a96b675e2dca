"""Headers: complete, invented, and the same for the same seed."""

import io
import re
import subprocess
from dataclasses import replace

import pydicom
import pytest

from cxrview.phantom.dicom import Shot, make_instance, make_report, synthetic_uid, to_bytes
from cxrview.phantom.encode import find_syntax
from cxrview.phantom.patient import draw_patient
from cxrview.terms import Projection


def test_the_same_shot_gives_the_same_bytes(pixels, shot):
    first, second = (to_bytes(make_instance(pixels, shot, find_syntax("rle"))) for _ in range(2))

    assert first == second


def test_every_value_that_names_somebody_is_invented(sound):
    for keyword in ("PatientName", "PatientID", "Manufacturer"):
        assert "phantom" in str(sound[keyword].value).lower()
    assert sound.InstitutionName == "Drawn Hospital"
    assert sound.StudyDate.startswith("2001")
    names = [element.value for element in sound if element.VR == "PN" and element.value]
    assert len(names) == 1


def test_another_seed_patient_or_series_has_other_uids(pixels, shot):
    others = [
        shot,
        replace(shot, series=2),
        replace(shot, archive_seed=1),
        replace(shot, patient=draw_patient(2, 0)),
    ]
    made = [make_instance(pixels, one, find_syntax("native")) for one in others]

    assert len({dataset.SOPInstanceUID for dataset in made}) == 4
    assert made[0].StudyInstanceUID == made[1].StudyInstanceUID
    assert made[0].SeriesInstanceUID != made[1].SeriesInstanceUID


def test_a_uid_has_the_form_of_ps3_5_annex_b():
    assert re.fullmatch(r"2\.25\.[1-9][0-9]{0,38}", synthetic_uid("any", 1))


@pytest.mark.parametrize("projection", list(Projection))
def test_digital_views_are_coded_as_well_as_named(pixels, patient, projection):
    shot = Shot(patient=patient, projection=projection, archive_seed=0, is_digital=True)
    dataset = make_instance(pixels, shot, find_syntax("native"))

    assert dataset.ViewPosition == projection
    assert len(dataset.ViewCodeSequence) == 1
    assert dataset.ViewCodeSequence[0].CodingSchemeDesignator == "SCT"
    assert dataset.Modality == "DX"


def test_a_report_has_no_pixels(shot):
    report = pydicom.dcmread(io.BytesIO(to_bytes(make_report(shot))))

    assert report.Modality == "SR"
    assert "PixelData" not in report


def test_dcmtk_finds_nothing_to_complain_of(sound, tmp_path, program):
    file = tmp_path / "sound.dcm"
    file.write_bytes(to_bytes(sound))

    dumped = subprocess.run([program("dcmdump"), file], capture_output=True, text=True)

    assert dumped.returncode == 0
    assert not re.search(r"^[WEF]: ", dumped.stderr, flags=re.MULTILINE)
