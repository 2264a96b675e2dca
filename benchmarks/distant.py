"""Cost of reading a remote radiograph, completely and only as much as its reduced image needs.

Usage: python benchmarks/distant.py [--corpus FOLDER] [--images N] [--rounds N]
           [--latency-ms MS] [--mbit-s RATE]

Phantoms of 2500 x 2048 pixels are in an fsspec file system that answers after MS (50) and then
gives RATE (100) megabits per second. One process reads them for a square of 256 x 256, completely
and partially, alternating: HTJ2K with tile-parts by resolution (`.202`), HTJ2K without the ends of
its resolutions (`.201`), and, if OpenJPEG's `opj_compress` is installed, JPEG 2000 with packet
lengths (`.90`). Prints medians per image: bytes, requests, milliseconds; and whether the pixels
were equal.
"""

import argparse
import shutil
import statistics
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import fsspec
import imagecodecs
import numpy as np
import pydicom
from fsspec.spec import AbstractBufferedFile, AbstractFileSystem
from numpy.typing import NDArray
from pydicom.encaps import encapsulate

from corpus import make_corpus
from cxrview.image import SIDE, open_image

WHOLE, PART = "whole", "in part"
_UID = "1.2.840.10008.1.2.4."


class Distant(AbstractFileSystem):
    """A slow file system of files in memory."""

    protocol = "distant"
    latency_seconds = 0.05
    bytes_per_second = 100e6 / 8

    def __init__(self) -> None:
        super().__init__()
        self.files: dict[str, bytes] = {}
        self.sizes: list[int] = []
        """Bytes of each request; 0 for a request of a file's size."""

    def info(self, path: str, **_: Any) -> dict[str, Any]:
        """Ask for the size, in a separate request."""
        self._wait(0)
        return {"name": path, "size": len(self.files[path]), "type": "file"}

    def _open(self, path: str, mode: str = "rb", block_size: Any = None, **_: Any) -> "Piece":
        return Piece(self, path, mode, block_size or "default")

    def _wait(self, size: int) -> None:
        self.sizes.append(size)
        time.sleep(self.latency_seconds + size / self.bytes_per_second)


class Piece(AbstractBufferedFile):
    """A file of the file system."""

    def _fetch_range(self, start: int, end: int) -> bytes:
        self.fs._wait(end - start)
        piece: bytes = self.fs.files[self.path][start:end]
        return piece


def main() -> None:
    """Measure and print."""
    wishes = _wishes()
    fsspec.register_implementation("distant", Distant)
    store: Distant = fsspec.filesystem("distant")
    store.latency_seconds = wishes.latency_ms / 1000
    store.bytes_per_second = wishes.mbit_s * 1e6 / 8
    films = make_corpus(wishes.corpus, wishes.images)["native"]
    print(f"{'':16}{'':>8}{'MB':>8}{'requests':>10}{'ms':>8}  pixels")
    for name, encode in _ways().items():
        store.files = {f"{k}.dcm": _packed(film, *encode) for k, film in enumerate(films)}
        costs: dict[str, list[tuple[float, float, float]]] = {WHOLE: [], PART: []}
        are_same = True
        for _ in range(wishes.rounds):
            for path in store.files:
                pixels = []
                for way in costs:
                    cost, square = _read(store, path, SIDE if way == PART else None)
                    costs[way].append(cost)
                    pixels.append(square)
                are_same &= np.array_equal(*pixels)
        for way, runs in costs.items():
            size, requests, ms = (statistics.median(column) for column in zip(*runs, strict=True))
            same = "" if way == WHOLE else "  the same" if are_same else "  OTHERS"
            print(f"{name:16}{way:>8}{size / 1e6:8.2f}{requests:10.0f}{ms:8.0f}{same}")


def _read(
    store: Distant, path: str, side: int | None
) -> tuple[tuple[float, float, float], NDArray[np.uint8]]:
    store.sizes.clear()
    start = time.perf_counter()
    square = open_image(f"distant://{path}", side=side).decode_square(SIDE).pixels
    ms = 1000 * (time.perf_counter() - start)
    return (sum(store.sizes), len(store.sizes), ms), square


def _ways() -> dict[str, tuple[str, Any]]:
    ways = {
        "HTJ2K .202": ("202", lambda p: _htj2k(p, tlm=True, tilepart=1)),
        "HTJ2K .201": ("201", _htj2k),
    }
    if shutil.which("opj_compress"):
        ways["JPEG 2000, PLT"] = ("90", _openjpeg)
    return ways


def _htj2k(pixels: NDArray[np.uint16], **options: Any) -> bytes:
    return bytes(imagecodecs.htj2k_encode(pixels, reversible=True, **options))


def _openjpeg(pixels: NDArray[np.uint16]) -> bytes:
    with tempfile.TemporaryDirectory() as name:
        plain, packed = Path(name) / "x.pgm", Path(name) / "x.j2k"
        head = f"P5\n{pixels.shape[1]} {pixels.shape[0]}\n4095\n"
        plain.write_bytes(head.encode() + pixels.astype(">u2").tobytes())
        command = ["opj_compress", "-i", str(plain), "-o", str(packed), "-p", "RPCL", "-PLT"]
        subprocess.run(command, check=True, capture_output=True)
        return packed.read_bytes()


def _packed(film: Path, syntax: str, encode: Any) -> bytes:
    ds = pydicom.dcmread(film)
    pixels = np.frombuffer(ds.PixelData, "<u2")[: ds.Rows * ds.Columns]
    ds.PixelData = encapsulate([encode(pixels.reshape(ds.Rows, ds.Columns))])
    ds["PixelData"].VR = "OB"
    ds.file_meta.TransferSyntaxUID = pydicom.uid.UID(_UID + syntax)
    with tempfile.TemporaryFile() as file:
        ds.save_as(file, enforce_file_format=True)
        file.seek(0)
        return file.read()


def _wishes() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--corpus", type=Path, default=Path(".bench/corpus"))
    parser.add_argument("--images", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--latency-ms", type=float, default=50)
    parser.add_argument("--mbit-s", type=float, default=100)
    return parser.parse_args()


if __name__ == "__main__":
    main()
