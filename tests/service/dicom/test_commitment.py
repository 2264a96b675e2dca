"""Storage commitment: the sender of the service on one side, its entrance on the other."""

import logging
import time

import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as Items
from pydicom.uid import generate_uid
from pynetdicom import AE, build_context, evt

from cxrview.service.configuration import DestinationSettings, DicomSettings
from cxrview.service.delivery.c_store import CStoreSender
from cxrview.service.delivery.sender import OutgoingObject
from cxrview.service.dicom import commitment
from cxrview.service.dicom.answers import keep_answers
from cxrview.service.dicom.commitment import PUSH_MODEL, Commitments
from cxrview.service.dicom.scp import DicomEntrance
from cxrview.service.store import Store
from fixtures.outgoing import outgoing

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


@pytest.fixture
def entrance(store):
    settings = DicomSettings(senders=("CR1",), port=0, ae_title="ARCHIVE", timeout_seconds=60)
    listening = DicomEntrance(settings, store).start()
    yield listening
    listening.stop()


def objects_of(films) -> list[OutgoingObject]:
    return [outgoing(film) for film in films]


def sender_to(entrance, seconds: float = 20.0) -> CStoreSender:
    settings = DestinationSettings(
        host="127.0.0.1",
        port=entrance.port,
        ae_title="ARCHIVE",
        commitment=True,
        commitment_seconds=seconds,
        timeout_seconds=60,
    )
    return CStoreSender(settings, "CR1", Commitments())


def test_what_is_kept_is_committed(entrance, store, films):
    answers = list(sender_to(entrance).send(objects_of(films[:3])))

    assert [one.is_stored for one in answers] == [True] * 3
    assert store.counts().received == 3


def test_what_is_not_kept_is_not_committed(entrance, store, films, monkeypatch):
    objects = objects_of(films[:3])
    kept = objects[1].sop_instance_uid
    monkeypatch.setattr(entrance._answers, "_is_kept", lambda uid: uid == kept)

    answers = list(sender_to(entrance).send(objects))

    assert [one.is_stored for one in answers] == [False, True, False]
    assert "commit" in answers[0].reason


def test_without_a_report_nothing_is_stored(entrance, films, monkeypatch):
    monkeypatch.setattr(entrance._answers, "_send", lambda *_: None)

    (answer,) = sender_to(entrance, seconds=0.5).send(objects_of(films[:1]))

    assert not answer.is_stored


class Modality:
    """A sender `CR1` of pynetdicom, with an address of its own for reports.

    Args:
        port: of the address; 0 for any free one.
    """

    def __init__(self, port: int = 0) -> None:
        self.reports: list[tuple[int, str, Dataset]] = []
        """Event type, calling AE title and content of each."""
        self.entity = AE(ae_title="CR1")
        self.entity.require_called_aet = True
        self.entity.add_supported_context(PUSH_MODEL, scu_role=False, scp_role=True)
        self.server = self.entity.start_server(
            ("127.0.0.1", port), block=False, evt_handlers=[(evt.EVT_N_EVENT_REPORT, self.take)]
        )
        self.port = self.server.socket.getsockname()[1]

    def take(self, event) -> tuple[int, None]:
        title = str(event.assoc.requestor.ae_title).strip()
        self.reports.append((event.event_type, title, event.event_information))
        return 0x0000, None

    def report(self, transaction: str) -> tuple[int, str, set[str], set[str]]:
        """The report on a request: event type, who sent it, UIDs committed and failed."""
        end = time.monotonic() + 60
        while not self.reports:
            assert time.monotonic() < end
            time.sleep(0.01)
        ((kind, title, content),) = self.reports
        assert content.TransactionUID == transaction
        return (
            kind,
            title,
            uids_of(content.get("ReferencedSOPSequence")),
            uids_of(content.get("FailedSOPSequence")),
        )


def uids_of(items) -> set[str]:
    return {str(item.ReferencedSOPInstanceUID) for item in items or ()}


def associate(entrance, films, handlers=()):
    entity = AE(ae_title="CR1")
    entity.acse_timeout = entity.dimse_timeout = entity.network_timeout = 60
    kinds = dict.fromkeys((one.sop_class_uid, one.transfer_syntax) for one in objects_of(films))
    contexts = [build_context(PUSH_MODEL), *(build_context(*kind) for kind in kinds)]
    found = entity.associate(
        "127.0.0.1",
        entrance.port,
        contexts=contexts,
        ae_title="ARCHIVE",
        evt_handlers=list(handlers),
    )
    assert found.is_established
    return keep_answers(found)


def ask(association, objects) -> str:
    """Ask for commitment; return the Transaction UID."""
    request, items = Dataset(), []
    request.TransactionUID = generate_uid()
    for one in objects:
        item = Dataset()
        item.ReferencedSOPClassUID = one.sop_class_uid
        item.ReferencedSOPInstanceUID = one.sop_instance_uid
        items.append(item)
    request.ReferencedSOPSequence = Items(items)
    status, _ = association.send_n_action(request, 1, PUSH_MODEL, "1.2.840.10008.1.20.1.1")
    assert status.Status == 0x0000
    return request.TransactionUID


@pytest.fixture
def modality():
    listening = Modality()
    yield listening
    listening.entity.shutdown()


def entrance_reporting_to(store, port: int) -> DicomEntrance:
    settings = DicomSettings(
        senders=("CR1",),
        port=0,
        ae_title="ARCHIVE",
        timeout_seconds=60,
        commitment={"CR1": f"127.0.0.1:{port}"},
    )
    return DicomEntrance(settings, store).start()


def test_a_sender_that_ended_its_association_gets_the_report_at_its_address(store, modality, films):
    entrance = entrance_reporting_to(store, modality.port)
    sent, *others = objects_of(films[:3])
    association = associate(entrance, films)
    assert association.send_c_store(pydicom.dcmread(sent.path)).Status == 0x0000
    transaction = ask(association, [sent, *others])
    association.release()

    kind, title, committed, failed = modality.report(transaction)

    assert (kind, title) == (2, "ARCHIVE")
    assert committed == {sent.sop_instance_uid}
    assert failed == {one.sop_instance_uid for one in others}
    assert {item.FailureReason for item in modality.reports[0][2].FailedSOPSequence} == {0x0112}
    entrance.stop()


def test_a_report_is_sent_again_to_a_sender_that_did_not_answer(
    store, modality, films, monkeypatch
):
    tried = []
    first_try = commitment.CommitmentAnswers._send_to

    def fail_once(self, *values) -> bool:
        tried.append(values)
        return first_try(self, *values) if len(tried) > 1 else False

    monkeypatch.setattr(commitment, "_WAITS_SECONDS", (0.01, 0.01, 0.01))
    monkeypatch.setattr(commitment.CommitmentAnswers, "_send_to", fail_once)
    entrance = entrance_reporting_to(store, modality.port)
    association = associate(entrance, films)
    transaction = ask(association, objects_of(films[:1]))
    association.release()

    assert modality.report(transaction)[0] == 2
    assert len(tried) == 2
    entrance.stop()


def test_a_report_that_cannot_be_sent_is_in_the_log(store, films, monkeypatch, caplog):
    caplog.set_level(logging.INFO, "cxrview.service")
    monkeypatch.setattr(commitment, "_WAITS_SECONDS", (0.01, 0.01))
    away = Modality()
    away.entity.shutdown()
    entrance = entrance_reporting_to(store, away.port)
    association = associate(entrance, films)
    ask(association, objects_of(films[:1]))
    association.release()

    wait_until(lambda: "commitment report not sent" in caplog.messages)
    entrance.stop()


def test_a_report_does_not_disturb_what_is_sent_on_the_same_association(entrance, store, films):
    reports = []

    def take(event) -> tuple[int, None]:
        reports.append(event.event_information)
        return 0x0000, None

    association = associate(entrance, films, [(evt.EVT_N_EVENT_REPORT, take)])
    transactions = []
    for one in objects_of(films[:4]):
        assert association.send_c_store(pydicom.dcmread(one.path)).Status == 0x0000
        transactions.append(ask(association, [one]))
    wait_until(lambda: len(reports) == 4)
    association.release()

    assert {one.TransactionUID for one in reports} == set(transactions)
    assert not any("FailedSOPSequence" in one for one in reports)
    assert store.counts().received == 4


def wait_until(holds) -> None:
    end = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.01)
