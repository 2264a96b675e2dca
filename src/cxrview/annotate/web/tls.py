"""Looks at a certificate and its key before https is served by them, and says what is wrong."""

import ssl
from pathlib import Path

from cxrview.errors import UsageError

_KEY_BEGIN = b"PRIVATE KEY-----"
_ENCRYPTED = (b"BEGIN ENCRYPTED PRIVATE KEY", b"Proc-Type: 4,ENCRYPTED")


def check_certificate(certificate: Path, key: Path | None) -> None:
    """Refuse what https cannot be served by.

    Args:
        certificate: PEM; a file that holds the key as well needs no `key`.
        key: PEM, without a passphrase.

    Raises:
        UsageError: what is missing or wrong, and how it is put right.
    """
    text = _read(certificate, "certificate")
    if b"-----BEGIN CERTIFICATE-----" not in text:
        raise UsageError(
            f"{certificate} is not a certificate as PEM{_what_else(text)}",
            f"{_conversion(text, certificate)}Name the file that begins a part with -----BEGIN "
            "CERTIFICATE-----",
        )
    key_text = text if key is None else _read(key, "key")
    key_name = certificate if key is None else key
    if _KEY_BEGIN not in key_text:
        if key is None:
            raise UsageError(
                f"{certificate} holds no private key", "Name the key of the certificate with --key"
            )
        raise UsageError(
            f"{key} is not a private key as PEM{_what_else(key_text)}",
            "Name the file that begins with -----BEGIN PRIVATE KEY----- or the like",
        )
    if any(mark in key_text for mark in _ENCRYPTED):
        raise UsageError(
            f"the private key in {key_name} is encrypted with a passphrase",
            f"Write it without: openssl pkey -in {key_name} -out plain.pem, readable by you alone",
        )
    try:
        ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(certificate, key)
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            raise UsageError(
                f"the private key in {key_name} is not that of the certificate {certificate}",
                "Name the key that the certificate was requested with",
            ) from error
        raise UsageError(
            f"{certificate} and its key cannot be served by ({error.reason or 'no PEM'})",
            "Is one of the files damaged? Look with openssl x509 -in FILE -text",
        ) from error


def _read(path: Path, what: str) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UsageError(f"the {what} {path} cannot be read: {error.strerror}") from error


def _what_else(content: bytes) -> str:
    if not content.strip():
        return ": the file is empty"
    if content[:1] == b"\x30":  # ASN.1's SEQUENCE, with which each of these begins
        return ", it may be DER or PKCS #12"
    if _KEY_BEGIN in content:
        return ", it is a private key"
    if b"BEGIN CERTIFICATE REQUEST" in content:
        return ", it is the request for one"
    if b"-----BEGIN CERTIFICATE-----" in content:
        return ", it is a certificate"
    return ""


def _conversion(content: bytes, path: Path) -> str:
    if content[:1] != b"\x30":
        return ""
    return f"If it is DER: openssl x509 -inform der -in {path} -out certificate.pem. "
