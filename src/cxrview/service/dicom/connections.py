"""Keep a peer that falls silent, or announces too much, from harming others."""

import socket
import ssl
from contextlib import suppress
from typing import Any, cast

from pynetdicom import evt

_MOST_PDU_BYTES = 2 << 20
"""Above what dicom.max_pdu_bytes allows, and above any request for an association."""


class LaterHandshake(ssl.SSLSocket):
    """A connection whose TLS handshake is part of the first read.

    pynetdicom accepts all connections in one thread, in which a handshake with a peer that sends
    nothing would never end. The first read belongs to the thread of the association.
    """

    def do_handshake(self, block: bool = False) -> None:
        """Leave it to the first read, in which OpenSSL carries it out."""


def limit_connection(event: evt.Event, seconds: float) -> None:
    """End a connection that falls silent inside a PDU or has a huge one; handles EVT_CONN_OPEN.

    pynetdicom waits for the rest of a PDU without a limit, and an association whose reader waits
    cannot be aborted. It also reads a PDU of any length into memory before it knows the sender.

    Args:
        event: of the connection.
        seconds: in which something must arrive, or be taken.
    """
    connection = cast(Any, event.assoc.dul.socket)
    plain, receive = connection.socket, connection.recv
    plain.settimeout(seconds)
    plain.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)

    def receive_some(nr_bytes: int) -> bytearray:
        try:
            if nr_bytes > _MOST_PDU_BYTES:
                raise OSError("the PDU is too long")  # which ends the association
            return cast(bytearray, receive(nr_bytes))
        except OSError:
            plain.close()  # pynetdicom leaves it open if the peer has closed its side
            raise

    connection.recv = receive_some


def end_reading(association: Any) -> None:
    """End the wait for the rest of a PDU, as if the peer had closed its side.

    Args:
        association: of pynetdicom, in any state.
    """
    connection = association.dul.socket
    if connection is None or connection.socket is None:  # it has ended
        return
    with suppress(OSError):
        # Not that of SSLSocket, which would send what follows without encryption.
        socket.socket.shutdown(connection.socket, socket.SHUT_RD)
