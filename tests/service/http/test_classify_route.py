import gzip
import shutil
import threading
import zlib
from dataclasses import replace

import pytest

import cxrview
from cxrview.errors import InferenceError
from cxrview.phantom.archive import draw_archive
from cxrview.service.engine import Engine
from fixtures.http_service import OPTIONS, SECONDS
from fixtures.visitors import Client

DISK_FULL = 28
FORMATS = ("film.png", "film.jpg", "film.tif", "film.dcm")


@pytest.fixture(scope="module")
def films(tmp_path_factory):
    """One file of each format, and the rows of the command about them."""
    folder = tmp_path_factory.mktemp("films")
    draw_archive(
        folder / "drawn", patients=1, size=(256, 208), syntaxes=["native"], strangers=False
    )
    dicom = next(path for path in sorted(folder.glob("drawn/*/*/*")) if path.is_file())
    shutil.copy(dicom, folder / "film.dcm")
    shutil.rmtree(folder / "drawn")
    from PIL import Image
    from pydicom import dcmread

    pixels = dcmread(folder / "film.dcm").pixel_array
    image = Image.fromarray((pixels / pixels.max() * 255).astype("uint8"))
    for name in FORMATS[:3]:
        image.save(folder / name)
    result = cxrview.classify([folder / name for name in FORMATS], options=OPTIONS)
    rows = {row["path"].rpartition("/")[2]: row for row in result.to_arrow().to_pylist()}
    assert rows.keys() == set(FORMATS)
    return folder, rows


@pytest.mark.parametrize("name", FORMATS)
def test_the_answer_is_the_row_of_the_command(films, service, name):
    folder, rows = films
    content = (folder / name).read_bytes()

    as_body = service.classify(content)
    as_form = service.client.ask("POST", "/classify", files={"file": (name, content)})

    assert as_body.status_code == as_form.status_code == 200
    assert as_body.json() == rows[name] | {"path": None}
    assert as_form.json() == rows[name] | {"path": name}
    assert service.uploads() == []


def test_the_name_in_an_answer_has_no_folders(films, service):
    content = (films[0] / "film.png").read_bytes()

    for name in ("/home/doe/film.png", r"C:\doe\film.png", "../film.png"):
        answer = service.client.ask("POST", "/classify", files={"file": (name, content)})
        assert answer.json()["path"] == "film.png"


def tiff_bomb() -> bytes:
    """A small TIFF file whose strip inflates beyond the limits."""
    import io

    import numpy as np
    import tifffile

    file = io.BytesIO()
    tifffile.imwrite(file, np.zeros((8000, 8000), np.uint8), compression="zlib")
    return file.getvalue()


@pytest.mark.parametrize(
    ("content", "status", "code"),
    [
        (b"", 422, "empty_file"),
        (b"hello", 415, "not_an_image"),
        (b"\x89PNG\r\n\x1a\n" + b"x" * 50, 422, "truncated"),
        (b"%PDF-1.4 nothing", 415, "not_an_image"),
        (tiff_bomb, 413, "too_large"),
    ],
)
def test_a_file_that_is_no_image_is_refused_with_its_code(service, content, status, code):
    answer = service.classify(content() if callable(content) else content)

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.json().keys() == {"code", "reason", "advice"} and answer.json()["reason"]
    assert str(service.folder) not in answer.text and "--" not in answer.text
    assert service.uploads() == []


def test_a_file_that_ends_early_is_refused(films, service):
    content = (films[0] / "film.dcm").read_bytes()

    assert service.classify(content[:-999]).json()["code"] == "truncated"


def test_a_body_over_the_limit_is_refused(service):
    declared = service.classify(b"x" * (1 << 20) + b"x")

    async def pieces():
        for _ in range(17):
            yield b"x" * (1 << 16)

    in_chunks = service.client.ask("POST", "/classify", content=pieces())

    for answer in (declared, in_chunks):
        assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")
    assert service.uploads() == []


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "gzip, identity"])
def test_a_compressed_body_is_refused_before_it_is_read(service, encoding):
    bomb = gzip.compress(zlib.compress(b"0" * (1 << 20)))

    answer = service.classify(bomb, **{"Content-Encoding": encoding})

    assert (answer.status_code, answer.json()["code"]) == (415, "content_encoding")


BOUNDARY = "multipart/form-data; boundary=b"


@pytest.mark.parametrize(
    ("kind", "body", "status"),
    [
        ("multipart/form-data", b"x", 400),
        (BOUNDARY, b"x", 400),
        (BOUNDARY, b"", 422),
        (BOUNDARY, b"--b--\r\n", 422),
        (BOUNDARY, b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\nx\r\n--b--\r\n', 422),
        (BOUNDARY, b"--b\r\nContent-Disposition: form-data\r\n\r\nx\r\n--b--\r\n", 400),
        (BOUNDARY, b'--b\r\nContent-Disposition: form-data; name="a"; filename="a"\r\n\r\nx', 400),
        ("multipart/form-data; boundary=" + "b" * 300, b"x", 400),
        (
            BOUNDARY,
            2 * b'--b\r\nContent-Disposition: form-data; name="a"; filename="a"\r\n\r\nx\r\n'
            + b"--b--\r\n",
            400,
        ),
    ],
)
def test_a_malformed_form_is_refused(service, kind, body, status):
    answer = service.classify(body, **{"Content-Type": kind})

    assert (answer.status_code, answer.json()["code"]) == (status, "malformed_form")
    assert service.uploads() == []


def test_requests_beyond_the_limit_are_refused_and_may_come_back(make_service, picture, model):
    goes_on, started = threading.Event(), threading.Event()

    class Waiting(type(model.backend)):
        def run(self, batch):
            started.set()
            goes_on.wait(SECONDS)
            return super().run(batch)

    content = picture().read_bytes()
    slow = replace(model, backend=Waiting())
    with Engine(slow, OPTIONS.resolved(model.card)) as engine:
        service = make_service(of=engine, max_requests=1)
        first = []

        def send_first() -> None:
            client = Client(service.app)
            first.append(client.ask("POST", "/classify", content=content))
            client.close()

        thread = threading.Thread(target=send_first)
        thread.start()
        assert started.wait(SECONDS)

        second = service.classify(content)
        others = service.client.get("/health")
        goes_on.set()
        thread.join()

        assert (second.status_code, second.json()["code"]) == (429, "busy")
        assert int(second.headers["Retry-After"]) > 0
        assert others.status_code == first[0].status_code == 200
        assert service.classify(content).status_code == 200


def test_a_file_that_takes_too_long_is_refused(make_service, picture, model):
    goes_on = threading.Event()

    class Waiting(type(model.backend)):
        def run(self, batch):
            goes_on.wait(SECONDS)
            return super().run(batch)

    with Engine(replace(model, backend=Waiting()), OPTIONS.resolved(model.card)) as engine:
        service = make_service(of=engine, timeout_seconds=3)
        answer = service.classify(picture().read_bytes())
        goes_on.set()

    assert (answer.status_code, answer.json()["code"]) == (504, "timeout")
    assert service.uploads() == []


def test_an_engine_that_fails_makes_the_service_not_ready(make_service, picture, model):
    class Failing(type(model.backend)):
        def run(self, batch):
            raise InferenceError("no memory on /dev/doe")

    with Engine(replace(model, backend=Failing()), OPTIONS.resolved(model.card)) as engine:
        service = make_service(of=engine)
        before = service.client.get("/ready")
        answer = service.classify(picture().read_bytes())
        after = service.client.get("/ready")

    assert before.status_code == 200
    assert answer.status_code == after.status_code == 503
    assert answer.json()["code"] == after.json()["code"] == "not_ready"
    assert "memory" not in answer.text + after.text
    assert service.classify(picture().read_bytes()).status_code == 503  # it is closed


def test_a_full_disk_is_refused(service, picture, monkeypatch):
    from cxrview.service.http import upload

    def full(handle, piece):
        raise OSError(DISK_FULL, "No space left on device")

    monkeypatch.setattr(upload, "_write_all", full)

    answer = service.classify(picture().read_bytes())

    assert (answer.status_code, answer.json()["code"]) == (507, "disk_full")
    assert service.uploads() == []


def test_files_of_a_crash_are_removed_at_the_start(make_service):
    uploads = make_service().folder / "uploads"
    (uploads / "left.part").write_bytes(b"x")

    assert make_service().uploads() == []
