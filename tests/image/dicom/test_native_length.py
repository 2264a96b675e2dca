"""Native pixels whose length is a multiple of what the header says, or a third."""

import numpy as np
import pytest

from cxrview.errors import Truncated
from cxrview.image import ReadOptions, read_radiograph

DIFFER = ("samples_differ",)


@pytest.fixture(scope="module")
def grey(kit):
    return (kit.chest >> 4).astype(np.uint8)


def native(kit, pixels, data: bytes, **attributes) -> bytes:
    ds = kit.dataset(pixels, **attributes)
    ds.PixelData = data + b"\0" * (len(data) % 2)
    ds["PixelData"].VR = "OB" if pixels.itemsize == 1 else "OW"
    return kit.to_bytes(ds, "1.2.840.10008.1.2.1")


def read_grey(kit, pixels):
    return read_radiograph(kit.build(pixels)).pixels


@pytest.mark.parametrize("depth", [8, 16])
def test_colour_by_pixel_under_a_grey_header_is_read(kit, grey, depth):
    pixels = grey if depth == 8 else kit.chest.astype(np.uint16)
    data = np.repeat(pixels[..., None], 3, axis=2).tobytes()

    radiograph = read_radiograph(native(kit, pixels, data))

    assert np.array_equal(radiograph.pixels, read_grey(kit, pixels))
    assert radiograph.warnings == DIFFER


def test_colour_by_plane_under_a_grey_header_gives_its_first_plane(kit, grey):
    radiograph = read_radiograph(native(kit, grey, grey.tobytes() * 3))

    assert np.array_equal(radiograph.pixels, read_grey(kit, grey))


@pytest.mark.parametrize("exact", [False, True])
@pytest.mark.parametrize("photometric", ["RGB", "YBR_FULL"])
def test_grey_pixels_under_a_colour_header_are_read(kit, grey, photometric, exact):
    colour = {"SamplesPerPixel": 3, "PhotometricInterpretation": photometric}

    radiograph = read_radiograph(
        native(kit, grey, grey.tobytes(), PlanarConfiguration=0, **colour),
        ReadOptions(exact=exact),
    )

    assert np.array_equal(radiograph.pixels, read_grey(kit, grey))
    assert radiograph.warnings == DIFFER


def test_colour_pixels_that_are_cut_at_a_third_are_truncated(kit, grey):
    whole = native(
        kit,
        grey,
        np.repeat(grey[..., None], 3, axis=2).tobytes(),
        SamplesPerPixel=3,
        PlanarConfiguration=0,
        PhotometricInterpretation="RGB",
    )

    with pytest.raises(Truncated):
        read_radiograph(whole[: -2 * grey.size])


@pytest.mark.parametrize("allocated", [8, 16])
def test_words_of_32_bits_under_a_header_of_fewer_are_read(kit, allocated):
    values = np.add.outer(20 * np.arange(100), 23 * np.arange(90)).astype("<u4")
    pixels = values.astype(f"u{allocated // 8}")

    radiograph = read_radiograph(native(kit, pixels, values.tobytes()))

    assert np.array_equal(radiograph.pixels, read_grey(kit, values.astype("u2")))
