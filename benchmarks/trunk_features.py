"""Time of GoogLeNet's trunk in bf16, with torch's pooling and power and with cxrview's, in turns.

Usage: python benchmarks/trunk_features.py [ROUNDS]

The pass that `cxrview finetune` makes for features of a frozen trunk and for validation images, on
one core, with batches of 32. Prints medians in images per second of processor time, and whether
both give the same bits. Needs a processor with bf16 arithmetic for figures that mean something.
"""

import os
import statistics
import sys
import time
from contextlib import AbstractContextManager, nullcontext
from unittest import mock

from cxrview.workers.cores import ONE_THREAD

os.environ.update(ONE_THREAD)  # before any library is loaded

import numpy as np  # noqa: E402
import torch  # noqa: E402
from torch import Tensor  # noqa: E402
from torch.nn import functional  # noqa: E402

from cxrview.train import googlenet  # noqa: E402
from cxrview.train.loop import as_input, bf16_arithmetic  # noqa: E402
from cxrview.workers.memory import tune_malloc  # noqa: E402

BATCH = 32


def main(rounds: int) -> None:
    """Measure and print."""
    tune_malloc()
    torch.manual_seed(0)
    model = googlenet.GoogLeNet(2).eval()
    shape = (BATCH, 224, 224)
    batch = as_input(np.random.default_rng(0).integers(0, 256, shape, np.uint8))
    rates: dict[str, list[float]] = {"torch": [], "cxrview": []}
    found: dict[str, Tensor] = {}
    for _ in range(rounds):
        for name, measured in rates.items():
            with _of_torch() if name == "torch" else nullcontext():
                began = time.process_time()
                found[name] = _features(model, batch)
                measured.append(BATCH / (time.process_time() - began))
    torchs, ours = (statistics.median(measured[1:]) for measured in rates.values())
    print(f"torch {torchs:.1f} images/s, cxrview {ours:.1f}: {ours / torchs:.2f} times")
    print("the same bits" if torch.equal(*found.values()) else "NOT the same bits")


def _features(model: googlenet.GoogLeNet, batch: Tensor) -> Tensor:
    with torch.inference_mode(), bf16_arithmetic("cpu", is_on=True):
        return model.features(batch)


def _of_torch() -> AbstractContextManager[object]:
    return mock.patch.multiple(
        googlenet,
        _to_the_minus_beta=lambda total: total.pow(-googlenet.LRN_BETA),
        halve=_halve,
        pool_neighbours=_pool_neighbours,
    )


def _halve(x: Tensor) -> Tensor:
    return functional.max_pool2d(x, 3, stride=2, ceil_mode=True)


def _pool_neighbours(x: Tensor) -> Tensor:
    return functional.max_pool2d(x, 3, stride=1, padding=1)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 9)
