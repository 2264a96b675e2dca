"""Measures this machine by drawn radiographs: reading, decoding by syntax, each model, a GPU.

The measurement runs in a separate process, with the environment of a decode worker:
`python -m cxrview.capacity.benchmark`, with a job as JSON on standard input.
"""

import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from cxrview.errors import NoSuchDevice, RunStopped, UsageError
from cxrview.json_file import read_json, write_json
from cxrview.records.json_object import from_json, to_json
from cxrview.terms import Device, Precision, ShippedModel
from cxrview.workers.cores import ONE_THREAD, available_cores

FORMAT = 1
"""Increased when older versions could not read the files any more."""
IMAGES = 2
"""Drawn radiographs: one frontal, one lateral."""
GPU_SECONDS = 3.0
"""For which a GPU runs the model."""
MODELS = (ShippedModel.GOOGLENET, ShippedModel.FAST)


@dataclass(frozen=True, slots=True, kw_only=True)
class SyntaxCost:
    """Cost of one file of a transfer syntax: means over the drawn radiographs."""

    syntax: str
    megabytes: float
    """Size of the file."""
    read_seconds: float
    """Of one core: open the file, with checksum and header."""
    decode_seconds: float
    """Of one core: decode, and squash to the model's input."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelCost:
    """Cost of one image for a model."""

    model: str
    precision: str
    """`int8` or `fp32`, whichever a run takes on this processor."""
    core_seconds: float
    gpu_images_per_second: float | None = None
    """Of one GPU of this machine; None if there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineBenchmark:
    """What `measure_machine` found on one machine."""

    format: int
    version: str
    """Of cxrview."""
    processor: str
    cores: int
    load_average: float | None
    """Over the last minute, when the measurement began: other programs make figures worse."""
    seconds: float
    """How long it took."""
    rows: int
    """Of each drawn radiograph, and likewise the following."""
    columns: int
    syntaxes: tuple[SyntaxCost, ...]
    models: tuple[ModelCost, ...]

    def find_syntax(self, name: str) -> SyntaxCost:
        """Find the cost of a syntax.

        Raises:
            UsageError: it was not measured.
        """
        for one in self.syntaxes:
            if one.syntax == name:
                return one
        raise UsageError(
            f"the benchmark has no figures of syntax {name}",
            "Let cxrview plan --benchmark FILE measure it on the machine that will run",
        )

    def find_model(self, name: str) -> ModelCost:
        """Find the cost of a model; raises UsageError as `find_syntax`."""
        from cxrview.classify.model import DEFAULT_MODEL

        name = DEFAULT_MODEL if name == ShippedModel.DEFAULT else name
        for one in self.models:
            if one.model == name:
                return one
        raise UsageError(
            f"model {name} was not measured",
            f"Choose from {', '.join(m.model for m in self.models)}",
        )


def measure_machine(syntaxes: Sequence[str]) -> MachineBenchmark:
    """Measure this machine; about 20 seconds for two or three syntaxes on an idle one.

    Args:
        syntaxes: names as `cxrview phantom --list-faults` prints them, at least one.

    Raises:
        UsageError: a transfer syntax does not exist.
        RunStopped: the process that measures failed.
    """
    began, load = time.monotonic(), _load_average()
    done = subprocess.run(
        [sys.executable, "-m", __spec__.name],
        input=json.dumps(list(syntaxes)),
        capture_output=True,
        text=True,
        env={**os.environ, **ONE_THREAD},
    )
    if done.returncode:
        lines = done.stderr.strip().splitlines()
        raise RunStopped(
            f"the measurement of this machine failed: {lines[-1] if lines else 'no message'}",
            "Check that there is free memory and space for temporary files",
        )
    measured = json.loads(done.stdout)
    return from_json(
        MachineBenchmark,
        {
            "format": FORMAT,
            "version": version("cxrview"),
            "processor": _processor(),
            "cores": available_cores(),
            "load_average": load,
            "seconds": round(time.monotonic() - began, 1),
            **measured,
        },
    )


def read_benchmark(path: Path) -> MachineBenchmark:
    """Read the file of an earlier measurement.

    Raises:
        UsageError: it is not such a file.
    """
    try:
        found = from_json(MachineBenchmark, read_json(path))
        if found.format != FORMAT:
            raise ValueError(f"format {found.format}")
    except (OSError, ValueError) as error:
        raise UsageError(
            f"{path} is not a benchmark of cxrview plan, or of another version",
            "Remove it, and the command measures again",
        ) from error
    return found


def benchmark_of(path: Path | None, syntaxes: Sequence[str]) -> MachineBenchmark:
    """Read a benchmark, and measure and store what it lacks.

    Args:
        path: file to read and write; None measures without a file.
        syntaxes: those that are needed.

    Raises:
        UsageError: the file is not a benchmark; or it lacks a syntax and was measured on another
            processor.
        CannotWrite: the file cannot be written.
    """
    if path is None or not path.exists():
        found = measure_machine(syntaxes)
    else:
        found = read_benchmark(path)
        have = {one.syntax for one in found.syntaxes}
        missing = [name for name in syntaxes if name not in have]
        if not missing:
            return found
        if (found.processor, found.cores) != (_processor(), available_cores()):
            raise UsageError(
                f"{path} has no figures of syntax {missing[0]}, and is of another machine",
                "Measure on that machine, or name another file",
            )
        more = measure_machine(missing)
        found = replace(more, syntaxes=(*found.syntaxes, *more.syntaxes))
    if path is not None:
        write_json(path, to_json(found))
    return found


def _load_average() -> float | None:
    try:
        return round(os.getloadavg()[0], 1)
    except (AttributeError, OSError):  # not on Windows
        return None


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:  # macOS, Windows
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def _measure(syntaxes: Sequence[str]) -> dict[str, Any]:
    """Draw and measure, in the process that has the environment of a worker."""
    from cxrview.capacity.drawn_images import SIZE, draw_radiograph, encode_radiograph
    from cxrview.capacity.stages import measure_reading, squashed
    from cxrview.image import SIDE

    costs: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory(prefix="cxrview-") as name:
        drawn = [draw_radiograph(number) for number in range(IMAGES)]
        for syntax in syntaxes:
            files = []
            for number, (shot, pixels) in enumerate(drawn):
                files.append(Path(name) / f"{syntax}-{number}.dcm")
                files[-1].write_bytes(encode_radiograph(syntax, shot, pixels))
            stages = measure_reading(files, SIDE)
            size = sum(file.stat().st_size for file in files) / len(files)
            costs.append(
                {
                    "syntax": syntax,
                    "megabytes": size / 1e6,
                    "read_seconds": stages.read,
                    "decode_seconds": stages.decode_and_shrink,
                }
            )
        squares = squashed(files, SIDE)
    return {
        "rows": SIZE[0],
        "columns": SIZE[1],
        "syntaxes": costs,
        "models": [_measure_model(model, squares) for model in MODELS],
    }


def _measure_model(name: str, squares: Sequence[Any]) -> dict[str, Any]:
    from cxrview.capacity.stages import measure_inference
    from cxrview.classify.model import load_model, model_folder
    from cxrview.classify.model_files import read_card

    model = load_model(name, device=Device.CPU)
    is_int8 = model.card.weights_sha256 != read_card(model_folder(name)).weights_sha256
    cost: dict[str, Any] = {
        "model": name,
        "precision": Precision.INT8 if is_int8 else Precision.FP32,
        "core_seconds": measure_inference(model, squares),
    }
    try:
        on_gpu = load_model(name, device=Device.CUDA)
    except NoSuchDevice:
        return cost
    return cost | {"gpu_images_per_second": _gpu_rate(on_gpu, squares)}


def _gpu_rate(model: Any, squares: Sequence[Any]) -> float:
    """Images per second of a GPU, with as many calling threads as in a run."""
    import numpy as np

    batch = np.stack([squares[k % len(squares)] for k in range(16 * model.backend.batch)])
    model.answer(batch)
    began, done = time.monotonic(), 0
    while (seconds := time.monotonic() - began) < GPU_SECONDS:
        model.answer(batch)
        done += len(batch)
    return done / seconds


if __name__ == "__main__":
    print(json.dumps(_measure(json.load(sys.stdin))))
