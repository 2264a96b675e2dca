import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from cxrview.image.dicom.pixel_module import PixelModule
from cxrview.image.dicom.stored_values import as_stored, stored_values


def module_of(allocated: int, stored: int, high: int, is_signed: bool) -> PixelModule:
    return PixelModule(
        rows=1,
        columns=1,
        frames=1,
        samples=1,
        bits_allocated=allocated,
        bits_stored=stored,
        high_bit=high,
        is_signed=is_signed,
        is_float=False,
        is_planar=False,
        photometric="MONOCHROME2",
    )


@st.composite
def placed(draw):
    """A value, where its bits lie, and noise around them."""
    allocated = draw(st.sampled_from([8, 16, 32]))
    stored = draw(st.integers(1, allocated))
    high = draw(st.integers(stored - 1, allocated - 1))
    is_signed = draw(st.booleans())
    low = -(1 << (stored - 1)) if is_signed else 0
    value = draw(st.integers(low, low + (1 << stored) - 1))
    noise = draw(st.integers(0, (1 << allocated) - 1))
    return allocated, stored, high, is_signed, value, noise


@given(case=placed(), order=st.sampled_from("<>"))
def test_a_value_comes_back_from_any_place_and_any_noise(case, order):
    allocated, stored, high, is_signed, value, noise = case
    ones = (1 << stored) - 1
    shift = high + 1 - stored
    container = (noise & ~(ones << shift)) | ((value & ones) << shift)
    samples = np.array([[container]], f"{order}u{allocated // 8}")

    out = stored_values(samples, module_of(allocated, stored, high, is_signed), allocated)

    assert out.dtype.isnative
    assert out.tolist() == [[value]]


@given(value=st.integers(-32768, 32767), is_signed=st.booleans())
def test_a_header_value_takes_the_sign_of_the_pixels(value, is_signed):
    module = module_of(16, 16, 15, is_signed)
    pixel = np.array([value], "i2").view("i2" if is_signed else "u2")[0]

    assert as_stored(value, module) == as_stored(value % 65536, module) == pixel
