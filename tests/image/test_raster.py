from io import BytesIO

import imagecodecs
import numpy as np
import pytest
import tifffile
from PIL import Image, PngImagePlugin

from cxrview.image import open_image, read_radiograph
from cxrview.image.window import minmax_to_uint8


@pytest.fixture
def grey8(chest) -> np.ndarray:
    """The chest in 8 bits that span neither black nor white."""
    return (chest >> 5).astype(np.uint8) + 20


def saved(image: Image.Image, form: str, **how) -> bytes:
    file = BytesIO()
    image.save(file, form, **how)
    return file.getvalue()


def tiff(pixels: np.ndarray, **how) -> bytes:
    file = BytesIO()
    tifffile.imwrite(file, pixels, **how)
    return file.getvalue()


def grey(data: bytes) -> np.ndarray:
    return read_radiograph(data).pixels


@pytest.mark.parametrize("form", ["PNG", "TIFF"])
def test_grey_values_of_8_bits_are_kept(grey8, form):
    assert np.array_equal(grey(saved(Image.fromarray(grey8), form)), grey8)


def test_a_grey_jpeg_is_what_its_decoder_says(grey8):
    data = saved(Image.fromarray(grey8), "JPEG", quality=95)

    assert np.abs(grey(data).astype(int) - grey8).max() <= 12


def test_equal_colours_are_that_grey(grey8):
    rgb = np.stack([grey8] * 3, axis=2)

    for data in (
        saved(Image.fromarray(rgb), "PNG"),
        tiff(rgb, photometric="rgb"),
        tiff(rgb, photometric="rgb", compression="lzw"),
        tiff(np.moveaxis(rgb, 2, 0), photometric="rgb", planarconfig="separate"),
    ):
        assert np.array_equal(grey(data), grey8)


@pytest.mark.parametrize("dtype", ["u2", "u4", "i4", "f4", "f8"])
def test_deep_equal_colours_are_windowed_as_that_grey(chest, dtype):
    pixels = (chest.astype(dtype) * 16).astype(dtype)
    if dtype == "u4":
        pixels *= np.uint32(60_000)  # sums of weighted colours need more than 32 bits

    data = tiff(np.stack([pixels] * 3, axis=2), photometric="rgb")

    assert np.abs(grey(data).astype(int) - grey(tiff(pixels))).max() <= 1


@pytest.mark.parametrize("compression", [None, "lzw", "deflate"])
def test_luma_of_a_tiff_that_is_not_converted_is_its_grey(grey8, compression):
    neutral = np.full_like(grey8, 128)
    pixels = np.stack([grey8, neutral, neutral], axis=2)

    data = tiff(pixels, photometric="ycbcr", compression=compression, subsampling=(1, 1))

    assert np.array_equal(grey(data), grey8)


@pytest.mark.parametrize("dtype", ["u2", "i2", "u4", "i4", "f4", "f8"])
def test_deep_tiff_values_are_windowed(chest, dtype):
    pixels = chest.astype(dtype)

    assert np.array_equal(grey(tiff(pixels)), minmax_to_uint8(pixels)[0])


def test_a_tiff_of_white_zero_is_inverted(chest, grey8):
    assert np.array_equal(grey(tiff(grey8, photometric="miniswhite")), 255 - grey8)
    assert np.array_equal(
        grey(tiff(chest, photometric="miniswhite")), minmax_to_uint8(chest, is_inverse=True)[0]
    )


@pytest.mark.parametrize("photometric", ["minisblack", "miniswhite"])
def test_a_tiff_of_one_bit_is_black_and_white(chest, photometric):
    data = tiff(chest > 2000, photometric=photometric)

    assert np.array_equal(grey(data), np.asarray(Image.open(BytesIO(data)).convert("L")))


@pytest.mark.parametrize("compression", ["zlib", "lzw", "packbits", "zstd", "jpeg2000"])
@pytest.mark.parametrize("tile", [None, (16, 32)])
def test_compressed_tiffs_are_read(chest, compression, tile):
    data = tiff(chest, compression=compression, tile=tile)

    assert np.array_equal(grey(data), minmax_to_uint8(chest)[0])


def test_a_16_bit_png_is_windowed(chest):
    data = saved(Image.fromarray(chest), "PNG")

    assert np.array_equal(grey(data), minmax_to_uint8(chest)[0])


def test_a_16_bit_colour_png_keeps_its_depth(chest):
    """Pillow would drop the lower byte, and most of this picture with it."""
    faint = chest >> 4
    data = imagecodecs.png_encode(np.stack([faint] * 3, axis=2))

    assert np.array_equal(grey(data), minmax_to_uint8(faint)[0])


def test_an_interlaced_png_is_read(tmp_path, grey8, program):
    import subprocess

    Image.fromarray(grey8).save(tmp_path / "a.png")
    subprocess.run(
        [program("ImageMagick"), tmp_path / "a.png", "-interlace", "PNG", tmp_path / "b.png"],
        check=True,
    )
    data = (tmp_path / "b.png").read_bytes()

    assert data[28] == 1  # the interlace method of IHDR
    assert np.array_equal(grey(data), grey8)


@pytest.mark.parametrize("mode", ["LA", "RGBA"])
def test_what_is_transparent_is_black(grey8, mode):
    image = Image.fromarray(grey8).convert(mode)
    alpha = np.full_like(grey8, 255)
    alpha[:20] = 0
    image.putalpha(Image.fromarray(alpha))

    out = grey(saved(image, "PNG"))

    assert not out[:20].any()
    assert np.array_equal(out[20:], grey8[20:])


def test_a_palette_is_looked_up(grey8):
    image = Image.fromarray(grey8).convert("P")
    image.putpalette([value for k in range(256) for value in (255 - k,) * 3])

    out = grey(saved(image, "PNG"))

    assert np.array_equal(out, 255 - np.asarray(image))


def test_cmyk_goes_by_way_of_rgb(grey8):
    rgb = Image.fromarray(grey8).convert("RGB")
    data = saved(rgb.convert("CMYK"), "JPEG", quality=98)

    assert np.abs(grey(data).astype(int) - grey8).mean() < 3


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("form", ["JPEG", "PNG", "TIFF"])
def test_a_turned_picture_is_set_upright(grey8, orientation, form):
    upright = Image.fromarray(grey8)
    back = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    turned = upright.transpose(back[orientation]) if orientation in back else upright
    exif = Image.Exif()
    exif[0x0112] = orientation
    if form == "TIFF":
        data = tiff(np.asarray(turned), extratags=[(274, 3, 1, orientation, True)])
    else:
        data = saved(turned, form, exif=exif, **({"quality": 98} if form == "JPEG" else {}))

    radiograph = read_radiograph(data)

    assert radiograph.pixels.shape == grey8.shape
    assert np.abs(radiograph.pixels.astype(int) - grey8).mean() < 3
    assert radiograph.warnings == (() if orientation == 1 else ("exif_rotated",))


def test_several_pages_give_the_first_and_say_so(grey8):
    pages = [Image.fromarray(grey8), Image.fromarray(grey8[::-1].copy())]
    for data in (
        saved(pages[0], "PNG", save_all=True, append_images=pages[1:]),
        saved(pages[0], "TIFF", save_all=True, append_images=pages[1:]),
    ):
        radiograph = read_radiograph(data)

        assert np.array_equal(radiograph.pixels, grey8)
        assert radiograph.warnings == ("first_of_pages:2",)
        assert radiograph.instance.frames == 2


def test_profiles_and_notes_change_nothing(grey8):
    from PIL import ImageCms

    notes = PngImagePlugin.PngInfo()
    notes.add_text("Comment", "x" * 1000, zip=True)
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    image = Image.fromarray(grey8).convert("RGB")

    assert np.array_equal(grey(saved(image, "PNG", pnginfo=notes, icc_profile=profile)), grey8)


def test_one_value_is_black_and_said_to_be():
    for data in (
        saved(Image.new("L", (9, 9), 77), "PNG"),
        saved(Image.new("L", (9, 9), 77), "JPEG"),
        tiff(np.full((9, 9), 7, np.uint16)),
    ):
        radiograph = read_radiograph(data)

        assert radiograph.is_constant
        assert not radiograph.pixels.any()


def test_a_picture_has_no_dicom_facts(grey8, tmp_path):
    path = tmp_path / "x.dcm"
    path.write_bytes(saved(Image.fromarray(grey8), "PNG"))

    instance = open_image(str(path)).instance

    assert (instance.rows, instance.columns, instance.frames) == (*grey8.shape, 1)
    assert instance.path == str(path)
    assert not any((instance.modality, instance.sop_class_uid, instance.transfer_syntax))
