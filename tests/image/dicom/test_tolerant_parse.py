"""Elements whose letters, lengths or delimiters are broken, in a file that is otherwise whole."""

import struct

import numpy as np
import pytest

from cxrview.errors import CorruptHeader, NoPixelData, Truncated
from cxrview.image import open_image, read_radiograph

EXPLICIT, BIG = "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2"
IMPLICIT = "1.2.840.10008.1.2"
LETTERS = [
    b"??",
    b"  ",
    b"\0\0",
    b"us",
    b"lo",
    b"ob",
    b"12",
    b"OX",
    b"UK",
    b"ZZ",
    b"\xff\xff",
    b"U\0",
]
ROWS, PATIENT, PIXELS, SYNTAX = 0x00280010, 0x00100020, 0x7FE00010, 0x00020010


def tag_bytes(tag: int, order: str = "<") -> bytes:
    return struct.pack(f"{order}HH", tag >> 16, tag & 0xFFFF)


def with_letters(data: bytes, tag: int, letters: bytes, order: str = "<") -> bytes:
    at = data.index(tag_bytes(tag, order)) + 4
    return data[:at] + letters + data[at + 2 :]


def before(data: bytes, tag: int, *elements: bytes) -> bytes:
    at = data.index(tag_bytes(tag))
    return data[:at] + b"".join(elements) + data[at:]


def short(tag: int, letters: bytes, value: bytes, order: str = "<") -> bytes:
    return tag_bytes(tag, order) + letters + struct.pack(f"{order}H", len(value)) + value


def long(tag: int, letters: bytes, value: bytes, order: str = "<") -> bytes:
    return tag_bytes(tag, order) + letters + b"\0\0" + struct.pack(f"{order}I", len(value)) + value


def implicit(tag: int, value: bytes, order: str = "<") -> bytes:
    return tag_bytes(tag, order) + struct.pack(f"{order}I", len(value)) + value


FORMS = {
    "short": short,
    "long": long,
    "implicit": lambda tag, _letters, value: implicit(tag, value),
}
VALUES = {"empty": b"", "two": b"ab", "text": b"some text " * 3, "1 KiB": bytes(range(256)) * 4}
TAGS = {
    "known": 0x00181000,
    "private": 0x00291010,
    "before the pixels": 0x70011010,
    "group length": 0x00280000,
}


@pytest.fixture(scope="module")
def sound(kit):
    return read_radiograph(kit.build())


def assert_read(data: bytes, sound, *warnings: str):
    radiograph = read_radiograph(data)

    assert np.array_equal(radiograph.pixels, sound.pixels)
    assert radiograph.warnings == warnings
    assert radiograph.instance.modality == "CR"
    assert radiograph.instance.header_view_position == "PA"


@pytest.mark.parametrize("value", VALUES)
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("where", TAGS)
@pytest.mark.parametrize("letters", LETTERS)
def test_an_element_with_invalid_letters_is_passed_over(kit, sound, letters, where, form, value):
    tag = TAGS[where]
    behind = next(t for t in (0x00185101, 0x00280002, PIXELS) if t > tag)
    broken = FORMS[form](tag, letters, VALUES[value])

    assert_read(before(kit.build(), behind, broken), sound, "odd_vr")


@pytest.mark.parametrize("tag", [0x00080016, 0x00080060, PATIENT, 0x00280004, ROWS, 0x00280103])
@pytest.mark.parametrize("letters", LETTERS)
def test_a_value_behind_invalid_letters_is_used(kit, sound, letters, tag):
    assert_read(with_letters(kit.build(), tag, letters), sound, "odd_vr")


@pytest.mark.parametrize("tag", [0x00080016, PATIENT, ROWS, 0x00280103])
@pytest.mark.parametrize("letters", LETTERS)
def test_a_value_behind_invalid_letters_is_used_in_big_endian(kit, sound, letters, tag):
    assert_read(with_letters(kit.build(syntax=BIG), tag, letters, ">"), sound, "odd_vr")


@pytest.mark.parametrize("letters", LETTERS)
def test_invalid_letters_of_the_transfer_syntax(kit, sound, letters):
    assert_read(with_letters(kit.build(), SYNTAX, letters), sound, "odd_vr")
    assert_read(with_letters(kit.build(), 0x00020000, letters), sound, "odd_vr")


@pytest.mark.parametrize("syntax", [EXPLICIT, BIG, "1.2.840.10008.1.2.4.90"])
@pytest.mark.parametrize("letters", LETTERS)
def test_invalid_letters_of_the_pixels(kit, letters, syntax):
    data = kit.build(kit.chest, syntax, BitsStored=12, HighBit=11)
    order = ">" if syntax == BIG else "<"

    radiograph = read_radiograph(with_letters(data, PIXELS, letters, order))

    assert np.array_equal(radiograph.pixels, read_radiograph(data).pixels)


def test_all_letters_invalid(kit, sound):
    data = kit.build()
    for tag in list(open_tags(data)):
        data = with_letters(data, tag, b"??")

    assert_read(data, sound, "odd_vr")


def open_tags(data: bytes):
    from io import BytesIO

    from pydicom import dcmread

    return [int(e.tag) for e in dcmread(BytesIO(data)) if e.tag != PIXELS]


@pytest.mark.parametrize("is_defined", [True, False])
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("letters", LETTERS)
def test_invalid_letters_within_a_sequence(kit, sound, letters, form, is_defined):
    inside = FORMS[form](0x00080060, letters, b"XY")
    inside += short(0x00080100, b"SH", b"R-10206 ") + short(0x00080102, b"SH", b"SRT ")
    data = before(kit.build(), PIXELS, sequence(0x00540220, inside, is_defined=is_defined))

    radiograph = read_radiograph(data)

    assert np.array_equal(radiograph.pixels, sound.pixels)
    assert radiograph.instance.header_view_code == "R-10206^SRT"


def sequence(tag: int, inside: bytes, *, is_defined: bool) -> bytes:
    item = b"\xfe\xff\x00\xe0"
    if is_defined:
        return long(tag, b"SQ", item + struct.pack("<I", len(inside)) + inside)
    item += b"\xff" * 4 + inside + b"\xfe\xff\x0d\xe0" + bytes(4)
    return tag_bytes(tag) + b"SQ\0\0" + b"\xff" * 4 + item + b"\xfe\xff\xdd\xe0" + bytes(4)


@pytest.mark.parametrize("is_defined", [True, False])
@pytest.mark.parametrize("letters", LETTERS)
def test_a_sequence_with_invalid_letters(kit, sound, letters, is_defined):
    inside = short(0x00080100, b"SH", b"R-10206 ") + short(0x00080102, b"SH", b"SRT ")
    broken = sequence(0x00540220, inside, is_defined=is_defined).replace(b"SQ", letters, 1)

    radiograph = read_radiograph(before(kit.build(), PIXELS, broken))

    assert np.array_equal(radiograph.pixels, sound.pixels)
    assert radiograph.instance.header_view_code == "R-10206^SRT"
    assert "odd_vr" in radiograph.warnings


def test_an_explicit_element_within_an_implicit_data_set(kit, sound):
    data = before(kit.build(syntax=IMPLICIT), ROWS, short(0x00280009, b"AT", bytes(4)))

    assert np.array_equal(read_radiograph(data).pixels, sound.pixels)


ODD = {
    "tags out of order": (short(0x00080070, b"LO", b"maker "), ()),
    "an item delimiter of no sequence": (b"\xfe\xff\x0d\xe0" + bytes(4), ("odd_sequence",)),
    "a sequence delimiter of no sequence": (b"\xfe\xff\xdd\xe0" + bytes(4), ("odd_sequence",)),
    "an odd length": (short(0x70011010, b"LO", b"abc"), ()),
    "a wrong group length": (short(0x70010000, b"UL", b"\xff" * 4), ()),
    "a length beyond the file": (
        tag_bytes(0x70011010) + b"LO\xff\xffabcd",
        ("odd_length",),
    ),
    "a length of 4 GiB": (
        tag_bytes(0x70011010) + b"UT\0\0\xf0\xff\xff\xffabcd",
        ("odd_length",),
    ),
    "a length that is too short": (
        tag_bytes(0x70011010) + b"LO\2\0abcdefgh",
        ("odd_length",),
    ),
    "an item without delimiter": (
        sequence(0x70011010, short(0x00080100, b"SH", b"x "), is_defined=False).replace(
            b"\xfe\xff\x0d\xe0" + bytes(4), b""
        ),
        ("odd_sequence",),
    ),
    "nonsense within a sequence": (
        sequence(0x70011010, b"\x01" * 40, is_defined=False),
        ("odd_sequence",),
    ),
}


@pytest.mark.parametrize("name", ODD)
def test_an_odd_element_does_not_hide_the_pixels(kit, sound, name):
    element, warnings = ODD[name]

    radiograph = read_radiograph(before(kit.build(), PIXELS, element))

    assert np.array_equal(radiograph.pixels, sound.pixels)
    assert set(radiograph.warnings) <= set(warnings)


def test_what_cannot_be_read_is_named_and_not_quoted(kit):
    """A sequence that reaches beyond the file, and pixels behind it."""
    broken = tag_bytes(0x00321064) + b"SQ\0\0\xf0\xff\xff\xff" + b"Secret^Name" * 30
    data = before(kit.build(), PIXELS, broken)

    with pytest.raises(CorruptHeader, match=r"\(0032,1064\)") as caught:
        read_radiograph(data)

    assert "Secret" not in str(caught.value)
    assert open_image(data).instance.modality == "CR"


@pytest.mark.parametrize("end", range(-40, 0))
def test_a_file_cut_round_the_head_of_its_pixels_is_truncated(kit, end):
    data = kit.build()
    at = data.index(tag_bytes(PIXELS))

    with pytest.raises((Truncated, NoPixelData)) as caught:
        read_radiograph(data[: at + 20 + end])

    # Between two elements, nothing tells that a third should follow.
    assert isinstance(caught.value, Truncated) or ends_between(data, at + 20 + end)


def ends_between(data: bytes, end: int) -> bool:
    return end in (data.index(tag_bytes(tag)) for tag in (0x00280103, 0x00280102, PIXELS))


@pytest.mark.parametrize("letters", [b"??", b"\0\0", b"lo"])
def test_a_file_with_invalid_letters_that_is_cut_is_truncated(kit, letters):
    data = with_letters(kit.build(), PATIENT, letters)

    for share in (0.2, 0.5, 0.9):
        with pytest.raises(Truncated):
            read_radiograph(data[: int(len(data) * share)])


def test_pixels_of_a_nested_icon_are_never_taken_for_the_image(kit):
    icon = short(0x00280010, b"US", b"\x02\0") + long(PIXELS, b"OW", bytes(200))
    data = before(kit.build(), PIXELS, sequence(0x00880200, icon, is_defined=True))
    at = data.index(tag_bytes(0x00880200)) + 12 + len(icon) // 2

    with pytest.raises(Truncated):
        read_radiograph(data[:at])
