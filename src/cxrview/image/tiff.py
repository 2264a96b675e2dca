"""Decode the first page of full resolution of a TIFF file, of any photometric and depth."""

import logging
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from io import BytesIO
from typing import Any

import numpy as np
import tifffile
from numpy.typing import NDArray

from cxrview.errors import (
    CorruptHeader,
    CorruptPixels,
    NoPixelData,
    Truncated,
    Unsupported,
)
from cxrview.image.failure import DAMAGE_ERRORS
from cxrview.image.image_file import GreyImage, ImageFile
from cxrview.image.limits import check_inflation, check_pixels
from cxrview.image.options import ReadOptions
from cxrview.image.resize import SIDE, resize_square
from cxrview.image.tiff_limits import check_entries, check_streams
from cxrview.image.window import keep_uint8, luma, minmax_to_uint8
from cxrview.records.classification import Instance, Radiograph

# Its warnings would be printed on stderr if the user has not configured logging.
logging.getLogger("tifffile").addHandler(logging.NullHandler())

_MAX_PAGES = 64
"""Number of pages among which the one of full resolution is searched."""
_THUMBNAIL = 256
"""Rows or columns up to which a page may be a thumbnail by its size."""
_MUCH_LARGER = 4
"""Minimum factor between a page and its thumbnail, in rows and in columns."""
_WHITE_IS_ZERO, _RGB, _PALETTE, _SEPARATED, _YCBCR = 0, 2, 3, 5, 6
_LOSSLESS = (1, 5, 8, 32773, 32946)
"""Compressions that know nothing of colours: none, LZW, deflate, PackBits, the older deflate."""


class TiffFile(ImageFile):
    """An open TIFF file."""

    def __init__(
        self, instance: Instance, warnings: tuple[str, ...], page: Any, options: ReadOptions
    ) -> None:
        super().__init__(instance, warnings)
        self._page, self._options = page, options

    def decode(self) -> Radiograph:
        """Decode the page in full, as `ImageFile.decode` does."""
        return self._radiograph(_decode(self.instance.path, self._page))

    def decode_square(self, side: int = SIDE) -> Radiograph:
        """Decode the page in full and average blocks of pixels before resampling."""
        if self._options.exact:
            return super().decode_square(side)
        grey = _decode(self.instance.path, self._page)
        return self._radiograph(replace(grey, pixels=resize_square(grey.pixels, side)))


def open_tiff(path: str, data: bytes, content_id: str, options: ReadOptions) -> TiffFile:
    """Open a TIFF file.

    Raises:
        CorruptHeader: the directory of the page cannot be read.
        NoPixelData: it has no pages.
        Truncated: the file ends before the pixels of the page.
        TooLarge: the pixels would need more than the limits allow.
    """
    _check_directory(path, data)
    check_entries(path, data)
    try:
        chosen, pages = _first_page(path, data)
        page = chosen.page
        _check_size(path, page, data, options)
        rows, columns = int(page.imagelength), int(page.imagewidth)
    except DAMAGE_ERRORS as error:
        raise CorruptHeader(path, "its TIFF directory cannot be read") from error
    instance = Instance(path=path, content_id=content_id, rows=rows, columns=columns, frames=pages)
    return TiffFile(instance, _page_notes(chosen, pages), page, options)


def _check_directory(path: str, data: bytes) -> None:
    """Refuse a file that ends before its first directory, which is written after the pixels."""
    order: Any = "little" if data[:1] == b"I" else "big"
    is_big_tiff = data[2:4] in (b"+\0", b"\0+")
    start = int.from_bytes(data[8:16] if is_big_tiff else data[4:8], order)
    count = int.from_bytes(data[start : start + (8 if is_big_tiff else 2)], order)
    end = start + (8 + 20 * count if is_big_tiff else 2 + 12 * count)
    if start >= len(data) or end > len(data):
        raise Truncated(path, "it ends before its directory does")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Chosen:
    """A page and its number: "2", or "1.1" for the first below page 1 (SubIFDs)."""

    page: Any
    place: str


def _first_page(path: str, data: bytes) -> tuple[_Chosen, int]:
    file = tifffile.TiffFile(BytesIO(data))
    pages = len(file.pages)
    first = file.pages.first if pages else None
    if first is None or not first.imagelength or not first.imagewidth:
        raise NoPixelData(path, "it is a TIFF file without a picture")
    if pages == 1 and not first.subifds:
        return _Chosen(page=first, place="1"), pages
    return _full_resolution(list(_all_pages(file))), pages


def _all_pages(file: tifffile.TiffFile) -> Iterator[_Chosen]:
    """Iterate over the first pages, each with those below it; broken ones are skipped."""
    for k in range(min(len(file.pages), _MAX_PAGES)):
        try:
            page: Any = file.pages[k]
            below = list(page.pages or ()) if page.subifds else []
        except DAMAGE_ERRORS:
            if k == 0:
                raise
            continue
        yield _Chosen(page=page, place=str(k + 1))
        for j, sub in enumerate(below[:_MAX_PAGES]):
            yield _Chosen(page=sub, place=f"{k + 1}.{j + 1}")


def _full_resolution(pages: list[_Chosen]) -> _Chosen:
    """Choose the first page or, if it is a smaller copy, the largest original; never a mask."""
    candidates = [chosen for chosen in pages if not _is_marked(chosen.page)] or pages
    first = candidates[0]
    larger = [chosen for chosen in candidates[1:] if _is_small_copy(first.page, chosen.page)]
    return max(larger or [first], key=lambda chosen: chosen.page.imagelength)


def _is_marked(page: Any) -> bool:
    """Whether a page is declared a smaller copy or a mask (TIFF 6.0, pages 36 and 40)."""
    old = page.tags.get(255)
    kind = page.tags.get(254)
    return bool(
        (kind is not None and int(kind.value) & 0b101)
        or (kind is None and old is not None and int(old.value) == 2)
        or not (page.imagelength and page.imagewidth)
    )


def _is_small_copy(page: Any, other: Any) -> bool:
    """Whether a page has the proportions of a larger one, or is tiny compared with it.

    Thumbnails may be squashed, cropped or framed to a fixed size.
    """
    rows, columns = page.imagelength, page.imagewidth
    lengths = ((other.imagelength, rows), (other.imagewidth, columns))
    scale = max(other.imagelength, other.imagewidth) / max(rows, columns)
    is_alike = all(abs(length - small * scale) <= scale for length, small in lengths)
    is_tiny = max(rows, columns) <= _THUMBNAIL and all(
        length >= _MUCH_LARGER * small for length, small in lengths
    )
    return bool((is_alike and scale >= 2) or is_tiny)


def _page_notes(chosen: _Chosen, pages: int) -> tuple[str, ...]:
    if chosen.place != "1":
        return (f"page_chosen:{chosen.place}",)
    return (f"first_of_pages:{pages}",) if pages > 1 else ()


def _check_size(path: str, page: Any, data: bytes, options: ReadOptions) -> None:
    size = len(data)
    bits = max(8, int(page.bitspersample or 8))
    pixels = page.imagelength * page.imagewidth * page.imagedepth * page.samplesperpixel * bits // 8
    check_pixels(path, pixels, options.limits)
    ends = [
        offset + count
        for offset, count in zip(page.dataoffsets, page.databytecounts, strict=False)
        if count
    ]
    if not ends:
        raise NoPixelData(path, "it is a TIFF file without pixels")
    if max(ends) > size:
        raise Truncated(path, "it ends before its pixels do")
    check_inflation(path, size, pixels, options.limits)
    # A tile may be larger than the picture, and each one is decoded in full.
    one = math.prod(page.chunks) * bits // 8
    check_pixels(path, one, options.limits)
    check_inflation(path, size, one, options.limits)
    check_streams(path, page, data)


def _decode(path: str, page: Any) -> GreyImage:
    try:
        samples = page.asarray(maxworkers=1)
        planes = _planes(page, samples)
        pixels, notes = _upright(page, _window(page, planes))
    except (NotImplementedError, KeyError) as error:
        raise Unsupported(path, "its kind of TIFF is not supported", "Export it as PNG") from error
    except DAMAGE_ERRORS as error:
        raise CorruptPixels(path, "its TIFF pixels cannot be decoded") from error
    return GreyImage(pixels=pixels.pixels, is_constant=pixels.is_constant, warnings=notes)


def _planes(page: Any, samples: NDArray[Any]) -> NDArray[Any]:
    """Convert to shape (samples, rows, columns), whatever the planar configuration."""
    rows, columns = page.imagelength, page.imagewidth
    if samples.size != rows * columns * page.samplesperpixel:
        raise ValueError("the number of pixels is not that of the directory")
    if page.samplesperpixel == 1:
        return samples.reshape(1, rows, columns)
    if page.planarconfig == 2:
        return samples.reshape(-1, rows, columns)
    return np.moveaxis(samples.reshape(rows, columns, -1), 2, 0)


def _window(page: Any, planes: NDArray[Any]) -> GreyImage:
    grey = _to_grey(page, planes)
    is_inverse = page.photometric == _WHITE_IS_ZERO
    if grey.dtype == np.uint8 and page.bitspersample == 8:
        pixels, is_constant = keep_uint8(255 - grey if is_inverse else grey)
    else:
        grey = grey.astype(np.uint8) if grey.dtype == np.bool_ else grey
        pixels, is_constant = minmax_to_uint8(grey, is_inverse=is_inverse)
    return GreyImage(pixels=pixels, is_constant=is_constant)


def _to_grey(page: Any, planes: NDArray[Any]) -> NDArray[Any]:
    if page.photometric == _PALETTE:
        colours = page.colormap[:, planes[0]]
        return luma(*(colours >> 8).astype(np.uint8))
    if page.photometric == _YCBCR and page.compression in _LOSSLESS:
        first: NDArray[Any] = planes[0]  # luma; tifffile converts what is compressed as JPEG
        return first
    if page.photometric in (_RGB, _YCBCR) and len(planes) >= 3:
        return _over_black(page, _luma(planes[:3]), planes[3:])
    if page.photometric == _SEPARATED and len(planes) >= 4:
        top = np.iinfo(planes.dtype).max
        light = (top - planes[:3]).astype(np.uint64) * (top - planes[3]) // top
        return _luma(light.astype(planes.dtype))
    return _over_black(page, planes[0], planes[1:])


def _luma(colours: NDArray[Any]) -> NDArray[Any]:
    is_wide = colours.dtype.kind in "iu" and colours.dtype.itemsize > 2
    return luma(*(colours.astype(np.float64) if is_wide else colours))


def _over_black(page: Any, grey: NDArray[Any], extra: NDArray[Any]) -> NDArray[Any]:
    if len(extra) == 0 or not page.extrasamples or int(page.extrasamples[0]) != 2:
        return grey
    top = np.iinfo(grey.dtype).max
    over: NDArray[Any] = (grey.astype(np.uint64) * extra[0] // top).astype(grey.dtype)
    return over


_TURNS = {
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.T,
    6: lambda a: np.rot90(a, -1),
    7: lambda a: a[::-1, ::-1].T,
    8: lambda a: np.rot90(a),
}
"""What to do for each value of the tag Orientation (TIFF 6.0, page 36); 1 is upright."""


def _upright(page: Any, grey: GreyImage) -> tuple[GreyImage, tuple[str, ...]]:
    tag = page.tags.get(274)
    turn = _TURNS.get(int(tag.value)) if tag is not None else None
    if turn is None:
        return grey, ()
    pixels = np.ascontiguousarray(turn(grey.pixels))
    return GreyImage(pixels=pixels, is_constant=grey.is_constant), ("exif_rotated",)
