"""The picture worker: path, edge and window in, a small picture for the screen out.

`picture_pool` starts it as `python -m cxrview.web.picture_worker`. If a file crashes it,
hangs it or exhausts its memory, that costs the one picture.
"""

import os
import struct
import sys
import warnings
from contextlib import nullcontext
from importlib import import_module

from cxrview.errors import Replaced
from cxrview.image import ReadOptions, open_image
from cxrview.image.failure import read_or_failure
from cxrview.image.window import windowed_by_percentiles
from cxrview.records.classification import Failure
from cxrview.web.fit_image import fit_image
from cxrview.web.mask_border import mask_border
from cxrview.workers.memory import limit_memory, tune_malloc
from cxrview.workers.process import READY, connect_to_parent

SETTINGS = struct.Struct("<Q?")
"""Sent first: bytes of address space that the process may take beyond what it starts with, and
whether the border of each picture is covered."""
JOB = struct.Struct("<II?32s")
"""Before each path: its length; the edge, 0 for all pixels; whether the window is `AUTO`; the
digest of the file when the study was created, zeros where it is not known."""
ANSWER = struct.Struct("<I")
"""Before each answer: its length."""
MINMAX, AUTO = "minmax", "auto"
"""Windows: from the smallest value to the largest, as the model sees it; or by percentiles."""
AUTO_PERCENTILES = 0.5, 99.5
"""Of all values of the file in their full depth; ours. A VOI window of the header is not used:
vendors fill it differently, and percentiles are the same for every file."""
PICTURE, FAILURE = b"p", b"f"
"""First byte of an answer."""
_MAPPED = ReadOptions(is_mapped=True)
_QUALITY = 92
_PNG_LEVEL = 1


def render(
    path: str,
    edge: int,
    window: str = MINMAX,
    content_id: str = "",
    *,
    masks_border: bool = False,
) -> bytes:
    """Decode a file to a grey JPEG that fits into a square, or to a PNG of all pixels.

    Args:
        path: local path or fsspec URL.
        edge: of the square; 0 for all pixels.
        window: `MINMAX` or `AUTO`.
        content_id: digest that the file must have; empty where it is not known.
        masks_border: cover the outer tenth.

    Raises:
        UnreadableImage: one of its subclasses, with the reason. `Replaced` where the file has
            another digest.
    """
    import imagecodecs

    file = open_image(path, _MAPPED)
    if content_id and file.instance.content_id and file.instance.content_id != content_id:
        raise Replaced(
            path,
            "the file was replaced after its content was recorded",
            "Put the original file back",
        )
    by_window = windowed_by_percentiles(*AUTO_PERCENTILES) if window == AUTO else nullcontext()
    with by_window:
        pixels = fit_image(file, edge or None)
    if masks_border:
        pixels = mask_border(pixels)
    if edge:
        return bytes(imagecodecs.jpeg8_encode(pixels, level=_QUALITY))
    return bytes(imagecodecs.png_encode(pixels, level=_PNG_LEVEL))


def answer(
    path: str,
    edge: int,
    window: str = MINMAX,
    content_id: str = "",
    *,
    masks_border: bool = False,
) -> bytes:
    """Render, or give the code and the reason; never the path, nor a header value."""
    picture = read_or_failure(
        path, lambda: render(path, edge, window, content_id, masks_border=masks_border)
    )
    if isinstance(picture, Failure):
        return FAILURE + f"{picture.code}: {picture.reason}".encode(errors="replace")
    return PICTURE + picture


def main() -> None:
    """Serve the parent until it closes the pipe."""
    warnings.simplefilter("ignore")  # pydicom's quote header values
    memory_bytes, masks_border = SETTINGS.unpack(sys.stdin.buffer.read(SETTINGS.size))
    for decoders in ("imagecodecs", "cxrview.image.dicom.file", "cxrview.image.raster"):
        import_module(decoders)  # now, and not in the time of the first file
    inbox, outbox = connect_to_parent()
    tune_malloc()
    limit_memory(memory_bytes)
    outbox.write(READY)
    outbox.flush()
    while job := inbox.read(JOB.size):
        length, edge, is_auto, content_id = JOB.unpack(job)
        path = os.fsdecode(inbox.read(length))
        window = AUTO if is_auto else MINMAX
        digest = content_id.rstrip(b"\0").decode()
        content = answer(path, edge, window, digest, masks_border=masks_border)
        outbox.write(ANSWER.pack(len(content)) + content)
        outbox.flush()


if __name__ == "__main__":
    main()
