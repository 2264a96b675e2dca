"""Send objects by C-STORE (PS3.4 annex B), with pynetdicom."""

import ssl
from collections.abc import Generator, Iterator, Sequence
from itertools import islice
from typing import Any

from pydicom.uid import UID
from pynetdicom import AE, _config, build_context, evt
from pynetdicom.association import Association

from cxrview.service.configuration import ClientTls, DestinationSettings
from cxrview.service.delivery.sender import Answer, DestinationDown, OutgoingObject
from cxrview.service.dicom.answers import keep_answers
from cxrview.service.dicom.commitment import PUSH_MODEL, Commitments
from cxrview.service.dicom.connections import limit_connection

# Files are sent as they are, without being decoded.
_config.STORE_SEND_CHUNKED_DATASET = True
_MOST_CONTEXTS = 125
"""PS3.8 7.1.1.13: 128 presentation contexts; two of them are for C-ECHO and commitment."""
_VERIFICATION = UID("1.2.840.10008.1.1")
_SUCCESS = 0x0000
_WARNINGS = range(0xB000, 0xC000)
"""PS3.7 annex C.3: the object is stored, perhaps with coerced elements."""


class CStoreSender:
    """Sends objects to one DICOM destination; each batch uses one association.

    Args:
        settings: of the destination.
        calling_ae_title: of the service.
        commitments: takes the reports, if the destination is asked for storage commitment.
    """

    def __init__(
        self,
        settings: DestinationSettings,
        calling_ae_title: str,
        commitments: Commitments | None = None,
    ) -> None:
        self._settings = settings
        self._commitments = commitments if settings.commitment else None
        self._entity = AE(ae_title=settings.calling_ae_title or calling_ae_title)
        self._entity.acse_timeout = settings.timeout_seconds
        self._entity.dimse_timeout = settings.timeout_seconds
        self._entity.network_timeout = settings.timeout_seconds
        self._entity.connection_timeout = min(10.0, settings.timeout_seconds)
        self._tls = _tls_context(settings.tls) if settings.tls else None

    def send(self, objects: Sequence[OutgoingObject]) -> Generator[Answer, None, None]:
        """Send objects; see `Sender`."""
        rest = iter(objects)
        while batch := list(islice(rest, _MOST_CONTEXTS)):
            if self._commitments:
                yield from self._committed(batch, list(self._send_batch(batch)), self._commitments)
            else:
                yield from self._send_batch(batch)

    def check(self) -> None:
        """Send a C-ECHO.

        Raises:
            DestinationDown: there was no answer, or not that of success.
        """
        association = self._associate([])
        try:
            status = association.send_c_echo()
            if getattr(status, "Status", None) != _SUCCESS:
                raise DestinationDown("it does not answer C-ECHO")
        finally:
            _end(association)

    def _send_batch(self, batch: Sequence[OutgoingObject]) -> Generator[Answer, None, None]:
        association: Association | None = None
        try:
            for number, one in enumerate(batch):
                if association is None or not association.is_established:
                    association = self._associate(batch[number:])
                yield _send_one(association, one)
        finally:
            if association is not None:
                _end(association)

    def _committed(
        self, batch: Sequence[OutgoingObject], answers: list[Answer], commitments: Commitments
    ) -> Iterator[Answer]:
        """The answers to a batch, once the destination has committed what it has received."""
        sent = [one for one, answer in zip(batch, answers, strict=True) if answer.is_stored]
        committed: set[str] = set()
        if sent:
            association = self._associate([])
            try:
                committed = commitments.request(
                    association,
                    [(one.sop_class_uid, one.sop_instance_uid) for one in sent],
                    self._settings.commitment_seconds,
                )
            finally:
                _end(association)
        for one, answer in zip(batch, answers, strict=True):
            if answer.is_stored and one.sop_instance_uid not in committed:
                yield Answer(is_stored=False, reason="it did not commit itself to storing it")
            else:
                yield answer

    def _associate(self, objects: Sequence[OutgoingObject]) -> Association:
        kinds = dict.fromkeys((one.sop_class_uid, one.transfer_syntax) for one in objects)
        # C-ECHO is proposed as well, so that an association in which no storage class is accepted
        # is established, and the refusal belongs to the objects and not to the destination.
        contexts = [build_context(_VERIFICATION)]
        contexts += [build_context(sop_class, syntax) for sop_class, syntax in kinds]
        handlers: list[Any] = [
            (evt.EVT_CONN_OPEN, limit_connection, [self._settings.timeout_seconds])
        ]
        if self._commitments:
            contexts.append(build_context(PUSH_MODEL))
            handlers.append((evt.EVT_N_EVENT_REPORT, self._commitments.receive))
        association = self._entity.associate(
            self._settings.host,
            self._settings.port,
            contexts=contexts,
            ae_title=self._settings.ae_title,
            evt_handlers=handlers,
            tls_args=(self._tls, self._settings.host) if self._tls else None,
        )
        if not association.is_established:
            raise DestinationDown(
                "it rejects the association"
                if association.is_rejected
                else "it does not answer or ends the association"
            )
        return keep_answers(association)


def _send_one(association: Association, one: OutgoingObject) -> Answer:
    kinds = {(cx.abstract_syntax, cx.transfer_syntax[0]) for cx in association.accepted_contexts}
    if (one.sop_class_uid, one.transfer_syntax) not in kinds:
        return Answer(
            is_stored=False, reason="it does not accept this SOP class in this transfer syntax"
        )
    try:
        status = association.send_c_store(one.path)
    except RuntimeError:
        return Answer(is_stored=False, reason="the association ended before it was sent")
    except (OSError, ValueError, AttributeError):  # of pynetdicom, which reads the file again
        return Answer(is_stored=False, reason="its file cannot be read as DICOM")
    if "Status" not in status:
        if association.is_established:  # late answers would be taken for those of later objects
            association.abort()
        return Answer(is_stored=False, reason="no answer in time or the association ended")
    code = int(status.Status)
    if code == _SUCCESS:
        return Answer(is_stored=True)
    if code in _WARNINGS:
        return Answer(is_stored=True, reason=f"stored with warning 0x{code:04X}")
    return Answer(is_stored=False, reason=f"refused with status 0x{code:04X}")


def _end(association: Association) -> None:
    if association.is_established:
        association.release()


def _tls_context(tls: ClientTls) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.SERVER_AUTH, cafile=tls.ca)
    if tls.certificate:
        context.load_cert_chain(tls.certificate, tls.key)
    return context
