"""Recognise the format of a file by its first bytes, never by its name."""

from enum import StrEnum

from cxrview.errors import NotAnImage, Unsupported

HEAD_BYTES = 4096
"""Number of first bytes that are checked before the rest of a file is read."""


class FileFormat(StrEnum):
    """The formats that cxrview reads."""

    DICOM = "DICOM"
    PNG = "PNG"
    JPEG = "JPEG"
    TIFF = "TIFF"


_READ = (
    (b"\x89PNG\r\n\x1a\n", FileFormat.PNG),
    (b"\xff\xd8\xff", FileFormat.JPEG),
    (b"II*\x00", FileFormat.TIFF),
    (b"MM\x00*", FileFormat.TIFF),
    (b"II+\x00", FileFormat.TIFF),
    (b"MM\x00+", FileFormat.TIFF),
)
_PICTURES = (
    (b"\xff\xd8\xff\xf7", "JPEG-LS"),  # not baseline JPEG, though it begins like one
    (b"GIF8", "GIF"),
    (b"BM", "BMP"),
    (b"\x00\x00\x00\x0cjP  \r\n\x87\n", "JPEG 2000"),
    (b"\xff\x4f\xff\x51", "JPEG 2000"),
    (b"\x00\x00\x00\x0cJXL \r\n\x87\n", "JPEG XL"),
    (b"\xff\x0a", "JPEG XL"),
    (b"8BPS", "Photoshop"),
    (b"SIMPLE  =", "FITS"),
    (b"v/1\x01", "OpenEXR"),
    (b"\x00\x00\x01\x00", "icon"),
)
_OTHERS = (
    (b"PK\x03\x04", "a zip archive"),
    (b"PK\x05\x06", "a zip archive"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"BZh", "a bzip2 archive"),
    (b"\xfd7zXZ\x00", "an xz archive"),
    (b"7z\xbc\xaf'\x1c", "a 7z archive"),
    (b"(\xb5/\xfd", "a zstandard archive"),
    (b"%PDF", "a PDF document"),
    (b"\x7fELF", "a program"),
    (b"MZ", "a program"),
    (b"PAR1", "a Parquet table"),
    (b"SQLite format 3\x00", "a database"),
    (b"\x93NUMPY", "a NumPy array"),
)


def recognise_format(path: str, head: bytes) -> FileFormat:
    """Recognise the format.

    Args:
        path: for the error only.
        head: the first `HEAD_BYTES` of the file, or all of a shorter one.

    Raises:
        Unsupported: a picture in another format.
        NotAnImage: anything else.
    """
    # DICOM first: a preamble may contain a TIFF, a program or anything else (PS3.10 section 7.1).
    if head[128:132] == b"DICM" or is_bare_dicom(head):
        return FileFormat.DICOM
    if found := _starts(head, _PICTURES) or _boxed_picture(head):
        raise Unsupported(
            path, f"it is a {found} picture", "Convert it to DICOM, PNG, JPEG or TIFF"
        )
    if kind := _starts(head, _READ):
        return FileFormat(kind)
    raise NotAnImage(
        path,
        f"it is {_other(head)}, not DICOM, PNG, JPEG or TIFF",
        "Nothing to do, or unpack it or export it again if a radiograph was expected here",
    )


def is_bare_dicom(head: bytes) -> bool:
    """Whether a DICOM data set begins without preamble and the letters DICM.

    Files of old scanners and dumps of the network protocol do. The first element must be of group
    0002 or 0008, with a value representation or a plausible length.
    """
    if len(head) < 8:
        return False
    if head[:2] in (b"\x00\x02", b"\x00\x08"):  # big endian is always explicit
        return is_vr(head[4:6])
    if head[:2] not in (b"\x02\x00", b"\x08\x00") or head[3] > 1:
        return False
    length = int.from_bytes(head[4:8], "little")
    return is_vr(head[4:6]) or (length < HEAD_BYTES and length % 2 == 0)


_VRS = (
    b"AE AS AT CS DA DS DT FD FL IS LO LT OB OD OF OL OV OW PN SH SL SQ SS ST SV TM UC UI UL UN "
    b"UR US UT UV"
)


def is_vr(letters: bytes) -> bool:
    """Whether two bytes are a value representation (PS3.5 section 6.2)."""
    return letters.isalpha() and letters in _VRS


def _starts(head: bytes, signatures: tuple[tuple[bytes, str], ...]) -> str:
    return next((name for start, name in signatures if head.startswith(start)), "")


def _boxed_picture(head: bytes) -> str:
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "WebP"
    if head[4:8] == b"ftyp" and head[8:12] in (b"avif", b"heic", b"heix", b"mif1"):
        return "HEIF"
    return ""


def _other(head: bytes) -> str:
    if found := _starts(head, _OTHERS):
        return found
    if head[257:262] == b"ustar":
        return "a tar archive"
    if not head.strip(b"\x00"):
        return "only zeros"
    if head.lstrip()[:14].lower().startswith((b"<!doctype html", b"<html")):
        return "a web page"
    if b"\x00" not in head:
        return "text" if head.isascii() else "an unknown format"
    return "an unknown format"
