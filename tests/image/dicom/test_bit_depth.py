"""Samples that contradict their header are read as what they are, and the row says so."""

from collections.abc import Callable
from dataclasses import dataclass

import imagecodecs
import jpeg_ls
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.encaps import encapsulate

from cxrview.errors import CorruptPixels, TooLarge
from cxrview.image import Limits, ReadOptions, open_image, read_radiograph, squash
from cxrview.image.dicom.bit_depth import MASKED, SWAPPED, USED
from cxrview.image.dicom.codestream import jpeg2000_size
from cxrview.image.window import minmax_to_uint8
from cxrview.phantom.encode import find_syntax

SIDE = 32
EXACT = ReadOptions(exact=True)
NATIVE, BIG_ENDIAN = "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2"
ROWS, COLUMNS = 150, 130


def film(top: int) -> np.ndarray:
    """Hills with a little noise, from 0 to `top`: shape (150, 130), int64."""
    y, x = np.mgrid[0 : 1 : ROWS * 1j, 0 : 1 : COLUMNS * 1j]
    hills = np.cos(5 * x + 1) * np.cos(4 * y) + 0.3 * x
    hills = hills + np.random.default_rng(5).normal(0, 0.004, x.shape)
    return np.rint((hills - hills.min()) / np.ptp(hills) * top).astype(np.int64)


def container(values: np.ndarray, bits: int) -> np.ndarray:
    """The lowest `bits` of each value, in the bytes that they take."""
    return (values & ((1 << bits) - 1)).astype("u1" if bits <= 8 else "u2")


def jpeg_2000(values: np.ndarray, bits: int, is_signed: bool) -> bytes:
    kind = ("i" if is_signed else "u") + ("1" if bits <= 8 else "2")
    return imagecodecs.jpeg2k_encode(
        values.astype(kind), level=0, codecformat="j2k", reversible=True, bitspersample=bits
    )


def htj2k(values: np.ndarray, bits: int, is_signed: bool) -> bytes:
    """OpenJPH writes 16 bits; the precision is put right, and the level shift that goes with it."""
    if is_signed:
        stream = bytearray(imagecodecs.htj2k_encode(values.astype("i2"), reversible=True))
    else:
        shifted = values + (1 << 15) - (1 << (bits - 1))
        stream = bytearray(imagecodecs.htj2k_encode(shifted.astype("u2"), reversible=True))
    stream[jpeg2000_size(bytes(stream)).scan_start + 42] = 0x80 * is_signed | bits - 1
    return bytes(stream)


def jpeg_ls_stream(values: np.ndarray, bits: int, is_signed: bool) -> bytes:
    pixels = container(values, bits)
    stream = jpeg_ls.encode_buffer(pixels.tobytes(), *pixels.shape, 1, bits)
    return bytes(stream)


def jpeg_lossless(values: np.ndarray, bits: int, is_signed: bool) -> bytes:
    return imagecodecs.jpeg_encode(container(values, bits), lossless=True, bitspersample=bits)


def jpeg_lossy(values: np.ndarray, bits: int, is_signed: bool) -> bytes:
    return imagecodecs.jpeg_encode(container(values, bits), level=100, bitspersample=bits)


def rle(values: np.ndarray, bits: int, is_signed: bool) -> bytes:
    return find_syntax("rle").encode(container(values, bits).astype("u2"), bits)


@dataclass(frozen=True, kw_only=True)
class Way:
    """How a stream is made, and with which precisions that can be done."""

    syntax: str
    encode: Callable[[np.ndarray, int, bool], bytes]
    precisions: tuple[int, ...] = (8, 10, 12, 14, 16)
    signs: tuple[bool, ...] = (False, True)
    levels: int = 0
    """Grey levels that are lost in the compression."""


WAYS = {
    "JPEG 2000": Way(syntax="4.90", encode=jpeg_2000),
    "JPEG 2000 of .91": Way(syntax="4.91", encode=jpeg_2000),
    "HTJ2K": Way(syntax="4.201", encode=htj2k, precisions=(10, 12, 14, 16)),
    "HTJ2K of .203": Way(syntax="4.203", encode=htj2k, precisions=(10, 12, 14, 16)),
    "JPEG-LS": Way(syntax="4.80", encode=jpeg_ls_stream),
    "JPEG lossless": Way(syntax="4.70", encode=jpeg_lossless),
    "JPEG lossless, any": Way(syntax="4.57", encode=jpeg_lossless),
    "JPEG baseline": Way(
        syntax="4.50", encode=jpeg_lossy, precisions=(8,), signs=(False,), levels=2
    ),
    "JPEG extended": Way(
        syntax="4.51", encode=jpeg_lossy, precisions=(8, 12), signs=(False,), levels=2
    ),
    "RLE": Way(syntax="5", encode=rle, precisions=(8, 16)),
}
DEPTHS = [(8, 7), (8, 8), (16, 8), (16, 10), (16, 12), (16, 15), (16, 16)]
MATRIX = [
    pytest.param(way, *depth, bits, is_signed, id=f"{name}-{depth}-{bits}-{is_signed}")
    for name, way in WAYS.items()
    for depth in DEPTHS
    for bits in way.precisions
    for is_signed in way.signs
]


def header(allocated: int, stored: int, is_signed: bool) -> dict[str, int]:
    return {
        "BitsAllocated": allocated,
        "BitsStored": stored,
        "HighBit": stored - 1,
        "PixelRepresentation": int(is_signed),
    }


@pytest.fixture(scope="module")
def pack(kit):
    """Makes a DICOM file of a stream, or of native words, with any header."""

    def make(stream: bytes | np.ndarray, syntax: str = NATIVE, **attributes) -> bytes:
        ds = kit.dataset(np.zeros((ROWS, COLUMNS), "u2"), **attributes)
        if isinstance(stream, bytes):
            ds.PixelData = encapsulate([stream])
            ds["PixelData"].VR = "OB"
            return kit.to_bytes(ds, f"1.2.840.10008.1.2.{syntax}")
        ds.PixelData = stream.tobytes()
        ds["PixelData"].VR = "OW"
        return kit.to_bytes(ds, syntax)

    return make


def assert_shows(
    data: bytes, values: np.ndarray, *warnings: str, levels: int = 0, is_inverse: bool = False
) -> None:
    """By every reader: in full within `levels`, and as a square within a few more."""
    expected = minmax_to_uint8(values, is_inverse=is_inverse)[0].astype(int)
    for options in (ReadOptions(), EXACT):
        full = read_radiograph(data, options)
        assert np.abs(full.pixels - expected).max() <= levels
        assert full.warnings == warnings
        small = open_image(data, options).decode_square(SIDE)
        # At a fraction of the resolution the ends of the window are those of fewer pixels.
        assert np.abs(small.pixels - squash(expected.astype("u1"), SIDE).astype(int)).max() <= 8
        assert small.warnings == warnings


@pytest.mark.slow
@pytest.mark.parametrize(("way", "allocated", "stored", "bits", "is_signed"), MATRIX)
def test_a_stream_knows_its_own_precision(pack, way, allocated, stored, bits, is_signed):
    values = film((1 << bits) - 1) - (is_signed << (bits - 1))
    stream = way.encode(values, bits, is_signed)
    data = pack(stream, way.syntax, **header(allocated, stored, is_signed))

    assert_shows(data, values, *[USED] * (bits > stored), levels=way.levels)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("way", "allocated", "stored", "bits", "is_signed"),
    [case for case in MATRIX if case.values[3] > case.values[2]],
)
def test_a_precision_that_is_not_used_is_not_told(pack, way, allocated, stored, bits, is_signed):
    values = film((1 << stored) - 1) - (is_signed << (stored - 1))
    stream = way.encode(values, bits, is_signed)
    data = pack(stream, way.syntax, **header(allocated, stored, is_signed))

    assert_shows(data, values, levels=way.levels << (bits - stored))


@pytest.mark.parametrize("syntax", [NATIVE, BIG_ENDIAN])
@pytest.mark.parametrize("is_signed", [False, True])
@pytest.mark.parametrize("bits", [11, 12, 14, 16])
def test_native_values_above_bits_stored_are_used(pack, syntax, bits, is_signed):
    values = film((1 << bits) - 1) - (is_signed << (bits - 1))
    words = values.astype("<i4").astype("<u2" if syntax == NATIVE else ">u2")

    assert_shows(pack(words, syntax, **header(16, 10, is_signed)), values, USED)


@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
def test_a_single_step_beyond_bits_stored_is_used(pack, photometric):
    values = np.minimum(film(4300), 4096)
    data = pack(values.astype("u2"), PhotometricInterpretation=photometric, **header(16, 12, False))

    assert_shows(data, values, USED, is_inverse=photometric == "MONOCHROME1")


def test_values_of_eight_bits_in_the_upper_byte_are_used(pack):
    values = film(255)

    assert_shows(pack((values << 8).astype("u2"), **header(16, 8, False)), values, USED)


@pytest.mark.parametrize("fill", [0, -1])
def test_a_sign_may_fill_the_bits_above_or_not(pack, fill):
    values = film(4095) - 2048
    words = values if fill else values & 0xFFF

    assert_shows(pack(words.astype("<i4").astype("<u2"), **header(16, 12, True)), values)


GARBAGE = {
    "overlay": lambda rng: (film(9) > 4) << 15,
    "two overlays": lambda rng: (film(9) > 4) << 12 | (film(7) > 5) << 13,
    "letters": lambda rng: np.kron(rng.random((15, 13)) > 0.8, np.ones((10, 10), int)) << 12,
    "remains": lambda rng: rng.integers(0, 16, (ROWS, COLUMNS)) << 12,
}


@pytest.mark.parametrize("is_signed", [False, True])
@pytest.mark.parametrize("kind", GARBAGE)
@pytest.mark.parametrize("way", ["native", "JPEG lossless", "JPEG 2000", "JPEG-LS", "RLE"])
def test_what_does_not_continue_the_value_is_masked_and_told(pack, way, kind, is_signed):
    values = film(4095) - (is_signed << 11)
    words = (values & 0xFFF) | GARBAGE[kind](np.random.default_rng(1))
    stream, syntax = words.astype("<u2"), NATIVE
    if way != "native":
        stream, syntax = WAYS[way].encode(words, 16, False), WAYS[way].syntax

    assert_shows(pack(stream, syntax, **header(16, 12, is_signed)), values, MASKED)


@pytest.mark.parametrize("is_signed", [False, True])
def test_a_declared_overlay_is_masked_in_silence(pack, is_signed):
    """Of signed pixels bit 12 is one of the sign."""
    values = film(4095) - (is_signed << 11)
    words = values & 0xFFF | (film(9) > 4) << 15 | (values < 0) << 12
    data = pack(words.astype("<u2"), **header(16, 12, is_signed))
    position = b"\x00\x60\x02\x01US\x02\x00\x0f\x00"  # (6000,0102) is 15
    at = data.index(b"\xe0\x7f\x10\x00")

    assert_shows(data[:at] + position + data[at:], values)


def test_the_same_bits_above_everywhere_show_nowhere(pack):
    values = film(4095)

    assert_shows(pack((values | 0xA000).astype("u2"), **header(16, 12, False)), values)


def test_padding_above_bits_stored_is_padding(pack):
    values = film(4095)
    words = values.copy()
    words[:20] = 65535
    data = pack(words.astype("u2"), **header(16, 12, False), PixelPaddingValue=65535)
    radiograph = read_radiograph(data)

    assert radiograph.warnings == (USED,)
    assert not radiograph.pixels[:20].any()
    assert np.array_equal(radiograph.pixels[20:], minmax_to_uint8(values[20:])[0])
    assert (
        np.abs(
            open_image(data).decode_square(SIDE).pixels[6:]
            - squash(radiograph.pixels, SIDE)[6:].astype(int)
        ).max()
        <= 8
    )


@pytest.mark.parametrize("syntax", [NATIVE, BIG_ENDIAN, "RLE", "JPEG lossless", "JPEG-LS"])
@pytest.mark.parametrize(("bits", "stored"), [(10, 10), (12, 12), (14, 14), (16, 16), (12, 16)])
@pytest.mark.parametrize("is_signed", [False, True])
def test_words_in_the_wrong_byte_order_are_turned(pack, syntax, bits, stored, is_signed):
    values = film((1 << bits) - 1) - (is_signed << (bits - 1))
    words = values.astype("<i4").astype("<u2")
    stream, uid = words.byteswap(), NATIVE
    if syntax == BIG_ENDIAN:
        stream, uid = words, BIG_ENDIAN
    elif syntax != NATIVE:
        stream = WAYS[syntax].encode(words.byteswap().astype(np.int64), 16, False)
        uid = WAYS[syntax].syntax

    assert_shows(pack(stream, uid, **header(16, stored, is_signed)), values, SWAPPED)


def test_words_in_the_wrong_byte_order_may_hold_more_bits_than_stored(pack):
    values = film(4095)

    data = pack(values.astype("u2").byteswap(), **header(16, 10, False))

    assert_shows(data, values, SWAPPED, USED)


@pytest.mark.parametrize("name", ["JPEG 2000", "HTJ2K"])
def test_a_wavelet_of_swapped_words_is_turned(pack, name):
    words = film(4095).astype("u2").byteswap().astype(np.int64)
    data = pack(WAYS[name].encode(words, 16, False), WAYS[name].syntax, **header(16, 16, False))

    assert_shows(data, film(4095), SWAPPED)


@settings(max_examples=200)
@given(
    seed=st.integers(0, 2**32 - 1),
    bits=st.sampled_from([8, 10, 12, 14, 16]),
    kind=st.sampled_from(
        ["noise", "constant", "gradient", "film", "noisy film", "specks", "halves"]
    ),
    shift=st.integers(0, 8),
    is_signed=st.booleans(),
)
def test_no_sound_picture_is_turned(pack, seed, bits, kind, shift, is_signed):
    rng, top = np.random.default_rng(seed), (1 << bits) - 1
    y, x = np.mgrid[:ROWS, :COLUMNS]
    values = {
        "noise": lambda: rng.integers(0, top + 1, (ROWS, COLUMNS)),
        "constant": lambda: np.full((ROWS, COLUMNS), rng.integers(0, top + 1)),
        "gradient": lambda: np.minimum(x * rng.integers(0, 9) + y * rng.integers(0, 9), top),
        "film": lambda: film(top),
        "noisy film": lambda: np.clip(film(top) + rng.normal(0, top / 20, y.shape), 0, top),
        "specks": lambda: np.where(rng.random(y.shape) < 0.02, 65535, film(top)),
        "halves": lambda: np.where(x < rng.integers(1, COLUMNS), film(top), 0),
    }[kind]().astype(np.int64)
    # No further than 16 bits: a picture that wraps round is not sound.
    values = values << min(shift, 16 - bits) & 0xFFFF
    if is_signed:
        values = values - (1 << 15)
    data = pack(values.astype("<i4").astype("<u2"), **header(16, 16, is_signed))

    for options in (ReadOptions(), EXACT):
        assert open_image(data, options).decode_square(SIDE).warnings == ()
    expected = minmax_to_uint8(values)[0]
    assert np.array_equal(read_radiograph(data).pixels, expected)


def overshooting(rng: np.random.Generator) -> np.ndarray:
    """White letters and black ones, at which lossy compression overshoots."""
    values = film(3500) + 300
    values[20:60, 30:60] = np.where(np.kron(rng.random((8, 6)) > 0.5, np.ones((5, 5))), 4095, 0)
    values[100:140, 90:110] = 4095
    return values


@pytest.mark.parametrize(
    ("name", "is_signed"),
    [("4.51", False), *((name, sign) for name in ("4.90", "4.91", "4.203") for sign in (0, 1))],
)
def test_what_lossy_compression_carries_beyond_bits_stored_is_clamped(pack, name, is_signed):
    values = overshooting(np.random.default_rng(2))
    shown, stored = values, 12
    if name == "4.51":
        shown, stored = values >> 2, 10
        stream = imagecodecs.jpeg_encode(shown.astype("u2"), level=80, bitspersample=12)
    else:
        shown = values - (is_signed << 11)
        words = shown.astype("i2" if is_signed else "u2")
        if name == "4.203":
            stream = imagecodecs.htj2k_encode(words, level=0.005, reversible=False)
        else:
            stream = imagecodecs.jpeg2k_encode(
                words, level=72, codecformat="j2k", reversible=False, bitspersample=16
            )
    data = pack(stream, name, **header(16, stored, is_signed))
    expected = minmax_to_uint8(shown)[0].astype(int)

    for options in (ReadOptions(), EXACT):
        full = read_radiograph(data, options)
        small = open_image(data, options).decode_square(SIDE)
        assert full.warnings == small.warnings == ()
        assert np.abs(full.pixels - expected).mean() < 4
        assert full.pixels[105:135, 95:105].min() > 245
        assert np.abs(small.pixels - squash(expected.astype("u1"), SIDE).astype(int)).max() <= 24


@pytest.mark.parametrize(("allocated", "planes"), [(8, 2), (16, 1), (32, 2), (8, 4)])
def test_rle_tells_the_bytes_of_a_pixel_by_its_planes(pack, allocated, planes):
    bits = 8 if planes == 1 else 12
    values = film((1 << bits) - 1)
    stream = rle(values, 8 * min(planes, 2), False)
    if planes == 4:
        starts = [int.from_bytes(stream[k : k + 4], "little") for k in (4, 8)]
        empty = b"".join(imagecodecs.packbits_encode(np.zeros(COLUMNS, "u1")) for _ in range(ROWS))
        empty += b"\0" * (len(empty) % 2)
        head = [4, 64, 64 + len(empty), *(k + 2 * len(empty) for k in starts)] + [0] * 11
        stream = np.array(head, "<u4").tobytes() + empty + empty + stream[64:]
    stored = min(allocated, 12)
    data = pack(stream, "5", **header(allocated, stored, False))

    assert_shows(data, values, *[USED] * (bits > stored))


@pytest.mark.parametrize("planes", [0, 3, 5, 15])
def test_rle_of_a_number_of_planes_that_makes_no_pixel_is_refused(pack, planes):
    stream = planes.to_bytes(4, "little") + rle(film(4095), 12, False)[4:]

    with pytest.raises(CorruptPixels, match="run-length coded planes"):
        read_radiograph(pack(stream, "5", **header(16, 12, False)))


def test_a_stream_of_more_bytes_than_allocated_counts_with_these(pack):
    data = pack(jpeg_2000(film(4095), 12, False), "4.90", **header(8, 8, False))
    limits = Limits(max_pixel_bytes=ROWS * COLUMNS)

    assert read_radiograph(data, ReadOptions(limits=Limits(max_pixel_bytes=2 * ROWS * COLUMNS)))
    with pytest.raises(TooLarge):
        read_radiograph(data, ReadOptions(limits=limits))


@pytest.mark.parametrize("bits", [8, 12, 16])
def test_a_high_bit_above_a_stream_is_corrected_and_told(pack, bits):
    values = film((1 << min(bits, 12)) - 1)
    data = pack(jpeg_2000(values, bits, False), "4.90", **header(16, 12, False) | {"HighBit": 15})

    assert_shows(data, values, "odd_high_bit")


def test_a_high_bit_above_all_values_is_corrected_and_told(pack):
    values = film(1023)
    data = pack(values.astype("u2"), **header(16, 10, False) | {"HighBit": 15})

    assert_shows(data, values, "odd_high_bit")


@pytest.mark.parametrize("slope", ["2.8707939353E-06", "1e-9", "0.0001", "0.01", "-1e-6", "1e20"])
@pytest.mark.parametrize("intercept", ["0", "-1024", "0.5"])
def test_a_tiny_or_huge_slope_loses_nothing(pack, slope, intercept):
    values = film(4095)
    more = {"RescaleSlope": slope, "RescaleIntercept": intercept}
    data = pack(values.astype("u2"), **header(16, 12, False), **more)

    assert_shows(data, values, levels=1, is_inverse=slope.startswith("-"))


def test_colours_above_bits_stored_are_used(kit):
    grey = film(4095)
    stream = imagecodecs.jpeg2k_encode(
        np.stack([grey] * 3, axis=2).astype("u2"),
        level=0,
        codecformat="j2k",
        reversible=True,
        bitspersample=12,
    )
    ds = kit.dataset(
        np.zeros((ROWS, COLUMNS), "u1"),
        SamplesPerPixel=3,
        PhotometricInterpretation="YBR_RCT",
        PlanarConfiguration=0,
    )
    ds.PixelData = encapsulate([stream])
    ds["PixelData"].VR = "OB"

    assert_shows(kit.to_bytes(ds, "1.2.840.10008.1.2.4.90"), grey, USED, levels=1)


@pytest.mark.parametrize("is_signed", [False, True])
@pytest.mark.parametrize("stored", [7, 8])
def test_native_words_under_a_header_of_bytes_are_read(pack, stored, is_signed):
    values = film(4095) - (is_signed << 11)
    words = values.astype("<i4").astype("<u2")

    assert_shows(pack(words, **header(8, stored, is_signed)), values, USED)


@pytest.mark.parametrize("bits", [10, 12])
def test_steep_edges_do_not_hide_that_bits_continue_the_value(pack, bits):
    """As in a film of 256 x 256 pixels: neighbours often differ by more than half a step."""
    steep = np.kron(film(30)[::6, ::6], np.ones((6, 6), int))[:ROWS, :COLUMNS]
    steep = (steep + film(4)) * ((1 << bits) - 1) // 34

    data = pack(steep.astype("u2"), **header(16, 8, False))

    assert_shows(data, steep, USED)
