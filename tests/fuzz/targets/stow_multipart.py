"""The body of a STOW-RS request: DICOM files as parts of multipart/related."""

import asyncio
import tempfile
from pathlib import Path

from fastapi import FastAPI

from cxrview.service.dicomweb.stow_endpoint import STUDIES, stow_router
from cxrview.service.http.refusal import Refusal
from cxrview.service.store import Store
from fuzz.requests import request_of
from fuzz.seed_files import dicom_of_each_syntax

_HEAD = b'multipart/related; type="application/dicom"; boundary=line\n'
MOST_BYTES = 1 << 20


def seeds() -> tuple[bytes, ...]:
    """A request of one file, of several, with an epilogue, and of no file."""
    parts = [
        b"--line\r\nContent-Type: application/dicom\r\n\r\n" + data + b"\r\n"
        for data in dicom_of_each_syntax()[:4]
    ]
    end = b"--line--\r\n"
    return (
        _HEAD + parts[0] + end,
        _HEAD + b"".join(parts) + end,
        _HEAD + parts[1] + end + b"epilogue",
        _HEAD + end,
    )


def check(data: bytes) -> None:
    """Send the request to the endpoint and its store: an answer, or a refusal."""
    statuses: list[int] = []

    async def send(message: dict) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder) / "queue")
        app = FastAPI()
        app.include_router(stow_router(store, most_part_bytes=MOST_BYTES))
        try:
            asyncio.run(app(*request_of(data, STUDIES), send))
        except Refusal as refusal:
            statuses.append(refusal.status)
        finally:
            assert not list(store.new_part().parent.iterdir())  # no part is left
            store.close()
    assert statuses[0] in (200, 202) or 400 <= statuses[0] < 500
