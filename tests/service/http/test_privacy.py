"""Identifiers are planted in every element of a header, and in every part of a request."""

import io
import logging

import pytest
from pydicom import Dataset, dcmread
from pydicom.datadict import DicomDictionary
from pydicom.filewriter import dcmwrite

from cxrview.phantom.archive import draw_archive
from cxrview.service.configuration import QueueSettings
from cxrview.service.log import NAME, configure_log
from cxrview.service.store import Store

WORD, NUMBER = "ZQXJ", "73918"
PLANTS = {
    **dict.fromkeys(("AE", "CS", "LO", "LT", "PN", "SH", "ST", "UC", "UR", "UT"), WORD),
    **dict.fromkeys(("DS", "IS"), NUMBER),
    "AS": "739Y",
    "UI": f"1.2.{NUMBER}",
    "DA": "19730918",
    "DT": "19730918",
    "TM": "073918",
}
CHARACTER_SET = 0x00080005
DECODING = {0x0002, 0x0028, 0x7FE0}
"""Groups without which a file is none."""


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    """A drawn radiograph, whose every text and number outside the pixel module is planted."""
    folder = tmp_path_factory.mktemp("drawn") / "films"
    draw_archive(folder, patients=1, size=(256, 208), syntaxes=["native"], strangers=False)
    dataset = dcmread(next(path for path in sorted(folder.glob("*/*/*")) if path.is_file()))
    planted = 0
    for tag, (vr, *_) in DicomDictionary.items():
        group = tag >> 16
        if tag == CHARACTER_SET or group in DECODING or group < 0x0008 or vr not in PLANTS:
            continue
        dataset.add_new(tag, vr, PLANTS[vr])
        planted += 1
    dataset.add_new(0x00091010, "LO", WORD)
    dataset.Modality, dataset.BodyPartExamined = "DX", "CHEST"  # or it is skipped
    assert planted > 1000
    return dataset


def written(dataset: Dataset) -> bytes:
    file = io.BytesIO()
    dcmwrite(file, dataset)
    return file.getvalue()


def without(dataset: Dataset, *names: str) -> bytes:
    copy = Dataset(dataset)
    copy.file_meta = dataset.file_meta
    for name in names:
        delattr(copy, name)
    return written(copy)


def damaged(dataset: Dataset) -> dict[str, bytes]:
    """Files that are refused for different reasons."""
    content = written(dataset)
    wrong = Dataset(dataset)
    wrong.file_meta = dataset.file_meta
    wrong.Rows = 60000
    return {
        "truncated": content[:-4000],
        "cut in the header": content[:3000],
        "no pixels": without(dataset, "PixelData"),
        "no rows": without(dataset, "Rows"),
        "too large": written(wrong),
        "not DICOM": WORD.encode() * 100,
    }


@pytest.fixture
def said(make_service, tmp_path, film, capfd):
    """All that the service says about planted files: errors, logs, metrics and the status page."""
    root, own = logging.getLogger(), logging.getLogger(NAME)
    before = root.handlers, root.level, own.level
    lines = io.StringIO()
    configure_log(lines)
    films = tmp_path / "films"
    films.mkdir()
    store = Store.opened(QueueSettings(folder=tmp_path / "queue", min_free_mb=0))
    service = make_service(roots=(films,), more={"store": store})
    errors = []

    def keep(answer):
        if answer.status_code >= 400:
            errors.append(answer.text + str(answer.headers))
        return answer

    assert keep(service.classify(written(film))).status_code == 200
    planted = {"X-Patient": WORD, "Cookie": f"a={WORD}", "User-Agent": WORD, "Referer": f"/{WORD}"}
    for name, content in damaged(film).items():
        (films / f"{name}.dcm").write_bytes(content)
        assert keep(service.classify(content, **planted)).status_code >= 400, name
        form = {f"{WORD}": (f"{WORD}.dcm", content)}
        assert keep(service.client.ask("POST", "/classify", files=form)).status_code >= 400
        part = store.new_part()
        part.write_bytes(content)
        store.accept(part, "dicom", WORD)
    for address in (f"/{WORD}", f"/jobs/{WORD}", f"/ready/{WORD}", f"/jobs?{WORD}={WORD}"):
        keep(service.client.get(address))
    keep(service.client.get("/jobs/j0123456789abcdef/rows", offset=WORD))
    for body in ({"root": WORD}, {WORD: WORD}, {"root": "films", "folder": WORD}, [WORD]):
        keep(service.client.post("/jobs", body))
    keep(service.client.ask("GET", "/health", headers={"Host": WORD}))
    keep(service.client.ask(WORD, "/health"))
    job = service.jobs.add("films", "")
    while service.jobs.get(job.id).state not in ("done", "failed"):
        pass
    page, metrics = service.client.get("/"), service.client.get("/metrics")
    assert page.status_code == metrics.status_code == 200 and len(errors) > 20
    assert service.jobs.get(job.id).failed > 3
    store.close()
    logging.captureWarnings(False)
    root.handlers, root.level, own.level = before
    out, err = capfd.readouterr()
    return {
        "errors": "\n".join(errors),
        "logs": lines.getvalue() + out + err,
        "page": page.text,
        "metrics": metrics.text,
        "job": service.client.get(f"/jobs/{job.id}").text,
        "failures": service.client.get(f"/jobs/{job.id}/failures").text,
    }


def test_no_identifier_is_said(said, tmp_path):
    assert '"code": "truncated"' in said["logs"] and "truncated" in said["errors"]

    found = {
        (place, plant)
        for place, text in said.items()
        for plant in (WORD, NUMBER, "739Y", "19730918", str(tmp_path))
        if plant in text
    }
    assert found == set()
