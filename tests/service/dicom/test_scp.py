"""The entrance, spoken to by pynetdicom on loopback."""

import contextlib
import logging
import socket
import time
from io import BytesIO

import pydicom
import pytest
from pydicom.uid import generate_uid
from pynetdicom import AE, build_context
from pynetdicom.dimse_messages import C_STORE_RQ
from pynetdicom.dimse_primitives import C_STORE

from cxrview.errors import UsageError
from cxrview.service.configuration import DicomSettings
from cxrview.service.dicom.answers import keep_answers
from cxrview.service.dicom.scp import DicomEntrance
from cxrview.service.store import Store

VERIFICATION = "1.2.840.10008.1.1"
pytestmark = pytest.mark.filterwarnings(
    "ignore:Exception ignored in. <socket:pytest.PytestUnraisableExceptionWarning"
)
"""pynetdicom leaves sockets of connections that were refused or rejected to the garbage collector,
on a busy machine until a later test."""


@pytest.fixture
def store(tmp_path):
    opened = Store(tmp_path / "queue")
    yield opened
    opened.close()


def entrance_of(store: Store, **settings) -> DicomEntrance:
    settings = {"senders": ("CR1",), "port": 0, "timeout_seconds": 60.0} | settings
    return DicomEntrance(DicomSettings(**settings), store).start()


@pytest.fixture
def entrance(store):
    listening = entrance_of(store, max_object_mb=1)
    yield listening
    listening.stop()


def association(entrance: DicomEntrance, film=None, title="CR1", called="CXRVIEW"):
    contexts = [build_context(VERIFICATION)]
    if film:
        meta = pydicom.filereader.read_file_meta_info(film)
        contexts.append(build_context(meta.MediaStorageSOPClassUID, meta.TransferSyntaxUID))
    entity = AE(ae_title=title)
    entity.acse_timeout = entity.dimse_timeout = entity.network_timeout = 60
    return keep_answers(
        entity.associate("127.0.0.1", entrance.port, contexts=contexts, ae_title=called)
    )


def send(entrance: DicomEntrance, *films) -> list[int]:
    sender = association(entrance, films[0])
    assert sender.is_established
    statuses = [sender.send_c_store(pydicom.dcmread(film)) for film in films]
    sender.release()
    return [status.Status for status in statuses]


def parts(store: Store) -> list:
    return list(store.new_part().parent.iterdir())


def test_an_object_is_kept_as_it_was_sent(entrance, store, films):
    assert send(entrance, films[0]) == [0x0000]

    (image,) = store.next_to_classify(5)
    sent, kept = pydicom.dcmread(films[0]), pydicom.dcmread(image.path)
    assert sent == kept
    assert kept.file_meta.TransferSyntaxUID == sent.file_meta.TransferSyntaxUID
    assert (image.entrance, image.sender) == ("dicom", "CR1")
    assert parts(store) == []


def test_an_object_that_is_sent_again_is_acknowledged_and_kept_once(entrance, store, films):
    assert send(entrance, films[0], films[0]) == [0x0000, 0x0000]

    assert (store.counts().received, store.counts().repeated) == (1, 1)


def test_c_echo_is_answered(entrance):
    sender = association(entrance)

    assert sender.send_c_echo().Status == 0x0000
    sender.release()


@pytest.mark.parametrize(
    ("title", "called", "key"),
    [("OTHER", "CXRVIEW", "dicom.senders"), ("CR1", "OTHER", "dicom.ae_title")],
)
def test_unknown_titles_are_rejected(entrance, caplog, title, called, key):
    caplog.set_level(logging.INFO, "cxrview.service")

    assert association(entrance, title=title, called=called).is_rejected

    assert key in reason_of_rejection(caplog)
    assert "OTHER" not in reason_of_rejection(caplog)


def reason_of_rejection(caplog) -> str:
    until = time.monotonic() + 30
    while "association rejected" not in caplog.messages:
        assert time.monotonic() < until
        time.sleep(0.01)
    (record,) = [one for one in caplog.records if one.message == "association rejected"]
    return record.fields["reason"]


def test_a_full_disk_is_out_of_resources(tmp_path, films):
    store = Store(tmp_path / "queue", min_free_bytes=1 << 60)
    entrance = entrance_of(store)

    assert send(entrance, films[0]) == [0xA700]

    assert (store.counts().received, parts(store)) == (0, [])
    entrance.stop()
    store.close()


def test_an_error_while_it_is_written_is_out_of_resources(entrance, store, films, monkeypatch):
    folder = store.new_part().parent
    monkeypatch.setattr(store._objects, "parts", folder / "missing")

    assert send(entrance, films[0]) == [0xA700]

    monkeypatch.undo()
    assert send(entrance, films[0]) == [0x0000]
    assert store.counts().received == 1


def test_an_object_over_the_limit_is_refused(entrance, store, films, tmp_path):
    large = pydicom.dcmread(films[0])
    large.Rows, large.Columns, large.PixelData = 1024, 1024, bytes(2 << 20)
    large.SOPInstanceUID = large.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    large.save_as(tmp_path / "large.dcm")

    assert send(entrance, tmp_path / "large.dcm", films[0]) == [0xC001, 0x0000]

    assert (store.counts().received, parts(store)) == (1, [])


def test_a_sender_that_aborts_in_an_object_leaves_nothing(entrance, store, films):
    sender = association(entrance, films[0])
    dataset = pydicom.dcmread(films[0])
    request = C_STORE()
    request.MessageID, request.Priority = 1, 2
    request.AffectedSOPClassUID = dataset.SOPClassUID
    request.AffectedSOPInstanceUID = dataset.SOPInstanceUID
    request.DataSet = BytesIO(films[0].read_bytes())
    context = next(cx for cx in sender.accepted_contexts if cx.abstract_syntax != VERIFICATION)
    pieces = message_of(request, context.context_id)
    for piece in pieces[:2]:  # the command, and the first piece of the data set
        sender.dul.send_pdu(piece)
    until = time.monotonic() + 20
    while not parts(store):
        assert time.monotonic() < until
        time.sleep(0.01)
    sender.abort()
    while parts(store):
        assert time.monotonic() < until
        time.sleep(0.01)

    assert store.counts().received == 0


def message_of(request: C_STORE, context_id: int) -> list:
    message = C_STORE_RQ()
    message.primitive_to_message(request)
    return list(message.encode_msg(context_id, 4096))


def test_more_associations_than_allowed_are_rejected(store, caplog):
    caplog.set_level(logging.INFO, "cxrview.service")
    entrance = entrance_of(store, max_associations=1)
    first = association(entrance)

    second = association(entrance)

    assert first.is_established
    assert not second.is_established
    assert "dicom.max_associations" in reason_of_rejection(caplog)
    first.release()
    entrance.stop()


def test_a_stop_does_not_wait_for_senders_that_are_silent_inside_a_pdu(store, films):
    entrance = entrance_of(store, max_associations=3)
    told = association(entrance, films[0])
    silent = [socket.create_connection(("127.0.0.1", entrance.port)) for _ in range(2)]
    for client in silent:
        client.sendall(b"\x01\x00\x00\x00\x01\x00half")
    time.sleep(0.5)

    began = time.monotonic()
    entrance.stop()

    assert time.monotonic() - began < 20  # of the 60 s for which a sender may be silent
    until = time.monotonic() + 20
    while not told.is_aborted:
        assert time.monotonic() < until
        time.sleep(0.01)
    for client in silent:
        client.close()


def test_a_port_in_use_is_a_usage_error(entrance, store):
    with pytest.raises(UsageError, match=r"dicom\.port"):
        entrance_of(store, port=entrance.port)


def test_what_is_not_dicom_leaves_the_entrance_open(entrance, store, films):
    with socket.create_connection(("127.0.0.1", entrance.port)) as client:
        client.sendall(b"GET / HTTP/1.1\r\n\r\n" * 100)
        client.settimeout(30)
        with contextlib.suppress(ConnectionResetError):
            # Closed, or A-ABORT (PS3.8 section 9.3.8), as often as it takes.
            assert client.recv(1) in (b"", b"\x07")

    assert send(entrance, films[0]) == [0x0000]
    assert store.counts().received == 1


def test_a_pdu_of_any_length_is_not_read_into_memory(entrance, films):
    with socket.create_connection(("127.0.0.1", entrance.port)) as client:
        client.sendall(b"\x01\x00\xff\xff\xff\xff" + bytes(64))
        client.settimeout(20)  # before the timeout of the entrance
        with contextlib.suppress(ConnectionResetError):
            assert client.recv(1) == b""

    assert send(entrance, films[0]) == [0x0000]


def test_a_sender_that_vanishes_inside_a_pdu_frees_its_association(store):
    entrance = entrance_of(store, max_associations=1, timeout_seconds=1.0)
    with socket.create_connection(("127.0.0.1", entrance.port)) as client:
        client.sendall(b"\x01\x00\x00\x00\x01\x00half")
        until = time.monotonic() + 20
        while not (sender := association(entrance)).is_established:
            assert time.monotonic() < until
            time.sleep(0.1)

        assert sender.send_c_echo().Status == 0x0000
        sender.release()
    entrance.stop()
