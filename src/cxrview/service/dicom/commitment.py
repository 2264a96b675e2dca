"""Storage commitment (PS3.4 annex J): asked of destinations, and answered to senders.

A request lists instances; the report on it comes later, on the same association or on a new one
that the other side opens (PS3.4 section J.3.3).
"""

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from io import BytesIO

from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as Items
from pydicom.uid import UID, generate_uid
from pynetdicom import AE, build_role, evt
from pynetdicom.association import Association
from pynetdicom.dimse_primitives import N_EVENT_REPORT
from pynetdicom.dsutils import encode
from pynetdicom.presentation import build_context

from cxrview.service.dicom.answers import keep_answers
from cxrview.service.dicom.connections import limit_connection
from cxrview.service.log import log_event

PUSH_MODEL = UID("1.2.840.10008.1.20.1")
_PUSH_MODEL_INSTANCE = UID("1.2.840.10008.1.20.1.1")
_REQUEST, _ALL_COMMITTED, _SOME_FAILED = 1, 1, 2
"""Action Type ID and Event Type IDs of PS3.4 tables J.3-1 and J.3-2."""
_SUCCESS, _PROCESSING_FAILURE = 0x0000, 0x0110
_NO_SUCH_OBJECT = 0x0112
_TIMEOUT_SECONDS = 30.0
_WAITS_SECONDS = (0.1, 5.0, 30.0, 120.0)
"""Before the tries of a report; the first lets the answer to the request go ahead."""

Instance = tuple[str, str]
"""SOP Class UID and SOP Instance UID."""


@dataclass(slots=True)
class _Waiting:
    """A request whose report has not come."""

    is_reported: threading.Event = field(default_factory=threading.Event)
    committed: set[str] = field(default_factory=set)


class Commitments:
    """The requests to all destinations, and the reports on them; safe from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: dict[str, _Waiting] = {}

    def request(
        self, association: Association, instances: Sequence[Instance], seconds: float
    ) -> set[str]:
        """Ask for commitment, and wait for the report.

        Args:
            association: with the destination, which accepted `PUSH_MODEL`.
            instances: that were sent.
            seconds: to wait.

        Returns:
            The SOP Instance UIDs that were committed in time.
        """
        transaction, waiting = str(generate_uid()), _Waiting()
        with self._lock:
            self._waiting[transaction] = waiting
        try:
            asked = Dataset()
            asked.TransactionUID = transaction
            asked.ReferencedSOPSequence = Items([_reference(one) for one in instances])
            status, _ = association.send_n_action(asked, _REQUEST, PUSH_MODEL, _PUSH_MODEL_INSTANCE)
            if getattr(status, "Status", None) != _SUCCESS:
                return set()
            waiting.is_reported.wait(seconds)
            with self._lock:
                return set(waiting.committed)
        except (RuntimeError, ValueError):  # the association ended, or has no such context
            return set()
        finally:
            with self._lock:
                del self._waiting[transaction]

    def receive(self, event: evt.Event) -> tuple[int, None]:
        """Take a report: the handler of N-EVENT-REPORT."""
        report = event.event_information
        committed = {
            str(item.ReferencedSOPInstanceUID) for item in report.get("ReferencedSOPSequence", ())
        }
        with self._lock:
            waiting = self._waiting.get(str(report.get("TransactionUID", "")))
            if waiting is None:  # it came too late
                return _PROCESSING_FAILURE, None
            waiting.committed |= committed
            waiting.is_reported.set()
        return _SUCCESS, None


class CommitmentAnswers:
    """Answers requests of senders by what is in the store.

    Args:
        is_kept: whether the store has an image with a SOP Instance UID.
        addresses: host and port to which the reports for a sender are sent, by its AE title. Other
            senders get them on the association on which they asked.
        ae_title: of the service.
    """

    def __init__(
        self,
        is_kept: Callable[[str], bool],
        addresses: dict[str, tuple[str, int]],
        ae_title: str,
    ) -> None:
        self._is_kept, self._addresses, self._ae_title = is_kept, addresses, ae_title

    def receive(self, event: evt.Event) -> tuple[int, None]:
        """Take a request: the handler of N-ACTION. The report follows in a thread."""
        request = event.action_information
        instances = [
            (str(item.ReferencedSOPClassUID), str(item.ReferencedSOPInstanceUID))
            for item in request.get("ReferencedSOPSequence", ())
        ]
        transaction = str(request.get("TransactionUID", ""))
        if event.action_type != _REQUEST or not transaction or not instances:
            return _PROCESSING_FAILURE, None
        report = self._report(transaction, instances)
        threading.Thread(
            target=self._send, args=(event.assoc, report), name="commitment", daemon=True
        ).start()
        return _SUCCESS, None

    def _report(self, transaction: str, instances: Iterable[Instance]) -> Dataset:
        report, failed = Dataset(), []
        report.TransactionUID = transaction
        committed = []
        for one in instances:
            item = _reference(one)
            if self._is_kept(one[1]):
                committed.append(item)
            else:
                item.FailureReason = _NO_SUCH_OBJECT
                failed.append(item)
        if committed:
            report.ReferencedSOPSequence = Items(committed)
        if failed:
            report.FailedSOPSequence = Items(failed)
        return report

    def _send(self, association: Association, report: Dataset) -> None:
        sender = str(association.requestor.ae_title).strip()
        address = self._addresses.get(sender)
        if address is None:
            time.sleep(_WAITS_SECONDS[0])
            if not _send_on(association, report):
                log_event("commitment report not sent", reason="no address in dicom.commitment")
            return
        for seconds in _WAITS_SECONDS:
            time.sleep(seconds)
            if self._send_to(address, sender, report):
                return
        log_event("commitment report not sent", reason="the sender does not answer")

    def _send_to(self, address: tuple[str, int], sender: str, report: Dataset) -> bool:
        """Report on a new association; return whether the sender answered."""
        entity = AE(ae_title=self._ae_title)
        entity.acse_timeout = entity.dimse_timeout = entity.network_timeout = _TIMEOUT_SECONDS
        entity.connection_timeout = _TIMEOUT_SECONDS
        association = entity.associate(
            *address,
            contexts=[build_context(PUSH_MODEL)],
            ae_title=sender,
            ext_neg=[build_role(PUSH_MODEL, scp_role=True)],
            evt_handlers=[(evt.EVT_CONN_OPEN, limit_connection, [_TIMEOUT_SECONDS])],
        )
        if not association.is_established:
            return False
        try:
            status, _ = keep_answers(association).send_n_event_report(
                report, _event_type(report), PUSH_MODEL, _PUSH_MODEL_INSTANCE
            )
        except (RuntimeError, ValueError):  # it ended, or does not accept the SOP class
            return False
        finally:
            if association.is_established:
                association.release()
        return "Status" in status


def _send_on(association: Association, report: Dataset) -> bool:
    """Report on the association of the sender, which may send other requests at the same time.

    `send_n_event_report` of pynetdicom would take the next message of the sender for the answer,
    and would wait for ever if the sender releases the association at this moment. So the answer is
    not waited for.
    """
    contexts = [cx for cx in association.accepted_contexts if cx.abstract_syntax == PUSH_MODEL]
    if not association.is_established or not contexts:
        return False
    context, request = contexts[0], N_EVENT_REPORT()
    syntax = context.transfer_syntax[0]
    encoded = encode(report, syntax.is_implicit_VR, syntax.is_little_endian, syntax.is_deflated)
    request.MessageID = 1
    request.AffectedSOPClassUID, request.AffectedSOPInstanceUID = PUSH_MODEL, _PUSH_MODEL_INSTANCE
    request.EventTypeID = _event_type(report)
    request.EventInformation = BytesIO(encoded or b"")
    association.dimse.send_msg(request, int(context.context_id or 0))
    return True


def _event_type(report: Dataset) -> int:
    return _SOME_FAILED if "FailedSOPSequence" in report else _ALL_COMMITTED


def _reference(instance: Instance) -> Dataset:
    item = Dataset()
    item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = instance
    return item
