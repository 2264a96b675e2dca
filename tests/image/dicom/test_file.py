import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from cxrview.errors import CorruptHeader, TooLarge
from cxrview.image import ReadOptions, open_image, read_radiograph
from cxrview.image.dicom import palette
from cxrview.image.window import minmax_to_uint8
from cxrview.terms import View

EXACT = ReadOptions(exact=True)
NATIVE = {
    "implicit": "1.2.840.10008.1.2",
    "explicit": "1.2.840.10008.1.2.1",
    "big endian": "1.2.840.10008.1.2.2",
    "deflated": "1.2.840.10008.1.2.1.99",
}


def grey(data: bytes, options: ReadOptions | None = None) -> np.ndarray:
    return read_radiograph(data, options).pixels


def windowed(values: np.ndarray, **how) -> np.ndarray:
    return minmax_to_uint8(values, **how)[0]


@pytest.mark.parametrize("syntax", NATIVE.values(), ids=NATIVE)
@pytest.mark.parametrize("dtype", ["u1", "i1", "u2", "i2", "u4", "i4"])
def test_native_pixels_of_any_depth_and_order(chest, make_dicom, syntax, dtype):
    bits = min(12, np.iinfo(dtype).bits)
    pixels = (chest.astype("i4") >> (12 - bits)).astype("i8") + min(0, np.iinfo(dtype).min // 2)
    pixels = np.clip(pixels, np.iinfo(dtype).min, np.iinfo(dtype).max).astype(dtype)

    assert np.array_equal(grey(make_dicom(pixels, syntax)), windowed(pixels))


@pytest.mark.parametrize("shape", [(7, 5), (1, 1), (1, 9), (8, 8), (3, 11)])
@pytest.mark.parametrize("syntax", NATIVE.values(), ids=NATIVE)
def test_odd_sizes_of_8_and_1_bit(make_dataset, make_bytes, syntax, shape):
    rng = np.random.default_rng(1)
    pixels = rng.integers(0, 256, shape, np.uint8)
    ds = make_dataset(pixels)
    order = ">" if syntax.endswith("1.2.2") else "<"
    raw = pixels.tobytes()
    raw += b"\0" * (len(raw) % 2)
    ds.PixelData = raw if order == "<" else np.frombuffer(raw, "<u2").astype(">u2").tobytes()
    ds["PixelData"].VR = "OW"

    assert np.array_equal(grey(make_bytes(ds, syntax)), windowed(pixels))

    ones = pixels > 127
    packed = np.packbits(ones, bitorder="little").tobytes()
    packed += b"\0" * (len(packed) % 2)
    ds = make_dataset(pixels, BitsAllocated=1, BitsStored=1, HighBit=0)
    ds.PixelData = packed
    ds["PixelData"].VR = "OB"

    assert np.array_equal(grey(make_bytes(ds, syntax)), windowed(ones.astype(np.uint8)))


@pytest.mark.parametrize("name", ["FloatPixelData", "DoubleFloatPixelData"])
def test_floating_pixels_with_holes(chest, make_dataset, make_bytes, name):
    values = chest.astype("f4" if name == "FloatPixelData" else "f8")
    values[0, :3] = [np.nan, np.inf, -np.inf]
    ds = make_dataset(values, BitsStored=None, HighBit=None, PixelRepresentation=None)
    setattr(ds, name, values.tobytes())

    out = grey(make_bytes(ds))

    assert np.array_equal(out, windowed(values))
    assert (out[0, :3] == 0).all()


def test_bits_above_the_stored_ones_are_masked(chest, make_dicom):
    """Old scanners kept overlays there."""
    pixels = chest | np.uint16(0xA000)

    assert np.array_equal(grey(make_dicom(pixels, BitsStored=12, HighBit=11)), windowed(chest))


def test_stored_bits_may_lie_high(chest, make_dicom):
    assert np.array_equal(grey(make_dicom(chest << 4, BitsStored=12, HighBit=15)), windowed(chest))


def test_a_wrong_high_bit_is_corrected_and_told(chest, make_dicom):
    radiograph = read_radiograph(make_dicom(chest, BitsStored=12, HighBit=0))

    assert np.array_equal(radiograph.pixels, windowed(chest))
    assert radiograph.warnings == ("odd_high_bit",)


def test_a_missing_sign_means_none_and_is_told(chest, make_dicom):
    radiograph = read_radiograph(make_dicom(chest, PixelRepresentation=None))

    assert np.array_equal(radiograph.pixels, windowed(chest))
    assert radiograph.warnings == ("odd_pixel_representation",)


@pytest.mark.parametrize(
    ("photometric", "shape", "is_inverse", "warnings"),
    [
        ("MONOCHROME1", None, True, ()),
        ("MONOCHROME2", None, False, ()),
        ("MONOCHROME1", "INVERSE", True, ()),
        ("MONOCHROME2", "IDENTITY", False, ()),
        ("MONOCHROME1", "IDENTITY", False, ("odd_polarity",)),
        ("MONOCHROME2", "INVERSE", True, ("odd_polarity",)),
    ],
)
def test_bone_is_bright(chest, make_dicom, photometric, shape, is_inverse, warnings):
    more = {"PresentationLUTShape": shape} if shape else {}
    radiograph = read_radiograph(make_dicom(chest, PhotometricInterpretation=photometric, **more))

    assert np.array_equal(radiograph.pixels, windowed(chest, is_inverse=is_inverse))
    assert radiograph.warnings == warnings


def test_padding_is_black_and_counts_only_if_exact(chest, make_dicom):
    pixels = chest.astype(np.int16)
    pixels[:10] = -2000
    data = make_dicom(pixels, PixelPaddingValue=-2000)

    assert np.array_equal(grey(data, EXACT), windowed(pixels))
    assert (grey(data)[:10] == 0).all()
    assert np.array_equal(grey(data)[10:], windowed(pixels[10:]))


def test_padding_of_the_wrong_sign_is_understood(chest, make_dataset, make_bytes):
    pixels = chest.astype(np.int16)
    pixels[:10] = -2000
    ds = make_dataset(pixels)
    ds.add_new(0x00280120, "LO", (63536).to_bytes(2, "little").decode("latin-1"))
    ds.PixelData = pixels.tobytes()
    ds["PixelData"].VR = "OW"
    data = make_bytes(ds).replace(b"\x28\0\x20\1LO", b"\x28\0\x20\1US")

    assert np.array_equal(grey(data)[10:], windowed(pixels[10:]))


def test_padding_up_to_a_limit(chest, make_dicom):
    data = make_dicom(chest, PixelPaddingValue=0, PixelPaddingRangeLimit=1000)

    assert np.array_equal(grey(data), windowed(chest, padding=chest <= 1000))


def test_a_negative_slope_inverts(chest, make_dicom):
    data = make_dicom(chest, RescaleSlope="-10", RescaleIntercept="5")

    assert np.array_equal(grey(data), windowed(chest.astype(np.int64) * -10))


@pytest.mark.parametrize("slope", ["0", "", "nonsense", "nan", "1e999"])
def test_a_slope_without_sense_is_ignored(chest, make_dataset, make_bytes, slope):
    ds = make_dataset(chest, RescaleIntercept="5")
    ds.add_new(0x00281053, "LO", slope)
    ds.PixelData = chest.tobytes()
    ds["PixelData"].VR = "OW"

    assert np.array_equal(grey(make_bytes(ds)), windowed(chest))


@pytest.mark.parametrize("options", [None, EXACT])
def test_a_small_slope_does_not_lose_the_image(chest, make_dicom, options):
    """DCMTK cuts to whole numbers, and nothing would be left."""
    data = make_dicom(chest, RescaleSlope="0.0001", RescaleIntercept="0")

    assert np.abs(grey(data, options).astype(int) - windowed(chest)).max() <= 1


@pytest.mark.parametrize("first", [0, 1000])
def test_a_modality_table_is_looked_up(chest, make_dicom, first):
    table = np.linspace(60000, 100, 2000).astype(np.uint16)
    item = Dataset()
    item.LUTDescriptor = [len(table), first, 16]
    item.LUTData = table.tobytes()
    item["LUTData"].VR = "OW"

    data = make_dicom(chest, ModalityLUTSequence=Sequence([item]))

    expected = table[np.clip(chest.astype(int) - first, 0, 1999)]
    assert np.array_equal(grey(data), windowed(expected))


def test_several_frames_give_the_first_and_say_so(chest, make_dicom):
    frames = np.stack([chest, chest[::-1], chest[:, ::-1]])
    for syntax in (NATIVE["explicit"], "1.2.840.10008.1.2.4.80", "1.2.840.10008.1.2.5"):
        radiograph = read_radiograph(make_dicom(frames, syntax, BitsStored=12, HighBit=11))

        assert np.array_equal(radiograph.pixels, windowed(chest))
        assert radiograph.warnings == ("first_of_frames:3",)
        assert radiograph.instance.frames == 3


@pytest.mark.parametrize("planar", [0, 1])
def test_a_colour_screenshot_becomes_its_luma(make_dataset, make_bytes, planar):
    rng = np.random.default_rng(3)
    rgb = rng.integers(0, 256, (20, 30, 3), np.uint8)
    ds = make_dataset(
        rgb[..., 0],
        SamplesPerPixel=3,
        PhotometricInterpretation="RGB",
        PlanarConfiguration=planar,
    )
    ds.PixelData = (np.moveaxis(rgb, 2, 0) if planar else rgb).tobytes()
    ds["PixelData"].VR = "OB"

    expected = (rgb.astype(int) * [299, 587, 114]).sum(axis=2) // 1000
    assert np.array_equal(grey(make_bytes(ds)), windowed(expected))


@pytest.mark.parametrize("photometric", ["YBR_FULL", "YBR_FULL_422"])
def test_luma_is_taken_as_it_stands(make_dataset, make_bytes, photometric):
    luma = np.random.default_rng(4).integers(0, 256, (8, 10), np.uint8)
    colour = np.full_like(luma, 90)
    ds = make_dataset(
        luma, SamplesPerPixel=3, PhotometricInterpretation=photometric, PlanarConfiguration=0
    )
    if photometric == "YBR_FULL":
        ds.PixelData = np.stack([luma, colour, colour], axis=2).tobytes()
    else:
        pairs = luma.reshape(8, 5, 2)
        ds.PixelData = np.concatenate([pairs, np.full_like(pairs, 90)], axis=2).tobytes()
    ds["PixelData"].VR = "OB"

    assert np.array_equal(grey(make_bytes(ds)), windowed(luma))


@pytest.mark.parametrize("syntax", ["1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.90"])
def test_a_compressed_colour_picture_becomes_its_luma(make_dataset, make_bytes, syntax):
    import imagecodecs
    from pydicom.encaps import encapsulate

    y, x = np.mgrid[:40, :64]
    rgb = np.stack([x * 4, y * 6, 255 - x * 4], axis=2).astype(np.uint8)
    if syntax.endswith("50"):
        data, photometric = imagecodecs.jpeg8_encode(rgb, level=100), "YBR_FULL_422"
    else:
        data = imagecodecs.jpeg2k_encode(rgb, level=0, codecformat="j2k", reversible=True)
        photometric = "YBR_RCT"
    ds = make_dataset(
        rgb[..., 0], SamplesPerPixel=3, PhotometricInterpretation=photometric, PlanarConfiguration=0
    )
    ds.PixelData = encapsulate([data])
    ds["PixelData"].VR = "OB"

    expected = windowed((rgb.astype(int) * [299, 587, 114]).sum(axis=2) // 1000)
    assert np.abs(grey(make_bytes(ds, syntax)).astype(int) - expected).max() <= 3


def test_a_palette_is_looked_up(make_dataset, make_bytes):
    index = np.arange(256, dtype=np.uint8).reshape(16, 16)
    ramp = np.arange(256, dtype=np.uint16)[::-1] * 257
    ds = make_dataset(index, PhotometricInterpretation="PALETTE COLOR")
    for colour in ("Red", "Green", "Blue"):
        setattr(ds, f"{colour}PaletteColorLookupTableDescriptor", [256, 0, 16])
        setattr(ds, f"{colour}PaletteColorLookupTableData", ramp.tobytes())
    ds.PixelData = index.tobytes()
    ds["PixelData"].VR = "OB"

    assert np.array_equal(grey(make_bytes(ds)), windowed(index, is_inverse=True))


def with_segments(make_dataset, index: np.ndarray, segments: list[int]) -> Dataset:
    ds = make_dataset(index, PhotometricInterpretation="PALETTE COLOR")
    for colour in ("Red", "Green", "Blue"):
        setattr(ds, f"{colour}PaletteColorLookupTableDescriptor", [256, 0, 16])
        data = np.array(segments, "<u2").tobytes()
        setattr(ds, f"Segmented{colour}PaletteColorLookupTableData", data)
    ds.PixelData = index.tobytes()
    ds["PixelData"].VR = "OB"
    return ds


def test_a_palette_in_segments_is_looked_up(make_dataset, make_bytes):
    """Discrete and linear segments, and an indirect one that repeats a linear one."""
    index = np.arange(256, dtype=np.uint8).reshape(16, 16)
    ds = with_segments(make_dataset, index, [0, 1, 0, 1, 127, 127, 0, 1, 128, 1, 127, 255])

    assert np.array_equal(grey(make_bytes(ds)), windowed(index))

    repeated = with_segments(make_dataset, index % 129, [0, 1, 5, 1, 127, 132, 2, 1, 3, 0])
    assert grey(make_bytes(repeated)).max() == 255


@pytest.mark.parametrize(
    "segments",
    [
        [0, 1, 0, *[1, 65_535, 9, 1, 65_535, 0] * 40],  # linear ones
        [0, 1, 0, 1, 60_000, 9, *[2, 2, 0, 0] * 40],  # that repeat both
    ],
)
def test_a_palette_of_more_entries_than_pixels_tell_apart_is_not_expanded(
    make_dataset, make_bytes, monkeypatch, segments
):
    monkeypatch.setattr(palette, "apply_color_lut", lambda *_: pytest.fail("expanded"))
    ds = with_segments(make_dataset, np.zeros((16, 16), np.uint8), segments)

    with pytest.raises(TooLarge, match="palette has more than 65,536 entries"):
        grey(make_bytes(ds))


@pytest.mark.parametrize(
    "segments", [[0, 0, 0, 1, 5, 9], [7, 1, 0], [0, 1, 0, 2, 1, 3, 0, 2, 1, 3, 0]]
)
def test_a_palette_of_broken_segments_is_refused(make_dataset, make_bytes, segments):
    ds = with_segments(make_dataset, np.zeros((16, 16), np.uint8), segments)

    with pytest.raises(CorruptHeader, match="palette is missing or broken"):
        grey(make_bytes(ds))


def test_a_constant_image_is_black_and_said_to_be(make_dicom):
    for value in (0, 77):
        radiograph = read_radiograph(make_dicom(np.full((9, 9), value, np.uint16)))

        assert radiograph.is_constant
        assert not radiograph.pixels.any()


def test_the_header_is_told_without_decoding(chest, make_dicom):
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator = "399067008", "SCT"
    data = make_dicom(
        chest,
        Manufacturer="ACME",
        ManufacturerModelName="X1",
        ViewPosition="LL",
        ViewCodeSequence=Sequence([item]),
    )

    instance = open_image(data, patient_key=lambda patient: f"key of {patient}").instance

    assert instance.path == ""
    assert len(instance.content_id) == 32
    assert instance.sop_instance_uid == "1.2.3.4"
    assert instance.series_instance_uid == "1.2.3.1"
    assert instance.study_instance_uid == "1.2.3"
    assert instance.sop_class_uid == "1.2.840.10008.5.1.4.1.1.1"
    assert instance.patient_key == "key of P1"
    assert (instance.modality, instance.body_part) == ("CR", "CHEST")
    assert (instance.manufacturer, instance.manufacturer_model) == ("ACME", "X1")
    assert instance.study_year == 2013
    assert instance.photometric == "MONOCHROME2"
    assert instance.transfer_syntax == "1.2.840.10008.1.2.1"
    assert (instance.rows, instance.columns, instance.frames) == (90, 76, 1)
    assert instance.header_view_position == "LL"
    assert instance.header_view_code == "399067008^SCT"
    assert instance.header_view is View.LATERAL


def test_a_view_code_in_a_sequence_of_unknown_kind_is_read(kit):
    """Archives that did not know the element have written it as UN, implicit inside."""
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator = "399067008", "SCT"
    data = kit.build(ViewCodeSequence=Sequence([item]), syntax="1.2.840.10008.1.2")
    head = b"\x54\0\x20\x02"
    at = data.index(head)
    length = int.from_bytes(data[at + 4 : at + 8], "little")
    unknown = head + b"UN\0\0" + data[at + 4 : at + 8 + length]
    sound = kit.build()
    pixels = sound.index(b"\xe0\x7f\x10\x00")

    instance = open_image(sound[:pixels] + unknown + sound[pixels:]).instance

    assert instance.header_view_code == "399067008^SCT"


def test_no_key_is_made_of_an_empty_patient_id(make_dicom):
    data = make_dicom(PatientID="")

    assert open_image(data, patient_key=lambda patient: "never").instance.patient_key == ""


def test_an_object_without_pixels_opens(make_dataset, make_bytes):
    ds = make_dataset(None, SOPClassUID="1.2.840.10008.5.1.4.1.1.88.11", Modality="SR")

    instance = open_image(make_bytes(ds)).instance

    assert (instance.modality, instance.rows, instance.frames) == ("SR", None, None)
