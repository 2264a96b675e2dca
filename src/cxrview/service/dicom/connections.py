"""Keep a peer that falls silent from holding up others."""

import ssl


class LaterHandshake(ssl.SSLSocket):
    """A connection whose TLS handshake is part of the first read.

    pynetdicom accepts all connections in one thread, in which a handshake with a peer that sends
    nothing would never end. The first read belongs to the thread of the association.
    """

    def do_handshake(self, block: bool = False) -> None:
        """Leave it to the first read, in which OpenSSL carries it out."""
