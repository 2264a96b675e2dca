"""Time of Lanczos' filter by Pillow and by cxrview, interleaved, on one core.

Usage: python benchmarks/resize.py [ROUNDS]

The pictures have the sizes that files of all kinds are reduced to before, and those of whole
radiographs, as `--exact` filters them. Prints medians in milliseconds of processor time.
"""

import os
import statistics
import sys
import time
from collections.abc import Callable

from cxrview.workers.cores import ONE_THREAD

os.environ.update(ONE_THREAD)  # as in a worker, before any library is loaded

import numpy as np  # noqa: E402
from numpy.typing import NDArray  # noqa: E402
from PIL import Image  # noqa: E402

from cxrview.image.lanczos import resize_lanczos  # noqa: E402
from cxrview.workers.memory import tune_malloc  # noqa: E402

SIDE = 256
SHAPES = ((512, 512), (640, 667), (1012, 830), (2430, 1994), (4000, 4000))


def main(rounds: int) -> None:
    """Measure and print."""
    tune_malloc()
    print(f"{'rows x columns':16}{'Pillow, ms':>12}{'cxrview, ms':>13}{'ratio':>7}")
    for rows, columns in SHAPES:
        pixels = np.random.default_rng(0).integers(0, 256, (rows, columns), np.uint8)
        times: dict[Callable[[NDArray[np.uint8]], object], list[float]]
        times = {by_pillow: [], by_cxrview: []}
        for _ in range(rounds):
            for resize, measured in times.items():
                began = time.process_time()
                resize(pixels)
                measured.append(1000 * (time.process_time() - began))
        pillow, ours = (statistics.median(measured) for measured in times.values())
        print(f"{f'{rows} x {columns}':16}{pillow:12.2f}{ours:13.2f}{pillow / ours:7.1f}")


def by_pillow(pixels: NDArray[np.uint8]) -> object:
    """Resize by the library whose pixels cxrview must give."""
    return np.asarray(Image.fromarray(pixels).resize((SIDE, SIDE), Image.Resampling.LANCZOS))


def by_cxrview(pixels: NDArray[np.uint8]) -> object:
    """Resize with the weights of this size at hand, as for most files of an archive."""
    return resize_lanczos(pixels, SIDE)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 30)
