"""Compares the fast reader with the exact one on difficult images, in every transfer syntax.

Usage: python benchmarks/readers.py DATA [IMAGES [SYNTAX ...]]

DATA has labels.csv with its images, and full-size/. The originals are read unchanged, and written
as 12-bit DICOM. IMAGES of the validation and test patients (default 300) are enlarged to full size
and get detector noise and, at random, a saturated marker, single dead and hot pixels, white
collimation and padding. Everything is written in each syntax and read by both readers; the model is
run on both. Milliseconds are of one core, with reading.
"""

import io
import os
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import UID

from cxrview.classify.decide import decide
from cxrview.classify.model import Model, load_model
from cxrview.dataset.labels import read_labels
from cxrview.image import SIDE, ReadOptions, open_image, squash
from cxrview.image.dicom.codecs import CODECS
from cxrview.image.dicom.elements import Header
from cxrview.image.dicom.frame import Frame
from cxrview.image.dicom.jpeg2000_reduced import decode_reduced
from cxrview.image.dicom.pixel_module import read_pixel_module
from cxrview.image.limits import Limits
from cxrview.phantom.encode import SYNTAXES, native_bytes
from cxrview.records.classification import Instance
from cxrview.terms import Decision, Partition

FILE = "as it is"
NAMES = (
    FILE, "png", "jpg", "native", "rle", "jpeg", "jpeg-extended", "jpeg-lossless", "jpeg-ls",
    "jpeg-2000", "jpeg-2000-lossy", "htj2k",
)  # fmt: skip
PADDING = 0
TOP = 4095


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One image that is written in every syntax."""

    file: Path
    number: int
    """Seed of its changes; -1 for an unchanged original."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """The results of the readers for one file."""

    name: str
    case: Case
    is_padded: bool
    fast: NDArray[np.uint8]
    full: NDArray[np.uint8]
    """All pixels, without padding as in the fast reader."""
    exact: NDArray[np.uint8]
    fast_ms: float
    exact_ms: float
    window: tuple[float, float]
    """Change of minimum and maximum by reduced decoding, percent of the full window."""


def main(data: Path, images: int, names: list[str]) -> None:
    """Measure and print."""
    pairs: dict[str, list[Pair]] = {name: [] for name in names}
    jobs = [(case, names) for case in cases(data, images)]
    with ProcessPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        for number, of_one in enumerate(pool.map(read_both, jobs), 1):
            print(f"\r{number} of {len(jobs)}", end="", file=sys.stderr)
            for pair in of_one:
                pairs[pair.name].append(pair)
    print(file=sys.stderr)
    model = load_model()
    print("                        min, max moved %   pfi differs      decisions changed       ms")
    print(
        "syntax           files  median  largest   p99%  largest  view band chest exact  fast exact"
    )
    for name, of_name in pairs.items():
        if of_name:
            print(row(name, of_name, model))


def row(name: str, pairs: list[Pair], model: Model) -> str:
    """Print one line of the table."""
    fast, full, exact = (
        model.answer(np.stack([getattr(pair, which) for pair in pairs]))
        for which in ("fast", "full", "exact")
    )
    apart = np.abs(fast.pfi - full.pfi)
    moved = np.abs([pair.window for pair in pairs])
    said = [decisions(answers, model) for answers in (fast, full, exact)]
    changed = [kind_of_change(*two) for two in zip(said[0], said[1], strict=True)]
    from_exact = [kind_of_change(*two) for two in zip(said[0], said[2], strict=True)]
    for pair, change, one, two in zip(pairs, changed, fast.pfi, full.pfi, strict=True):
        if change:
            print(f"  {name} {pair.case} {change} {two:.2f} -> {one:.2f}", file=sys.stderr)
    ms = [np.median([getattr(pair, which) for pair in pairs]) for which in ("fast_ms", "exact_ms")]
    return (
        f"{name:16} {len(pairs):5}  {np.median(moved):6.2f}  {moved.max():7.2f}"
        f"  {np.percentile(apart, 99):5.2f}  {apart.max():7.2f}"
        f"  {changed.count('view'):4} {changed.count('band'):4} {changed.count('chest'):5}"
        f" {from_exact.count('view'):5}  {ms[0]:4.0f} {ms[1]:5.0f}"
    )


def decisions(answers: Any, model: Model) -> list[tuple[Decision, Any]]:
    """Decide like `classify`."""
    instance = Instance(path="", content_id="")
    said = [
        decide(instance, float(pfi), model.card, chest=float(chest))
        for pfi, chest in zip(answers.pfi, answers.chest, strict=True)
    ]
    return [(one.decision, one.view) for one in said]


def kind_of_change(one: tuple[Decision, Any], other: tuple[Decision, Any]) -> str:
    """Describe the difference; empty if both are equal."""
    if one == other:
        return ""
    if Decision.NOT_CHEST in (one[0], other[0]):
        return "chest"
    return "band" if Decision.REVIEW in (one[0], other[0]) else "view"


def cases(data: Path, images: int) -> Iterator[Case]:
    """Yield the originals, and radiographs of all sources alternating."""
    for file in sorted((data / "full-size").glob("*.[jp][pn]g")):
        yield Case(file=file, number=-1)
    labels = [
        label
        for label in read_labels(data / "labels.csv")
        if label.partition in (Partition.VALIDATION, Partition.TEST)
    ]
    chosen = np.random.default_rng(0).permutation(len(labels))[:images]
    for number in chosen:
        yield Case(file=data / labels[number].file, number=int(number))


def read_both(job: tuple[Case, list[str]]) -> list[Pair]:
    """Write one case in every syntax, and read it."""
    case, names = job
    pixels, is_padded = (
        (original(case.file), False) if case.number < 0 else spoilt(case.file, case.number)
    )
    pairs = []
    for name in names:
        data, stream = written(case, name, pixels, is_padded=is_padded)
        if not data:
            continue
        fast, fast_ms = timed(data, ReadOptions())
        exact, exact_ms = timed(data, ReadOptions(exact=True))
        full = squash(open_image(data).decode().pixels) if is_padded else exact
        pair = Pair(
            name=name, case=case, is_padded=is_padded, fast=fast, full=full, exact=exact,
            fast_ms=fast_ms, exact_ms=exact_ms, window=moved_window(name, stream, pixels),
        )  # fmt: skip
        pairs.append(pair)
    return pairs


def timed(data: bytes, options: ReadOptions) -> tuple[NDArray[np.uint8], float]:
    """Read the square, and measure the milliseconds of one core."""
    began = time.process_time()
    pixels = open_image(data, options).decode_square().pixels
    return pixels, 1000 * (time.process_time() - began)


def original(file: Path) -> NDArray[np.uint16]:
    """Give its pixels with 12 bits; the lowest four are random."""
    grey = np.asarray(Image.open(file).convert("L")).astype(np.uint16) * 16
    return grey + np.random.default_rng(0).integers(0, 16, grey.shape, np.uint16)


def spoilt(file: Path, seed: int) -> tuple[NDArray[np.uint16], bool]:
    """Enlarge to 12 bits and full size, with noise and random changes."""
    rng = np.random.default_rng(seed)
    small = Image.open(file).convert("L").convert("F")
    scale = 2500 / max(small.size)
    size = (2048, 2500) if small.size == (256, 256) else [round(n * scale) for n in small.size]
    grey = np.asarray(small.resize(tuple(size), Image.Resampling.BICUBIC)) / 255
    low, high = rng.uniform(100, 1200), rng.uniform(1800, 3600)
    values = low + grey * (high - low)
    values += rng.normal(0, rng.uniform(5, 30), values.shape) * np.sqrt(0.3 + np.clip(grey, 0, 1))
    rows, columns = values.shape
    if rng.random() < 0.5:  # a lead letter as a white area
        top, left = rng.integers(100, rows - 300), rng.integers(100, columns - 300)
        values[top : top + 120, left : left + 30] = TOP
        values[top + 100 : top + 120, left : left + 80] = TOP
    if rng.random() < 0.3:
        edge = rng.integers(20, 250, 4)
        inside = np.zeros(values.shape, bool)
        inside[edge[0] : -edge[1], edge[2] : -edge[3]] = True
        values[~inside] = high + rng.normal(150, 10, int((~inside).sum()))
    if rng.random() < 0.5:
        for value in (0, TOP):
            count = int(rng.integers(1, 6))
            values[rng.integers(0, rows, count), rng.integers(0, columns, count)] = value
    stored = np.clip(np.rint(values), 1, TOP).astype(np.uint16)
    is_padded = bool(rng.random() < 0.25)
    if is_padded:
        y, x = np.mgrid[:rows, :columns]
        stored[(y + x < 400) | (rows - y + x < 500)] = PADDING
    return stored, is_padded


def written(
    case: Case, name: str, pixels: NDArray[np.uint16], *, is_padded: bool
) -> tuple[bytes, bytes]:
    """Give a file and its compressed stream; empty if the case has no such form."""
    if name == FILE:
        return (case.file.read_bytes(), b"") if case.number < 0 else (b"", b"")
    if name in ("png", "jpg"):
        file = io.BytesIO()
        grey = Image.fromarray((pixels >> 4).astype(np.uint8))
        grey.save(file, "PNG" if name == "png" else "JPEG", compress_level=1, quality=92)
        return (b"", b"") if is_padded else (file.getvalue(), b"")
    return as_dicom(name, pixels, is_padded=is_padded)


def as_dicom(name: str, pixels: NDArray[np.uint16], *, is_padded: bool) -> tuple[bytes, bytes]:
    """Make a DICOM object of 12 bits, or as many as the syntax supports."""
    syntax = SYNTAXES[name]
    values = pixels >> max(0, 12 - syntax.most_bits)
    bits = syntax.bits_stored(12)
    dataset = Dataset()
    dataset.SOPClassUID, dataset.SOPInstanceUID = UID("1.2.840.10008.5.1.4.1.1.1"), UID("1.2.3")
    dataset.Modality, dataset.PhotometricInterpretation = "CR", "MONOCHROME2"
    dataset.Rows, dataset.Columns, dataset.SamplesPerPixel = *values.shape, 1
    dataset.BitsAllocated, dataset.BitsStored = 8 if bits <= 8 else 16, bits
    dataset.HighBit, dataset.PixelRepresentation = bits - 1, 0
    if is_padded:
        dataset.PixelPaddingValue = PADDING
    stream = syntax.encode(values, bits) if syntax.encode else b""
    dataset.PixelData = encapsulate([stream]) if stream else native_bytes(values, bits)
    dataset["PixelData"].VR = "OB" if stream else "OW"
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = UID(syntax.uid)
    file = io.BytesIO()
    dataset.save_as(file, enforce_file_format=True)
    return file.getvalue(), stream


def moved_window(name: str, stream: bytes, pixels: NDArray[np.uint16]) -> tuple[float, float]:
    """Measure the low-pass effect of reduced decoding on the extremes, percent of the window."""
    if not stream:
        return 0.0, 0.0
    syntax = SYNTAXES[name]
    bits = syntax.bits_stored(12)
    header = Dataset()
    header.Rows, header.Columns, header.SamplesPerPixel = *pixels.shape, 1
    header.PhotometricInterpretation, header.PixelRepresentation = "MONOCHROME2", 0
    header.BitsAllocated, header.BitsStored = 8 if bits <= 8 else 16, bits
    header.HighBit = bits - 1
    layout = read_pixel_module("", Header(header, is_little_endian=True), 0x7FE00010)
    frame = Frame(path="", data=stream, layout=layout, limits=Limits())
    reduced = decode_reduced(syntax.uid, frame, SIDE)
    if reduced is None:
        return 0.0, 0.0
    full = CODECS[syntax.uid](frame).samples if syntax.lossy_method else pixels
    low, high = int(full.min()), int(full.max())
    ends = int(reduced.samples.min()) - low, int(reduced.samples.max()) - high
    return 100 * ends[0] / (high - low), 100 * ends[1] / (high - low)


if __name__ == "__main__":
    main(
        Path(sys.argv[1]),
        int(sys.argv[2]) if len(sys.argv) > 2 else 300,
        sys.argv[3:] or list(NAMES),
    )
