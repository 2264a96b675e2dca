"""The fast reader shows the network what the full one shows it."""

from io import BytesIO

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from cxrview.image import ReadOptions, open_image, squash
from cxrview.image.dicom.codecs import CODECS

SIDE = 32
SYNTAXES = {
    "native": "1.2.840.10008.1.2.1",
    "big endian": "1.2.840.10008.1.2.2",
    "deflated": "1.2.840.10008.1.2.1.99",
    "RLE": "1.2.840.10008.1.2.5",
    "JPEG extended": "1.2.840.10008.1.2.4.51",
    "JPEG lossless": "1.2.840.10008.1.2.4.70",
    "JPEG-LS": "1.2.840.10008.1.2.4.80",
    "JPEG 2000": "1.2.840.10008.1.2.4.90",
    "HTJ2K": "1.2.840.10008.1.2.4.201",
}
IN_PART = {"JPEG 2000", "HTJ2K"}
"""Decoded at a fraction of their resolution, where nothing speaks against it."""


def smooth(rows: int, columns: int, low: int, high: int) -> np.ndarray:
    """Hills of the whole picture's size, as wide as their values allow; (rows, columns), int64."""
    y, x = np.mgrid[0 : 1 : rows * 1j, 0 : 1 : columns * 1j]
    hills = np.cos(5 * x + 1) * np.cos(4 * y) + 0.3 * x
    share = (hills - hills.min()) / (hills.max() - hills.min())
    return low + np.rint(share * (high - low)).astype(np.int64)


def both(data: bytes, side: int = SIDE) -> tuple[np.ndarray, np.ndarray]:
    """By the fast and by the full reader."""
    file = open_image(data)
    fast, full = file.decode_square(side), file.decode()
    assert fast.warnings == full.warnings
    assert fast.is_constant == full.is_constant
    return fast.pixels.astype(int), squash(full.pixels, side).astype(int)


def assert_close(data: bytes, levels: int, side: int = SIDE) -> None:
    fast, full = both(data, side)
    assert np.abs(fast - full).max() <= levels


@settings(deadline=None, max_examples=60)
@given(
    rows=st.integers(1, 400),
    columns=st.integers(1, 400),
    dtype=st.sampled_from(["u1", "i1", "u2", "i2"]),
    low=st.integers(0, 50),
    high=st.integers(90, 127),
    syntax=st.sampled_from(["native", "big endian", "deflated", "RLE"]),
    photometric=st.sampled_from(["MONOCHROME1", "MONOCHROME2"]),
    slope=st.sampled_from([None, "1", "2.5", "-1"]),
)
def test_smooth_pictures_come_out_alike(
    make_dicom, rows, columns, dtype, low, high, syntax, photometric, slope
):
    """Of any size, sign, polarity and layout; one grey level is lost in rounding twice."""
    scale = np.iinfo(dtype).max // 127
    pixels = smooth(max(rows, 2), max(columns, 2), low * scale, high * scale)
    if dtype[0] == "i":
        pixels -= 60 * scale
    data = make_dicom(
        pixels.astype(dtype),
        SYNTAXES[syntax],
        PhotometricInterpretation=photometric,
        **({"RescaleSlope": slope, "RescaleIntercept": "-7"} if slope else {}),
    )

    assert_close(data, 4)


@settings(deadline=None, max_examples=40)
@given(
    rows=st.integers(60, 500),
    columns=st.integers(60, 500),
    name=st.sampled_from(sorted(SYNTAXES)),
)
def test_every_syntax_comes_out_alike(make_dicom, rows, columns, name):
    pixels = smooth(rows, columns, 200, 3900).astype(np.uint16)

    assert_close(make_dicom(pixels, SYNTAXES[name], BitsStored=12, HighBit=11), 6)


@pytest.mark.parametrize("name", sorted(IN_PART))
@pytest.mark.parametrize("more", range(4))
def test_a_wavelet_is_not_decoded_in_full(make_dicom, monkeypatch, name, more):
    pixels = smooth(300 + more, 260 + more, 200, 3900).astype(np.uint16)
    data = make_dicom(pixels, SYNTAXES[name], BitsStored=12, HighBit=11)
    monkeypatch.setattr("cxrview.image.dicom.file.CODECS", dict.fromkeys(CODECS))  # none left

    assert open_image(data).decode_square(SIDE).pixels.std() > 10


@pytest.mark.parametrize("name", sorted(IN_PART))
@pytest.mark.parametrize(
    "attributes",
    [
        {"PixelPaddingValue": 200},
        {"VOILUTFunction": "SIGMOID"},
        {"BitsStored": 16, "HighBit": 15, "PixelRepresentation": 1},
    ],
    ids=lambda attributes: next(iter(attributes)),
)
def test_what_reduced_decoding_cannot_tell_is_decoded_in_full(make_dicom, name, attributes):
    pixels = smooth(300, 260, 300, 3900).astype(np.uint16)
    pixels[:, :50] = 200
    how = {"BitsStored": 12, "HighBit": 11} | attributes

    assert_close(make_dicom(pixels, SYNTAXES[name], **how), 16)


def test_a_speck_moves_the_window_of_native_pixels_as_it_does_in_full(make_dicom):
    pixels = smooth(300, 260, 1000, 1500).astype(np.uint16)
    pixels[100, 100], pixels[200, 30] = 0, 4095

    fast, full = both(make_dicom(pixels))

    assert np.abs(fast - full).max() <= 4
    assert fast.max() < 150


def test_exact_decodes_every_pixel(make_dicom):
    pixels = smooth(300, 260, 200, 3900).astype(np.uint16)
    data = make_dicom(pixels, SYNTAXES["JPEG 2000"], BitsStored=12, HighBit=11)
    file = open_image(data, ReadOptions(exact=True))

    assert np.array_equal(file.decode_square(SIDE).pixels, squash(file.decode().pixels, SIDE))


@pytest.mark.parametrize("name", sorted(SYNTAXES))
def test_a_constant_picture_is_told(make_dicom, name):
    pixels = np.full((300, 260), 77, np.uint16)
    file = open_image(make_dicom(pixels, SYNTAXES[name], BitsStored=12, HighBit=11))

    assert file.decode_square(SIDE).is_constant
    assert not file.decode_square(SIDE).pixels.any()


@pytest.mark.parametrize("form", ["PNG", "JPEG", "TIFF"])
@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_pictures_come_out_alike(form, mode):
    grey = smooth(700, 610, 5, 250).astype(np.uint8)
    file = BytesIO()
    Image.fromarray(grey).convert(mode).save(file, form)

    assert_close(file.getvalue(), 6)


def test_a_speck_that_a_scaled_jpeg_loses_is_no_constant_picture():
    grey = np.full((600, 600), 100, np.uint8)
    grey[300, 300] = 104
    file = BytesIO()
    Image.fromarray(grey).save(file, "JPEG", quality=100)

    both(file.getvalue())


def test_a_turned_jpeg_is_turned():
    grey = smooth(700, 610, 5, 250).astype(np.uint8)
    exif = Image.Exif()
    exif[274] = 6
    file = BytesIO()
    Image.fromarray(grey).save(file, "JPEG", exif=exif)

    assert_close(file.getvalue(), 6)
    assert open_image(file.getvalue()).decode_square(SIDE).warnings == ("exif_rotated",)
