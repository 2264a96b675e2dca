"""The same delivery gives the same bytes; nothing of the original is changed."""

import errno
from dataclasses import replace

import pydicom
import pytest

from cxrview.errors import CannotWrite
from cxrview.image.fetch import file_content_id
from cxrview.records.classification import Failure
from cxrview.service.configuration import CorrectionOptions
from cxrview.service.delivery import products as making
from cxrview.service.delivery.products import CannotMake, CannotMakeNow, Products
from cxrview.service.records import Delivery, Form, ImageState
from cxrview.writeback import jobs
from cxrview.writeback.correct import _contributing_equipment
from cxrview.writeback.jobs import CopyJob, ReportJob


@pytest.fixture
def products(tmp_path) -> Products:
    return Products(tmp_path, CorrectionOptions())


def delivery_of(film, form, *, state=ImageState.CLASSIFIED, **row) -> Delivery:
    header = pydicom.dcmread(film, stop_before_pixels=True)
    found = {
        "sop_instance_uid": header.SOPInstanceUID,
        "series_instance_uid": header.SeriesInstanceUID,
        "study_instance_uid": header.StudyInstanceUID,
        "sop_class_uid": header.SOPClassUID,
        "transfer_syntax": header.file_meta.TransferSyntaxUID,
        "modality": header.Modality,
        "header_view_position": header.get("ViewPosition"),
        "header_view": None,
        "decision": "classified",
        "view": "lateral" if header.get("ViewPosition") in ("PA", "AP") else "frontal",
        "agreement": "disagrees",
        "pfi": 50.0,
        "model_id": "drawn-1",
        "content_id": file_content_id(film),
    }
    return Delivery(
        id=1,
        destination="pacs",
        form=form,
        tries=0,
        path=film,
        state=state,
        row=found | row,
        settled_at=1_700_000_000.25,
    )


def made(products, delivery) -> tuple[bytes, object]:
    with products.made(delivery) as one:
        return one.path.read_bytes(), one


def test_made_corrects_a_copy_the_same_way_each_time(products, films, tmp_path):
    delivery = delivery_of(films[0], Form.CORRECTED)

    first, one = made(products, delivery)
    second, _ = made(products, delivery)

    assert first == second != films[0].read_bytes()
    source = pydicom.dcmread(films[0])
    copy = pydicom.dcmread(pydicom.filebase.DicomBytesIO(first))
    assert copy.PixelData == source.PixelData
    assert copy.SOPInstanceUID == one.sop_instance_uid != source.SOPInstanceUID
    assert copy.ViewCodeSequence[0].CodeMeaning == delivery.row["view"]
    assert list(tmp_path.iterdir()) == []


def test_made_keeps_nothing_in_memory_of_each_image(products, films):
    delivery = delivery_of(films[0], Form.CORRECTED)
    for second in range(20):
        made(products, replace(delivery, settled_at=1_700_000_000.0 + second))

    assert _contributing_equipment.cache_info().currsize < 10


@pytest.mark.parametrize(
    ("state", "row"),
    [
        (ImageState.CLASSIFIED, {"agreement": "agrees"}),
        (ImageState.REVIEW, {"decision": "review", "view": None}),
        (ImageState.FAILED, {"decision": None, "view": None}),
    ],
)
def test_made_takes_the_original_where_there_is_nothing_to_correct(products, films, state, row):
    content, _ = made(products, delivery_of(films[0], Form.CORRECTED, state=state, **row))

    assert content == films[0].read_bytes()


def test_made_takes_the_original_of_what_may_not_be_corrected(products, films, tmp_path):
    dataset = pydicom.dcmread(films[0])
    dataset.SOPClassUID = dataset.file_meta.MediaStorageSOPClassUID = pydicom.uid.CTImageStorage
    film = tmp_path / "ct.dcm"
    dataset.save_as(film)

    content, _ = made(products, delivery_of(film, Form.CORRECTED))

    assert content == film.read_bytes()


def test_made_sends_no_object_that_was_changed_on_the_disk(products, films):
    with pytest.raises(CannotMake, match="changed"):
        made(products, delivery_of(films[0], Form.CORRECTED, content_id="0" * 32))


def test_made_writes_a_report_the_same_way_each_time(products, films, tmp_path):
    pytest.importorskip("highdicom", reason="needs highdicom: pip install '.[serve]'")
    delivery = delivery_of(films[0], Form.SR, agreement="agrees")

    first, one = made(products, delivery)
    second, again = made(products, delivery)

    assert one.sop_class_uid == pydicom.uid.Comprehensive3DSRStorage
    assert one.sop_instance_uid == again.sop_instance_uid
    report = pydicom.dcmread(pydicom.filebase.DicomBytesIO(first))
    evidence = report.CurrentRequestedProcedureEvidenceSequence[0]
    referenced = evidence.ReferencedSeriesSequence[0].ReferencedSOPSequence[0]
    assert referenced.ReferencedSOPInstanceUID == delivery.row["sop_instance_uid"]
    assert first == second
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("form", [Form.CORRECTED, Form.SR])
@pytest.mark.parametrize("code", ["cannot_open", "memory"])
def test_made_takes_no_original_for_a_copy_that_cannot_be_made_now(
    products, films, monkeypatch, form, code
):
    failure = Failure(path=str(films[0]), code=code, reason="", advice="")
    for kind in (CopyJob, ReportJob):
        monkeypatch.setattr(kind, "carry_out", lambda job, settings: [failure])

    with pytest.raises(CannotMakeNow, match=code):
        made(products, delivery_of(films[0], form))


def test_made_of_an_object_that_cannot_be_read_now(products, films, monkeypatch):
    def fail(path):
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr(making, "read_file_meta_info", fail)

    with pytest.raises(CannotMakeNow):
        made(products, delivery_of(films[0], Form.ORIGINAL))


def test_made_leaves_nothing_of_a_report_that_the_disk_does_not_take(
    products, films, tmp_path, monkeypatch
):
    pytest.importorskip("highdicom", reason="needs highdicom: pip install '.[serve]'")

    def fill_disk(target, content) -> None:
        target.parent.mkdir()
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(jobs, "write_whole", fill_disk)

    with pytest.raises(CannotWrite):
        made(products, delivery_of(films[0], Form.SR))

    assert list(tmp_path.iterdir()) == []


def test_made_of_a_missing_object(products, films, tmp_path):
    film = tmp_path / "gone.dcm"
    film.write_bytes(films[0].read_bytes())
    delivery = delivery_of(film, Form.ORIGINAL)
    film.unlink()

    with pytest.raises(CannotMake):
        made(products, delivery)
