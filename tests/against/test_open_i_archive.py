"""A true-to-life archive: Open-i's radiographs under their real headers, audited and corrected.

Of the public images no DICOM exists any more; the headers do, in a table. Joined, they are an
archive of CR and DX images in which laterals say PA.
"""

import csv
import gzip
import warnings
from datetime import UTC, datetime
from pathlib import Path

import pydicom
import pytest
from PIL import Image
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian

import cxrview
from cxrview.audit.audit_table import PageSettings, audit_table
from cxrview.terms import View
from cxrview.writeback.run import write_back
from cxrview.writeback.settings import CorrectionSettings

IMAGES = 240
HEADERS = {
    "SOPClassUID": "SOP Class UID",
    "SOPInstanceUID": "SOP Instance UID",
    "SeriesInstanceUID": "Series Instance UID",
    "StudyInstanceUID": "Study Instance UID",
    "StudyDate": "Study Date",
    "Modality": "Modality",
    "Manufacturer": "Manufacturer",
    "BodyPartExamined": "Body Part Examined",
    "ViewPosition": "View Position",
    "PatientID": "Patient ID",
}


def truth_of(shared_data: Path) -> dict[str, str]:
    with (shared_data / "labels.csv").open(newline="") as file:
        return {row["file"]: row["view"] for row in csv.DictReader(file)}


def write_film(folder: Path, picture: Path, header: dict[str, str]) -> Path:
    """One DICOM file of a picture under a real header."""
    dataset = Dataset()
    for keyword, column in HEADERS.items():
        setattr(dataset, keyword, header[column])
    pixels = Image.open(picture).convert("L")
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.Columns, dataset.Rows = pixels.size
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 8, 8, 7
    dataset.PixelRepresentation = 0
    dataset.PixelData = pixels.tobytes()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    path = folder / header["Patient ID"] / f"{picture.stem}.dcm"
    path.parent.mkdir(parents=True, exist_ok=True)
    dataset.save_as(path, enforce_file_format=True)
    return path


@pytest.fixture(scope="module")
def archive(shared_data, tmp_path_factory) -> tuple[Path, dict[str, str]]:
    """The folder, and the truth by path."""
    folder = tmp_path_factory.mktemp("open-i") / "archive"
    truth = truth_of(shared_data)
    labels: dict[str, str] = {}
    with gzip.open(shared_data / "open-i-headers.csv.gz", "rt", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["file"] in truth]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # UIDs of de-identification, which pydicom points out
        for row in rows[:: len(rows) // IMAGES][:IMAGES]:
            path = write_film(folder, shared_data / row["file"], row)
            labels[str(path)] = truth[row["file"]]
    return folder, labels


@pytest.mark.slow
def test_an_audit_finds_the_wrong_headers_and_a_write_back_corrects_them(archive, tmp_path):
    settings = CorrectionSettings(
        modified=datetime(2026, 3, 1, tzinfo=UTC), system="cxrview", software_version="9.9"
    )
    folder, truth = archive
    table = tmp_path / "views.parquet"
    rows = cxrview.classify(folder, out=table).to_arrow().to_pylist()
    decided = [row for row in rows if row["decision"] == "classified"]
    assert len(decided) >= 0.95 * len(truth)
    assert {row["path"]: row["view"] for row in decided}.items() <= truth.items()

    audit = audit_table(table, PageSettings(pictures=IMAGES))
    counts = audit.counts

    named = {
        row["path"]: View.FRONTAL if row["header_view"] == "frontal" else View.LATERAL
        for row in decided
        if row["header_view"]
    }
    wrong = [path for path, view in named.items() if truth[path] != view]
    assert counts.agreement.disagrees == len(wrong) > 20
    listed = {row["path"] for row in audit.sections[0].rows}
    assert (audit.sections[0].key, listed) == ("disagrees", set(wrong))
    laterals_that_say_pa = {
        row["path"]
        for row in decided
        if row["header_view_position"] == "PA" and truth[row["path"]] == View.LATERAL
    }
    assert len(laterals_that_say_pa) > 20 and laterals_that_say_pa <= listed
    assert {"PA", "AP", "LL", ""} <= set(counts.by_column["header_view_position"])
    for loss in counts.losses():
        shown = [row["path"] for row in decided if truth[row["path"]] == loss.view]
        assert loss.lost == sum(named.get(path) != loss.view for path in shown)
        assert loss.wrong == sum(
            view == loss.view and truth[path] != view for path, view in named.items()
        )

    done = write_back(table, tmp_path / "corrected", settings)
    assert done.failures == ()
    again = cxrview.classify(tmp_path / "corrected", out=tmp_path / "again.parquet")
    after = audit_table(tmp_path / "again.parquet", PageSettings(pictures=3)).counts
    assert (after.agreement.disagrees, after.agreement.silent) == (0, 0)
    assert again.summary.found == done.written
    for one in done.corrections:
        source = pydicom.dcmread(one.source)
        copy = pydicom.dcmread(one.target)
        old = copy.OriginalAttributesSequence[-1].ModifiedAttributesSequence[0]
        changed = {change.keyword for change in one.changes}
        assert copy.PixelData == source.PixelData
        if "ViewPosition" in changed:
            assert old.ViewPosition == source.ViewPosition
