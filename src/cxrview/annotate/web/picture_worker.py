"""The process that reads images for the screen: path, edge and window in, a small picture out.

Started clean by `picture_pool` as `python -m cxrview.annotate.web.picture_worker FD MEMORY`.
What a file does to it (crash, hang, eat memory) costs that picture and nothing else.
"""

import os
import struct
import sys
import warnings
from contextlib import nullcontext
from importlib import import_module
from multiprocessing.connection import Connection

from cxrview.annotate.web.thumbnail import fitted
from cxrview.classify.decode_worker import limit_memory
from cxrview.errors import OutOfMemory, Replaced, UnreadableImage
from cxrview.image import ReadOptions, open_image
from cxrview.image.window import windowed_by_percentiles
from cxrview.workers.memory import tune_malloc

JOB = struct.Struct("<I?32s")
"""Before each path: the edge, 0 for all pixels; whether the window is `AUTO`; the digest of the
file when the study was created, zeros where nobody knows."""
MINMAX, AUTO = "minmax", "auto"
"""Windows: from the smallest value to the largest, as the model sees it; or by percentiles."""
AUTO_PERCENTILES = 0.5, 99.5
"""Of all values of the file in their full depth; ours. A VOI window of the header is not used:
what vendors write there differs, and percentiles are the same for every file."""
READY, PICTURE, FAILURE = b"r", b"p", b"f"
"""What an answer begins with."""
_MAPPED = ReadOptions(is_mapped=True)
_QUALITY = 92
_PNG_LEVEL = 1


def render(path: str, edge: int, window: str = MINMAX, content_id: str = "") -> bytes:
    """Read a file and make it a grey JPEG that fits into a square, or a PNG of all pixels.

    Args:
        path: local path or fsspec URL.
        edge: of the square; 0 for all pixels.
        window: `MINMAX` or `AUTO`.
        content_id: digest that the file must have; empty where nobody knows it.

    Raises:
        UnreadableImage: one of its children, naming why there are no pixels. `Replaced` where the
            file has another digest.
    """
    import imagecodecs

    file = open_image(path, _MAPPED)
    if content_id and file.instance.content_id and file.instance.content_id != content_id:
        raise Replaced(
            path,
            "the file was replaced after the study was created",
            "Put the file back that was there, or ask the study's manager",
        )
    by_window = windowed_by_percentiles(*AUTO_PERCENTILES) if window == AUTO else nullcontext()
    with by_window:
        pixels = fitted(file, edge or None)
    if edge:
        return bytes(imagecodecs.jpeg8_encode(pixels, level=_QUALITY))
    return bytes(imagecodecs.png_encode(pixels, level=_PNG_LEVEL))


def answer(path: str, edge: int, window: str = MINMAX, content_id: str = "") -> bytes:
    """Render, or say why not; never with the path, nor with what a header says."""
    try:
        return PICTURE + render(path, edge, window, content_id)
    except UnreadableImage as error:
        return FAILURE + f"{error.code}: {error.reason}".encode(errors="replace")
    except MemoryError:
        return FAILURE + f"{OutOfMemory.code}: reading it needs too much memory".encode()
    except Exception as error:  # a broken file can raise anything; its message may quote a header
        return FAILURE + f"{UnreadableImage.code}: {type(error).__name__}".encode()


def main() -> None:
    """Serve the parent until it closes the socket."""
    parent = Connection(int(sys.argv[1]))
    warnings.simplefilter("ignore")  # pydicom's quote header values
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):  # so do decoders
        os.dup2(nowhere, stream)
    for decoders in ("imagecodecs", "cxrview.image.dicom.file", "cxrview.image.raster"):
        import_module(decoders)  # now, and not in the time of the first file
    tune_malloc()
    limit_memory(int(sys.argv[2]))
    parent.send_bytes(READY)
    while True:
        try:
            job = parent.recv_bytes()
        except EOFError:
            return
        edge, is_auto, content_id = JOB.unpack_from(job)
        window = AUTO if is_auto else MINMAX
        known = content_id.rstrip(b"\0").decode()
        parent.send_bytes(answer(os.fsdecode(job[JOB.size :]), edge, window, known))


if __name__ == "__main__":
    main()
