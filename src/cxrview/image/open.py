"""Open an image file of any format: `open_image` and `read_radiograph`."""

import os
from collections.abc import Callable
from pathlib import Path

from cxrview.image.fetch import Fetched, content_id, fetch_local, fetch_remote, fetched_bytes
from cxrview.image.file_format import FileFormat
from cxrview.image.image_file import ImageFile
from cxrview.image.options import ReadOptions
from cxrview.records.classification import Radiograph
from cxrview.sources.paths import local_path


def _no_key(_patient_id: str) -> str:
    return ""


def open_image(
    path: str | os.PathLike[str] | bytes,
    options: ReadOptions | None = None,
    patient_key: Callable[[str], str] = _no_key,
    *,
    side: int | None = None,
) -> ImageFile:
    """Open a radiograph and read its header; pixels are decoded on request.

    Args:
        path: local path, fsspec URL (`s3://...`, `zip://x.dcm::archive.zip`), or the bytes of a
            file, whose `Instance.path` is then empty.
        options: limits, and how padding is treated; None for the defaults.
        patient_key: returns the pseudonym of a Patient ID (0010,0020), which is used only here.
        side: give it if only `decode_square(side)` will be called. Then only the part of a URL that
        it needs is read; `Instance.content_id` is empty if not all was read.

    Returns:
        The open file. It keeps the bytes of the file. If only a part of a remote file was read, and
        more is needed, it reads the rest.

    Raises:
        UnreadableImage: one of its subclasses. Errors of the pixels are raised later, by
            `ImageFile.decode` and `ImageFile.decode_square`.
    """
    options = options or ReadOptions()
    name = "" if isinstance(path, bytes) else os.fspath(path)
    if isinstance(path, bytes):
        fetched = fetched_bytes(path, options.limits)
    elif local := local_path(name):
        fetched = fetch_local(name, Path(local), options)
    elif side is None or options.exact:
        fetched = fetch_remote(name, options.limits)
    else:
        from cxrview.image.dicom.partial import PartialDicomFile, fetch_ranges

        ranges = fetch_ranges(name, options, side)
        if not isinstance(ranges, Fetched):
            return PartialDicomFile(ranges, options, patient_key)
        fetched = ranges
    return _open(name, fetched, options, patient_key)


def read_radiograph(
    path: str | os.PathLike[str] | bytes,
    options: ReadOptions | None = None,
    patient_key: Callable[[str], str] = _no_key,
) -> Radiograph:
    """Open a radiograph and decode all its pixels: `open_image(...).decode()`.

    Args:
        path: as for `open_image`.
        options: as for `open_image`.
        patient_key: as for `open_image`.

    Raises:
        UnreadableImage: one of its subclasses, with the reason.
    """
    return open_image(path, options, patient_key).decode()


def _open(
    path: str, fetched: Fetched, options: ReadOptions, patient_key: Callable[[str], str]
) -> ImageFile:
    # Decoders are imported here, since the process that starts the workers does not decode.
    digest = content_id(fetched.data)
    if fetched.kind is FileFormat.DICOM:
        from cxrview.image.dicom.file import open_dicom

        return open_dicom(path, fetched.data, digest, options, patient_key)
    if fetched.kind is FileFormat.TIFF:
        from cxrview.image.tiff import open_tiff

        return open_tiff(path, bytes(fetched.data), digest, options)
    from cxrview.image.raster import open_raster

    return open_raster(path, bytes(fetched.data), digest, options, fetched.kind)
