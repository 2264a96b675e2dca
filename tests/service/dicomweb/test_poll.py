"""Polling a server whose answers are wrong; with a right one: `orthanc_cases.py`."""

import time

import pydicom
import pytest

from cxrview.service.configuration import PollSettings
from cxrview.service.dicomweb.poll import PeerDown, Poller
from cxrview.service.dicomweb.taken import TakenObjects
from fixtures.canned_server import server

UNUSED_PORT = 9  # discard: nothing listens there
STUDY = {"0020000D": {"vr": "UI", "Value": ["1.2.3"]}}


def poller(url: str, store, folder) -> Poller:
    settings = PollSettings(url=url, every_seconds=0.1, timeout_seconds=10.0)
    return Poller("archive", settings, store, TakenObjects.of_peer(folder, "archive"))


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (401, b"no"),
        (404, b"no"),
        (500, b"no"),
        (503, b"no"),
        (0, b""),
        (200, b"<html>"),
        (200, [1, 2]),
        (200, "text"),
        (200, [{"0020000D": "no object"}]),
    ],
)
def test_poller_reports_a_server_that_does_not_answer_as_it_should(store, tmp_path, status, body):
    with server(status, body) as url:
        one = poller(url, store, tmp_path)
        with pytest.raises(PeerDown):
            one.take_new()

    assert store.counts().received == 0


@pytest.mark.parametrize("body", [[], [{}], [STUDY], [STUDY] * 300])
def test_poller_ends_its_query_if_a_server_ignores_the_offset(store, tmp_path, body):
    """The same answer comes for studies, series and instances, whatever page is wanted."""
    with server(200, body) as url:
        assert poller(url, store, tmp_path).take_new() == 0


def test_poller_goes_on_behind_an_object_that_cannot_be_written(
    store, tmp_path, films, monkeypatch
):
    one = poller(f"http://127.0.0.1:{UNUSED_PORT}/dicom-web", store, tmp_path)
    broken = pydicom.Dataset()
    broken.file_meta = pydicom.dataset.FileMetaDataset()
    broken.file_meta.TransferSyntaxUID = pydicom.uid.JPEGBaseline8Bit
    broken.add_new("PixelData", "OW", bytes(4))  # not encapsulated
    objects = {"1.2.5": broken, "1.2.6": pydicom.dcmread(films[0])}
    monkeypatch.setattr(one, "_list_studies", lambda: iter([("1.2.3", len(objects))]))
    monkeypatch.setattr(one, "_list_new", lambda study: [("1.2.4", uid) for uid in objects])
    monkeypatch.setattr(one, "_retrieve", lambda study, series, uid: objects[uid])

    assert one.take_new() == 1
    assert store.counts().received == 1


def test_poller_goes_on_as_a_thread_after_failures(store, tmp_path):
    one = poller(f"http://127.0.0.1:{UNUSED_PORT}/dicom-web", store, tmp_path)
    one.start()
    end = time.monotonic() + 30
    while not one.trouble and time.monotonic() < end:
        time.sleep(0.05)

    assert one.trouble == "it does not answer"
    assert one.is_alive()
    one.stop()
    one.join(30)
    assert not one.is_alive()
