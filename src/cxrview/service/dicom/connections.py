"""Keep a peer that falls silent from holding up others."""

import socket
import ssl
from typing import cast

from pynetdicom import evt


class LaterHandshake(ssl.SSLSocket):
    """A connection whose TLS handshake is part of the first read.

    pynetdicom accepts all connections in one thread, in which a handshake with a peer that sends
    nothing would never end. The first read belongs to the thread of the association.
    """

    def do_handshake(self, block: bool = False) -> None:
        """Leave it to the first read, in which OpenSSL carries it out."""


def limit_connection(event: evt.Event, seconds: float) -> None:
    """End a connection that falls silent inside a PDU: a handler of EVT_CONN_OPEN.

    pynetdicom waits for the rest of a PDU without a limit, and an association whose reader waits
    cannot be aborted.

    Args:
        event: of the connection.
        seconds: in which something must arrive, or be taken.
    """
    connection = event.assoc.dul.socket
    plain = cast(socket.socket, connection and connection.socket)
    plain.settimeout(seconds)
    plain.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
