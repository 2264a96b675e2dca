"""Time of each stage on one core, measured with the package's functions.

Usage: python benchmarks/stages.py FOLDER [IMAGES [FORMAT...]]

FOLDER has the corpus of benchmarks/corpus.py. Prints milliseconds of processor time per image:
`read` opens the file (bytes, checksum, header), `decode` gives the full image (with inflating a
deflated file), `shrink` squashes it, `decode + shrink` is what a worker really does for both,
`infer` runs the model. Two of it at once show how cores slow each other down.
"""

import os
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

from cxrview.workers.cores import ONE_THREAD

os.environ.update(ONE_THREAD)  # as in a worker, before any library is loaded

import numpy as np  # noqa: E402
from pydicom.uid import DeflatedExplicitVRLittleEndian  # noqa: E402

from corpus import make_corpus  # noqa: E402
from cxrview.classify.chest_rule import load_chest_rule  # noqa: E402
from cxrview.classify.decode_worker import read_file
from cxrview.classify.model import load_model  # noqa: E402
from cxrview.classify.read_settings import ReadSettings  # noqa: E402
from cxrview.classify.wire import DecodedImage  # noqa: E402
from cxrview.image import Limits, ReadOptions, open_image, squash  # noqa: E402
from cxrview.image.dicom.parse import parse  # noqa: E402
from cxrview.workers.memory import tune_malloc  # noqa: E402

ROUNDS = 3
Stages = dict[str, float]


def measure_reading(files: list[Path], side: int) -> Stages:
    """Measure core-seconds per file: the mean of the files' medians."""
    tune_malloc()
    settings = ReadSettings(side=side, skip=False, options=ReadOptions(is_mapped=True))
    rule = load_chest_rule(None)
    rows = [_medians(lambda f=file: _stages(str(f), settings, rule)) for file in files]
    return {name: statistics.mean(row[name] for row in rows) for name in rows[0]}


def measure_inference(pixels: list[np.ndarray]) -> float:
    """Measure core-seconds per image."""
    model = load_model()
    batch = np.stack([pixels[k % len(pixels)] for k in range(model.backend.batch)])
    model.backend.run(batch)
    times = []
    for _ in range(3 * ROUNDS):
        began = time.process_time()
        model.backend.run(batch)
        times.append((time.process_time() - began) / len(batch))
    return statistics.median(times)


def squashed(files: list[Path], side: int) -> list[np.ndarray]:
    """Read some files as input of the model."""
    settings, rule = ReadSettings(side=side, skip=False), load_chest_rule(None)
    outcomes = [read_file(str(file), settings, rule) for file in files]
    return [o.pixels for o in outcomes if isinstance(o, DecodedImage) and o.pixels is not None]


def _medians(stages: Callable[[], Stages]) -> Stages:
    stages()
    rows = [stages() for _ in range(ROUNDS)]
    return {name: statistics.median(row[name] for row in rows) for name in rows[0]}


def _stages(path: str, settings: ReadSettings, rule: object) -> Stages:
    opened = 0.0

    def wait() -> None:
        nonlocal opened
        opened = time.process_time()

    began = time.process_time()
    outcome = read_file(path, settings, rule, wait)
    ended = time.process_time()
    if not isinstance(outcome, DecodedImage):
        raise SystemExit(f"{path}: {outcome.reason}")
    file = open_image(path, settings.options)
    decoding = time.process_time()
    radiograph = file.decode()
    shrinking = time.process_time()
    squash(radiograph.pixels, settings.side)
    shrunk = time.process_time()
    inflating = _inflating(Path(path), file.instance.transfer_syntax)
    return {
        "read": opened - began - inflating,
        "decode": shrinking - decoding + inflating,
        "shrink": shrunk - shrinking,
        "decode + shrink": ended - opened + inflating,
    }


def _inflating(path: Path, syntax: str) -> float:
    """Measure the seconds of inflating when a deflated file is opened."""
    if syntax != DeflatedExplicitVRLittleEndian:
        return 0.0
    data = path.read_bytes()
    began = time.process_time()
    parse(str(path), data, Limits())
    return time.process_time() - began


def main(folder: Path, images: int, formats: list[str]) -> None:
    """Measure and print."""
    side = load_model().card.input_side
    corpus = make_corpus(folder, images)
    names = ("read", "decode", "shrink", "decode + shrink")
    print(f"{'ms':18}" + "".join(f"{name:>17}" for name in names))
    for format_name in formats or corpus:
        stages = measure_reading(corpus[format_name], side)
        print(f"{format_name:18}" + "".join(f"{1000 * stages[name]:17.1f}" for name in names))
    infer = measure_inference(squashed(corpus["native"], side))
    print(f"{'infer':18}{1000 * infer:17.1f}")


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 4, sys.argv[3:])
