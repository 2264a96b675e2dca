"""Every kind of broken file has its reason, and takes no more memory than a sound one."""

import os
import struct
import tracemalloc
import zlib
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image
from pydicom.encaps import encapsulate
from pydicom.sequence import Sequence

from cxrview.errors import (
    CannotOpen,
    CorruptHeader,
    CorruptPixels,
    EmptyFile,
    NestedTooDeep,
    NoPixelData,
    NotAFile,
    NotAnImage,
    TooLarge,
    Truncated,
    UnreadableImage,
    Unsupported,
)
from cxrview.image import Limits, ReadOptions, open_image, read_radiograph
from cxrview.records.classification import Radiograph

Kit = SimpleNamespace
Builder = Callable[[Kit], bytes]
Read = Callable[..., Radiograph]

EXPLICIT = "1.2.840.10008.1.2.1"
DEFLATED = "1.2.840.10008.1.2.1.99"
J2K = "1.2.840.10008.1.2.4.90"
MEBIBYTE = 1 << 20

READERS: dict[str, Read] = {
    "full": read_radiograph,
    # A square so small that even the small drawn chest is decoded at half its resolution.
    "fast": lambda data, options=None: open_image(data, options).decode_square(16),
}


@pytest.fixture(params=READERS)
def read(request) -> Read:
    """Both readers, which must say the same of what is broken."""
    return READERS[request.param]


# Builders


def patched(old: bytes, new: bytes) -> Builder:
    """A sound file with a few bytes changed."""

    def build(kit: Kit) -> bytes:
        data = kit.build()
        assert data.count(old) >= 1
        return data.replace(old, new, 1)

    return build


def with_header(syntax: str = EXPLICIT, **attributes) -> Builder:
    return lambda kit: kit.build(kit.chest, syntax, **attributes)


def element(tag: int, vr: str, value: bytes) -> bytes:
    return struct.pack("<HH2sH", tag >> 16, tag & 0xFFFF, vr.encode(), len(value)) + value


def with_number(tag: int, value: int) -> Builder:
    """A US element set to a number, whatever the writer thinks of it."""

    def build(kit: Kit) -> bytes:
        data = kit.build()
        head = struct.pack("<HH2sH", tag >> 16, tag & 0xFFFF, b"US", 2)
        at = data.index(head) + len(head)
        return data[:at] + value.to_bytes(2, "little") + data[at + 2 :]

    return build


def encapsulated(pixel_data: Callable[[bytes], bytes], syntax: str = J2K) -> Builder:
    """A compressed file whose encapsulation is made by hand."""

    def build(kit: Kit) -> bytes:
        ds = kit.dataset(kit.chest, BitsStored=12, HighBit=11)
        ds.PixelData = pixel_data(kit.encode(kit.chest, syntax, 12))
        ds["PixelData"].VR = "OB"
        ds["PixelData"].is_undefined_length = True
        return kit.to_bytes(ds, syntax)

    return build


def item(data: bytes) -> bytes:
    return b"\xfe\xff\x00\xe0" + struct.pack("<I", len(data)) + data


def fragments(stream: bytes, size: int = 1000) -> bytes:
    stream += b"\0" * (len(stream) % 2)
    return b"".join(item(stream[k : k + size]) for k in range(0, len(stream), size))


def cut(builder: Builder, share: float) -> Builder:
    def build(kit: Kit) -> bytes:
        data = builder(kit)
        return data[: int(len(data) * share)]

    return build


def nested(depth: int, *, is_defined: bool) -> Builder:
    """Sequences within sequences, in the element Content Sequence (0040,A730)."""

    def build(kit: Kit) -> bytes:
        inside = b""
        for _ in range(depth):
            if is_defined:
                inside = item(inside)
                length = struct.pack("<I", len(inside))
            else:
                inside = b"\xfe\xff\x00\xe0\xff\xff\xff\xff" + inside
                inside += b"\xfe\xff\x0d\xe0\0\0\0\0\xfe\xff\xdd\xe0\0\0\0\0"
                length = b"\xff\xff\xff\xff"
            inside = b"\x40\x00\x30\xa7SQ\0\0" + length + inside
        data = kit.build()
        at = data.index(b"\xe0\x7f\x10\x00")
        return data[:at] + inside + data[at:]

    return build


def deflated(inside: bytes) -> Builder:
    def build(kit: Kit) -> bytes:
        data = kit.build(syntax=DEFLATED)
        squeeze = zlib.compressobj(9, zlib.DEFLATED, -15)
        return data[: start_of_data(data)] + squeeze.compress(inside) + squeeze.flush()

    return build


def start_of_data(data: bytes) -> int:
    length = int.from_bytes(data[140:144], "little")
    return 144 + length


def without_meta_of(syntax: str) -> Builder:
    def build(kit: Kit) -> bytes:
        data = kit.build(syntax=syntax)
        return data[start_of_data(data) :]

    return build


def without_preamble(kit: Kit) -> bytes:
    return kit.build()[132:]


def without_syntax(kit: Kit) -> bytes:
    data = kit.build()
    return data[:132] + data[start_of_data(data) :]


def renamed(builder: Builder, uid: str) -> Builder:
    """The meta information says one transfer syntax and the data are of another."""

    def build(kit: Kit) -> bytes:
        data = builder(kit)
        start = start_of_data(data)
        at = data.index(b"\x02\0\x10\0UI")
        end = at + 8 + int.from_bytes(data[at + 6 : at + 8], "little")
        new = element(0x00020010, "UI", uid.encode() + b"\0" * (len(uid) % 2))
        meta = data[144:at] + new + data[end:start]
        return data[:140] + struct.pack("<I", len(meta)) + meta + data[start:]

    return build


def inserted(*elements: bytes) -> Builder:
    """A sound file with elements before its pixels, whatever a writer would think of them."""

    def build(kit: Kit) -> bytes:
        data = kit.build()
        at = data.index(b"\xe0\x7f\x10\x00")
        return data[:at] + b"".join(elements) + data[at:]

    return build


def compressed(kit: Kit) -> bytes:
    return kit.build(kit.chest, J2K, BitsStored=12, HighBit=11)


def picture(**how) -> Builder:
    def build(kit: Kit) -> bytes:
        file = BytesIO()
        Image.fromarray((kit.chest >> 4).astype(np.uint8)).save(file, **how)
        return file.getvalue()

    return build


def png_bomb(kit: Kit) -> bytes:
    """20,000 x 20,000 in 400 kB."""
    rows = zlib.compressobj(9)
    body = b"".join(rows.compress(bytes(20_001)) for _ in range(20_000)) + rows.flush()

    def chunk(name: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        )

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 20_000, 20_000, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", body) + chunk(b"IEND", b"")


def lying_png(kit: Kit) -> bytes:
    data = bytearray(picture(format="PNG")(kit))
    data[16:24] = struct.pack(">II", 60_000, 60_000)
    data[29:33] = struct.pack(">I", zlib.crc32(data[12:29]))
    return bytes(data)


def dicomdir(kit: Kit) -> bytes:
    record = kit.dataset(None, ReferencedFileID=["..", "..", "etc", "passwd"])
    ds = kit.dataset(None, SOPClassUID="1.2.840.10008.1.3.10")
    ds.DirectoryRecordSequence = Sequence([record])
    return kit.to_bytes(ds)


def jpip(kit: Kit) -> bytes:
    ds = kit.dataset(kit.chest, PixelDataProviderURL="https://example.invalid/x")
    return kit.to_bytes(ds, "1.2.840.10008.1.2.4.94")


def no_pixels(kit: Kit) -> bytes:
    return kit.to_bytes(kit.dataset(kit.chest))


def j2k_of_other_size(kit: Kit) -> bytes:
    ds = kit.dataset(kit.chest)
    ds.PixelData = encapsulate([kit.encode(kit.chest[:50], J2K, 12)])
    ds["PixelData"].VR = "OB"
    return kit.to_bytes(ds, J2K)


def broken_palette(kit: Kit) -> bytes:
    return kit.build((kit.chest >> 4).astype(np.uint8), PhotometricInterpretation="PALETTE COLOR")


# The table

FAILS: dict[str, tuple[Builder, type[UnreadableImage]]] = {
    # files
    "no byte": (lambda kit: b"", EmptyFile),
    "one byte": (lambda kit: b"\x08", NotAnImage),
    "zeros": (lambda kit: bytes(MEBIBYTE), NotAnImage),
    "random": (lambda kit: np.random.default_rng(0).bytes(MEBIBYTE), NotAnImage),
    "text": (lambda kit: b"PatientID,View\n1,PA\n", NotAnImage),
    "a web page": (lambda kit: b"<!DOCTYPE html><html>404</html>", NotAnImage),
    "a PDF": (lambda kit: b"%PDF-1.7\n", NotAnImage),
    "a zip": (lambda kit: b"PK\x03\x04" + bytes(100), NotAnImage),
    "a gzip": (lambda kit: b"\x1f\x8b\x08\0" + bytes(100), NotAnImage),
    "a tar": (lambda kit: bytes(100) + b"x" * 157 + b"ustar\0" + bytes(100), NotAnImage),
    "a DICOMDIR": (dicomdir, NoPixelData),
    "a DICM and no more": (lambda kit: bytes(128) + b"DICM", NotAnImage),
    "a DICM and noise": (
        lambda kit: bytes(128) + b"DICM" + np.random.default_rng(1).bytes(500),
        UnreadableImage,
    ),
    "zeros behind a plausible element": (
        lambda kit: b"\x08\0\0\0\4\0\0\0\0\0\0\0" + bytes(1000),
        NotAnImage,
    ),
    # headers
    "rows missing": (with_header(Rows=None), CorruptHeader),
    "rows 0": (with_number(0x00280010, 0), CorruptHeader),
    "columns 0": (with_number(0x00280011, 0), CorruptHeader),
    "rows 65535": (with_number(0x00280010, 65535), Truncated),
    "rows 8192": (with_number(0x00280010, 8192), Truncated),
    "bits allocated missing": (with_header(BitsAllocated=None), CorruptHeader),
    "bits allocated 12": (with_number(0x00280100, 12), CorruptHeader),
    "bits stored 0": (with_number(0x00280101, 0), CorruptHeader),
    "bits stored 17 of 16": (with_number(0x00280101, 17), CorruptHeader),
    "samples 2": (with_number(0x00280002, 2), CorruptHeader),
    "samples 3 of a grey image": (with_number(0x00280002, 3), CorruptHeader),
    "photometric missing": (with_header(PhotometricInterpretation=None), CorruptHeader),
    "palette missing": (broken_palette, CorruptHeader),
    "2,000,000 frames": (with_header(NumberOfFrames=2_000_000), TooLarge),
    "9 frames of which one is there": (with_header(NumberOfFrames=9), Truncated),
    "300 sequences of open end": (nested(300, is_defined=False), NestedTooDeep),
    "100 sequences of open end": (nested(100, is_defined=False), NestedTooDeep),
    "5,000 sequences of open end": (nested(5000, is_defined=False), NestedTooDeep),
    "an unknown syntax": (renamed(compressed, "1.2.3.4.5"), Unsupported),
    "200,000 elements": (
        inserted(
            *(
                element(0x7001_0000 + (k // 65536 << 16) + k % 65536, "LO", b"")
                for k in range(200_000)
            )
        ),
        TooLarge,
    ),
    # pixels
    "a million empty fragments": (
        encapsulated(lambda stream: item(b"") * 1_000_001),
        CorruptPixels,
    ),
    "nothing but fill bytes in a JPEG": (
        encapsulated(
            lambda stream: item(b"") + item(b"\xff\xd8" + b"\xff" * 5_000_000),
            "1.2.840.10008.1.2.4.70",
        ),
        CorruptPixels,
    ),
    "no pixels": (no_pixels, NoPixelData),
    "empty pixels": (
        lambda kit: kit.to_bytes(kit.dataset(kit.chest, PixelData=b"")),
        NoPixelData,
    ),
    "JPIP": (jpip, Unsupported),
    "MPEG-2": (renamed(compressed, "1.2.840.10008.1.2.4.100"), Unsupported),
    "MPEG-4": (renamed(compressed, "1.2.840.10008.1.2.4.102"), Unsupported),
    "JPEG XL": (renamed(compressed, "1.2.840.10008.1.2.4.110"), Unsupported),
    "no fragment": (encapsulated(lambda stream: item(b"")), NoPixelData),
    "empty fragments only": (encapsulated(lambda stream: item(b"") * 3), NoPixelData),
    "a codestream of other size": (j2k_of_other_size, CorruptPixels),
    "noise for a codestream": (
        encapsulated(lambda stream: item(b"") + item(np.random.default_rng(2).bytes(5000))),
        CorruptPixels,
    ),
    "compressed under a native syntax": (renamed(compressed, EXPLICIT), CorruptHeader),
    "native under a compressed syntax": (renamed(with_header(), J2K), CorruptPixels),
    "JPEG-LS under JPEG 2000": (
        renamed(with_header("1.2.840.10008.1.2.4.80"), J2K),
        CorruptPixels,
    ),
    "a deflated bomb": (deflated(bytes(400 * MEBIBYTE)), TooLarge),
    "deflated noise": (
        lambda kit: kit.build(syntax=DEFLATED)[:400] + b"\xff" * 500,
        CorruptPixels,
    ),
    # pictures
    "a GIF": (picture(format="GIF"), Unsupported),
    "a BMP": (picture(format="BMP"), Unsupported),
    "a WebP": (picture(format="WEBP"), Unsupported),
    "a JPEG 2000": (picture(format="JPEG2000"), Unsupported),
    "a JPEG of 12 bits": (
        lambda kit: kit.encode(kit.chest, "1.2.840.10008.1.2.4.51", 12),
        Unsupported,
    ),
    "a JPEG-LS": (lambda kit: kit.encode(kit.chest, "1.2.840.10008.1.2.4.80", 12), Unsupported),
    "a PNG bomb": (png_bomb, TooLarge),
    "a PNG that lies": (lying_png, TooLarge),
    "a PNG head": (lambda kit: picture(format="PNG")(kit)[:20], Truncated),
    "a JPEG head": (lambda kit: picture(format="JPEG")(kit)[:20], Truncated),
    "a TIFF head": (lambda kit: b"II*\0\x08\0\0\0", UnreadableImage),
    "a TIFF without end": (lambda kit: b"II*\0\x08\0\0\0\xff\xff" + bytes(50), UnreadableImage),
}


TAKES_SECONDS = {"a million empty fragments"}


@pytest.mark.parametrize(
    "name",
    [pytest.param(n, marks=pytest.mark.slow) if n in TAKES_SECONDS else n for n in FAILS],
)
def test_a_broken_file_has_its_reason(kit, read, name):
    build, expected = FAILS[name]
    data = build(kit)

    with pytest.raises(expected) as caught:
        read(data)

    assert caught.value.reason
    assert caught.value.advice
    assert "Secret" not in str(caught.value)


SYNTAXES = {
    "native": EXPLICIT,
    "implicit": "1.2.840.10008.1.2",
    "big endian": "1.2.840.10008.1.2.2",
    "deflated": DEFLATED,
    "RLE": "1.2.840.10008.1.2.5",
    "JPEG extended": "1.2.840.10008.1.2.4.51",
    "JPEG lossless": "1.2.840.10008.1.2.4.70",
    "JPEG-LS": "1.2.840.10008.1.2.4.80",
    "JPEG 2000": J2K,
    "HTJ2K": "1.2.840.10008.1.2.4.201",
}


@pytest.mark.parametrize("share", [0.25, 0.5, 0.75, 0.9, 0.99])
@pytest.mark.parametrize("name", SYNTAXES)
def test_a_file_cut_short_is_truncated(kit, read, name, share):
    build = with_header(SYNTAXES[name], BitsStored=12, HighBit=11)

    with pytest.raises(Truncated):
        read(cut(build, share)(kit))


@pytest.mark.parametrize("share", [0.25, 0.5, 0.75, 0.9, 0.99])
@pytest.mark.parametrize("form", ["PNG", "JPEG", "TIFF"])
def test_a_picture_cut_short_is_truncated(kit, read, form, share):
    data = picture(format=form)(kit)

    with pytest.raises(Truncated):
        read(data[: int(len(data) * share)])


# What is odd but can be read

READS: dict[str, tuple[Builder, tuple[str, ...]]] = {
    "no preamble": (without_preamble, ()),
    "no meta information": (without_meta_of(EXPLICIT), ("no_transfer_syntax",)),
    "no transfer syntax": (without_syntax, ("no_transfer_syntax",)),
    "a program in the preamble": (lambda kit: b"MZ" + kit.build()[2:], ()),
    "an ELF in the preamble": (lambda kit: b"\x7fELF" + kit.build()[4:], ()),
    "a TIFF in the preamble": (lambda kit: b"II*\0" + kit.build()[4:], ()),
    "a wrong group length": (
        lambda kit: (lambda d: d[:140] + b"\x05\0\0\0" + d[144:])(kit.build()),
        (),
    ),
    "big endian without meta information": (
        without_meta_of("1.2.840.10008.1.2.2"),
        ("no_transfer_syntax",),
    ),
    "implicit without meta information": (
        without_meta_of("1.2.840.10008.1.2"),
        ("no_transfer_syntax",),
    ),
    "implicit data under explicit": (renamed(with_header("1.2.840.10008.1.2"), EXPLICIT), ()),
    "explicit data under implicit": (renamed(with_header(), "1.2.840.10008.1.2"), ()),
    "big endian by name only": (
        renamed(with_header(), "1.2.840.10008.1.2.2"),
        ("odd_transfer_syntax",),
    ),
    "little endian by name only": (
        renamed(with_header("1.2.840.10008.1.2.2"), EXPLICIT),
        ("odd_transfer_syntax",),
    ),
    "a UID of 70": (with_header(SOPInstanceUID="1." + "2" * 68), ("odd_uid",)),
    "a UID with a path": (with_header(SOPInstanceUID="../../etc"), ("odd_uid",)),
    "a patient's id of 10 kB": (with_header(PatientID="../\1" * 2500), ()),
    "nonsense in the window": (
        inserted(element(0x00281050, "DS", b"x\\1"), element(0x00281051, "DS", b"0\\-3 ")),
        (),
    ),
    "a rescale of the wrong representation": (
        inserted(element(0x00281052, "FD", bytes(8)), element(0x00281053, "AT", bytes(4))),
        ("odd_rescale",),
    ),
    "an unknown representation": (
        inserted(b"\x10\0\x30\0D\xdd\0\0", element(0x00281090, "S\x40", b"")),
        ("odd_vr",),
    ),
    "a length beyond the file": (patched(b"LO\x02\0P1", b"LO\xff\xffP1"), ("odd_length",)),
    "rows as text": (patched(b"\x28\0\x10\0US\2\0\x5a\0", b"\x28\0\x10\0IS\2\x0090"), ()),
    "300 sequences of defined length": (nested(300, is_defined=True), ()),
    "20 sequences of open end": (nested(20, is_defined=False), ()),
    "an empty View Code Sequence": (with_header(ViewCodeSequence=Sequence([])), ()),
    "frames 0": (with_header(NumberOfFrames="0"), ("odd_frames",)),
    "padding behind the pixels": (lambda kit: kit.build() + bytes(100), ()),
    "many fragments": (encapsulated(lambda s: item(b"") + fragments(s)), ()),
    "empty fragments between": (
        encapsulated(lambda s: item(b"") + item(b"") + fragments(s) + item(b"")),
        (),
    ),
    "a bad offset table": (encapsulated(lambda s: item(b"\xff" * 8) + fragments(s)), ()),
    "an offset table": (encapsulated(lambda s: item(bytes(4)) + fragments(s)), ()),
    "no sequence delimiter": (
        lambda kit: kit.build(kit.chest, J2K, BitsStored=12, HighBit=11)[:-8],
        (),
    ),
}


@pytest.mark.parametrize("name", READS)
def test_an_odd_file_is_read_all_the_same(kit, read, name):
    build, warnings = READS[name]
    sound = read(kit.build())

    radiograph = read(build(kit))

    apart = np.abs(radiograph.pixels.astype(int) - sound.pixels).max()
    # Blocks of pixels and a reduced wavelet of the same picture differ a little.
    assert apart <= (0 if read is read_radiograph else 6)
    assert radiograph.warnings == warnings


@pytest.mark.parametrize(
    "charset", [b"ISO_IR 100", b"ISO 2022 IR 87", b"ISO_IR 192", b"nonsense", b"\\ISO 2022 IR 149"]
)
def test_no_character_set_is_too_odd(kit, charset):
    data = kit.build(Manufacturer="AAAAAA")
    head, tail = data[: start_of_data(data)], data[start_of_data(data) :]
    charset += b" " * (len(charset) % 2)
    tail = element(0x00080005, "CS", charset) + tail.replace(b"AAAAAA", b"A\x1b$B\xff\xfe")

    manufacturer = open_image(head + tail).instance.manufacturer

    assert manufacturer.startswith("A")
    assert manufacturer.isprintable()


def test_header_texts_are_clean_and_short(kit):
    data = kit.build(Manufacturer="x" * 60, StationName="y")
    data = data.replace(b"x" * 60, b"\0\r\n\x1b[31m" + b"x" * 52)

    instance = open_image(data).instance

    assert instance.manufacturer == "[31m" + "x" * 52
    assert max(len(str(value)) for value in (instance.modality, instance.body_part)) <= 64


@pytest.mark.slow
@pytest.mark.parametrize("name", ["a deflated bomb", "a PNG bomb", "a PNG that lies", "rows 65535"])
def test_a_bomb_takes_no_memory(kit, read, name):
    data = FAILS[name][0](kit)

    tracemalloc.start()
    with pytest.raises(UnreadableImage):
        read(data)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert peak < 200 * MEBIBYTE


def test_lying_frames_take_no_memory(kit, read):
    data = with_header(NumberOfFrames=2_000_000)(kit)

    tracemalloc.start()
    with pytest.raises(TooLarge):
        read(data)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert peak < MEBIBYTE


@pytest.mark.parametrize("limit", [{"max_pixel_bytes": 1000}, {"max_file_bytes": 1000}])
def test_limits_are_options(kit, read, limit):
    with pytest.raises(TooLarge):
        read(kit.build(), ReadOptions(limits=Limits(**limit)))


# Files that are none


def test_what_cannot_be_opened(tmp_path: Path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "gone").symlink_to("nowhere")
    (tmp_path / "empty.dcm").touch()
    with (tmp_path / "sparse.dcm").open("wb") as file:
        file.truncate(5 << 30)

    for name, expected in {
        "pipe": NotAFile,
        "loop": CannotOpen,
        "gone": CannotOpen,
        "nowhere": CannotOpen,
        "": NotAFile,
        "x" * 300: CannotOpen,
        "nul\0": CannotOpen,
        "empty.dcm": EmptyFile,
        "sparse.dcm": TooLarge,
    }.items():
        with pytest.raises(expected):
            open_image(f"{tmp_path}/{name}")
    for path, expected in {
        "/dev/zero": NotAFile,
        f"file://{tmp_path}/pipe": NotAFile,
        "nosuch://x": CannotOpen,
        "memory://nowhere": CannotOpen,
        f"zip://x::file://{tmp_path}/empty.dcm": CannotOpen,
    }.items():
        with pytest.raises(expected):
            open_image(path)


@pytest.mark.parametrize("name", ["new\nline.dcm", "ä" * 100, os.fsdecode(b"\xff\xfe"), "x.png"])
def test_names_do_not_matter(kit, tmp_path, name):
    (tmp_path / name).write_bytes(kit.build())

    radiograph = read_radiograph(str(tmp_path / name))

    assert radiograph.instance.path == f"{tmp_path}/{name}"


def test_memory_errors_pass_untouched(kit, read, monkeypatch):
    """The engine makes its own row of them."""

    def full(*_args, **_kwargs):
        raise MemoryError

    for place in (
        "imagecodecs.jpeg2k_decode",
        "PIL.Image.open",
        "PIL.PngImagePlugin.PngImageFile",
        "tifffile.TiffFile",
    ):
        monkeypatch.setattr(place, full)
    for data in (
        kit.build(kit.chest, J2K, BitsStored=12, HighBit=11),
        picture(format="PNG")(kit),
        picture(format="TIFF")(kit),
    ):
        with pytest.raises(MemoryError):
            read(data)


@pytest.mark.parametrize("seed", range(40))
@pytest.mark.parametrize(
    "form", ["native", "deflated", "JPEG lossless", "JPEG 2000", "PNG", "TIFF"]
)
def test_flipped_bytes_give_pixels_or_a_reason(kit, read, form, seed):
    if form in SYNTAXES:
        data = bytearray(kit.build(kit.chest, SYNTAXES[form], BitsStored=12, HighBit=11))
    else:
        data = bytearray(picture(format=form)(kit))
    rng = np.random.default_rng(seed)
    for at in rng.integers(0, min(len(data), 2000), 10):
        data[at] ^= int(rng.integers(1, 256))

    try:
        assert read(bytes(data)).pixels.dtype == np.uint8
    except UnreadableImage as error:
        assert error.code != "unreadable"
