"""Takes the file of a request, from its body or from a form, to the disk."""

import os
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from fastapi import Request
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect

from cxrview.results.columns import printable
from cxrview.service.http.form import FormFile
from cxrview.service.http.refusal import Refusal, for_write_error

FORM = "multipart/form-data"
_MOST_NAME = 255


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that a client sent."""

    path: Path
    """Where it is, until the block of `receive_upload` ends."""
    name: str | None
    """By which the client calls it, without folders; None if it did not say."""


@asynccontextmanager
async def receive_upload(request: Request, folder: Path) -> AsyncIterator[Upload]:
    """Write the file of a request to the disk; it is removed at the end of the block.

    Args:
        request: with a file as its body, or a form (`multipart/form-data`) with one file.
        folder: for files that are being classified.

    Raises:
        Refusal: the form is malformed or does not have exactly one file, the client ended the
            connection, or the disk is full.
    """
    path = folder / f"{secrets.token_hex(16)}.part"
    try:
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        name = None
        if kind == FORM:
            name = await _write_form(request, path)
        else:
            await _write_body(request, path)
        yield Upload(path, name)
    except ClientDisconnect:
        raise Refusal(400, "bad_request", "the body is incomplete", "Send it again") from None
    finally:
        with suppress(OSError):
            path.unlink(missing_ok=True)


def clear_uploads(folder: Path) -> None:
    """Create the folder of uploads, and remove what a crash left in it."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    for path in folder.glob("*.part"):
        path.unlink(missing_ok=True)


async def _write_body(request: Request, path: Path) -> None:
    try:
        with path.open("xb", buffering=0) as file:
            async for piece in request.stream():
                await run_in_threadpool(_write_all, file.fileno(), piece)
    except OSError as error:
        raise for_write_error(error) from error


async def _write_form(request: Request, path: Path) -> str:
    """Write the one file of a form, and return its name."""
    form = FormFile(request.headers["content-type"])
    try:
        with path.open("xb", buffering=0) as file:
            async for body in request.stream():
                for piece in form.pieces(body):
                    await run_in_threadpool(_write_all, file.fileno(), piece)
    except OSError as error:
        raise for_write_error(error) from error
    form.finish()
    return _last_name(form.name or "")


def _write_all(handle: int, piece: bytes) -> None:
    view = memoryview(piece)
    while view:
        view = view[os.write(handle, view) :]


def _last_name(name: str) -> str:
    """The name without folders, which may say how disks of the client are laid out."""
    last = name.replace("\\", "/").rpartition("/")[2]
    return printable("".join(one for one in last if one.isprintable())[:_MOST_NAME])
