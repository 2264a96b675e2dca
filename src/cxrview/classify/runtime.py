"""Runs a model's weights: whatever the backend, squashed radiographs in, percentages out."""

import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from types import ModuleType
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from cxrview.classify.cores import available_cores
from cxrview.classify.processor import is_quick_at_int8, is_right_at_int8
from cxrview.errors import ModelRefused, UsageError
from cxrview.records import Answers, ModelCard, join_answers
from cxrview.store.models import INT8_WEIGHTS_NAME, WEIGHTS_NAME, read_card, read_weights
from cxrview.terms import Device, Precision

BATCH = 4
"""Radiographs a call. The last batch is filled up to it, so that no row depends on how many
images came with it. More at a time are no faster on one thread, and take memory and time to
gather: see docs/benchmarks.md."""
PFI, CHEST = "pfi", "chest"
"""Outputs of a network, by name; not every network has the second."""
CUDA_PROVIDER = "CUDAExecutionProvider"
PROVIDERS: Mapping[Device, tuple[str, Mapping[str, int]]] = {
    Device.CPU: ("CPUExecutionProvider", {}),
    Device.CUDA: (CUDA_PROVIDER, {"use_tf32": 0}),  # fp32 means fp32
}
"""ONNX Runtime's name for each device, and its options."""


class Backend(Protocol):
    """What runs a network; several threads may ask it at once, each about a batch."""

    name: str

    def run(self, batch: NDArray[np.uint8]) -> Answers:
        """Ask about squashed radiographs, shape (n, side, side) uint8, n at most BATCH.

        It takes one core and the thread that asks.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """A card and a backend that holds its weights."""

    card: ModelCard
    backend: Backend

    def pfi(self, pixels: NDArray[np.uint8]) -> NDArray[np.float64]:
        """PFI in percent, shape (n,), of squashed radiographs (n, side, side) uint8."""
        return self.answer(pixels).pfi

    def answer(self, pixels: NDArray[np.uint8]) -> Answers:
        """Ask about squashed radiographs, shape (n, side, side) uint8, however many.

        All cores take part, each with a batch of its own.
        """
        batches = [pixels[k : k + BATCH] for k in range(0, len(pixels), BATCH)]
        with ThreadPoolExecutor(available_cores()) as lanes:
            return join_answers(list(lanes.map(self.backend.run, batches)))


def load_model(
    folder: str | Path = "default",
    *,
    precision: str = Precision.AUTO,
    device: str = Device.AUTO,
    threads: int = 1,
) -> Model:
    """Load a model, checked against its card.

    Args:
        folder: holds `card.json`, `model.onnx` and, where it was quantised, `model-int8.onnx`;
            `default` is the one in the package.
        precision: `fp32`, `int8`, or `auto`: int8 where the folder has it and the processor is
            quick at it, and never on a GPU.
        device: `cpu`, `cuda`, or `auto`: cuda where ONNX Runtime was built for it.
        threads: within one batch, 0 for one per core. Cores are better filled by several
            batches at once, as `Model.answer` and the engine do; then a batch has one.

    Returns:
        A model whose card is that of the precision in use, with its own cutoffs.

    Raises:
        ModelRefused: a file is missing or changed, or the network takes another input.
        UsageError: this precision or device is not to be had here.
        ValueError: there is no such precision or device.
    """
    where = Path(str(files("cxrview.classify") / "weights" if folder == "default" else folder))
    found = find_device(Device(device))
    card, name = read_card(where), WEIGHTS_NAME
    if _takes_int8(card, Precision(precision), found):
        if card.int8 is None:
            raise UsageError(
                f"{where} holds no weights of int8", "Make them by cxrview quantise, or take fp32"
            )
        if found is Device.CPU:
            need_int8_processor()
        card, name = card.int8, INT8_WEIGHTS_NAME
    backend = OnnxRuntime(read_weights(where / name, card), threads=threads, device=found)
    if backend.input_side != card.input_side:
        raise ModelRefused(
            f"the network takes {backend.input_side} x {backend.input_side} pixels, "
            f"its card says {card.input_side}",
            "Take all files from one place, unchanged",
        )
    if (CHEST in backend.outputs) != (card.chest_cutoff is not None):
        raise ModelRefused(
            f"the network and its card differ in whether there is an output {CHEST}",
            "Take all files from one place, unchanged",
        )
    return Model(card=card, backend=backend)


def find_device(device: Device) -> Device:
    """The device meant by `auto`; any other is itself."""
    if device is not Device.AUTO:
        return device
    return Device.CUDA if CUDA_PROVIDER in _onnxruntime().get_available_providers() else Device.CPU


def need_int8_processor() -> None:
    """See to it that int8 is computed right on this processor.

    Raises:
        UsageError: it is not.
    """
    if not is_right_at_int8():
        raise UsageError(
            "this processor has no VNNI, and without it sums of int8 overflow", "Take fp32"
        )


def _takes_int8(card: ModelCard, precision: Precision, device: Device) -> bool:
    if precision is not Precision.AUTO:
        return precision is Precision.INT8
    return card.int8 is not None and device is Device.CPU and is_quick_at_int8()


def _onnxruntime() -> ModuleType:
    """The library, told to keep to itself."""
    # Since 1.32 it would note down this machine's facts in HOME and send them to its maker.
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    import onnxruntime

    onnxruntime.disable_telemetry_events()
    onnxruntime.set_default_logger_severity(3)
    library: ModuleType = onnxruntime
    return library


class OnnxRuntime:
    """ONNX Runtime on the processor, or on a GPU of NVIDIA's.

    Args:
        weights: an ONNX file whole; one that points to further files is refused by loading
            it from memory, so that no path in it can reach the disk.
        threads: 0 takes one per core.
        device: cpu or cuda.

    Raises:
        ModelRefused: it is no network, or not one of these.
        UsageError: cuda, and ONNX Runtime finds no such device.
    """

    def __init__(self, weights: bytes, *, threads: int = 0, device: Device = Device.CPU) -> None:
        onnxruntime = _onnxruntime()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        provider = PROVIDERS[device]
        if provider[0] not in onnxruntime.get_available_providers():
            raise _no_device(device)
        try:
            self._session = onnxruntime.InferenceSession(weights, options, providers=[provider])
        except Exception as error:  # ONNX Runtime raises classes of its own for a bad file
            raise ModelRefused(f"the network cannot be loaded: {type(error).__name__}") from error
        if provider[0] not in self._session.get_providers():  # it has fallen back to the processor
            raise _no_device(device)
        self.name = f"onnxruntime-{device}"
        (self._input,) = self._session.get_inputs()
        self.input_side = int(self._input.shape[-1])
        self.outputs = tuple(output.name for output in self._session.get_outputs())
        if PFI not in self.outputs:
            raise ModelRefused(f"the network has no output named {PFI}")

    def run(self, batch: NDArray[np.uint8]) -> Answers:
        """Ask about squashed radiographs, shape (n, side, side) uint8; n may exceed BATCH."""
        whole = BATCH * -(-len(batch) // BATCH)
        filled = np.zeros((whole, *batch.shape[1:]), np.uint8)
        filled[: len(batch)] = batch
        given = self._session.run(None, {self._input.name: filled})
        percent = {
            name: np.clip(values[: len(batch)].astype(np.float64), 0, 100)
            for name, values in zip(self.outputs, given, strict=True)
        }
        return Answers(pfi=percent[PFI], chest=percent.get(CHEST))


def _no_device(device: Device) -> UsageError:
    return UsageError(
        f"ONNX Runtime finds no device {device} here",
        "Take --device cpu, or install onnxruntime-gpu in place of onnxruntime",
    )
