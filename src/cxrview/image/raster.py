"""Decode PNG and JPEG files.

Grey values of 8 bits are kept, since such a picture has been windowed already. Deeper ones are
windowed from minimum to maximum. Colours are converted to luma, palettes are looked up, transparent
parts are composited over black, CMYK is converted to RGB first.
"""

import struct
import warnings
from dataclasses import replace
from io import BytesIO

import numpy as np
from PIL import Image, ImageOps, JpegImagePlugin, PngImagePlugin

from cxrview.errors import (
    CorruptHeader,
    CorruptPixels,
    Truncated,
    Unsupported,
)
from cxrview.image.dicom.codestream import jpeg_ends, jpeg_scans_complete, jpeg_size, until_end
from cxrview.image.failure import DAMAGE_ERRORS
from cxrview.image.file_format import FileFormat
from cxrview.image.image_file import GreyImage, ImageFile
from cxrview.image.limits import Limits, check_inflation, check_pixels
from cxrview.image.options import ReadOptions
from cxrview.image.resize import SIDE, resize_square
from cxrview.image.window import keep_uint8, luma, minmax_to_uint8
from cxrview.records.classification import Instance, Radiograph

_ORIENTATION = 0x0112
_NO_END = "no_end_marker"
_LARGE = 64 << 20
"""Number of pixels above which a copy takes too much memory."""


class RasterFile(ImageFile):
    """An open PNG or JPEG file."""

    def __init__(
        self,
        instance: Instance,
        warnings: tuple[str, ...],
        data: bytes,
        kind: FileFormat,
        options: ReadOptions,
    ) -> None:
        super().__init__(instance, warnings)
        self._data, self._kind, self._options = data, kind, options

    def decode(self) -> Radiograph:
        """Decode the first page in full, as `ImageFile.decode` does."""
        return self._radiograph(_decode(self.instance.path, self._data, self._kind))

    def decode_square(self, side: int = SIDE) -> Radiograph:
        """Decode a square; a JPEG at a fraction of its size (scaled DCT, ITU-T T.81 A.3.3)."""
        if self._options.exact:
            return super().decode_square(side)
        path = self.instance.path
        grey = _decode(path, self._data, self._kind, least=2 * side)
        if grey.is_constant and self._kind is FileFormat.JPEG:
            grey = _decode(path, self._data, self._kind)  # equal means do not prove equal pixels
        return self._radiograph(replace(grey, pixels=resize_square(grey.pixels, side)))


def open_raster(
    path: str, data: bytes, content_id: str, options: ReadOptions, kind: FileFormat
) -> RasterFile:
    """Open a PNG or JPEG file.

    Args:
        path: as the user named it.
        data: all bytes of the file.
        content_id: the digest of them.
        options: limits, and whether to decode exactly.
        kind: PNG or JPEG, by its first bytes.

    Raises:
        CorruptHeader: the size cannot be read.
        Truncated: the file ends within its header.
        TooLarge: the pixels would need more than the limits allow.
    """
    image = _open(path, data, kind)
    _check_size(path, image, data, options.limits)
    frames = int(getattr(image, "n_frames", 1))
    instance = Instance(
        path=path, content_id=content_id, rows=image.height, columns=image.width, frames=frames
    )
    notes = (f"first_of_pages:{frames}",) if frames > 1 else ()
    return RasterFile(instance, notes, data, kind, options)


def _open(path: str, data: bytes, kind: FileFormat) -> Image.Image:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about large pictures, for which our limits apply
            return _image(data, kind)
    except DAMAGE_ERRORS as error:
        if not _ends(data, kind):
            raise _truncated(path) from error
        if kind is FileFormat.JPEG and jpeg_size(data):
            raise Unsupported(
                path, "its kind of JPEG is not supported", "Save it as PNG or plain JPEG"
            ) from error
        raise CorruptHeader(path, f"its {kind} header cannot be read") from error


def _image(data: bytes, kind: FileFormat) -> Image.Image:
    """Open with Pillow, but not by `Image.open`, which refuses sizes that our limits allow."""
    if kind is FileFormat.PNG:
        return PngImagePlugin.PngImageFile(BytesIO(data))
    return JpegImagePlugin.jpeg_factory(BytesIO(data))


def _check_size(path: str, image: Image.Image, data: bytes, limits: Limits) -> None:
    # Memory in Pillow: four bytes a pixel for everything but grey.
    depth = {"1": 1, "L": 1, "P": 1, "I;16": 2, "I;16B": 2}.get(image.mode, 4)
    if image.format == "PNG" and _is_deep_colour(data):
        depth = 8
    size = image.width * image.height * depth
    check_pixels(path, size, limits)
    check_inflation(path, len(data), size, limits)


def _decode(path: str, data: bytes, kind: FileFormat, *, least: int = 0) -> GreyImage:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if kind is FileFormat.PNG:
                return _decode_png(data)
            if kind is FileFormat.JPEG and not _ends(data, kind):
                return _decode_without_end(path, data, least)
            image = _loaded(data, kind, least)
            if kind is FileFormat.JPEG and _may_be_invented(image):
                _check_rows(path, until_end(data))
            return _grey(*_upright(image))
    except DAMAGE_ERRORS as error:
        if not _ends(data, kind):
            raise _truncated(path) from error
        raise CorruptPixels(path, f"its {kind} pixels cannot be decoded") from error


def _decode_png(data: bytes) -> GreyImage:
    if _is_deep_colour(data):
        grey = _decode_deep_colour(data)
    else:
        grey = _decode_deep_grey(data) or _grey(*_upright(_loaded(data, FileFormat.PNG)))
    if _ends(data, FileFormat.PNG):
        return grey
    return replace(grey, warnings=(_NO_END, *grey.warnings))


def _loaded(data: bytes, kind: FileFormat, least: int = 0) -> Image.Image:
    image = _image(data, kind)
    if least and kind is FileFormat.JPEG:
        image.draft("L", (least, least))
    image.load()
    return image


def _decode_without_end(path: str, data: bytes, least: int) -> GreyImage:
    """Decode a JPEG file without End of Image marker, if it has all pixels."""
    data = until_end(data)
    _check_rows(path, data)
    upright, notes = _upright(_loaded(data + b"\xff\xd9", FileFormat.JPEG, least))
    return _grey(upright, (_NO_END, *notes))


def _check_rows(path: str, data: bytes) -> None:
    """Refuse a JPEG whose scans lack pixels.

    libjpeg fills in missing pixels. So the stream is decoded with two different endings: if no
    pixel differs, none was missing.
    """
    if not jpeg_scans_complete(data):
        raise _truncated(path)
    image = _loaded(data + b"\xff\xd9", FileFormat.JPEG)
    other = _loaded(data + b"\x5a\xa5\x3c" * 4096 + b"\xff\xd9", FileFormat.JPEG)
    if not np.array_equal(np.asarray(image), np.asarray(other)):
        raise _truncated(path)


def _may_be_invented(image: Image.Image) -> bool:
    """Whether the last pixels have the grey value that libjpeg uses for missing ones."""
    width, height = image.size
    corner = np.asarray(image.crop((max(0, width - 4), max(0, height - 4), width, height)))
    return bool(((corner == 127) | (corner == 128)).all())


def _truncated(path: str) -> Truncated:
    return Truncated(path, "it ends before its pixels do")


def _ends(data: bytes, kind: FileFormat) -> bool:
    if kind is FileFormat.PNG:
        return b"IEND" in data[-4096:]  # some programs append data
    size = jpeg_size(data)
    return jpeg_ends(data, size) if size else b"\xff\xd9" in data[-4096:]


def _upright(image: Image.Image) -> tuple[Image.Image, tuple[str, ...]]:
    try:
        orientation = image.getexif().get(_ORIENTATION, 1)
        if orientation in range(2, 9):
            return ImageOps.exif_transpose(image), ("exif_rotated",)
    except (OSError, SyntaxError, ValueError, TypeError, KeyError, struct.error):
        return image, ("odd_exif",)
    return image, ()


def _grey(image: Image.Image, notes: tuple[str, ...]) -> GreyImage:
    if image.mode in ("I", "F") or image.mode.startswith("I;16"):
        pixels, is_constant = minmax_to_uint8(np.asarray(image))
        return GreyImage(pixels=pixels, is_constant=is_constant, warnings=notes)
    if image.mode in ("LA", "PA", "RGBA", "La", "RGBa") or "transparency" in image.info:
        image = _over_black(image.convert("RGBA"))
    elif image.mode not in ("1", "L"):
        image = image.convert("RGB")
    pixels, is_constant = keep_uint8(np.array(image.convert("L")))
    return GreyImage(pixels=pixels, is_constant=is_constant, warnings=notes)


def _over_black(image: Image.Image) -> Image.Image:
    return Image.alpha_composite(Image.new("RGBA", image.size, "black"), image).convert("RGB")


def _decode_deep_grey(data: bytes) -> GreyImage | None:
    """Decode a grey PNG of 16 bits by libpng, in two thirds of Pillow's time.

    It also decodes a very large one of 8 bits, in a third of Pillow's memory. None for other PNG
    files, and for damaged ones, whose error Pillow reports.
    """
    is_large = data[24:26] == b"\x08\0" and len(data) > 25 and _png_pixels(data) > _LARGE
    if data[24:26] != b"\x10\0" and not is_large:
        return None
    if any(chunk in data for chunk in (b"tRNS", b"eXIf", b"acTL")):
        return None
    import imagecodecs

    try:
        samples = imagecodecs.png_decode(data)
    except imagecodecs.PngError:
        return None
    pixels, is_constant = keep_uint8(samples) if is_large else minmax_to_uint8(samples)
    return GreyImage(pixels=pixels, is_constant=is_constant)


def _png_pixels(data: bytes) -> int:
    return int.from_bytes(data[16:20], "big") * int.from_bytes(data[20:24], "big")


def _is_deep_colour(data: bytes) -> bool:
    """Whether a PNG has 16 bits and several samples, whose lower 8 bits Pillow would drop."""
    return len(data) > 25 and data[24] == 16 and data[25] in (2, 4, 6)


def _decode_deep_colour(data: bytes) -> GreyImage:
    import imagecodecs

    samples = imagecodecs.png_decode(data)
    has_alpha = samples.shape[2] in (2, 4)
    colours = samples[..., :-1] if has_alpha else samples
    grey = colours[..., 0] if colours.shape[2] == 1 else luma(*np.moveaxis(colours, 2, 0))
    if has_alpha:
        grey = (grey.astype(np.uint32) * samples[..., -1] // 65535).astype(np.uint16)
    pixels, is_constant = minmax_to_uint8(grey)
    return GreyImage(pixels=pixels, is_constant=is_constant)
