"""A Pixel Representation that the pixels contradict is corrected, and the row says so."""

import imagecodecs
import numpy as np
import pytest

from cxrview.image import ReadOptions, open_image, read_radiograph
from cxrview.image.dicom.frame import Planes
from cxrview.image.dicom.pixel_module import PixelModule
from cxrview.image.dicom.pixel_sign import DOUBTFUL, WRONG, settle_sign

SIDE = 32
NATIVE, JPEG_2000 = "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.4.90"
ROWS, COLUMNS = 300, 260


def hills(low: int, high: int) -> np.ndarray:
    """Smooth hills with a little noise between two values: shape (300, 260), int64."""
    y, x = np.mgrid[0 : 1 : ROWS * 1j, 0 : 1 : COLUMNS * 1j]
    wave = np.cos(5 * x + 1) * np.cos(4 * y) + 0.3 * x
    wave = wave + np.random.default_rng(5).normal(0, 0.004, x.shape)
    return np.rint((wave - wave.min()) / np.ptp(wave) * (high - low) + low).astype(np.int64)


def header(bits: int, is_signed: bool) -> dict[str, int]:
    return {
        "BitsAllocated": 16,
        "BitsStored": bits,
        "HighBit": bits - 1,
        "PixelRepresentation": int(is_signed),
    }


def words(values: np.ndarray, bits: int) -> np.ndarray:
    return (values & ((1 << bits) - 1)).astype(np.uint16)


def squares(data: bytes) -> list[np.ndarray]:
    """By the default reader and by the exact one."""
    return [
        open_image(data, ReadOptions(exact=e)).decode_square(SIDE).pixels for e in (False, True)
    ]


@pytest.mark.parametrize("bits", [12, 16])
@pytest.mark.parametrize(
    ("low", "high", "is_signed"),
    [(-600, 900, True), (-300, 500, True), (0, 1.0, False), (0, 0.8, False)],
)
def test_settle_sign_reads_a_wrong_sign_as_if_it_were_right(make_dicom, bits, low, high, is_signed):
    values = hills(low, int(high * ((1 << bits) - 1)) if high <= 1 else high)
    right = make_dicom(words(values, bits), NATIVE, **header(bits, is_signed))
    wrong = make_dicom(words(values, bits), NATIVE, **header(bits, not is_signed))

    assert WRONG in read_radiograph(wrong).warnings
    assert WRONG in open_image(wrong).decode_square(SIDE).warnings
    assert not read_radiograph(right).warnings
    for one, other in zip(squares(wrong), squares(right), strict=True):
        np.testing.assert_array_equal(one, other)


def test_settle_sign_reads_a_signed_stream_under_an_unsigned_header(make_dicom):
    values = hills(-600, 900)
    stream = imagecodecs.jpeg2k_encode(
        values.astype(np.int16), level=0, codecformat="j2k", reversible=True, bitspersample=12
    )
    right = make_dicom(values.astype(np.int16), NATIVE, **header(12, True))
    wrong = make_dicom(words(values, 12), JPEG_2000, encoded=stream, **header(12, False))

    assert WRONG in read_radiograph(wrong).warnings
    np.testing.assert_array_equal(squares(wrong)[1], squares(right)[1])


def test_settle_sign_leaves_a_stream_of_one_bit_alone(make_dicom):
    values = (hills(0, 4095) > 2000).astype(np.uint16)
    stream = bytearray(
        imagecodecs.jpeg2k_encode(
            values.astype(np.uint8), level=0, codecformat="j2k", bitspersample=1
        )
    )
    data = make_dicom(words(values, 12), JPEG_2000, encoded=bytes(stream), **header(12, False))

    for exact in (False, True):
        square = open_image(data, ReadOptions(exact=exact)).decode_square(SIDE).pixels
        assert np.ptp(square) > 100


@pytest.mark.parametrize("border", [0, 40])
@pytest.mark.parametrize("bits", [8, 12, 16])
def test_settle_sign_believes_a_film_with_white_letters_and_borders(make_dicom, bits, border):
    top = (1 << bits) - 1
    values = hills(0, top // 3)
    values[20:60, 20:120:4] = top  # letters on the darkest part
    if border:
        values[:border] = values[-border:] = top
    allocated = {**header(bits, False), "BitsAllocated": 8 if bits == 8 else 16}
    data = make_dicom(values.astype("u1" if bits == 8 else "u2"), NATIVE, **allocated)

    warnings = read_radiograph(data).warnings

    assert WRONG not in warnings
    assert DOUBTFUL not in warnings


@pytest.mark.parametrize("seed", range(5))
def test_settle_sign_believes_noise(make_dicom, seed):
    values = np.random.default_rng(seed).integers(0, 4096, (ROWS, COLUMNS))

    data = make_dicom(values.astype(np.uint16), NATIVE, **header(12, False))

    assert not read_radiograph(data).warnings


def test_settle_sign_changes_no_radiograph_at_hand(shared_data):
    """Real radiographs as 12 bits, unsigned and signed around their middle."""
    found = sorted((shared_data / "radiographs").rglob("*.[jp][pn]g"))[::40]
    for path in found:
        pixels = read_radiograph(str(path)).pixels.astype(np.int32)
        noise = np.random.default_rng(0).integers(0, 16, pixels.shape)
        stored = pixels * 16 + noise
        for values, is_signed in ((stored, False), (4095 - stored, False), (stored - 2048, True)):
            rows, columns = values.shape
            module = PixelModule(
                rows=rows,
                columns=columns,
                frames=1,
                samples=1,
                bits_allocated=16,
                bits_stored=12,
                high_bit=11,
                is_signed=is_signed,
                is_float=False,
                is_planar=False,
                photometric="MONOCHROME2",
            )
            planes = Planes(samples=words(values, 12)[np.newaxis], precision=16)

            assert settle_sign(planes, module) == (module, ()), path
