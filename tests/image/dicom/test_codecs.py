"""Every lossless syntax gives back the very bits that were put in."""

from contextlib import suppress

import imagecodecs
import numpy as np
import pytest

from cxrview.errors import CorruptPixels, Truncated
from cxrview.image.dicom.codecs import CODECS
from cxrview.image.dicom.frame import Frame
from cxrview.image.dicom.pixel_module import PixelModule
from cxrview.image.dicom.stored_values import stored_values
from cxrview.image.limits import Limits

LOSSLESS = {
    "RLE": "1.2.840.10008.1.2.5",
    "JPEG lossless, any": "1.2.840.10008.1.2.4.57",
    "JPEG lossless, first": "1.2.840.10008.1.2.4.70",
    "JPEG-LS": "1.2.840.10008.1.2.4.80",
    "JPEG 2000": "1.2.840.10008.1.2.4.90",
    "HTJ2K": "1.2.840.10008.1.2.4.201",
    "HTJ2K, any": "1.2.840.10008.1.2.4.203",
}
LOSSY = {"JPEG baseline": "1.2.840.10008.1.2.4.50", "JPEG extended": "1.2.840.10008.1.2.4.51"}
DEPTHS = [(8, False), (10, False), (12, False), (14, False), (16, False), (12, True), (16, True)]


def module_of(pixels: np.ndarray, bits: int, is_signed: bool = False) -> PixelModule:
    return PixelModule(
        rows=pixels.shape[0],
        columns=pixels.shape[1],
        frames=1,
        samples=1,
        bits_allocated=8 * pixels.itemsize,
        bits_stored=bits,
        high_bit=bits - 1,
        is_signed=is_signed,
        is_float=False,
        is_planar=False,
        photometric="MONOCHROME2",
    )


def at_depth(chest: np.ndarray, bits: int, is_signed: bool) -> np.ndarray:
    scaled = np.rint(chest * ((2**bits - 1) / chest.max()))
    if is_signed:
        return (scaled - 2 ** (bits - 1)).astype("i2")
    return scaled.astype("u1" if bits == 8 else "u2")


def decode(syntax: str, data: bytes, module: PixelModule) -> np.ndarray:
    frame = Frame(path="x", data=data, module=module, limits=Limits())
    planes = CODECS[syntax](frame)
    return stored_values(planes.samples[0], module, planes.precision)


@pytest.mark.parametrize(("bits", "is_signed"), DEPTHS)
@pytest.mark.parametrize("name", LOSSLESS)
def test_what_went_in_comes_out(chest, encode_frame, name, bits, is_signed):
    pixels = at_depth(chest, bits, is_signed)
    data = encode_frame(pixels, LOSSLESS[name], bits)

    out = decode(LOSSLESS[name], data, module_of(pixels, bits, is_signed))

    assert out.dtype.kind == ("i" if is_signed else "u")
    assert np.array_equal(out, pixels)


@pytest.mark.parametrize(("name", "bits"), [("JPEG baseline", 8), ("JPEG extended", 12)])
def test_little_is_lost_in_lossy_jpeg(chest, encode_frame, name, bits):
    pixels = at_depth(chest, bits, is_signed=False)
    data = encode_frame(pixels, LOSSY[name], bits)

    out = decode(LOSSY[name], data, module_of(pixels, bits))

    assert np.abs(out.astype(int) - pixels).max() <= 2 ** (bits - 6)


@pytest.mark.parametrize("share", [0.25, 0.5, 0.75, 0.9, 0.99])
@pytest.mark.parametrize("name", [*LOSSLESS, *LOSSY])
def test_no_decoder_invents_rows(chest, encode_frame, name, share):
    """libjpeg-turbo and OpenJPH fill up what is missing, and say nothing."""
    syntax = (LOSSLESS | LOSSY)[name]
    bits = 8 if name == "JPEG baseline" else 12
    pixels = at_depth(chest, bits, is_signed=False)
    data = encode_frame(pixels, syntax, bits)

    with pytest.raises(Truncated):
        decode(syntax, data[: int(len(data) * share)], module_of(pixels, bits))


@pytest.mark.parametrize("name", [*list(LOSSLESS)[1:], *LOSSY])
def test_a_missing_end_marker_alone_does_no_harm(chest, encode_frame, name):
    syntax = (LOSSLESS | LOSSY)[name]
    bits = 8 if name == "JPEG baseline" else 12
    pixels = at_depth(chest, bits, is_signed=False)
    data = encode_frame(pixels, syntax, bits)

    cut = decode(syntax, data[:-2], module_of(pixels, bits))

    assert np.array_equal(cut, decode(syntax, data, module_of(pixels, bits)))


@pytest.mark.parametrize("padding", [b"\0", b"\0\0", b"\0" * 7, b"\0" * 50])
@pytest.mark.parametrize("name", LOSSLESS)
def test_padding_behind_the_codestream_does_no_harm(chest, encode_frame, name, padding):
    data = encode_frame(chest, LOSSLESS[name], 12)

    assert np.array_equal(decode(LOSSLESS[name], data + padding, module_of(chest, 12)), chest)


@pytest.mark.parametrize("name", list(LOSSLESS)[1:])
def test_a_codestream_of_another_size_than_the_header_is_refused(chest, encode_frame, name):
    data = encode_frame(chest, LOSSLESS[name], 12)
    smaller = module_of(chest[:-1], 12)

    with pytest.raises(CorruptPixels, match="size"):
        decode(LOSSLESS[name], data, smaller)


@pytest.mark.parametrize("name", [*LOSSLESS, *LOSSY])
@pytest.mark.parametrize("seed", range(5))
def test_flipped_bytes_give_pixels_or_a_reason(chest, encode_frame, name, seed):
    syntax = (LOSSLESS | LOSSY)[name]
    bits = 8 if name == "JPEG baseline" else 12
    pixels = at_depth(chest, bits, is_signed=False)
    data = bytearray(encode_frame(pixels, syntax, bits))
    rng = np.random.default_rng(seed)
    for at in rng.integers(0, len(data), 20):
        data[at] ^= int(rng.integers(1, 256))

    with suppress(CorruptPixels, Truncated):
        assert decode(syntax, bytes(data), module_of(pixels, bits)).shape == pixels.shape


@pytest.mark.parametrize("working", ["ljpeg_decode", "jpegsof3_decode"])
def test_another_decoder_takes_over_where_libjpeg_turbo_refuses(
    chest, encode_frame, monkeypatch, working
):
    """It refuses Huffman tables that scanners have written ("Bogus Huffman table")."""

    def refuse(*_args, **_kwargs):
        raise imagecodecs.JpegError("jpeg_decode", "Bogus Huffman table definition")

    syntax = LOSSLESS["JPEG lossless, first"]
    data = encode_frame(chest, syntax, 12)
    for name in {"jpeg_decode", "ljpeg_decode", "jpegsof3_decode"} - {working}:
        monkeypatch.setattr(imagecodecs, name, refuse)

    assert np.array_equal(decode(syntax, data, module_of(chest, 12)), chest)
    with pytest.raises(Truncated):
        decode(syntax, data[:-500], module_of(chest, 12))


def test_a_comment_behind_the_last_tile_part_does_no_harm(chest, encode_frame):
    """As a real scanner writes it; OpenJPEG gives up there."""
    data = encode_frame(chest, LOSSLESS["JPEG 2000"], 12)
    padded = data[:-2] + b"\xff\x64\x00\x0b\x00\x01PADDING" + b"\xff\xd9"

    assert np.array_equal(decode(LOSSLESS["JPEG 2000"], padded, module_of(chest, 12)), chest)


def test_a_signed_codestream_under_an_unsigned_header_keeps_its_bits(chest):
    pixels = at_depth(chest, 16, is_signed=True)
    data = imagecodecs.jpeg2k_encode(pixels, level=0, codecformat="j2k", reversible=True)

    out = decode(LOSSLESS["JPEG 2000"], data, module_of(pixels, 16))

    assert np.array_equal(out, pixels.view("u2"))


def test_an_unsigned_codestream_of_fewer_bits_is_given_its_sign_there(chest):
    pixels = at_depth(chest, 12, is_signed=True)
    pattern = pixels.view("u2") & 0xFFF
    data = imagecodecs.jpeg2k_encode(
        pattern, level=0, codecformat="j2k", reversible=True, bitspersample=12
    )

    out = decode(LOSSLESS["JPEG 2000"], data, module_of(pixels, 16, is_signed=True))

    assert np.array_equal(out, pixels)
