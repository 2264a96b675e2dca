"""Corrected copies, read back by programs that cxrview did not write."""

import os
import re
import subprocess
import warnings
from collections import Counter
from datetime import datetime
from pathlib import Path

import pydicom
import pytest
from pydicom.encaps import generate_fragments
from pydicom.sequence import Sequence

from cxrview.errors import UnreadableImage
from cxrview.terms import Projection, View
from cxrview.writeback.copy_file import correct_file, preview_file
from cxrview.writeback.refusals import ChangedSinceClassified, DigitallySigned, WithoutIdentity
from cxrview.writeback.settings import ConflictingPosition, CorrectionSettings

CHANGED = {
    "SOPInstanceUID",
    "ViewPosition",
    "ViewCodeSequence",
    "PositionerType",
    "OriginalAttributesSequence",
    "ContributingEquipmentSequence",
    "SourceImageSequence",
}


def read(path: Path) -> pydicom.FileDataset:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pydicom.dcmread(path, force=True)


def edited(source: Path, target: Path, **elements: object) -> Path:
    """A copy of a file with other header values, written by pydicom."""
    dataset = read(source)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # some values are wrong on purpose
        for keyword, value in elements.items():
            setattr(dataset, keyword, value)
        dataset.save_as(target)
    return target


def shared_files(shared_data: Path) -> list[Path]:
    names = [*sorted((shared_data / "dicom").glob("*.dcm"))]
    return names + sorted((shared_data / "field").glob("*.dcm"))


def dicom_errors(program: str, path: Path) -> Counter[str]:
    done = subprocess.run([program, path], capture_output=True, text=True, errors="replace")
    return Counter(re.findall(r"^Error - .*", done.stdout + done.stderr, re.MULTILINE))


def test_a_copy_has_the_view_and_says_what_stood_there(find, film, settings, tmp_path):
    source = read(film)
    assert source.ViewPosition == "PA"

    done = correct_file(find(film), tmp_path / "copy.dcm", settings)

    copy = read(tmp_path / "copy.dcm")
    assert [c.keyword for c in done.changes if c.new or c.old] == [
        "SOPInstanceUID",
        "ViewPosition",
        "ViewCodeSequence",
    ]
    assert copy.ViewPosition == ""
    code = copy.ViewCodeSequence[0]
    assert (code.CodeValue, code.CodingSchemeDesignator) == ("399067008", "SCT")
    (original,) = copy.OriginalAttributesSequence
    assert original.ModifiedAttributesSequence[0].ViewPosition == "PA"
    assert len(original.ModifiedAttributesSequence[0].ViewCodeSequence) == 0
    assert original.ReasonForTheAttributeModification == "CORRECT"
    assert original.AttributeModificationDateTime == "20260301120000.000000+0000"
    assert original.ModifyingSystem == "cxrview 9.9"
    assert copy.ContributingEquipmentSequence[-1].SoftwareVersions == "9.9"
    assert copy.SOPInstanceUID == copy.file_meta.MediaStorageSOPInstanceUID
    assert copy.SOPInstanceUID != source.SOPInstanceUID
    assert copy.SourceImageSequence[-1].ReferencedSOPInstanceUID == source.SOPInstanceUID


def test_everything_else_and_every_pixel_byte_stay(find, drawn, settings, tmp_path):
    files = [p for p in sorted(drawn.rglob("IM*")) if "PixelData" in read(p)]
    syntaxes = set()
    for path in files:
        source, target = read(path), tmp_path / path.relative_to(drawn)
        opposite = View.LATERAL if source.get("ViewPosition") in ("PA", "AP") else View.FRONTAL
        try:
            correct_file(find(path, opposite), target, settings)
        except UnreadableImage:
            continue
        copy = read(target)
        syntaxes.add(source.file_meta.TransferSyntaxUID)
        assert copy.file_meta.TransferSyntaxUID == source.file_meta.TransferSyntaxUID
        assert copy.PixelData == source.PixelData
        if source.file_meta.TransferSyntaxUID.is_compressed:
            assert list(generate_fragments(copy.PixelData)) == list(
                generate_fragments(source.PixelData)
            )
        for element in source:
            assert element.keyword in CHANGED or copy[element.tag] == element
    assert len(syntaxes) > 3


def test_the_same_finding_makes_the_same_bytes_and_another_finding_another_object(
    find, film, settings, tmp_path
):
    one, again, other = (tmp_path / name for name in ("1.dcm", "2.dcm", "3.dcm"))
    correct_file(find(film), one, settings)
    correct_file(find(film), again, settings)
    correct_file(find(film, projection=Projection.LL), other, settings)

    assert one.read_bytes() == again.read_bytes()
    assert read(other).SOPInstanceUID != read(one).SOPInstanceUID
    assert read(other).SeriesInstanceUID == read(one).SeriesInstanceUID
    assert read(other).ViewPosition == "LL"
    assert read(other).ViewCodeSequence[0].CodeValue == "399173006"


def test_a_consistent_header_needs_no_change(find, film, settings, tmp_path):
    right = edited(film, tmp_path / "right.dcm", ViewPosition="LL")
    dataset = read(right)
    dataset.ViewCodeSequence = Sequence([pydicom.Dataset()])
    dataset.ViewCodeSequence[0].CodeValue = "399173006"
    dataset.ViewCodeSequence[0].CodingSchemeDesignator = "SCT"
    dataset.ViewCodeSequence[0].CodeMeaning = "left lateral"
    dataset.save_as(right)

    done = correct_file(find(right), tmp_path / "copy.dcm", settings)

    assert (done.target, done.changes) == ("", ())
    assert not (tmp_path / "copy.dcm").exists()


@pytest.mark.parametrize("position", ["PA", "AP"])
def test_a_position_of_the_right_view_stays(find, film, settings, tmp_path, position):
    source = edited(film, tmp_path / "source.dcm", ViewPosition=position)

    correct_file(find(source, View.FRONTAL), tmp_path / "copy.dcm", settings)

    assert read(tmp_path / "copy.dcm").ViewPosition == position


def test_options_keep_the_uid_and_the_position_and_leave_out_history(find, film, tmp_path):
    settings = CorrectionSettings(
        modified=datetime.fromisoformat("2026-03-01T12:00+01:00"),
        system="x",
        software_version="1",
        keep_uid=True,
        deidentified=True,
        position=ConflictingPosition.KEEP,
    )

    correct_file(find(film), tmp_path / "copy.dcm", settings)

    copy = read(tmp_path / "copy.dcm")
    assert copy.SOPInstanceUID == read(film).SOPInstanceUID
    assert copy.ViewPosition == "PA"
    assert "SourceImageSequence" not in copy
    assert "OriginalAttributesSequence" not in copy
    equipment = copy.ContributingEquipmentSequence[-1]
    assert "ContributionDescription" not in equipment
    assert "ContributionDateTime" not in equipment


def test_existing_history_stays_before_the_new_item(find, film, settings, tmp_path):
    item = pydicom.Dataset()
    item.ModifyingSystem = "PACS"
    source = edited(film, tmp_path / "source.dcm", OriginalAttributesSequence=Sequence([item]))

    correct_file(find(source), tmp_path / "copy.dcm", settings)

    items = read(tmp_path / "copy.dcm").OriginalAttributesSequence
    assert [one.ModifyingSystem for one in items] == ["PACS", "cxrview 9.9"]


def test_a_file_that_changed_since_is_refused(find, film, settings, tmp_path):
    finding = find(film)
    other = edited(film, tmp_path / "film.dcm", PatientName="Somebody Else")

    with pytest.raises(ChangedSinceClassified):
        correct_file(find(other, content_id=finding.content_id), tmp_path / "copy.dcm", settings)
    assert not (tmp_path / "copy.dcm").exists()


def test_a_signed_file_is_refused(find, film, settings, tmp_path):
    signature = pydicom.Dataset()
    signature.MACIDNumber = 1
    source = edited(film, tmp_path / "signed.dcm", DigitalSignaturesSequence=Sequence([signature]))

    with pytest.raises(DigitallySigned):
        correct_file(find(source), tmp_path / "copy.dcm", settings)


@pytest.mark.parametrize("uid", ["", ["1.2.3", "1.2.4"]])  # two of a class: found by `make fuzz`
@pytest.mark.parametrize("keyword", ["SOPInstanceUID", "SOPClassUID"])
def test_without_one_uid_there_is_no_copy(find, film, settings, tmp_path, keyword, uid):
    source = edited(film, tmp_path / "source.dcm", **{keyword: uid})

    with pytest.raises(WithoutIdentity):
        correct_file(find(source), tmp_path / "copy.dcm", settings)


@pytest.mark.parametrize("uid", ["not.a.uid", "9999.1.2", "0.0.1.2"])
def test_an_invalid_uid_is_kept_among_the_original_attributes(find, film, settings, tmp_path, uid):
    source = edited(film, tmp_path / "source.dcm", SOPInstanceUID=uid)

    correct_file(find(source), tmp_path / "copy.dcm", settings)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pydicom converts, and checks, a value when asked for it
        copy = read(tmp_path / "copy.dcm")
        original = copy.OriginalAttributesSequence[-1].ModifiedAttributesSequence[0]
        assert original.SOPInstanceUID == uid
    assert "SourceImageSequence" not in copy
    assert copy.SOPInstanceUID.is_valid


def test_a_preview_says_what_a_copy_would_change(find, film, settings, tmp_path):
    previewed = preview_file(find(film), settings)

    assert previewed.changes == correct_file(find(film), tmp_path / "c.dcm", settings).changes
    assert previewed.target == ""


def test_a_full_disk_leaves_nothing(find, film, settings, tmp_path):
    folder = tmp_path / "out"
    folder.mkdir()
    folder.chmod(0o500)
    if os.access(folder, os.W_OK):
        folder = Path("/proc/self/fdinfo")  # nothing can be created there, not even by root

    with pytest.raises(OSError):
        correct_file(find(film), folder / "copy.dcm", settings)


@pytest.mark.parametrize("share", [0.0, 0.02, 0.2, 0.5, 0.8, 0.99])
def test_a_truncated_header_is_refused(find, film, settings, tmp_path, share):
    content = film.read_bytes()
    cut = tmp_path / "cut.dcm"
    cut.write_bytes(content[: int(share * content.index(b"\xe0\x7f\x10\x00"))])

    with pytest.raises(UnreadableImage):
        correct_file(find(cut), tmp_path / "copy.dcm", settings)
    assert not (tmp_path / "copy.dcm").exists()


@pytest.mark.slow
def test_each_shared_file_is_written_and_validates_or_is_refused(
    find, shared_data, settings, tmp_path, program
):
    verify, dump = program("dciodvfy"), program("dcmdump")
    written, refused = 0, Counter()
    for path in shared_files(shared_data):
        target = tmp_path / path.parent.name / path.name
        view = View.LATERAL if "lateral" in path.name else View.FRONTAL
        try:
            correct_file(find(path, view), target, settings)
        except UnreadableImage as error:
            refused[error.code] += 1
            assert not target.exists()
            continue
        written += 1
        start = path.read_bytes().index(b"\xe0\x7f\x10\x00")
        assert target.read_bytes().endswith(path.read_bytes()[start:]), path.name
        assert dicom_errors(verify, target) - dicom_errors(verify, path) == Counter(), path.name
        is_dumped = [subprocess.run([dump, "-q", p], capture_output=True) for p in (path, target)]
        assert is_dumped[1].returncode <= is_dumped[0].returncode, path.name
    assert written >= 40
    assert set(refused) == {"not_a_projection_image", "no_sop_instance_uid", "corrupt_header"}
