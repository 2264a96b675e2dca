"""Pictures that lack their end marker, TIFF files whose first page is not the image, large PNG."""

import tracemalloc
from io import BytesIO

import numpy as np
import pytest
import tifffile
from PIL import Image

from cxrview.errors import TooLarge, Truncated
from cxrview.image import Limits, ReadOptions, open_image, read_radiograph

MARKED = ("no_end_marker",)


@pytest.fixture(scope="module")
def grey(kit):
    return (kit.draw_chest(300, 240) >> 4).astype(np.uint8)


def jpeg(grey, mode: str, **how) -> bytes:
    file, plane = BytesIO(), Image.fromarray(grey)
    colours = Image.merge("RGB", [plane, plane.point(lambda v: v // 2), plane])
    (plane if mode == "L" else colours.convert(mode)).save(file, "JPEG", quality=90, **how)
    return file.getvalue()


JPEGS = {
    "grey": ("L", {}),
    "grey, progressive": ("L", {"progressive": True}),
    "restart markers": ("L", {"restart_marker_blocks": 4}),
    "colour": ("RGB", {}),
    "colour, progressive": ("RGB", {"progressive": True}),
    "CMYK": ("CMYK", {}),
}


@pytest.mark.parametrize("cut", [1, 2])
@pytest.mark.parametrize("name", JPEGS)
def test_a_jpeg_that_lacks_only_its_end_is_read(grey, name, cut):
    mode, how = JPEGS[name]
    data = jpeg(grey, mode, **how)

    radiograph = read_radiograph(data[:-cut])

    assert np.array_equal(radiograph.pixels, read_radiograph(data).pixels)
    assert radiograph.warnings == MARKED
    small = open_image(data[:-cut]).decode_square(64)
    assert np.array_equal(small.pixels, open_image(data).decode_square(64).pixels)
    assert small.warnings == MARKED


@pytest.mark.parametrize("share", [0.2, 0.5, 0.8, 0.95, 0.99])
@pytest.mark.parametrize("name", JPEGS)
def test_a_jpeg_that_lacks_more_is_truncated(grey, name, share):
    mode, how = JPEGS[name]
    data = jpeg(grey, mode, **how)
    cut = data[: int(len(data) * share)]

    for read in (read_radiograph, lambda d: open_image(d).decode_square(64)):
        with pytest.raises(Truncated):
            read(cut)


@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
@pytest.mark.parametrize("name", [name for name in JPEGS if "progressive" not in name])
def test_an_end_marker_too_early_does_not_invent_rows(grey, name, share):
    mode, how = JPEGS[name]
    data = jpeg(grey, mode, **how)
    cut = data[: int(len(data) * share)] + b"\xff\xd9"

    for read in (read_radiograph, lambda d: open_image(d).decode_square(64)):
        with pytest.raises(Truncated):
            read(cut)


@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_a_progressive_jpeg_cut_between_two_scans_is_truncated(grey, mode):
    data = jpeg(grey, mode, progressive=True)
    starts = [k for k in range(len(data) - 1) if data[k : k + 2] == b"\xff\xda"]
    assert len(starts) > 4

    for start in starts[1:]:
        tables = data.rfind(b"\xff\xc4", start - 300, start)
        with pytest.raises(Truncated):
            read_radiograph(data[: tables if tables > starts[0] else start])


@pytest.mark.parametrize("tail", [b"\0" * 7, b"notes of a program" * 500])
def test_what_follows_a_jpeg_does_no_harm(grey, tail):
    data = jpeg(grey, "L")

    assert np.array_equal(read_radiograph(data + tail).pixels, read_radiograph(data).pixels)


@pytest.mark.parametrize("kind", ["u1", "u2"])
def test_a_png_that_lacks_only_its_end_is_read(grey, kind):
    file = BytesIO()
    Image.fromarray(grey.astype(kind)).save(file, "PNG")

    radiograph = read_radiograph(file.getvalue()[:-12])

    assert np.array_equal(radiograph.pixels, read_radiograph(file.getvalue()).pixels)
    assert radiograph.warnings == MARKED


# TIFF

PA, LATERAL = 0, 1


@pytest.fixture(scope="module")
def pictures(grey):
    """The picture that should be read, and another."""
    return grey, np.ascontiguousarray(255 - grey[::-1])


def thumb(pixels):
    return np.ascontiguousarray(pixels[::3, ::3])


def tiff(*pages, **how) -> bytes:
    """Pages as (pixels, options of tifffile's `write`)."""
    file = BytesIO()
    with tifffile.TiffWriter(file, **how) as writer:
        for pixels, options in pages:
            writer.write(pixels, **{"photometric": "minisblack", "metadata": None} | options)
    return file.getvalue()


def page_sets(right, other):
    small = thumb(other)
    old = {"extratags": [(255, "H", 1, 2, True)]}
    small_marked = (small, {"subfiletype": 1})
    return {
        "one": ([(right, {})], ()),
        "a marked thumbnail first": (
            [small_marked, (right, {})],
            ("page_chosen:2",),
        ),
        "marked by the old tag": ([(small, old), (right, {})], ("page_chosen:2",)),
        "a mask first": (
            [(other > 99, {"subfiletype": 4, "photometric": "mask"}), (right, {})],
            ("page_chosen:2",),
        ),
        "an unmarked copy first": ([(thumb(right), {}), (right, {})], ("page_chosen:2",)),
        "a pyramid from its smallest page": (
            [(thumb(small), {}), (small, {}), (right, {})],
            ("page_chosen:3",),
        ),
        "a tiny page of other proportions first": (
            [(other[::5, ::8], {}), (right, {})],
            ("page_chosen:2",),
        ),
        "two thumbnails first": (
            [small_marked] * 2 + [(right, {})],
            ("page_chosen:3",),
        ),
        "a thumbnail last": ([(right, {}), small_marked], ("first_of_pages:2",)),
        "different pages": ([(right, {}), (other, {})], ("first_of_pages:2",)),
        "pages of other proportions": (
            [(right, {}), (np.tile(other, (2, 4)), {})],
            ("first_of_pages:2",),
        ),
        "nothing but thumbnails": ([(right, {"subfiletype": 1})], ()),
        "a pyramid below the first": (
            [(right, {"subifds": 1}), small_marked],
            (),
        ),
        "the image below a thumbnail": (
            [(small, {"subfiletype": 1, "subifds": 1}), (right, {})],
            ("page_chosen:1.1",),
        ),
    }


PAGE_SETS = list(page_sets(np.zeros((3, 3)), np.zeros((3, 3))))


@pytest.mark.parametrize("how", [{}, {"bigtiff": True}, {"byteorder": ">"}])
@pytest.mark.parametrize("name", PAGE_SETS)
def test_the_page_in_full_resolution_is_read(pictures, name, how):
    pages, warnings = page_sets(*pictures)[name]

    radiograph = read_radiograph(tiff(*pages, **how))

    assert np.array_equal(radiograph.pixels, pictures[0])
    assert radiograph.warnings == warnings
    assert (radiograph.instance.rows, radiograph.instance.columns) == pictures[0].shape


def test_a_copy_of_half_the_size_is_not_taken_however_large_it_is(pictures):
    right, other = pictures
    large, half = np.tile(right, (6, 6)), np.tile(other, (3, 3))
    assert min(half.shape) > 512

    radiograph = read_radiograph(tiff((half, {}), (large, {})))

    assert np.array_equal(radiograph.pixels, large)


# Large PNG files


@pytest.fixture(scope="module")
def large_png():
    """Noise of 20,000 x 20,000, 64 bytes of which repeat, so that it is written soon."""
    noise = np.random.default_rng(0).integers(0, 256, (20_000, 500), dtype=np.uint8)
    file = BytesIO()
    Image.fromarray(np.tile(noise, (1, 40))).save(file, "PNG", compress_level=1)
    return file.getvalue()


@pytest.mark.slow
def test_a_png_of_400_million_pixels_is_read(large_png):
    """Below the limit of 1 GiB, which Pillow's own of 179 million pixels must not undercut."""
    tracemalloc.start()
    radiograph = open_image(large_png).decode_square(256)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert radiograph.pixels.shape == (256, 256)
    assert not radiograph.is_constant
    assert peak < 1.3 * 400_000_000


@pytest.mark.slow
def test_a_png_beyond_the_limit_is_refused_with_the_numbers(large_png):
    options = ReadOptions(limits=Limits(max_pixel_bytes=399_999_999))

    with pytest.raises(TooLarge, match="400,000,000 bytes, and 399,999,999 are allowed"):
        open_image(large_png, options)
