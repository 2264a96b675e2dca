"""Puts a picture into the page itself, so that the page is one file.

As a data URI in an `img`, each SVG is a document of its own: names of its parts cannot clash with
those of another, and nothing in it can run or reach the network.
"""

import base64
import re
import struct
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from cxrview.errors import UsageError

_KINDS = {".svg": "image/svg+xml", ".png": "image/png"}
_IMAGE = "{http://www.w3.org/2000/svg}image"
_DUBLIN_CORE = "{http://purl.org/dc/elements/1.1/}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """What an `img` needs."""

    uri: str
    """`data:image/svg+xml;base64,...`."""
    description: str
    """What is to be seen, by the SVG's own metadata; empty where it says nothing."""
    has_pixels: bool
    """There is a picture in it, as of a radiograph, and not lines and letters alone."""
    width: int = 0
    """CSS pixels of it as it was drawn; 0 where it does not say."""
    height: int = 0

    @property
    def is_narrow(self) -> bool:
        """Whether it was drawn for one column of two, which are 85 mm wide in a journal."""
        return 0 < self.width < _NARROW


_NARROW = 100 / 25.4 * 96
"""CSS pixels of 100 mm."""
_UNITS = {"pt": 96 / 72, "px": 1.0, "": 1.0, "mm": 96 / 25.4, "cm": 96 / 2.54, "in": 96.0}
_LENGTH = re.compile(r"\s*([0-9.]+)\s*([a-z]*)\s*")


def embed_picture(path: Path) -> Picture:
    """Read a picture.

    Raises:
        UsageError: it cannot be read, or is neither SVG nor PNG.
    """
    kind = _KINDS.get(path.suffix.lower())
    if kind is None:
        raise UsageError(f"{path} is no figure for a page", "Give it as .svg or .png")
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from error
    uri = f"data:{kind};base64,{base64.b64encode(content).decode('ascii')}"
    if kind != _KINDS[".svg"]:
        width, height = _png_size(content)
        return Picture(uri=uri, description="", has_pixels=True, width=width, height=height)
    try:
        root = ElementTree.fromstring(content)
    except ElementTree.ParseError as error:
        raise UsageError(f"{path} is no SVG that can be read", "Draw the figure anew") from error
    has_pixels = next(root.iter(_IMAGE), None) is not None
    return Picture(
        uri=uri,
        description=_description(root),
        has_pixels=has_pixels,
        width=_pixels(root.get("width", "")),
        height=_pixels(root.get("height", "")),
    )


def _pixels(length: str) -> int:
    """A length of SVG in CSS pixels; 0 where it is none, or a share."""
    found = _LENGTH.fullmatch(length)
    return round(float(found[1]) * _UNITS[found[2]]) if found and found[2] in _UNITS else 0


def _png_size(content: bytes) -> tuple[int, int]:
    """Width and height of the header chunk (PNG, section 11.2.2)."""
    if content[12:16] != b"IHDR":
        return 0, 0
    width, height = struct.unpack(">II", content[16:24])
    return width, height


def _description(root: ElementTree.Element) -> str:
    """Title and description, as `show.figures.style.save_figure` writes them."""
    found = [root.find(f".//{_DUBLIN_CORE}{name}") for name in ("title", "description")]
    words = [" ".join(one.text.split()) for one in found if one is not None and one.text]
    return ". ".join(sentence.rstrip(".") for sentence in words) + ("." if words else "")
