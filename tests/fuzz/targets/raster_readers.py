"""The readers of PNG, JPEG and TIFF."""

from fuzz.reading import read_both
from fuzz.seed_files import raster_files


def seeds() -> tuple[bytes, ...]:
    """Every depth, colour, compression and layout."""
    return raster_files()


def check(data: bytes) -> None:
    """Read the bytes of a file."""
    read_both(data)
