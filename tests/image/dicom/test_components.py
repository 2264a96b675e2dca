"""Compressed pixels of another number of components than the header says."""

import imagecodecs
import numpy as np
import pytest
from pydicom.encaps import encapsulate

from cxrview.errors import CorruptPixels
from cxrview.image import open_image, read_radiograph

UID = "1.2.840.10008.1.2."
DIFFER = ("samples_differ",)


def jpeg2000(planes):
    return imagecodecs.jpeg2k_encode(planes, level=0, codecformat="j2k", reversible=True)


def rle(planes):
    """Each plane as one segment of literal runs (PS3.5 annex G)."""
    planes = planes[..., None] if planes.ndim == 2 else planes
    segments = [literal(planes[..., k].tobytes()) for k in range(planes.shape[2])]
    starts = np.cumsum([64, *map(len, segments[:-1])]).tolist()
    head = [len(segments), *starts, *[0] * (15 - len(segments))]
    return np.array(head, "<u4").tobytes() + b"".join(segments)


def literal(data: bytes) -> bytes:
    runs = (data[k : k + 128] for k in range(0, len(data), 128))
    packed = b"".join(bytes([len(run) - 1]) + run for run in runs)
    return packed + b"\0" * (len(packed) % 2)


ENCODERS = {
    "JPEG": ("4.50", lambda p: imagecodecs.jpeg8_encode(p, level=98)),
    "JPEG RGB": (
        "4.50",
        lambda p: imagecodecs.jpeg8_encode(p, 98, colorspace="RGB", outcolorspace="RGB"),
    ),
    "lossless": ("4.70", lambda p: imagecodecs.jpeg_encode(p, lossless=True)),
    "JPEG-LS": ("4.80", imagecodecs.jpegls_encode),
    "JPEG 2000": ("4.90", jpeg2000),
    "HTJ2K": ("4.201", lambda p: imagecodecs.htj2k_encode(p, reversible=True)),
    "RLE": ("5", rle),
}


@pytest.fixture(scope="module")
def grey(kit):
    return (kit.chest >> 4).astype(np.uint8)


def file_of(kit, pixels, syntax: str, stream: bytes, **attributes) -> bytes:
    ds = kit.dataset(pixels[..., 0] if pixels.ndim == 3 else pixels, **attributes)
    ds.PixelData = encapsulate([stream])
    ds["PixelData"].VR = "OB"
    return kit.to_bytes(ds, UID + syntax)


def tinted(grey):
    """Three planes that differ, of which every linear mixture is the same picture."""
    return np.stack([grey, grey // 2, grey // 4 * 2], axis=2)


@pytest.mark.parametrize("photometric", ["MONOCHROME2", "MONOCHROME1"])
@pytest.mark.parametrize("name", ENCODERS)
def test_three_equal_components_under_a_grey_header(kit, grey, name, photometric):
    syntax, encode = ENCODERS[name]
    stream = encode(np.repeat(grey[..., None], 3, axis=2))
    right = read_radiograph(kit.build(grey, PhotometricInterpretation=photometric)).pixels
    data = file_of(kit, grey, syntax, stream, PhotometricInterpretation=photometric)

    for radiograph in (read_radiograph(data), open_image(data).decode_square(64)):
        assert radiograph.warnings == DIFFER
    assert np.abs(read_radiograph(data).pixels.astype(int) - right).max() <= 6


@pytest.mark.parametrize("name", ENCODERS)
def test_three_different_components_under_a_grey_header_go_by_luma(kit, grey, name):
    syntax, encode = ENCODERS[name]
    colours = tinted(grey)
    luma = (colours.astype(int) @ [299, 587, 114] // 1000).astype(np.uint8)

    radiograph = read_radiograph(file_of(kit, grey, syntax, encode(colours)))

    right = read_radiograph(kit.build(luma)).pixels
    assert np.abs(radiograph.pixels.astype(int) - right).max() <= 8
    assert radiograph.warnings == DIFFER


@pytest.mark.parametrize("photometric", ["RGB", "YBR_FULL", "YBR_FULL_422"])
@pytest.mark.parametrize("name", [name for name in ENCODERS if name != "JPEG RGB"])
def test_one_component_under_a_header_of_colours(kit, grey, name, photometric):
    syntax, encode = ENCODERS[name]
    data = file_of(
        kit,
        grey,
        syntax,
        encode(grey),
        PhotometricInterpretation=photometric,
        SamplesPerPixel=3,
        PlanarConfiguration=0,
    )

    radiograph = read_radiograph(data)

    right = read_radiograph(kit.build(grey)).pixels
    assert np.abs(radiograph.pixels.astype(int) - right).max() <= 6
    assert radiograph.warnings == DIFFER


@pytest.mark.parametrize(
    ("name", "count"), [("JPEG 2000", 2), ("JPEG 2000", 4), ("RLE", 5), ("RLE", 7)]
)
def test_other_numbers_of_components_are_refused_by_the_number(kit, grey, name, count):
    syntax, encode = ENCODERS[name]
    stream = encode(np.repeat(grey[..., None], count, axis=2))

    with pytest.raises(CorruptPixels, match=f"{count} (components|run-length)"):
        read_radiograph(file_of(kit, grey, syntax, stream))


def test_three_components_are_no_index_to_a_palette(kit, grey):
    stream = jpeg2000(np.repeat(grey[..., None], 3, axis=2))
    data = file_of(kit, grey, "4.90", stream, PhotometricInterpretation="PALETTE COLOR")

    with pytest.raises(CorruptPixels, match="components"):
        read_radiograph(data)
