"""The STOW-RS entrance: what dicomweb-client sends, and bodies that are refused."""

import socket
from pathlib import Path

import pydicom
import pytest
import requests
from dicomweb_client import DICOMwebClient

from cxrview.errors import CannotWrite
from cxrview.service.store import Store
from fixtures.http_service import read_all

BOUNDARY = "a-boundary"
TYPE = f'multipart/related; type="application/dicom"; boundary={BOUNDARY}'


def uid_of(path: Path) -> str:
    return str(pydicom.dcmread(path, stop_before_pixels=True).SOPInstanceUID)


def study_of(path: Path) -> str:
    return str(pydicom.dcmread(path, stop_before_pixels=True).StudyInstanceUID)


def multipart(*parts: bytes, kind: str = "application/dicom", end: str = "--") -> bytes:
    body = b"".join(
        f"--{BOUNDARY}\r\nContent-Type: {kind}\r\n\r\n".encode() + part + b"\r\n" for part in parts
    )
    return body + f"--{BOUNDARY}{end}\r\n".encode()


def post(entrance, body: bytes, kind: str = TYPE, study: str = "") -> requests.Response:
    url = f"{entrance.url}/studies" + (f"/{study}" if study else "")
    return requests.post(url, data=body, headers={"Content-Type": kind}, timeout=30)


def uids(answer: dict, tag: str) -> list[str]:
    return [item["00081155"]["Value"][0] for item in answer.get(tag, {}).get("Value", [])]


def test_stow_takes_what_dicomweb_client_sends(entrance, films):
    client = DICOMwebClient(entrance.url)

    answer = client.store_instances([pydicom.dcmread(film) for film in films])

    stored = [str(item.ReferencedSOPInstanceUID) for item in answer.ReferencedSOPSequence]
    assert stored == [uid_of(film) for film in films]
    assert "FailedSOPSequence" not in answer
    queued = entrance.store.next_to_classify(10)
    assert sorted(one.path.read_bytes() for one in queued) == sorted(
        film.read_bytes() for film in films
    )
    assert {one.entrance for one in queued} == {"stow"}


def test_stow_counts_a_repeated_object_once(entrance, films):
    body = multipart(films[0].read_bytes(), films[0].read_bytes())

    answer = post(entrance, body)

    assert answer.status_code == 200
    assert uids(answer.json(), "00081199") == [uid_of(films[0])] * 2
    counts = entrance.store.counts()
    assert (counts.received, counts.repeated) == (1, 1)


def test_stow_lists_each_object_that_failed(entrance, films):
    """One of another study, one that is not DICOM; the third is stored."""
    mine, other = films[0], next(f for f in films if study_of(f) != study_of(films[0]))
    body = multipart(mine.read_bytes(), other.read_bytes(), b"not DICOM")

    answer = post(entrance, body, study=study_of(mine))

    found = answer.json()
    assert answer.status_code == 202
    assert answer.headers["content-type"] == "application/dicom+json"
    assert uids(found, "00081199") == [uid_of(mine)]
    assert uids(found, "00081198") == [uid_of(other)]
    assert found["00081198"]["Value"][0]["00081197"]["Value"] == [0xA900]
    assert found["0008119A"]["Value"] == [{"00081197": {"vr": "US", "Value": [0xC000]}}]
    assert entrance.store.counts().received == 1


def test_stow_answers_409_if_nothing_is_stored(shared_entrance):
    answer = post(shared_entrance, multipart(b"not DICOM", b""))

    assert answer.status_code == 409
    assert len(answer.json()["0008119A"]["Value"]) == 2
    assert shared_entrance.kept() == 0


def test_stow_says_which_objects_a_full_disk_did_not_take(entrance, films, monkeypatch):
    """The disk is full at the second object: the first is acknowledged, and it is kept."""
    accept, calls = Store.accept, []

    def full_at_second(self, part, *more):
        calls.append(part)
        if len(calls) == 2:
            raise CannotWrite("the disk is full")
        return accept(self, part, *more)

    monkeypatch.setattr(Store, "accept", full_at_second)

    answer = post(entrance, multipart(films[0].read_bytes(), films[1].read_bytes()))

    assert answer.status_code == 202
    assert uids(answer.json(), "00081199") == [uid_of(films[0])]
    assert answer.json()["00081198"]["Value"][0]["00081197"]["Value"] == [0xA700]
    assert entrance.kept() == 1


GOOD = b"x" * 1000


@pytest.mark.parametrize(
    ("body", "kind", "status", "code"),
    [
        (multipart(GOOD), "application/dicom", 415, "not_multipart"),
        (multipart(GOOD), "", 415, "not_multipart"),
        (multipart(GOOD), "multipart/related; type=text/xml; boundary=a", 415, "not_dicom"),
        (multipart(GOOD, kind="image/png"), TYPE, 415, "not_dicom"),
        (multipart(GOOD), 'multipart/related; type="application/dicom"', 400, None),
        (multipart(GOOD), TYPE.replace(BOUNDARY, "another"), 400, None),
        (multipart(GOOD), TYPE.replace(BOUNDARY, "b" * 300), 400, None),
        (multipart(GOOD)[:-50], TYPE, 400, None),
        (multipart(GOOD, end=""), TYPE, 400, None),
        (multipart(), TYPE, 400, None),
        (b"", TYPE, 400, None),
        (b"\0" * 5000, TYPE, 400, None),
        (multipart(GOOD).replace(b"Content-Type:", b"Content-Type\0"), TYPE, 400, None),
        (multipart(b"x" * 200_001), TYPE, 413, "body_too_large"),
        (multipart(*[b"x" * 190_000] * 6), TYPE, 413, "body_too_large"),
    ],
)
def test_stow_refuses_a_malformed_body_and_keeps_nothing(
    shared_entrance, films, body, kind, status, code
):
    """A good object before the fault is not kept either: the sender sends the request again."""
    body = body.replace(GOOD, films[0].read_bytes())

    answer = post(shared_entrance, body, kind)

    assert answer.status_code == status
    assert answer.json()["code"] == (code or "malformed_multipart")
    assert answer.json()["advice"]
    assert shared_entrance.kept() == 0


def test_stow_keeps_nothing_of_a_body_that_ends_early(entrance, films):
    """The sender announces more than it sends, and closes the connection."""
    body = multipart(*[film.read_bytes() for film in films])
    head = (
        f"POST /dicom-web/studies HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: {TYPE}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", entrance.port), 30) as connection:
        connection.sendall(head.encode() + body[: len(body) // 2])
        connection.shutdown(socket.SHUT_WR)
        read_all(connection)

    assert post(entrance, multipart(films[1].read_bytes())).status_code == 200
    assert entrance.kept() == 1


def test_stow_refuses_a_length_over_the_limit_before_the_body(shared_entrance):
    head = (
        f"POST /dicom-web/studies HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: {TYPE}\r\n"
        f"Content-Length: {1 << 40}\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", shared_entrance.port), 30) as connection:
        connection.sendall(head.encode())
        answer = connection.recv(1 << 16)

    assert answer.startswith(b"HTTP/1.1 413")
    assert shared_entrance.kept() == 0


def test_stow_never_quotes_a_header(entrance, films, capfd):
    """Neither an answer nor a log line holds what is planted in the header."""
    planted = pydicom.dcmread(films[0])
    for name in ("PatientName", "PatientID", "StudyDescription", "AccessionNumber"):
        setattr(planted, name, "PLANTED")
    path = entrance.folder.parent / "planted.dcm"
    planted.save_as(path)
    uid = uid_of(films[0]).encode()
    content = path.read_bytes().replace(uid, (b"PLANTED" + uid)[: len(uid)])
    assert content.count(b"PLANTED") >= 6

    answer = post(entrance, multipart(content), study="PLANTED")

    assert answer.status_code == 409
    assert "PLANTED" not in answer.text
    assert "PLANTED" not in "".join(capfd.readouterr())


def test_stow_has_no_searches(shared_entrance):
    assert requests.get(f"{shared_entrance.url}/studies", timeout=30).status_code == 405
