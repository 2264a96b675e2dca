"""Puts a picture into the page itself, so that the page is one file.

As a data URI in an `img`, each SVG is a document of its own: names of its parts cannot clash with
those of another, and nothing in it can run or reach the network.
"""

import base64
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
        return Picture(uri=uri, description="", has_pixels=True)
    try:
        root = ElementTree.fromstring(content)
    except ElementTree.ParseError as error:
        raise UsageError(f"{path} is no SVG that can be read", "Draw the figure anew") from error
    has_pixels = next(root.iter(_IMAGE), None) is not None
    return Picture(uri=uri, description=_description(root), has_pixels=has_pixels)


def _description(root: ElementTree.Element) -> str:
    """Title and description, as `show.figures.style.save_figure` writes them."""
    found = [root.find(f".//{_DUBLIN_CORE}{name}") for name in ("title", "description")]
    words = [" ".join(one.text.split()) for one in found if one is not None and one.text]
    return ". ".join(sentence.rstrip(".") for sentence in words) + ("." if words else "")
