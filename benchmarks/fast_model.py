"""Time of the fast model on one core, against the shipped GoogLeNet, interleaved.

    python benchmarks/fast_model.py [FOLDER] [--rounds N]

FOLDER is TRAINING/model of `cxrview fast-model assess`; without it, a fast model with random
weights is measured, which takes as long. Prints CPU milliseconds per radiograph and the ratio to
int8 of the GoogLeNet, each the median over rounds. CPU time is disturbed little by other programs.
"""

import argparse
import statistics
import time
from importlib.resources import files
from pathlib import Path

import numpy as np
import onnxruntime

from cxrview.classify.model_files import INT8_WEIGHTS_NAME, WEIGHTS_NAME

CALL = 4
"""Radiographs in a call, as `cxrview classify` gives them."""
AIM = 5.0


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", nargs="?", type=Path)
    parser.add_argument("--rounds", type=int, default=30)
    given = parser.parse_args()
    shipped = Path(str(files("cxrview.classify") / "weights" / "googlenet"))
    exported = trained_weights(given.folder) if given.folder else random_weights()
    sessions = {
        "GoogLeNet int8": one_core((shipped / INT8_WEIGHTS_NAME).read_bytes()),
        "GoogLeNet float32": one_core((shipped / WEIGHTS_NAME).read_bytes()),
        **{f"fast {name}": one_core(weights) for name, weights in exported.items()},
    }
    pictures = np.random.default_rng(0).integers(0, 256, (CALL, 256, 256), np.uint8)
    spent: dict[str, list[float]] = {name: [] for name in sessions}
    for number in range(given.rounds + 2):
        for name, session in sessions.items():
            began = time.process_time()
            session.run(None, {"radiographs": pictures})
            if number >= 2:  # the first calls also allocate memory
                spent[name].append(1000 * (time.process_time() - began) / CALL)
    slow = spent["GoogLeNet int8"]
    for name, each in spent.items():
        ratio = statistics.median(old / new for old, new in zip(slow, each, strict=True))
        print(f"{name:18} {statistics.median(each):6.2f} ms a radiograph, {ratio:5.2f} times")
    best = max(
        statistics.median(old / new for old, new in zip(slow, spent[f"fast {name}"], strict=True))
        for name in exported
    )
    print(f"faster of the two fast models: {best:.2f} times, aim {AIM:.0f}")


def one_core(weights: bytes) -> onnxruntime.InferenceSession:
    """Load weights for one thread."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(weights, options, providers=["CPUExecutionProvider"])


def trained_weights(folder: Path) -> dict[str, bytes]:
    """The files of a trained model, by precision."""
    return {
        "float32": (folder / WEIGHTS_NAME).read_bytes(),
        "int8": (folder / INT8_WEIGHTS_NAME).read_bytes(),
    }


def random_weights() -> dict[str, bytes]:
    """Exports of a model that was not trained, by precision."""
    from cxrview.train.fast.export import to_int8, to_onnx
    from cxrview.train.fast.model import FastModel
    from cxrview.train.fast.recipe import FAST

    weights = to_onnx(FastModel(FAST.width).eval())
    pictures = np.random.default_rng(1).integers(0, 256, (8, 256, 256), np.uint8)
    return {"float32": weights, "int8": to_int8(weights, pictures)}


if __name__ == "__main__":
    main()
