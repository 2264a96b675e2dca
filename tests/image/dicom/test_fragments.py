"""Each way in which the fragments of compressed pixels can end, or be cut up wrongly."""

import struct

import jpeg_ls
import numpy as np
import pytest
from pydicom.encaps import encapsulate

from cxrview.errors import CorruptPixels, Truncated, UnreadableImage
from cxrview.image import open_image, read_radiograph

J2K, LOSSLESS, RLE = "1.2.840.10008.1.2.4.90", "1.2.840.10008.1.2.4.70", "1.2.840.10008.1.2.5"
JPEGLS, HTJ2K = "1.2.840.10008.1.2.4.80", "1.2.840.10008.1.2.4.201"
SYNTAXES = {"J2K": J2K, "lossless": LOSSLESS, "JPEG-LS": JPEGLS, "HTJ2K": HTJ2K, "RLE": RLE}
END = b"\xfe\xff\xdd\xe0\0\0\0\0"
ODD = ("odd_fragments",)


def item(data: bytes, length: int | None = None) -> bytes:
    return b"\xfe\xff\x00\xe0" + struct.pack("<I", len(data) if length is None else length) + data


def even(stream: bytes) -> bytes:
    return stream + b"\0" * (len(stream) % 2)


def pieces(stream: bytes, count: int = 3) -> list[bytes]:
    stream, size = even(stream), (len(stream) // count + 2) // 2 * 2
    return [stream[k : k + size] for k in range(0, len(stream), size)]


def in_file(kit, syntax: str, value: bytes, *, frames: int = 1, **attributes) -> bytes:
    """A file that ends with this value of its pixel element, of undefined length."""
    ds = kit.dataset(kit.chest, BitsStored=12, HighBit=11, **attributes)
    if frames > 1:
        ds.NumberOfFrames = frames
    ds.PixelData = b"\0\0"
    ds["PixelData"].VR = "OB"
    head = kit.to_bytes(ds, "1.2.840.10008.1.2.1").replace(
        b"UI\x14\x001.2.840.10008.1.2.1\0", uid(syntax)
    )
    at = head.index(b"\xe0\x7f\x10\0")
    return head[:at] + b"\xe0\x7f\x10\0OB\0\0\xff\xff\xff\xff" + value


def uid(syntax: str) -> bytes:
    text = syntax.encode() + b"\0" * (len(syntax) % 2)
    return b"UI" + struct.pack("<H", len(text)) + text


@pytest.fixture(scope="module")
def sound(kit):
    return read_radiograph(kit.build(kit.chest, J2K, BitsStored=12, HighBit=11)).pixels


ENDS: dict[str, tuple[bytes, tuple[str, ...]]] = {
    "a delimiter": (END, ()),
    "nothing": (b"", ()),
    **{f"{n} zeros": (bytes(n), ()) for n in (1, 2, 4, 7, 8, 12, 16, 31, 32, 512)},
    **{f"{n} bytes of the delimiter": (END[:n], ()) for n in range(1, 8)},
    "padding behind the delimiter": (END + bytes(100), ()),
    "a delimiter with a length": (END[:4] + b"\x10\0\0\0", ()),
    "a delimiter the other way round": (b"\xff\xfe\xe0\xdd\0\0\0\0", ODD),
    "noise": (np.random.default_rng(3).bytes(300), ODD),
    "text": (b"end of the image", ODD),
    "elements": (b"\xfc\xff\xfc\xffOB\0\0\x04\0\0\0\0\0\0\0", ODD),
}


@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("name", SYNTAXES)
def test_a_whole_frame_is_read_whatever_follows_it(kit, sound, name, end, count):
    tail, warnings = ENDS[end]
    stream = kit.encode(kit.chest, SYNTAXES[name], 12)
    value = item(b"") + b"".join(map(item, pieces(stream, count))) + tail

    radiograph = read_radiograph(in_file(kit, SYNTAXES[name], value))

    assert np.array_equal(radiograph.pixels, sound)
    assert radiograph.warnings == warnings


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
@pytest.mark.parametrize("name", SYNTAXES)
def test_a_part_of_a_frame_is_refused_whatever_follows_it(kit, name, end, share):
    stream = kit.encode(kit.chest, SYNTAXES[name], 12)
    value = item(b"") + item(even(stream[: int(len(stream) * share)])) + ENDS[end][0]

    with pytest.raises((Truncated, CorruptPixels)) as caught:
        read_radiograph(in_file(kit, SYNTAXES[name], value))

    if end in ("noise", "text", "elements"):
        assert isinstance(caught.value, CorruptPixels)
    elif name != "RLE" or end == "nothing":
        assert isinstance(caught.value, Truncated)


@pytest.mark.parametrize("off", [-7, -2, -1, 1, 2, 3, 4, 6, 100, 0x0FFFFFFF, 0xF0000000])
@pytest.mark.parametrize("which", [0, 1, 2])
@pytest.mark.parametrize("name", SYNTAXES)
def test_a_fragment_of_wrong_length_is_read(kit, sound, name, which, off):
    parts = pieces(kit.encode(kit.chest, SYNTAXES[name], 12))
    items = [item(p, len(p) + off if k == which else None) for k, p in enumerate(parts)]

    radiograph = read_radiograph(in_file(kit, SYNTAXES[name], item(b"") + b"".join(items) + END))

    assert np.array_equal(radiograph.pixels, sound)
    assert radiograph.warnings == ODD


@pytest.mark.parametrize("name", SYNTAXES)
def test_a_fragment_of_undefined_length_is_read(kit, sound, name):
    stream = even(kit.encode(kit.chest, SYNTAXES[name], 12))

    radiograph = read_radiograph(
        in_file(kit, SYNTAXES[name], item(b"") + item(stream, 0xFFFFFFFF) + END)
    )

    assert np.array_equal(radiograph.pixels, sound)
    assert radiograph.warnings == ODD


HEADS = {
    "no offset table": lambda s: item(s) + END,
    "no offset table, two fragments": lambda s: item(s[:600]) + item(s[600:]) + END,
    "no item round the codestream": lambda s: item(b"") + s + END,
    "nothing but the codestream": lambda s: s,
    "nothing but the codestream, and a delimiter": lambda s: s + END,
    "the head of an item overwritten": lambda s: item(b"") + b"x" * 8 + s + END,
}


@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize("name", ["J2K", "lossless", "JPEG-LS", "HTJ2K"])
def test_a_codestream_without_its_items_is_read(kit, sound, name, head):
    stream = even(kit.encode(kit.chest, SYNTAXES[name], 12))

    radiograph = read_radiograph(in_file(kit, SYNTAXES[name], HEADS[head](stream)))

    assert np.array_equal(radiograph.pixels, sound)
    assert radiograph.warnings == ODD


@pytest.mark.parametrize("seed", [16, 19, 57, 0, 1])  # the first three end in a byte of 0
def test_jpegls_without_its_end_is_read_whatever_its_last_byte(kit, seed):
    noise = np.random.default_rng(seed).normal(2000, 30, (40, 40)).cumsum(1)
    pixels = (noise % 4096).astype(np.uint16)
    stream = bytes(jpeg_ls.encode_buffer(pixels.tobytes(), 40, 40, 1, 12))

    def in_dicom(data: bytes) -> bytes:
        ds = kit.dataset(pixels, BitsStored=12, HighBit=11)
        ds.PixelData = encapsulate([even(data)])
        ds["PixelData"].VR = "OB"
        return kit.to_bytes(ds, JPEGLS)

    found = read_radiograph(in_dicom(stream[:-2])).pixels

    assert np.array_equal(found, read_radiograph(in_dicom(stream)).pixels)


def test_rle_without_offset_table_is_read(kit, sound):
    stream = even(kit.encode(kit.chest, RLE, 12))

    assert np.array_equal(read_radiograph(in_file(kit, RLE, item(stream) + END)).pixels, sound)


TABLES = {
    "empty": b"",
    "right": None,
    "zeros": bytes(12),
    "beyond the file": b"\xff" * 12,
    "too short": bytes(4),
    "odd": bytes(7),
}


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("name", SYNTAXES)
def test_the_first_of_several_frames_is_read(kit, sound, name, table):
    streams = [even(kit.encode(f, SYNTAXES[name], 12)) for f in (kit.chest, kit.chest[::-1])] * 2
    offsets = np.cumsum([0, *(8 + len(s) for s in streams[:-1])]).astype("<u4").tobytes()
    start = item(offsets if TABLES[table] is None else TABLES[table])
    value = start + b"".join(map(item, streams))

    for end in (END, b"", bytes(16), END[:5]):
        radiograph = read_radiograph(in_file(kit, SYNTAXES[name], value + end, frames=4))

        assert np.array_equal(radiograph.pixels, sound)
    cut = read_radiograph(in_file(kit, SYNTAXES[name], value[:-200], frames=4))

    assert np.array_equal(cut.pixels, sound)
    assert "odd_fragments" in cut.warnings


@pytest.mark.parametrize("name", SYNTAXES)
def test_a_file_cut_anywhere_in_its_frame_is_truncated(kit, sound, name):
    """Every 50th byte: never another picture, never another reason."""
    data = in_file(
        kit,
        SYNTAXES[name],
        item(b"") + b"".join(map(item, pieces(kit.encode(kit.chest, SYNTAXES[name], 12)))) + END,
    )
    start = data.index(b"\xe0\x7f\x10\0OB") + 12

    for end in range(start + 1, len(data), 50):
        try:
            pixels = read_radiograph(data[:end]).pixels
        except Truncated:
            continue
        assert np.array_equal(pixels, sound), end


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("name", ["J2K", "JPEG-LS", "HTJ2K"])
def test_damage_in_the_middle_is_never_called_truncated(kit, name, seed):
    """The head and the last bytes are there, so nothing is missing."""
    stream = bytearray(even(kit.encode(kit.chest, SYNTAXES[name], 12)))
    rng = np.random.default_rng(seed)
    stream[2000 : 2000 + 40] = rng.bytes(40)

    try:
        read_radiograph(in_file(kit, SYNTAXES[name], item(b"") + item(bytes(stream)) + END))
    except UnreadableImage as error:
        assert error.code == "corrupt_pixels"


@pytest.mark.parametrize("name", SYNTAXES)
def test_zeros_in_place_of_the_second_half_are_not_decoded(kit, name):
    """As in a file of which room was made for all and a part was written."""
    stream = kit.encode(kit.chest, SYNTAXES[name], 12)
    data = in_file(kit, SYNTAXES[name], item(b"") + item(even(stream)) + END)
    half = len(data) - len(stream) // 2

    for read in (read_radiograph, lambda d: open_image(d).decode_square(16)):
        with pytest.raises((Truncated, CorruptPixels)):
            read(data[:half] + bytes(len(data) - half))


def test_an_end_marker_too_early_in_a_lossy_jpeg_does_not_invent_rows(kit):
    pixels = (kit.chest >> 4).astype(np.uint8)
    ds = kit.dataset(pixels)
    stream = kit.encode(pixels, "1.2.840.10008.1.2.4.50", 8)
    ds.PixelData = encapsulate([stream[: len(stream) // 2] + b"\xff\xd9"])
    ds["PixelData"].VR = "OB"

    with pytest.raises(Truncated):
        read_radiograph(kit.to_bytes(ds, "1.2.840.10008.1.2.4.50"))
