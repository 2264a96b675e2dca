"""Reports of a study, read by DCMTK, dicom3tools and highdicom."""

import re
import subprocess
import warnings
from dataclasses import replace
from datetime import UTC, datetime

import pydicom
import pytest

pytest.importorskip("highdicom", reason="needs highdicom: pip install '.[sr]'")

from highdicom.sr import srread

from cxrview.terms import Projection, View
from cxrview.writeback.jobs import ReportJob
from cxrview.writeback.structured_report import ImageFinding, make_report, report_uid

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def images(drawn, find) -> list[ImageFinding]:
    found = []
    for number, view in ((1, View.FRONTAL), (2, View.LATERAL)):
        path = drawn / "PAT00001" / "STUDY001" / f"IM000{number}"
        header = pydicom.dcmread(path, stop_before_pixels=True)
        finding = find(path, view, sop_instance_uid=str(header.SOPInstanceUID), pfi=99.5)
        found.append(ImageFinding(finding=finding, header=header))
    return found


def test_make_report_names_view_probability_and_model(images, tmp_path):
    report = make_report(images, version="9.9", moment=NOON)
    report.save_as(tmp_path / "sr.dcm", enforce_file_format=True)

    groups = srread(tmp_path / "sr.dcm").content.get_image_measurement_groups()
    assert [
        (
            group.get_qualitative_evaluations()[0].value.value,
            group.get_measurements()[0].value,
            group.source_images[0].referenced_sop_instance_uid,
        )
        for group in groups
    ] == [
        (code, 99.5, one.finding.sop_instance_uid)
        for code, one in zip(("399033003", "399067008"), images, strict=True)
    ]


def test_make_report_validates(images, tmp_path, program):
    path = tmp_path / "sr.dcm"
    make_report(images, version="9.9", moment=NOON).save_as(path, enforce_file_format=True)

    checked = subprocess.run([program("dciodvfy"), path], capture_output=True, text=True)
    printed = subprocess.run([program("dsrdump"), path], capture_output=True, text=True)

    assert not re.search("^Error", checked.stderr + checked.stdout, re.MULTILINE)
    assert '"Image View")=(399067008,SCT,"lateral")' in printed.stdout


def test_report_uid_follows_from_what_was_found(images):
    one, two = (image.finding for image in images)

    assert report_uid("1.2", [one, two], "report") == report_uid("1.2", [two, one], "report")
    assert report_uid("1.2", [one], "report") != report_uid("1.2", [two], "report")
    assert report_uid("1.2", (), "series") == report_uid("1.2", (), "series")


def test_a_report_job_writes_the_same_report_twice(images, settings, tmp_path):
    job = ReportJob(
        study_instance_uid="1", findings=tuple(i.finding for i in images), folder=tmp_path / "out"
    )

    first, again = job.carry_out(settings), job.carry_out(settings)

    assert first == again
    (report,) = (tmp_path / "out").iterdir()
    assert {one.target for one in first} == {str(report)}
    assert len(srread(report).content.get_image_measurement_groups()) == 2


@pytest.mark.parametrize(
    ("characters", "name"),
    [
        (["", "ISO 2022 IR 87"], "Yamada^Tarou=山田^太郎=やまだ^たろう"),
        (["", "ISO 2022 IR 149"], "Hong^Gildong=洪^吉洞=홍^길동"),
        ("ISO_IR 100", "Buc^Jérôme"),
        ("", "Yamada^Tarou"),
    ],
)
def test_a_report_job_keeps_names_in_any_character_set(
    film, find, settings, tmp_path, characters, name
):
    image = pydicom.dcmread(film)
    image.SpecificCharacterSet, image.PatientName = characters, name
    image.InstitutionName = name.split("=")[-1].replace("^", " ")
    image.save_as(tmp_path / "film.dcm")

    _, report = reported(tmp_path / "film.dcm", find, settings)

    assert report.SpecificCharacterSet == "ISO_IR 192"
    assert str(report.PatientName) == name
    assert report.ContributingEquipmentSequence[0].InstitutionName == image.InstitutionName


def reported(path, find, settings):
    """The image as it was read, and the report that a job makes of it."""
    image = pydicom.dcmread(path)
    finding = find(
        path,
        sop_instance_uid=str(image.SOPInstanceUID),
        study_instance_uid=str(image.StudyInstanceUID),
    )
    out = path.parent / "out"
    job = ReportJob(study_instance_uid=image.StudyInstanceUID, findings=(finding,), folder=out)

    assert [getattr(one, "code", "written") for one in job.carry_out(settings)] == ["written"]
    assert list(out.iterdir()) == [job.target]
    return image, pydicom.dcmread(job.target)


def test_a_report_job_leaves_facts_of_the_patient_empty_that_are_not_valid(
    film, find, settings, tmp_path
):
    image = pydicom.dcmread(film)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the wrong values
        image.PatientSex, image.PatientBirthDate, image.StudyTime = "U", "19991331", "25"
        image.save_as(tmp_path / "film.dcm")

    _, report = reported(tmp_path / "film.dcm", find, settings)

    assert (report.PatientSex, report.PatientBirthDate, report.StudyTime) == ("", "", "")
    assert (report.PatientID, report.StudyDate) == (image.PatientID, image.StudyDate)


def test_a_report_job_leaves_out_what_cannot_be_read(images, settings, tmp_path):
    missing = images[1].finding.at(str(tmp_path / "missing.dcm"))
    job = ReportJob(
        study_instance_uid="1", findings=(images[0].finding, missing), folder=tmp_path / "out"
    )

    outcomes = job.carry_out(settings)

    assert [getattr(one, "code", "written") for one in outcomes] == ["cannot_open", "written"]


def test_a_projection_that_a_person_named_is_reported(images):
    finding = replace(images[0].finding, projection=Projection.AP)
    named = ImageFinding(finding=finding, header=images[0].header)

    report = make_report([named], version="9.9", moment=NOON)

    assert "399348003" in str(report)


@pytest.mark.parametrize(
    ("offset", "time"), [("+0530", "173000.000000"), ("", "120000.000000"), ("nonsense", "120000")]
)
def test_a_report_has_the_offset_of_its_images_or_none(images, offset, time):
    """It holds for Study Time as well, which is copied from them."""
    for image in images:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the wrong value
            image.header.TimezoneOffsetFromUTC = offset

    report = make_report(images, version="9.9", moment=NOON)

    assert report.get("TimezoneOffsetFromUTC", "") == (offset if offset == "+0530" else "")
    assert str(report.ContentTime).startswith(time)


def test_a_report_does_not_say_that_a_model_found_what_a_person_decided(images, tmp_path):
    person = replace(images[0].finding, is_of_person=True)
    found = [ImageFinding(finding=person, header=images[0].header), images[1]]

    make_report(found, version="9.9", moment=NOON).save_as(
        tmp_path / "sr.dcm", enforce_file_format=True
    )

    groups = srread(tmp_path / "sr.dcm").content.get_image_measurement_groups()
    named = [
        {
            item.value
            for item in group[0].ContentSequence
            if item.ConceptNameCodeSequence[0].CodeValue == "111001"  # Algorithm Name
        }
        for group in groups
    ]
    assert named == [set(), {"drawn-1"}]


def test_a_report_keeps_the_time_at_which_the_device_took_the_images(images):
    images[0].header.Manufacturer = "a maker"
    images[0].header.AcquisitionDateTime = "20010203040506"

    report = make_report(images, version="9.9", moment=NOON)

    device, program = report.ContributingEquipmentSequence
    assert device.Manufacturer == "a maker"
    assert str(device.ContributionDateTime) == "20010203040506"
    assert str(program.ContributionDateTime).startswith("20260301120000")


def test_another_finding_makes_another_report_in_the_same_series(images):
    changed = replace(images[0].finding, pfi=12.5)
    other = [ImageFinding(finding=changed, header=images[0].header), images[1]]

    one = make_report(images, version="9.9", moment=NOON)
    two = make_report(other, version="9.9", moment=NOON)

    assert one.SOPInstanceUID != two.SOPInstanceUID
    assert one.SeriesInstanceUID == two.SeriesInstanceUID
