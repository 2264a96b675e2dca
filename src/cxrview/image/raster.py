"""Reads PNG and JPEG files; TIFF has a door of its own.

Grey values of 8 bits are kept as they are: whoever made the picture has windowed it. Deeper
ones are windowed from minimum to maximum. Colours go by luma, palettes through their colours,
transparent parts over black, CMYK by way of RGB.
"""

import struct
import warnings
from dataclasses import replace
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from cxrview.errors import (
    CorruptHeader,
    CorruptPixels,
    TooLarge,
    Truncated,
    UnreadableImage,
    Unsupported,
)
from cxrview.image.codestream import jpeg_size
from cxrview.image.colour import luma
from cxrview.image.limits import Limits, ReadOptions, check_inflation, check_pixels
from cxrview.image.opened import Grey, ImageFile
from cxrview.image.shrink import square
from cxrview.image.sniff import Kind
from cxrview.image.window import is_windowed_by_percentiles, minmax_to_uint8
from cxrview.records import Instance

_ORIENTATION = 0x0112
_ADVICE = "Copy or export it again"


def open_raster(
    path: str, data: bytes, content_id: str, options: ReadOptions, kind: Kind
) -> ImageFile:
    """Open a picture.

    Args:
        path: as the user named it.
        data: all bytes of the file.
        content_id: the digest of them.
        options: limits.
        kind: PNG, JPEG or TIFF, by its first bytes.

    Raises:
        CorruptHeader: the size cannot be read.
        Truncated: the file ends within its header.
        TooLarge: the pixels would need more than the limits allow.
    """
    if kind is Kind.TIFF:
        from cxrview.image.tiff import open_tiff

        return open_tiff(path, data, content_id, options)
    image = _open(path, data, kind)
    _check_size(path, image, len(data), options.limits)
    frames = int(getattr(image, "n_frames", 1))
    return ImageFile(
        instance=Instance(
            path=path,
            content_id=content_id,
            rows=image.height,
            columns=image.width,
            frames=frames,
        ),
        warnings=(f"first_of_pages:{frames}",) if frames > 1 else (),
        decode=lambda: _decode(path, data, kind),
        shrink=None if options.exact else lambda side: _shrink(path, data, kind, side),
    )


def _open(path: str, data: bytes, kind: Kind) -> Image.Image:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of large pictures: the limits decide on those
            return Image.open(BytesIO(data), formats=[kind.value])
    except Image.DecompressionBombError as error:
        raise TooLarge(path, "it has too many pixels", "Export it at a smaller size") from error
    except MemoryError:
        raise
    except Exception as error:  # a broken picture can raise anything in Pillow
        if not _ends(data, kind):
            raise _truncated(path) from error
        if kind is Kind.JPEG and jpeg_size(data):
            raise Unsupported(
                path, "it is a JPEG of a kind that is not read", "Save it as PNG or plain JPEG"
            ) from error
        raise CorruptHeader(path, f"its {kind} header cannot be read", _ADVICE) from error


def _check_size(path: str, image: Image.Image, deflated: int, limits: Limits) -> None:
    # Pillow's own memory: four bytes a pixel for everything but grey.
    depth = {"1": 1, "L": 1, "P": 1, "I;16": 2, "I;16B": 2}.get(image.mode, 4)
    size = image.width * image.height * depth
    check_pixels(path, size, limits)
    if image.format == "PNG":
        check_inflation(path, deflated, size, limits)


def _shrink(path: str, data: bytes, kind: Kind, side: int) -> Grey:
    """Squash; a JPEG is decoded to the smallest size that has twice `side` (ITU-T T.81 A.3.3)."""
    grey = _decode(path, data, kind, least=2 * side)
    if grey.is_constant and kind is Kind.JPEG:
        grey = _decode(path, data, kind)  # the averages are alike; the pixels may not be
    return replace(grey, pixels=square(grey.pixels, side))


def _decode(path: str, data: bytes, kind: Kind, *, least: int = 0) -> Grey:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if kind is Kind.PNG and _is_deep_colour(data):
                return _decode_deep_colour(data)
            if kind is Kind.PNG and (grey := _decode_deep_grey(data)):
                return grey
            image = Image.open(BytesIO(data), formats=[kind.value])
            if least and kind is Kind.JPEG:
                image.draft("L", (least, least))
            image.load()
            return _grey(*_upright(image))
    except (MemoryError, UnreadableImage):
        raise
    except Exception as error:  # a broken picture can raise anything in Pillow
        if not _ends(data, kind) or "truncated" in str(error):
            raise _truncated(path) from error
        raise CorruptPixels(path, f"its {kind} pixels cannot be decoded", _ADVICE) from error


def _truncated(path: str) -> Truncated:
    return Truncated(path, "it ends before its pixels do", _ADVICE)


def _ends(data: bytes, kind: Kind) -> bool:
    tail = data[-4096:]  # some programs append notes of their own
    return (b"IEND" if kind is Kind.PNG else b"\xff\xd9") in tail


def _upright(image: Image.Image) -> tuple[Image.Image, tuple[str, ...]]:
    try:
        orientation = image.getexif().get(_ORIENTATION, 1)
        if orientation in range(2, 9):
            return ImageOps.exif_transpose(image), ("exif_rotated",)
    except (OSError, SyntaxError, ValueError, TypeError, KeyError, struct.error):
        return image, ("odd_exif",)
    return image, ()


def _grey(image: Image.Image, notes: tuple[str, ...]) -> Grey:
    if image.mode in ("I", "F") or image.mode.startswith("I;16"):
        pixels, is_constant = minmax_to_uint8(np.asarray(image))
        return Grey(pixels=pixels, is_constant=is_constant, warnings=notes)
    if image.mode in ("LA", "PA", "RGBA", "La", "RGBa") or "transparency" in image.info:
        image = _over_black(image.convert("RGBA"))
    elif image.mode not in ("1", "L"):
        image = image.convert("RGB")
    return kept(np.array(image.convert("L")), notes)


def _over_black(image: Image.Image) -> Image.Image:
    return Image.alpha_composite(Image.new("RGBA", image.size, "black"), image).convert("RGB")


def kept(pixels: NDArray[np.uint8], notes: tuple[str, ...] = ()) -> Grey:
    """Keep grey values of 8 bits as they are, except that a single value becomes 0."""
    is_constant = bool(pixels.min() == pixels.max())
    if is_constant:
        pixels = np.zeros_like(pixels)
    elif is_windowed_by_percentiles():
        pixels, _ = minmax_to_uint8(pixels)
    return Grey(pixels=pixels, is_constant=is_constant, warnings=notes)


def _decode_deep_grey(data: bytes) -> Grey | None:
    """Decode a PNG of 16 bits and one sample by libpng, in two thirds of Pillow's time.

    None where there is anything else to it, or anything wrong with it: that is Pillow's to tell.
    """
    if data[24:26] != b"\x10\0" or any(chunk in data for chunk in (b"tRNS", b"eXIf", b"acTL")):
        return None
    import imagecodecs

    try:
        pixels, is_constant = minmax_to_uint8(imagecodecs.png_decode(data))
    except imagecodecs.PngError:
        return None
    return Grey(pixels=pixels, is_constant=is_constant)


def _is_deep_colour(data: bytes) -> bool:
    """Whether a PNG has 16 bits and several samples, of which Pillow would drop the lower half."""
    return len(data) > 25 and data[24] == 16 and data[25] in (2, 4, 6)


def _decode_deep_colour(data: bytes) -> Grey:
    import imagecodecs

    samples = imagecodecs.png_decode(data)
    has_alpha = samples.shape[2] in (2, 4)
    colours = samples[..., :-1] if has_alpha else samples
    grey = colours[..., 0] if colours.shape[2] == 1 else luma(*np.moveaxis(colours, 2, 0))
    if has_alpha:
        grey = (grey.astype(np.uint32) * samples[..., -1] // 65535).astype(np.uint16)
    pixels, is_constant = minmax_to_uint8(grey)
    return Grey(pixels=pixels, is_constant=is_constant)
