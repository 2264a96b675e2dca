"""Measures the time of each stage of a file on one core, with the functions that a run calls.

Times are processor time, so that other programs on the machine disturb them less. A process that
measures needs the environment `workers.cores.ONE_THREAD` before any library is loaded, as decode
workers have it.
"""

import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydicom.uid import DeflatedExplicitVRLittleEndian

from cxrview.classify.chest_rule import ChestRule, load_chest_rule
from cxrview.classify.decode_worker import read_file
from cxrview.classify.model import Model
from cxrview.classify.read_settings import ReadSettings
from cxrview.classify.wire import DecodedImage
from cxrview.errors import UsageError
from cxrview.image import Limits, ReadOptions, open_image, squash
from cxrview.image.dicom.parse import parse
from cxrview.workers.memory import tune_malloc

ROUNDS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Stages:
    """Seconds of one core for one file."""

    read: float
    """Open the file: bytes, checksum, header."""
    decode: float
    """Decode the full image, with inflating a deflated file."""
    shrink: float
    """Squash it."""
    decode_and_shrink: float
    """What a worker really does for both."""


def measure_reading(files: Sequence[Path], side: int) -> Stages:
    """Measure seconds per file: the mean of the files' medians.

    Args:
        files: readable ones.
        side: rows and columns of the model's input.

    Raises:
        UsageError: a file cannot be read.
    """
    tune_malloc()
    settings = ReadSettings(side=side, skip=False, options=ReadOptions(is_mapped=True))
    rule = load_chest_rule(None)
    rows = [_medians(str(file), settings, rule) for file in files]
    return Stages(
        **{name: statistics.mean(getattr(row, name) for row in rows) for name in Stages.__slots__}
    )


def measure_inference(model: Model, squares: Sequence[NDArray[np.uint8]]) -> float:
    """Measure seconds per image of a model on the CPU.

    Args:
        model: from `load_model`.
        squares: at least one, of `squashed`.
    """
    batch = np.stack([squares[k % len(squares)] for k in range(model.backend.batch)])
    model.run(batch)
    times = []
    for _ in range(3 * ROUNDS):
        began = time.process_time()
        model.run(batch)
        times.append((time.process_time() - began) / len(batch))
    return statistics.median(times)


def squashed(files: Sequence[Path], side: int) -> list[NDArray[np.uint8]]:
    """Read files as input of the model, shape (side, side) each; those that fail are left out."""
    settings, rule = ReadSettings(side=side, skip=False), load_chest_rule(None)
    outcomes = [read_file(str(file), settings, rule) for file in files]
    return [o.pixels for o in outcomes if isinstance(o, DecodedImage) and o.pixels is not None]


def _medians(path: str, settings: ReadSettings, rule: ChestRule) -> Stages:
    _measure(path, settings, rule)
    rows = [_measure(path, settings, rule) for _ in range(ROUNDS)]
    return Stages(
        **{name: statistics.median(getattr(row, name) for row in rows) for name in Stages.__slots__}
    )


def _measure(path: str, settings: ReadSettings, rule: ChestRule) -> Stages:
    opened = 0.0

    def wait() -> None:
        nonlocal opened
        opened = time.process_time()

    began = time.process_time()
    outcome = read_file(path, settings, rule, wait)
    ended = time.process_time()
    if not isinstance(outcome, DecodedImage):
        raise UsageError(f"{path} cannot be measured: {outcome.reason}")
    file = open_image(path, settings.options)
    decoding = time.process_time()
    radiograph = file.decode()
    shrinking = time.process_time()
    squash(radiograph.pixels, settings.side)
    shrunk = time.process_time()
    inflating = _inflating(Path(path), file.instance.transfer_syntax)
    return Stages(
        read=opened - began - inflating,
        decode=shrinking - decoding + inflating,
        shrink=shrunk - shrinking,
        decode_and_shrink=ended - opened + inflating,
    )


def _inflating(path: Path, syntax: str) -> float:
    """Measure the seconds of inflating when a deflated file is opened."""
    if syntax != DeflatedExplicitVRLittleEndian:
        return 0.0
    data = path.read_bytes()
    began = time.process_time()
    parse(str(path), data, Limits())
    return time.process_time() - began
