"""What https cannot be served by is refused in words, before anybody comes."""

import shutil
import subprocess
from pathlib import Path

import pytest

from cxrview.annotate.web.run import serve_annotation
from cxrview.annotate.web.settings import ServeSettings
from cxrview.annotate.web.tls import check_certificate
from cxrview.errors import UsageError

OPENSSL = shutil.which("openssl")
pytestmark = pytest.mark.skipif(OPENSSL is None, reason="needs openssl: apt-get install openssl")


def openssl(*words: object) -> None:
    subprocess.run([str(OPENSSL), *map(str, words)], check=True, capture_output=True)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two certificates with their keys, and what people name in place of them."""
    folder = tmp_path_factory.mktemp("tls")
    for name in ("a", "b"):
        key, certificate = folder / f"{name}.key", folder / f"{name}.pem"
        request = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=x"]
        openssl(*request, "-keyout", key, "-out", certificate)
    openssl("x509", "-in", folder / "a.pem", "-outform", "der", "-out", folder / "a.der")
    encrypt = ["pkey", "-in", folder / "a.key", "-aes256", "-passout", "pass:hidden"]
    openssl(*encrypt, "-out", folder / "encrypted.key")
    (folder / "junk").write_bytes(b"none\n")
    (folder / "empty").touch()
    (folder / "both.pem").write_text(
        (folder / "a.pem").read_text() + (folder / "a.key").read_text()
    )
    damaged = (folder / "a.pem").read_text().splitlines()
    (folder / "damaged.pem").write_text("\n".join([damaged[0], *damaged[5:]]) + "\n")
    return folder


@pytest.mark.parametrize(
    ("certificate", "key", "words"),
    [
        ("a.pem", None, r"holds no private key\. Name the key of the certificate with --key"),
        ("a.der", "a.key", "not a certificate as PEM, it may be DER.*openssl x509 -inform der"),
        ("junk", "a.key", "junk is not a certificate as PEM"),
        ("empty", "a.key", "the file is empty"),
        ("a.key", "a.key", "not a certificate as PEM, it is a private key"),
        ("a.pem", "b.key", "is not that of the certificate"),
        ("a.pem", "b.pem", "b.pem is not a private key as PEM, it is a certificate"),
        ("a.pem", "a.der", "not a private key as PEM, it may be DER"),
        ("a.pem", "encrypted.key", "encrypted with a passphrase.*openssl pkey"),
        ("damaged.pem", "a.key", "cannot be served by"),
        ("none.pem", "a.key", "the certificate .*none.pem cannot be read: No such file"),
        ("a.pem", "none.key", "the key .*none.key cannot be read: No such file"),
    ],
)
def test_what_is_wrong_is_said_in_words(files, certificate, key, words):
    with pytest.raises(UsageError, match=f"(?s){words}"):
        check_certificate(files / certificate, None if key is None else files / key)


@pytest.mark.parametrize(("certificate", "key"), [("a.pem", "a.key"), ("both.pem", None)])
def test_what_belongs_together_is_taken(files, certificate, key):
    check_certificate(files / certificate, None if key is None else files / key)


def test_the_server_refuses_them_too(files, served):
    with pytest.raises(UsageError, match="holds no private key"):
        serve_annotation(served.store, certificate=files / "a.pem")


def test_https_only_is_for_a_server_with_https(served):
    with pytest.raises(UsageError, match="reach by https"):
        serve_annotation(served.store, ServeSettings(is_https_only=True))
