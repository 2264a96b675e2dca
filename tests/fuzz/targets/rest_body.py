"""The body of a request to classify one file: the file itself, or a form with it."""

import asyncio
import tempfile
from pathlib import Path

from starlette.requests import Request

from cxrview.service.http.refusal import Refusal
from cxrview.service.http.upload import receive_upload
from fuzz.requests import request_of

_FORM = b"multipart/form-data; boundary=line\n"
_PART = b'Content-Disposition: form-data; name="file"; filename="a.dcm"\r\n\r\n'


def seeds() -> tuple[bytes, ...]:
    """A body, a form, a form with fields and one with two files."""
    one = b"--line\r\n" + _PART + bytes(range(256)) * 3 + b"\r\n"
    field = b'--line\r\nContent-Disposition: form-data; name="view"\r\n\r\nPA\r\n'
    return (
        b"application/dicom\n" + bytes(500),
        _FORM + one + b"--line--\r\n",
        _FORM + field + one + field + b"--line--\r\n",
        _FORM + one + one + b"--line--\r\n",
    )


def check(data: bytes) -> None:
    """Receive the request: a file on the disk, which is removed, or a refusal."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            asyncio.run(_received(data, Path(folder)))
        except Refusal as refusal:
            assert 400 <= refusal.status < 500
        assert not list(Path(folder).iterdir())


async def _received(data: bytes, folder: Path) -> None:
    async with receive_upload(Request(*request_of(data)), folder) as upload:
        assert upload.path.stat().st_size <= len(data)
        assert upload.name is None or (upload.name.isprintable() and "/" not in upload.name)
