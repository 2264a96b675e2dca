"""Read only the header of a local DICOM file."""

from collections.abc import Callable
from pathlib import Path

from cxrview.errors import CxrviewError
from cxrview.image.dicom.file import open_dicom
from cxrview.image.dicom.parse import parse
from cxrview.image.file_format import HEAD_BYTES, FileFormat, recognise_format
from cxrview.image.options import ReadOptions
from cxrview.records.classification import Instance
from cxrview.sources.paths import local_path

_STEPS = (1 << 16, 1 << 20, 1 << 24)
"""Bytes to read from the beginning: most headers are shorter than the first."""


def read_header(
    path: str, options: ReadOptions | None = None, patient_key: Callable[[str], str] = lambda _: ""
) -> Instance | None:
    """Read the facts of a header, as `open_image` does; `content_id` is empty.

    Args:
        path: a local path or `file://` URL; other URLs are not read.
        options: limits; None for the defaults.
        patient_key: returns the pseudonym of a Patient ID (0010,0020), which is used only here.

    Returns:
        None if the file does not exist, is not DICOM, or its header cannot be read from the
        beginning of the file; `open_image` gives the reason.
    """
    options = options or ReadOptions()
    local = local_path(path)
    if not local:
        return None
    try:
        if not Path(local).is_file():  # opening a pipe would block for ever
            return None
        return _read(path, Path(local), options, patient_key)
    except (CxrviewError, OSError, ValueError):  # ValueError: a NUL in the name
        return None


def _read(
    path: str, local: Path, options: ReadOptions, patient_key: Callable[[str], str]
) -> Instance | None:
    with local.open("rb") as file:
        data = b""
        for end in _STEPS:
            data += file.read(end - len(data))
            if recognise_format(path, data[:HEAD_BYTES]) is not FileFormat.DICOM:
                return None
            is_all = len(data) < end
            if is_all or parse(path, data, options.limits).pixels is not None:
                return open_dicom(path, data, "", options, patient_key).instance
    return None
