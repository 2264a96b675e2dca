"""The DICOM reader: the header, and the first frame by both readers."""

from fuzz.reading import read_both
from fuzz.seed_files import dicom_of_each_syntax


def seeds() -> tuple[bytes, ...]:
    """Every transfer syntax and header fault."""
    return dicom_of_each_syntax()


def check(data: bytes) -> None:
    """Read the bytes of a file."""
    read_both(data)
