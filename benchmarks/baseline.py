"""Baseline rates: straightforward code with pydicom, Pillow and torch.

Usage: python benchmarks/baseline.py one-by-one|loader FILE...

`one-by-one` reads a file with pydicom's `pixel_array` (raster files with Pillow), windows it from
minimum to maximum in floats, resizes with Pillow and runs torch's fp32 GoogLeNet in
`inference_mode`, with all threads, on one image after the other. `loader` does the same with a
DataLoader of two spawned processes and batches of 32. Weights are random: speed does not depend on
them.

Prints one line of JSON. Seconds are those of the loop, without imports, weights and the start of
the loader's processes. Files that the installed pydicom cannot decode are listed, and not in count
and time.
"""

import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pydicom
import torch
from numpy.typing import NDArray
from PIL import Image
from torch.utils.data import DataLoader, Dataset, Sampler

from cxrview.train.googlenet import GoogLeNet

MEAN_GREY = 120.0


def read(file: str) -> NDArray[np.float32]:
    """Read a file as input of the model, shape (3, 224, 224)."""
    if pydicom.misc.is_dicom(file):
        header = pydicom.dcmread(file)
        values = header.pixel_array.astype(np.float32)
        is_inverse = header.PhotometricInterpretation == "MONOCHROME1"
    else:
        values, is_inverse = np.asarray(Image.open(file)).astype(np.float32), False
    grey = 255 * (values - values.min()) / max(values.max() - values.min(), 1)
    if is_inverse:
        grey = 255 - grey
    small = Image.fromarray(grey.astype(np.uint8)).resize((256, 256), Image.Resampling.LANCZOS)
    middle = np.asarray(small, np.float32)[16:240, 16:240] - MEAN_GREY
    return np.repeat(middle[None], 3, axis=0)


def make_model() -> GoogLeNet:
    """Make a two-class model with random weights."""
    torch.manual_seed(0)
    return GoogLeNet(2, auxiliary=False).eval()


def one_by_one(files: list[str]) -> dict[str, float]:
    """Measure the seconds of each file."""
    model, seconds = make_model(), {}
    with torch.inference_mode():
        for file in [files[0], *files]:  # the first file twice, as a warm-up
            began = time.perf_counter()
            model(torch.from_numpy(read(file))[None]).main.softmax(1)
            seconds[file] = time.perf_counter() - began
    return seconds


class Films(Dataset[NDArray[np.float32]]):
    """The files as a data set."""

    def __init__(self, files: list[str]) -> None:
        self.files = files

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, number: int) -> NDArray[np.float32]:
        return read(self.files[number])


class FirstFew(Sampler[int]):
    """Give the first file to each process, so that they have started, then all files."""

    def __init__(self, count: int, processes: int) -> None:
        self.count, self.processes, self.is_warm = count, processes, False

    def __iter__(self) -> Iterator[int]:
        return iter(range(self.count) if self.is_warm else [0] * 32 * self.processes)


def loader(files: list[str]) -> float:
    """Measure the seconds of all files."""
    model = make_model()
    order = FirstFew(len(files), 2)
    films = DataLoader(
        Films(files),
        batch_size=32,
        sampler=order,
        num_workers=2,
        multiprocessing_context="spawn",
        persistent_workers=True,
    )
    with torch.inference_mode():
        for batch in films:
            model(batch[:1]).main.softmax(1)
        order.is_warm = True
        began = time.perf_counter()
        for batch in films:
            model(batch).main.softmax(1)
        return time.perf_counter() - began


def readable(files: list[str]) -> tuple[list[str], list[str]]:
    """Divide files into readable and unreadable ones, by trying one of each folder."""
    verdicts: dict[Path, bool] = {}
    for file in files:
        folder = Path(file).parent
        if folder not in verdicts:
            try:
                read(file)
                verdicts[folder] = True
            except Exception:  # a decoder is missing, or refuses the file
                verdicts[folder] = False
    return (
        [file for file in files if verdicts[Path(file).parent]],
        [folder.name for folder, is_good in verdicts.items() if not is_good],
    )


def main(way: str, files: list[str]) -> None:
    """Measure and print."""
    good, unread = readable(files)
    result: dict[str, object] = {"files": len(good), "unread": unread}
    if way == "loader":
        result["seconds"] = loader(good)
    else:
        seconds = one_by_one(good)
        result |= {"seconds": sum(seconds.values()), "seconds_of_each": seconds}
    print(json.dumps(result))


if __name__ == "__main__":
    if len(sys.argv) < 3 or sys.argv[1] not in ("one-by-one", "loader"):
        sys.exit(__doc__)
    main(sys.argv[1], sys.argv[2:])
