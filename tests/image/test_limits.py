"""Sizes that a file states are checked before memory is allocated for them.

Each file here is small, and would take gigabytes, or minutes, if it were believed. The peak of the
process is measured, since native decoders allocate outside of Python.
"""

import io
import json
import struct
import subprocess
import sys
import textwrap
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from types import SimpleNamespace

import imagecodecs
import numpy as np
import pytest
import tifffile
from PIL import Image
from pydicom.encaps import encapsulate

from cxrview.errors import CorruptHeader, CorruptPixels, TooLarge, UnreadableImage
from cxrview.image import Limits, ReadOptions, open_image, read_radiograph
from cxrview.image.dicom.codestream import jpeg2000_precincts, jpeg2000_size
from cxrview.image.tiff_limits import MAX_ENTRIES, check_entries

Kit = SimpleNamespace
JPEG, J2K, RLE = (f"1.2.840.10008.1.2.{end}" for end in ("4.50", "4.90", "5"))
ITEM, ITEM_END, SEQUENCE_END = b"\xfe\xff\x00\xe0", b"\xfe\xff\x0d\xe0", b"\xfe\xff\xdd\xe0"
MOST_MIB = 300
"""More than the libraries and a small picture take; less than any of the files claims."""


def with_stream(kit: Kit, stream: bytes, syntax: str, rows: int, columns: int, bits: int) -> bytes:
    ds = kit.dataset(kit.chest, Rows=rows, Columns=columns, BitsStored=bits, HighBit=bits - 1)
    ds.BitsAllocated = 8 if bits <= 8 else 16
    ds.PixelData = encapsulate([stream])
    ds["PixelData"].VR = "OB"
    return kit.to_bytes(ds, syntax)


def before_pixels(kit: Kit, elements: bytes) -> bytes:
    data = kit.build()
    at = data.index(b"\xe0\x7f\x10\x00")
    return data[:at] + elements + data[at:]


def million_items(kit: Kit) -> bytes:
    """Empty items in a sequence of undefined length: a kilobyte each in pydicom."""
    items = (ITEM + bytes(4)) * 1_000_000
    sequence = b"\x40\x00\x30\xa7SQ\0\0\xff\xff\xff\xff" + items + SEQUENCE_END + bytes(4)
    return before_pixels(kit, sequence)


def million_nested_elements(kit: Kit) -> bytes:
    """One item of undefined length with a million empty elements, in nested sequences."""
    empty = b"".join(struct.pack("<HH2sH", 0x41, k, b"LO", 0) for k in range(50_000)) * 20
    inside = ITEM + b"\xff\xff\xff\xff" + empty + ITEM_END + bytes(4)
    for _ in range(2):
        sequence = b"\x40\x00\x30\xa7SQ\0\0\xff\xff\xff\xff" + inside + SEQUENCE_END + bytes(4)
        inside = ITEM + b"\xff\xff\xff\xff" + sequence + ITEM_END + bytes(4)
    return before_pixels(kit, sequence)


def million_items_of_view_code(kit: Kit) -> bytes:
    """A View Code Sequence of defined length, which is converted when the view is read."""
    items = (ITEM + bytes(4)) * 1_000_000
    head = b"\x54\x00\x20\x02SQ\0\0" + struct.pack("<I", len(items))
    return before_pixels(kit, head + items)


def rle_beyond_its_rows(kit: Kit) -> bytes:
    """Runs that add up to a gigabyte, under a header of 90 x 76 pixels."""
    header = struct.pack("<II", 1, 64) + bytes(56)
    return with_stream(kit, header + b"\x81\0" * (8 << 20), RLE, 90, 76, 8)


def jpeg_of_nothing(kit: Kit) -> bytes:
    """A grey JPEG of 30,000 x 30,000 pixels in a kilobyte: libjpeg fills in what is missing."""
    small = io.BytesIO()
    Image.fromarray(np.zeros((16, 16), np.uint8)).save(small, format="JPEG")
    data = bytearray(small.getvalue())
    at = data.index(b"\xff\xc0") + 5
    data[at : at + 4] = struct.pack(">HH", 30_000, 30_000)
    return bytes(data)


def jpeg_frame_of_nothing(kit: Kit) -> bytes:
    return with_stream(kit, jpeg_of_nothing(kit), JPEG, 30_000, 30_000, 8)


def j2k_stream(side: int) -> bytes:
    pixels = np.zeros((side, side), np.uint16)
    pixels[0, 0] = 4095
    stream = imagecodecs.jpeg2k_encode(
        pixels, level=0, codecformat="j2k", reversible=True, bitspersample=12, resolutions=6
    )
    return bytes(stream)


def with_precincts(stream: bytes, size: int) -> bytes:
    """Write the size of precincts, as exponents, into the segment COD (ITU-T T.800 A.6.1)."""
    at = stream.index(b"\xff\x52")
    length, levels = int.from_bytes(stream[at + 2 : at + 4]), stream[at + 9]
    head = b"\xff\x52" + struct.pack(">HB", length + levels + 1, stream[at + 4] | 1)
    rest = stream[at + 5 : at + 2 + length] + bytes([size]) * (levels + 1)
    return stream[:at] + head + rest + stream[at + 2 + length :]


def j2k_of_tiny_precincts(kit: Kit) -> bytes:
    """342 bytes of which OpenJPEG made 2.3 GB in 24 s."""
    return with_stream(kit, with_precincts(j2k_stream(2048), 0x11), J2K, 2048, 2048, 12)


def box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", 8 + len(content)) + kind + content


def jp2_with_a_decoy(kit: Kit) -> bytes:
    """JP2 boxes of which the first holds the start of a small codestream, and the last a huge one.

    A search for the start of the codestream would find the size that the header also says.
    """
    decoy = imagecodecs.jpeg2k_encode(kit.chest, level=0, codecformat="j2k", bitspersample=12)
    huge = bytearray(j2k_stream(64))
    at = huge.index(b"\xff\x51") + 6
    for k in (at, at + 4, at + 16, at + 20):  # picture and tile
        huge[k : k + 4] = struct.pack(">I", 40_000)
    ihdr = box(b"ihdr", struct.pack(">IIHBBBB", 90, 76, 1, 11, 7, 0, 0))
    colr = box(b"colr", struct.pack(">BBBI", 1, 0, 0, 17))
    stream = (
        box(b"jP  ", b"\r\n\x87\n")
        + box(b"ftyp", b"jp2 \0\0\0\0jp2 ")
        + box(b"uuid", bytes(16) + bytes(decoy[:200]))
        + box(b"jp2h", ihdr + colr)
        + box(b"jp2c", bytes(huge))
    )
    return with_stream(kit, stream, J2K, 90, 76, 12)


def tiff(**how) -> bytes:
    file = io.BytesIO()
    grey = (np.arange(64 * 64) % 251).astype(np.uint8).reshape(64, 64)
    tifffile.imwrite(file, grey, photometric="minisblack", **how)
    return file.getvalue()


def with_tag(data: bytes, code: int, value: int) -> bytes:
    """Write another number into an entry of the first directory, which holds one LONG or SHORT."""
    start = int.from_bytes(data[4:8], "little")
    for at in range(
        start + 2, start + 2 + 12 * int.from_bytes(data[start : start + 2], "little"), 12
    ):
        if int.from_bytes(data[at : at + 2], "little") == code:
            return data[: at + 2] + struct.pack("<HII", 4, 1, value) + data[at + 12 :]
    raise LookupError(code)


def tiff_of_a_huge_tile(kit: Kit) -> bytes:
    return with_tag(tiff(tile=(32, 32), compression="lzw"), 323, 0x7FFF_FFF0)


def tiff_of_a_large_tile(kit: Kit) -> bytes:
    """Below the limit on pixels, but of far more bytes than the file can hold."""
    return with_tag(tiff(tile=(32, 32), compression="lzw"), 323, 0x100_0000)


def tiff_of_many_strips(kit: Kit) -> bytes:
    """Ten million offsets of strips, which would become ten million Python objects, twice."""
    count, data = 10_000_000, tiff()
    start = int.from_bytes(data[4:8], "little")
    at = data.index(struct.pack("<HH", 273, 4), start)
    end = len(data) + len(data) % 2
    entry = struct.pack("<HHII", 273, 4, count, end)
    return (data[:at] + entry + data[at + 12 :]).ljust(end, b"\0") + bytes(4 * count)


def tiff_with_a_large_stream(kit: Kit) -> bytes:
    """A tile of 32 x 32 whose JPEG stream says 30,000 x 30,000."""
    data = bytearray(tiff(tile=(32, 32), compression="jpeg"))
    at = data.index(b"\xff\xc0") + 5
    data[at : at + 4] = struct.pack(">HH", 30_000, 30_000)
    return bytes(data)


def tiff_with_a_large_stream_behind_comments(kit: Kit) -> bytes:
    """The same, where the size comes after more than 64 KiB of comments."""
    data = tiff(tile=(64, 64), compression="jpeg")
    stream = bytearray(data[data.rindex(b"\xff\xd8", 0, data.index(b"\xff\xc0")) :])
    at = stream.index(b"\xff\xc0") + 5
    stream[at : at + 4] = struct.pack(">HH", 30_000, 30_000)
    comment = b"\xff\xfe\xff\xff" + bytes(65_533)
    made = stream[:2] + 2 * comment + stream[2:]
    return with_tag(with_tag(data, 324, len(data)), 325, len(made)) + bytes(made)


def png_chunk(name: bytes, content: bytes) -> bytes:
    checked = name + content
    return struct.pack(">I", len(content)) + checked + struct.pack(">I", zlib.crc32(checked))


def png_with(kit: Kit, chunk: bytes, bits: int = 16) -> bytes:
    file = io.BytesIO()
    grey = kit.chest if bits == 16 else (kit.chest >> 4).astype(np.uint8)
    Image.fromarray(grey).save(file, format="PNG")
    data = file.getvalue()
    return data[:33] + chunk + data[33:]


def png_profile_bomb(kit: Kit) -> bytes:
    """A colour profile that inflates to half a gigabyte."""
    return png_with(kit, png_chunk(b"iCCP", b"x\0\0" + zlib.compress(bytes(512 << 20), 9)))


def png_text_bombs(kit: Kit) -> bytes:
    text = png_chunk(b"zTXt", b"x\0\0" + zlib.compress(bytes(1 << 20), 9))
    return png_with(kit, text * 500)


def png_of_deep_colour(kit: Kit) -> bytes:
    """16 bits in four channels: eight bytes a pixel, where Pillow says RGBA of four."""
    header = png_chunk(b"IHDR", struct.pack(">IIBBBBB", 14_000, 14_000, 16, 6, 0, 0, 0))
    body = png_chunk(b"IDAT", np.random.default_rng(0).bytes(7 << 20))
    return b"\x89PNG\r\n\x1a\n" + header + body + png_chunk(b"IEND", b"")


BOMBS: dict[str, tuple[Callable[[Kit], bytes], type[UnreadableImage]]] = {
    "DICOM, a million items": (million_items, TooLarge),
    "DICOM, a million elements in an item": (million_nested_elements, TooLarge),
    "DICOM, RLE beyond its rows": (rle_beyond_its_rows, CorruptPixels),
    "DICOM, a JPEG of nothing": (jpeg_frame_of_nothing, TooLarge),
    "DICOM, JPEG 2000 of tiny precincts": (j2k_of_tiny_precincts, TooLarge),
    "DICOM, a decoy before the JPEG 2000 stream": (jp2_with_a_decoy, CorruptPixels),
    "JPEG of nothing": (jpeg_of_nothing, TooLarge),
    "TIFF, a huge tile": (tiff_of_a_huge_tile, TooLarge),
    "TIFF, a large tile": (tiff_of_a_large_tile, TooLarge),
    "TIFF, many strips": (tiff_of_many_strips, TooLarge),
    "TIFF, a stream larger than its tile": (tiff_with_a_large_stream, CorruptPixels),
    "TIFF, a large stream behind comments": (
        tiff_with_a_large_stream_behind_comments,
        CorruptPixels,
    ),
    "PNG, a profile that is a bomb": (png_profile_bomb, CorruptHeader),
    "PNG, texts that are bombs": (png_text_bombs, CorruptHeader),
    "PNG, 16 bits in four channels": (png_of_deep_colour, TooLarge),
}


@dataclass(frozen=True)
class Reading:
    """What reading a file gave, and what it took."""

    errors: list[str]
    """Of the exact and of the fast reader."""
    seconds: float
    peak_mib: float
    file_mib: float


@pytest.fixture(scope="module")
def readings(kit, tmp_path_factory) -> dict[str, Reading]:
    """Every file, read in a separate process, since the peak of this one is already high."""
    folder = tmp_path_factory.mktemp("bombs")
    files = {name: folder / f"{number:02}" for number, name in enumerate(BOMBS)}
    for name, file in files.items():
        file.write_bytes(BOMBS[name][0](kit))
    script = textwrap.dedent(r"""
        import json, re, resource, sys, time, warnings
        from pathlib import Path
        import cxrview.image.dicom.file, cxrview.image.raster, cxrview.image.tiff
        from cxrview.image import open_image, read_radiograph

        warnings.simplefilter("ignore")
        resource.setrlimit(resource.RLIMIT_AS, (8 << 30, 8 << 30))
        found = []
        for path in sys.argv[1:]:
            Path("/proc/self/clear_refs").write_text("5")  # resets VmHWM
            errors, began = [], time.process_time()
            for read in (read_radiograph, lambda path: open_image(path, side=32).decode_square(32)):
                try:
                    read(path)
                    errors.append("none")
                except Exception as error:
                    errors.append(type(error).__name__)
            status = Path("/proc/self/status").read_text()
            peak = int(re.search(r"VmHWM:\s+(\d+)", status)[1]) / 1024
            size = Path(path).stat().st_size / (1 << 20)
            found.append([errors, time.process_time() - began, peak, size])
        print(json.dumps(found))
    """)
    command = [sys.executable, "-c", script, *map(str, files.values())]
    ran = subprocess.run(command, capture_output=True, text=True, check=True)
    found = [Reading(*one) for one in json.loads(ran.stdout)]
    return dict(zip(files, found, strict=True))


@pytest.mark.parametrize("name", BOMBS)
def test_read_refuses_what_would_take_gigabytes(readings, name):
    reading = readings[name]

    assert reading.errors == [BOMBS[name][1].__name__] * 2
    assert reading.peak_mib < MOST_MIB + 4 * reading.file_mib
    assert reading.seconds < 5


def test_read_takes_the_first_item_of_a_huge_sequence(kit):
    radiograph = read_radiograph(million_items_of_view_code(kit))

    assert radiograph.instance.header_view_code == ""


def test_header_values_of_many_megabytes_are_cut(kit):
    """A text, numbers and a lookup table, each of which would become objects of its length."""
    text = b"\x08\x00\x70\x00UT\0\0" + struct.pack("<I", 32 << 20) + b" \\" * (16 << 20)
    data = kit.build()
    at = data.index(b"\x10\x00\x10\x00")

    instance = open_image(data[:at] + text + data[at:]).instance

    assert len(instance.manufacturer) <= 64


@pytest.mark.parametrize("side", [16, 32])
def test_precincts_of_usual_size_are_read(kit, side):
    stream = with_precincts(j2k_stream(256), 0x99)
    radiograph = open_image(with_stream(kit, stream, J2K, 256, 256, 12)).decode_square(side)

    assert not radiograph.is_constant


def test_jpeg2000_precincts_counts_every_resolution():
    stream = with_precincts(j2k_stream(256), 0x66)  # 64 x 64 at each of 256, 128, 64, 32, 16, 8
    size = jpeg2000_size(stream)

    assert size is not None
    assert jpeg2000_precincts(stream, size) == 16 + 4 + 1 + 1 + 1 + 1


def test_jpeg2000_size_is_that_of_the_codestream_box():
    stream = imagecodecs.jpeg2k_encode(np.zeros((40, 50), np.uint8), level=0, codecformat="jp2")
    size = jpeg2000_size(bytes(stream))

    assert size is not None
    assert (size.rows, size.columns) == (40, 50)


def test_a_large_constant_frame_is_read_up_to_the_free_size(kit):
    """A file of one value has the ratio of a bomb, but is small."""
    pixels = np.full((4000, 4000), 7, np.uint8)
    stream = bytes(imagecodecs.jpeg8_encode(pixels))

    assert read_radiograph(with_stream(kit, stream, JPEG, 4000, 4000, 8)).is_constant


def test_as_many_strips_as_rows_are_read():
    assert MAX_ENTRIES > 3 * 65_535
    assert read_radiograph(tiff(rowsperstrip=1)).pixels.shape == (64, 64)


def test_directories_below_pages_are_checked_in_a_bounded_time():
    """A hundred tags in a row, each of which names four thousand directories."""
    tags = struct.pack("<HHII", 330, 13, 4096, 8) * 100
    data = b"II*\0" + struct.pack("<IH", 8, 100) + tags + bytes(20_000)
    began = time.process_time()

    check_entries("x", data)

    assert time.process_time() - began < 1


def test_the_limit_on_pixels_counts_a_tile():
    data = tiff(tile=(512, 512))

    assert read_radiograph(data).pixels.shape == (64, 64)
    with pytest.raises(TooLarge):
        read_radiograph(data, ReadOptions(limits=Limits(max_pixel_bytes=100_000)))
