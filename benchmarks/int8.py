"""Speed of int8 against fp32, interleaved so that a busy machine affects both equally.

    python benchmarks/int8.py [FOLDER] [--threads N] [--layers | --calls [--device cuda]]

FOLDER is of `cxrview quantise`, by default the model in the package. `--layers` prints the time by
kind of layer instead, from ONNX Runtime's profile; `--calls` the time per radiograph of calls with
several, on the CPU or on a GPU.
"""

import argparse
import json
import statistics
import tempfile
import time
from collections import Counter
from importlib.resources import files
from itertools import product
from pathlib import Path

import numpy as np
import onnxruntime

from cxrview.classify.devices import PROFILES, prepare_device, unusable
from cxrview.classify.model import load_model
from cxrview.classify.model_files import INT8_WEIGHTS_NAME, WEIGHTS_NAME
from cxrview.terms import Device, Precision

ROUNDS = 15
BATCH = 4
CALLS = {Device.CPU: (1, 2, 4, 8), Device.CUDA: (1, 4, 8, 16, 32, 64, 128)}
PRECISIONS = {Precision.FP32: WEIGHTS_NAME, Precision.INT8: INT8_WEIGHTS_NAME}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    shipped = Path(str(files("cxrview.classify") / "weights" / "googlenet"))
    parser.add_argument("folder", nargs="?", type=Path, default=shipped)
    parser.add_argument("--threads", type=int, default=0, help="0 takes one per core")
    parser.add_argument("--layers", action="store_true", help="where the time goes")
    parser.add_argument("--calls", action="store_true", help="cost by radiographs in a call")
    parser.add_argument("--device", type=Device, default=Device.CPU, help="of --calls")
    given = parser.parse_args()
    pictures = np.random.default_rng(0).integers(0, 256, (BATCH, 256, 256), np.uint8)
    if given.layers:
        for precision, name in PRECISIONS.items():
            tell_layers(precision, given.folder / name, pictures, given.threads)
    elif given.calls:
        for precision, name in PRECISIONS.items():
            tell_calls(precision, given.folder / name, given.threads, given.device)
    else:
        tell_rates(given.folder, pictures, given.threads)


def tell_rates(folder: Path, pictures: np.ndarray, threads: int) -> None:
    """Print the median rate of each precision, and the median ratio of neighbouring rounds."""
    models = {
        precision: load_model(folder, precision=precision, device="cpu", threads=threads)
        for precision in PRECISIONS
    }
    seconds: dict[Precision, list[float]] = {precision: [] for precision in models}
    for number in range(ROUNDS + 2):
        for precision, model in models.items():
            began = time.perf_counter()
            model.answer(pictures)
            if number >= 2:  # the first calls also allocate memory
                seconds[precision].append(time.perf_counter() - began)
    for precision, each in seconds.items():
        print(f"{precision}: {BATCH / statistics.median(each):.1f} images/s, median of {ROUNDS}")
    fp32, int8 = seconds.values()
    ratios = sorted(old / new for old, new in zip(fp32, int8, strict=True))
    print(f"int8 / fp32: {statistics.median(ratios):.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f})")


def tell_calls(precision: Precision, path: Path, threads: int, device: Device) -> None:
    """Print median milliseconds per radiograph for calls of several sizes.

    One size after the other, since on a GPU each change of size makes cuDNN choose again.
    """
    prepare_device(device)
    asking = PROFILES[device]
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(
        path, options, providers=[(asking.provider, asking.options)]
    )
    if asking.provider not in session.get_providers():
        raise unusable(device)
    name = session.get_inputs()[0].name
    spent: dict[int, list[float]] = {size: [] for size in CALLS[device]}
    for size, number in product(spent, range(ROUNDS + 2)):
        pictures = np.random.default_rng(0).integers(0, 256, (size, 256, 256), np.uint8)
        began = time.perf_counter()
        session.run(None, {name: pictures})
        if number >= 2:
            spent[size].append((time.perf_counter() - began) / size)
    told = (f"{1000 * statistics.median(each):.2f} in {size}" for size, each in spent.items())
    print(f"{precision} on {device}: {', '.join(told)} ms a radiograph")


def tell_layers(precision: Precision, path: Path, pictures: np.ndarray, threads: int) -> None:
    """Print milliseconds per image of each kind of layer."""
    with tempfile.TemporaryDirectory() as folder:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = 3
        options.enable_profiling = True
        options.profile_file_prefix = f"{folder}/profile"
        session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        for _ in range(ROUNDS):
            session.run(None, {session.get_inputs()[0].name: pictures})
        events = json.loads(Path(session.end_profiling()).read_text())
    spent: Counter[str] = Counter()
    for event in events:
        if event.get("cat") == "Node" and event["name"].endswith("_kernel_time"):
            spent[event["args"]["op_name"]] += event["dur"]
    total = spent.total()
    print(f"{precision}: {total / ROUNDS / BATCH / 1000:.2f} ms an image")
    for kind, microseconds in spent.most_common(8):
        each = microseconds / ROUNDS / BATCH / 1000
        print(f"  {kind:24} {each:6.2f} ms {100 * microseconds / total:5.1f} %")


if __name__ == "__main__":
    main()
