"""Sending by C-STORE to an archive of pynetdicom on loopback that gives the wanted answers."""

import socket
from concurrent.futures import ThreadPoolExecutor

import pydicom
import pytest
from pynetdicom import AE, evt

from cxrview.service.configuration import CorrectionOptions, DestinationSettings
from cxrview.service.delivery.c_store import CStoreSender
from cxrview.service.delivery.products import Products
from cxrview.service.delivery.sender import DestinationDown
from cxrview.service.records import Delivery, Form, ImageState

VERIFICATION = "1.2.840.10008.1.1"
pytestmark = pytest.mark.filterwarnings(
    "ignore:Exception ignored in. <socket:pytest.PytestUnraisableExceptionWarning"
)
"""pynetdicom leaves sockets of connections that were refused or rejected to the garbage collector,
on a busy machine until a later test."""


class Archive:
    """An archive that accepts the classes of some films."""

    def __init__(self, films, accepts) -> None:
        self.answers: list[int] = []
        self.received: list[bytes] = []
        entity = AE(ae_title="PACS")
        entity.add_supported_context(VERIFICATION)
        for film in films:
            meta = pydicom.filereader.read_file_meta_info(film)
            if accepts:
                entity.add_supported_context(meta.MediaStorageSOPClassUID, meta.TransferSyntaxUID)
        self.server = entity.start_server(
            ("127.0.0.1", 0), block=False, evt_handlers=[(evt.EVT_C_STORE, self.store)]
        )
        self.port = self.server.socket.getsockname()[1]
        self.entity = entity

    def store(self, event) -> int:
        answer = self.answers.pop(0) if self.answers else 0x0000
        if answer < 0:
            event.assoc.abort()
            return 0x0000
        request = event.request
        if request._dataset_path:
            self.received.append(request._dataset_path.read_bytes())
        else:
            self.received.append(event.encoded_dataset())
        return answer


@pytest.fixture(params=[True])
def archive(request, films):
    running = Archive(films, request.param)
    yield running
    running.entity.shutdown()


def sender_to(archive: Archive, **more) -> CStoreSender:
    settings = DestinationSettings(
        host="127.0.0.1", port=archive.port, ae_title="PACS", timeout_seconds=60, **more
    )
    return CStoreSender(settings, "CXRVIEW")


@pytest.fixture
def objects(films, tmp_path):
    products = Products(tmp_path, CorrectionOptions())
    found = []
    for number, film in enumerate(films[:3]):
        delivery = Delivery(
            id=number,
            destination="pacs",
            form=Form.ORIGINAL,
            tries=0,
            path=film,
            state=ImageState.REVIEW,
            row={},
            settled_at=0.0,
        )
        with products.made(delivery) as one:
            found.append(one)
    return found


def test_send_is_confirmed_one_by_one(archive, objects):
    answers = list(sender_to(archive).send(objects))

    assert [(one.is_stored, one.reason) for one in answers] == [(True, "")] * 3
    for one, received in zip(objects, archive.received, strict=True):
        assert pydicom.dcmread(one.path).PixelData in received


def test_send_takes_only_success_and_warnings_as_stored(archive, objects):
    archive.answers = [0xA700, 0xB000, 0xC123]

    refused, warned, failed = sender_to(archive).send(objects)

    assert (refused.is_stored, warned.is_stored, failed.is_stored) == (False, True, False)
    assert "0xA700" in refused.reason
    assert "0xB000" in warned.reason


def test_send_goes_on_after_an_association_that_ended(archive, objects):
    archive.answers = [-1]

    answers = list(sender_to(archive).send(objects))

    assert [one.is_stored for one in answers] == [False, True, True]


@pytest.mark.parametrize("archive", [False], indirect=True)
def test_send_knows_a_refused_class_from_a_destination_that_is_down(archive, objects):
    (answer,) = sender_to(archive).send(objects[:1])

    assert not answer.is_stored
    assert "SOP class" in answer.reason


def test_send_to_nobody_raises(archive, objects):
    archive.entity.shutdown()

    with pytest.raises(DestinationDown):
        list(sender_to(archive).send(objects))


def test_check_sends_a_c_echo(archive):
    sender_to(archive).check()
    archive.entity.shutdown()

    with pytest.raises(DestinationDown):
        sender_to(archive).check()


def test_check_gives_up_on_a_destination_that_falls_silent_inside_a_pdu():
    with socket.create_server(("127.0.0.1", 0)) as server, ThreadPoolExecutor(1) as thread:
        settings = DestinationSettings(
            host="127.0.0.1", port=server.getsockname()[1], ae_title="PACS", timeout_seconds=0.5
        )
        answer = thread.submit(CStoreSender(settings, "CXRVIEW").check)
        peer, _ = server.accept()
        with peer:
            peer.sendall(b"\x02\x00\x00\x00\x01\x00half")

            with pytest.raises(DestinationDown):
                answer.result(20)
