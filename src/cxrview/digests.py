"""SHA-256 of files, and a random order by SHA-256 that is the same on every machine."""

import hashlib
from pathlib import Path


def file_sha256(path: Path) -> str:
    """Compute the SHA-256 of a file's bytes, in 64 hexadecimal digits.

    Raises:
        OSError: the file cannot be read.
    """
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def shuffle_key(seed: int, name: str) -> tuple[bytes, str]:
    """Return a sort key that puts names in a random order.

    It depends on seed and name only, so that the order is the same on every machine and for every
    order of rows.

    Args:
        seed: another seed gives another order.
        name: such as a file; undecodable bytes may be surrogates, as from `os.fsdecode`.

    Returns:
        The SHA-256 of seed, a line feed and the name; and the name, which decides between equals.
    """
    return hashlib.sha256(f"{seed}\n{name}".encode("utf-8", "surrogateescape")).digest(), name
