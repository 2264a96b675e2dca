"""Pseudonyms of patient ids, by a key file; not reversible without the key."""

import hashlib
import hmac
import os
import secrets
from pathlib import Path

from cxrview.errors import UsageError

KEY_BYTES = 32
IDENTIFIED = "identified"
"""Value of the condition `patients` of a result that holds real ids."""


def default_key_path() -> Path:
    """Return the default path of the key file, in the user's configuration folder.

    Raises:
        UsageError: the user has no home folder.
    """
    try:
        settings = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    except RuntimeError as error:
        raise UsageError(
            "the user has no home folder for the key of the pseudonyms",
            "Name a file for it with --key, or use --identify where real ids may be written",
        ) from error
    return Path(settings) / "cxrview" / "patient.key"


def load_or_make_key(path: Path) -> bytes:
    """Read the key file; if it does not exist, create it, readable only by its owner.

    Raises:
        UsageError: the file cannot be read or created, or is too short to be secure.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        made = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(made, "w", encoding="ascii") as file:
            file.write(secrets.token_hex(KEY_BYTES) + "\n")
    except FileExistsError:
        pass
    except OSError as error:
        raise UsageError(
            f"the key file {path} cannot be created: {error.strerror}",
            "Name another with --key, or use --identify where the table may have real ids",
        ) from error
    return _read_key(path)


def load_key(path: Path) -> bytes:
    """Read an existing key file.

    Raises:
        UsageError: the file does not exist, cannot be read, or is too short to be secure.
    """
    if not path.is_file():
        raise UsageError(
            f"the key file {path} does not exist", "Name the key file of the other results"
        )
    return _read_key(path)


def key_condition(key: bytes) -> str:
    """Return the condition `patients`, which identifies the key without revealing it."""
    return f"key {hashlib.sha256(key).hexdigest()[:16]}"


def pseudonym(key: bytes, patient_id: str) -> str:
    """Return the HMAC-SHA-256 of a patient's id in 64 hexadecimal digits; empty for an empty id."""
    if not patient_id:
        return ""
    return hmac.new(key, patient_id.encode("utf-8", "surrogateescape"), hashlib.sha256).hexdigest()


def _read_key(path: Path) -> bytes:
    try:
        key = path.read_bytes().strip()
    except OSError as error:
        raise UsageError(f"the key file {path} cannot be read: {error.strerror}") from error
    if len(key) < KEY_BYTES:
        raise UsageError(
            f"the key file {path} holds {len(key)} bytes; a key has at least {KEY_BYTES}",
            "Remove it to create a new one, under which patients get other pseudonyms",
        )
    return key
