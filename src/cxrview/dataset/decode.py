"""Decode labelled files to the model's square in worker processes, in their order."""

import hashlib
import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cxrview.errors import DecoderCrashed, Unsupported
from cxrview.image import ReadOptions, read_radiograph, squash
from cxrview.image.failure import failure_of, read_or_failure
from cxrview.image.fetch import fetch_local
from cxrview.image.sniff import Kind
from cxrview.records import Failure, HeaderFacts, Instance
from cxrview.workers.process import quiet_worker

JPEG_QUALITY = 90
"""The default of DCMTK (dcmj2pnm 3.6.0); the paper does not give one."""
JPEG_MOST = 65_500
"""Maximum of rows and columns in libjpeg."""
_AHEAD = 8
"""Files submitted for each worker, so that none is idle."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Squashed:
    """One file as the model's input."""

    pixels: NDArray[np.uint8]
    """Shape (256, 256), uint8."""
    file_sha256: str
    pixel_sha256: str
    warnings: tuple[str, ...]
    header: HeaderFacts | None = None
    """None of a PNG, JPEG or TIFF file, which has none."""


def squash_files(
    paths: Iterable[Path], *, as_published: bool = False, workers: int = 2
) -> Iterator[Squashed | Failure]:
    """Decode every file to the model's square; as many outcomes as paths, in their order.

    A worker that dies costs the file that it was reading, which becomes a `decoder_crash`.

    Args:
        paths: regular files.
        as_published: see `squash_file`.
        workers: processes, at least 1.
    """
    ahead = iter(paths)
    while batch := deque(islice(ahead, 1)):
        # A pool whose worker died is broken. The files it had are decoded one by one, each in a
        # separate pool, to find the one that crashes; the rest follows in a new pool.
        yield from _squash_until_crash(batch, ahead, as_published, workers)
        for path in batch:
            yield _squash_alone(path, as_published)


def squash_file(path: Path, *, as_published: bool = False) -> Squashed | Failure:
    """Decode one file to the model's square; every error becomes a failure.

    Args:
        path: a regular file.
        as_published: window as DCMTK does, padding included, and compress the picture in full
            size as JPEG before it is resized.

    Source:
        Paper, section 1: DCMTK's min-max windowing to 8-bit grey lossy JPEG, then ImageMagick.
    """
    return read_or_failure(str(path), lambda: _squash(path, as_published))


def _squash(path: Path, as_published: bool) -> Squashed:
    fetched = fetch_local(str(path), path, ReadOptions())
    data = bytes(fetched.data)
    radiograph = read_radiograph(data, ReadOptions(exact=as_published))
    pixels = through_jpeg(radiograph.pixels) if as_published else radiograph.pixels
    squashed = np.ascontiguousarray(squash(pixels))
    codes = radiograph.warnings
    return Squashed(
        pixels=squashed,
        file_sha256=hashlib.sha256(data).hexdigest(),
        pixel_sha256=hashlib.sha256(squashed.tobytes()).hexdigest(),
        warnings=(*codes, "constant_image") if radiograph.is_constant else codes,
        header=_header(radiograph.instance, fetched.kind),
    )


def through_jpeg(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Compress a picture as grey baseline JPEG of quality 90 and decode it.

    Args:
        pixels: shape (rows, columns), uint8.

    Returns:
        The same shape, uint8; equal to the result of `dcmj2pnm +Wm -O +oj +Jq 90`.

    Raises:
        Unsupported: more rows or columns than a JPEG can have.
    """
    import imagecodecs

    if max(pixels.shape) > JPEG_MOST:
        raise Unsupported(
            "",
            f"a JPEG has at most {JPEG_MOST:,} rows and columns",
            "Prepare it without --as-published",
        )
    passed: NDArray[np.uint8] = imagecodecs.jpeg8_decode(
        imagecodecs.jpeg8_encode(pixels, level=JPEG_QUALITY)
    )
    return passed


def _header(instance: Instance, kind: Kind) -> HeaderFacts | None:
    if kind is not Kind.DICOM:
        return None
    return HeaderFacts(manufacturer=instance.manufacturer, view=instance.header_view)


def _squash_until_crash(
    waiting: deque[Path], ahead: Iterator[Path], as_published: bool, workers: int
) -> Iterator[Squashed | Failure]:
    """Decode to the end of `ahead`, or until a worker dies; `waiting` keeps unfinished files."""
    running: deque[Future[Squashed | Failure]] = deque()
    pool = _pool(workers)
    try:
        with suppress(BrokenProcessPool):
            running.extend(_submit(pool, path, as_published) for path in waiting)
            while waiting:
                for path in islice(ahead, workers * _AHEAD - len(waiting)):
                    waiting.append(path)  # first: `submit` raises if the pool is broken
                    running.append(_submit(pool, path, as_published))
                outcome = running[0].result()
                running.popleft()
                waiting.popleft()
                yield outcome
    finally:
        pool.shutdown(cancel_futures=True)


def _squash_alone(path: Path, as_published: bool) -> Squashed | Failure:
    with _pool(1) as pool:
        try:
            return _submit(pool, path, as_published).result()
        except BrokenProcessPool:
            error = DecoderCrashed(str(path), "the process that read it died")
            return failure_of(str(path), error)


def _submit(
    pool: ProcessPoolExecutor, path: Path, as_published: bool
) -> "Future[Squashed | Failure]":
    return pool.submit(squash_file, path, as_published=as_published)


def _pool(workers: int) -> ProcessPoolExecutor:
    clean = multiprocessing.get_context("spawn")  # a fork would copy locks held by threads
    return ProcessPoolExecutor(workers, mp_context=clean, initializer=_begin_worker)


def _begin_worker() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is handled by the parent
    quiet_worker()
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """End this process when its parent is killed, and so does not shut down the pool."""
    parent = multiprocessing.parent_process()
    if parent:
        parent.join()
        os._exit(1)
