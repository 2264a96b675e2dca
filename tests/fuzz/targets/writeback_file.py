"""Write-back of one file: a corrected copy with the same pixels, or a refusal."""

import tempfile
from datetime import UTC, datetime
from pathlib import Path

from cxrview.errors import UnreadableImage
from cxrview.image.fetch import file_content_id
from cxrview.terms import View
from cxrview.writeback.copy_file import correct_file, preview_file
from cxrview.writeback.finding import Finding
from cxrview.writeback.settings import CorrectionSettings
from fuzz.seed_files import dicom_of_each_syntax

SETTINGS = CorrectionSettings(
    modified=datetime(2026, 3, 1, 12, tzinfo=UTC), system="cxrview 9.9", software_version="9.9"
)
PIXEL_BYTES = 256
_PIXEL_DATA = b"\xe0\x7f\x10\x00"
"""The tag of Pixel Data (7FE0,0010), little endian."""


def seeds() -> tuple[bytes, ...]:
    """Every transfer syntax and header fault."""
    return dicom_of_each_syntax()


def check(data: bytes) -> None:
    """Correct a file in a temporary folder."""
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "source", Path(folder) / "target"
        source.write_bytes(data)
        finding = Finding(
            path=str(source),
            sop_instance_uid="",
            series_instance_uid="",
            study_instance_uid="",
            modality="CR",
            content_id=file_content_id(source),
            view=View.LATERAL,
            model_id="drawn-1",
        )
        try:
            preview_file(finding, SETTINGS)
            correction = correct_file(finding, target, SETTINGS)
        except UnreadableImage as error:
            assert error.code != "unreadable", error
            assert not target.exists()
            return
        assert source.read_bytes() == data
        assert target.exists() == bool(correction.target)
        if correction.target and b"1.2.840.10008.1.2.1.99" not in data:  # not deflated
            pixels = data[max(data.rfind(_PIXEL_DATA), 0) :][-PIXEL_BYTES:]
            assert _PIXEL_DATA not in data or target.read_bytes().endswith(pixels)
