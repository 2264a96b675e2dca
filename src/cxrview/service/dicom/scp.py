"""The C-STORE and C-ECHO entrance (PS3.4 annexes A, B and J), with pynetdicom."""

import ssl
from collections.abc import Sequence
from threading import Timer
from typing import Any, Self, cast

from pynetdicom import AE, ALL_TRANSFER_SYNTAXES, AllStoragePresentationContexts, evt
from pynetdicom.transport import ThreadedAssociationServer

from cxrview.errors import CannotWrite, UsageError
from cxrview.service.configuration import DicomSettings, ServerTls
from cxrview.service.dicom.commitment import PUSH_MODEL, CommitmentAnswers, Commitments
from cxrview.service.dicom.connections import LaterHandshake, end_reading, limit_connection
from cxrview.service.dicom.spool import Spool, spool_to
from cxrview.service.log import log_event
from cxrview.service.store import Store

ENTRANCE = "dicom"
_VERIFICATION = "1.2.840.10008.1.1"
_SUCCESS, _OUT_OF_RESOURCES = 0x0000, 0xA700
"""PS3.4 table B.2-1: with the second, the sender keeps the object and may send it again."""
_NOT_AUTHORIZED = 0x0124
_TOO_LARGE = 0xC001
"""PS3.4 table B.2-1: it cannot be understood; sending it again would not help."""
_STOP_SECONDS = 1.0
"""For an A-ABORT, before a connection is ended."""


class DicomEntrance:
    """Receives objects by C-STORE from known AE titles.

    Every storage class and transfer syntax is accepted: what is not a radiograph is forwarded as it
    is. An object is acknowledged when it is in the store.

    Args:
        settings: of the entrance.
        store: takes the objects.
        commitments: takes reports of storage commitment that destinations send.
        archives: AE titles of these destinations.
    """

    def __init__(
        self,
        settings: DicomSettings,
        store: Store,
        commitments: Commitments | None = None,
        archives: Sequence[str] = (),
    ) -> None:
        self._settings, self._store = settings, store
        self._commitments = commitments or Commitments()
        self._answers = CommitmentAnswers(
            store.has_instance,
            {title: _host_and_port(text) for title, text in settings.commitment.items()},
            settings.ae_title,
        )
        self._entity = entity = AE(ae_title=settings.ae_title)
        entity.require_called_aet = True
        entity.require_calling_aet = [*settings.senders, *archives]
        entity.maximum_associations = settings.max_associations
        entity.maximum_pdu_size = settings.max_pdu_bytes
        entity.network_timeout = settings.timeout_seconds
        entity.acse_timeout = settings.timeout_seconds
        entity.dimse_timeout = settings.timeout_seconds
        entity.add_supported_context(_VERIFICATION)
        # Senders ask for commitment; destinations report on it, in the other role.
        entity.add_supported_context(PUSH_MODEL, scu_role=True, scp_role=True)
        for context in AllStoragePresentationContexts:
            entity.add_supported_context(str(context.abstract_syntax), ALL_TRANSFER_SYNTAXES)
        self._server: ThreadedAssociationServer | None = None

    def start(self) -> Self:
        """Listen.

        Raises:
            UsageError: the address is not available, or the certificate cannot be loaded.
        """
        settings = self._settings
        spool_to(self._store.new_part, settings.max_object_mb << 20)
        try:
            self._server = self._entity.start_server(
                (settings.host, settings.port),
                block=False,
                ssl_context=_tls_context(settings.tls) if settings.tls else None,
                evt_handlers=[
                    (evt.EVT_CONN_OPEN, limit_connection, [settings.timeout_seconds]),
                    (evt.EVT_C_STORE, self._receive),
                    (evt.EVT_CONN_CLOSE, _discard_unfinished),
                    (evt.EVT_REJECTED, self._note_rejected),
                    (evt.EVT_N_ACTION, self._answers.receive),
                    (evt.EVT_N_EVENT_REPORT, self._commitments.receive),
                ],
            )
        except ssl.SSLError as error:
            raise UsageError("the certificate or key of [dicom.tls] cannot be loaded") from error
        except OSError as error:
            raise UsageError(
                f"cannot listen on {settings.host}:{settings.port}: {error.strerror}",
                "Choose another dicom.port",
            ) from error
        return self

    @property
    def port(self) -> int:
        """Where it listens."""
        assert self._server and self._server.socket
        return int(self._server.socket.getsockname()[1])

    def stop(self) -> None:
        """End all associations; what is being received is not acknowledged.

        Senders are told (A-ABORT). A connection that waits for the rest of a PDU cannot be aborted,
        and is ended after a second.
        """
        timer = Timer(_STOP_SECONDS, self._end_reading)
        timer.start()
        try:
            self._entity.shutdown()
        finally:
            timer.cancel()

    def _end_reading(self) -> None:
        for association in self._entity.active_associations:
            end_reading(association)

    def _note_rejected(self, event: evt.Event) -> None:
        """Say why a sender was rejected; no title that it sent is in the log."""
        request = event.assoc.requestor.primitive
        called = (request and request.called_ae_title) or ""
        if _sender(event.assoc) not in self._entity.require_calling_aet:
            reason = "the calling AE title is not in dicom.senders"
        elif called.strip() != self._settings.ae_title:
            reason = "the called AE title is not dicom.ae_title"
        else:
            reason = "there are dicom.max_associations already"
        log_event("association rejected", entrance=ENTRANCE, reason=reason)

    def _receive(self, event: evt.Event) -> int:
        """Take one object over; the status that is sent back."""
        spool = cast(Spool, cast(Any, event.request)._dataset_file)
        spool.close()
        if _sender(event.assoc) not in self._settings.senders:  # an archive that reports
            spool.discard()
            return _NOT_AUTHORIZED
        if spool.is_too_large:
            log_event("refused", entrance=ENTRANCE, reason="too large", status=_TOO_LARGE)
            return _TOO_LARGE
        try:
            if spool.error:
                raise CannotWrite("the disk of the queue is full or fails") from spool.error
            receipt = self._store.accept(spool.path, ENTRANCE, _sender(event.assoc))
        except CannotWrite:
            log_event("refused", entrance=ENTRANCE, reason="disk full", status=_OUT_OF_RESOURCES)
            return _OUT_OF_RESOURCES
        finally:
            spool.discard()
        log_event("received", entrance=ENTRANCE, state=str(receipt.arrival), bytes=spool.size)
        return _SUCCESS


def _host_and_port(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    return host, int(port)


def _sender(association: Any) -> str:
    return str(association.requestor.ae_title).strip()


def _discard_unfinished(event: evt.Event) -> None:
    """Remove what a sender did not send to its end."""
    spool = getattr(event.assoc.dimse.message, "_data_set_file", None)
    if isinstance(spool, Spool):
        spool.discard()
        log_event("sender aborted", entrance=ENTRANCE)


def _tls_context(tls: ServerTls) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=tls.client_ca)
    context.load_cert_chain(tls.certificate, tls.key)
    if tls.client_ca:
        context.verify_mode = ssl.CERT_REQUIRED
    context.sslsocket_class = LaterHandshake
    return context
