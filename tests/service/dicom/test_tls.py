"""TLS on both sides: the sender of the service against its own entrance."""

import shutil
import socket
import ssl
import subprocess
import time
from pathlib import Path

import pytest

from cxrview.errors import UsageError
from cxrview.service.configuration import ClientTls, DestinationSettings, DicomSettings, ServerTls
from cxrview.service.delivery.c_store import CStoreSender
from cxrview.service.delivery.sender import DestinationDown
from cxrview.service.dicom.scp import DicomEntrance
from cxrview.service.store import Store

# pynetdicom leaves the socket of a connection that was refused to the garbage collector.
pytestmark = pytest.mark.filterwarnings(
    "ignore:Exception ignored in. <(ssl.SSLS|s)ocket:pytest.PytestUnraisableExceptionWarning"
)


def make_certificate(folder: Path, name: str) -> tuple[Path, Path]:
    """A certificate of its own for 127.0.0.1, and its key."""
    if not (openssl := shutil.which("openssl")):
        pytest.skip("needs openssl: apt-get install openssl")
    certificate, key = folder / f"{name}.pem", folder / f"{name}.key"
    subject = ["-subj", f"/CN={name}", "-addext", "subjectAltName=IP:127.0.0.1"]
    command = [openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    command += ["-nodes", "-days", "2", "-keyout", key, "-out", certificate, *subject]
    subprocess.run(command, check=True, capture_output=True)
    return certificate, key


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    folder = tmp_path_factory.mktemp("certificates")
    return make_certificate(folder, "service"), make_certificate(folder, "sender")


@pytest.fixture
def entrance(tmp_path, certificates):
    (certificate, key), (client, _) = certificates
    store = Store(tmp_path / "queue")
    settings = DicomSettings(
        senders=("CR1",),
        port=0,
        ae_title="ARCHIVE",
        timeout_seconds=30,
        tls=ServerTls(certificate=certificate, key=key, client_ca=client),
    )
    listening = DicomEntrance(settings, store).start()
    yield listening
    listening.stop()
    store.close()


def sender_to(entrance, tls: ClientTls | None) -> CStoreSender:
    settings = DestinationSettings(
        host="127.0.0.1", port=entrance.port, ae_title="ARCHIVE", tls=tls, timeout_seconds=30
    )
    return CStoreSender(settings, "CR1")


def test_a_sender_with_a_known_certificate_is_let_in(entrance, certificates):
    (ca, _), (certificate, key) = certificates

    sender_to(entrance, ClientTls(ca=ca, certificate=certificate, key=key)).check()


@pytest.mark.parametrize("kind", ["no TLS", "no certificate", "another authority"])
def test_others_are_not(entrance, certificates, kind):
    (ca, _), (certificate, key) = certificates
    tls = {
        "no TLS": None,
        "no certificate": ClientTls(ca=ca),
        "another authority": ClientTls(ca=certificate, certificate=certificate, key=key),
    }[kind]

    with pytest.raises(DestinationDown):
        sender_to(entrance, tls).check()


# pynetdicom cannot abort an association that was not asked for, and ends its thread.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_silent_connection_holds_up_no_other(entrance, certificates):
    (ca, _), (certificate, key) = certificates
    tls = ClientTls(ca=ca, certificate=certificate, key=key)

    with socket.create_connection(("127.0.0.1", entrance.port)):
        sender_to(entrance, tls).check()
        began = time.monotonic()
        entrance.stop()

    assert time.monotonic() - began < 15  # before the timeout


def test_a_stop_does_not_wait_for_a_sender_that_is_silent_inside_a_pdu(entrance, certificates):
    (ca, _), (certificate, key) = certificates
    context = ssl.create_default_context(cafile=ca)
    context.load_cert_chain(certificate, key)
    plain = socket.create_connection(("127.0.0.1", entrance.port))

    with context.wrap_socket(plain, server_hostname="127.0.0.1") as client:
        client.sendall(b"\x01\x00\x00\x00\x01\x00half")
        time.sleep(0.5)
        began = time.monotonic()
        entrance.stop()

    assert time.monotonic() - began < 15  # before the timeout


def test_a_certificate_that_cannot_be_loaded_is_a_usage_error(tmp_path):
    (tmp_path / "empty.pem").touch()
    tls = ServerTls(certificate=tmp_path / "empty.pem", key=tmp_path / "empty.pem")
    store = Store(tmp_path / "queue")

    with pytest.raises(UsageError, match=r"dicom\.tls"):
        DicomEntrance(DicomSettings(senders=("CR1",), port=0, tls=tls), store).start()
    store.close()
