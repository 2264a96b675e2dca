"""Runs a model's weights: whatever the backend, squashed radiographs in, percentages out."""

import contextlib
import io
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from cxrview.classify.devices import (
    ASKING,
    is_quick_at_int8,
    is_right_at_int8,
    onnxruntime_here,
    prepare_device,
    unusable,
)
from cxrview.classify.model_files import INT8_WEIGHTS_NAME, WEIGHTS_NAME, read_card, read_weights
from cxrview.errors import InferenceError, InvalidModel, NoSuchDevice, UsageError
from cxrview.records import Answers, ModelCard, join_answers
from cxrview.records.pixels import squashed_pictures
from cxrview.terms import Device, Precision
from cxrview.workers.cores import available_cores

PFI, CHEST = "pfi", "chest"
"""Outputs of a network, by name; not every network has the second."""


class Backend(Protocol):
    """What runs a network; several threads may ask it at once, each about a batch."""

    name: str
    batch: int
    """Most radiographs that one thread should ask about together."""
    lanes: int | None
    """Threads that should ask at once; one for each core where None."""

    def run(self, batch: NDArray[np.uint8]) -> Answers:
        """Ask about squashed radiographs, shape (n, side, side) uint8, n at least 1.

        It takes one core and the thread that asks.

        Raises:
            InferenceError: what it runs on gave up; the same batch may be answered later.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """A card and a backend that holds its weights."""

    card: ModelCard
    backend: Backend

    def pfi(self, pixels: NDArray[np.uint8]) -> NDArray[np.float64]:
        """PFI in percent, shape (n,), of squashed radiographs.

        Args:
            pixels: shape (n, side, side), uint8, 0 to 255, bone bright, side that of the card
                (256), n from 0; an array of numpy's, or a tensor of torch's on the processor.

        Raises:
            ValueError: pixels of another type, range or shape.
            InferenceError: what the network runs on gave up.
        """
        return self.answer(pixels).pfi

    def answer(self, pixels: NDArray[np.uint8]) -> Answers:
        """Ask about squashed radiographs, as `pfi` takes them, however many.

        All cores take part, each with a batch of its own.

        Raises:
            ValueError: pixels of another type, range or shape.
            InferenceError: what the network runs on gave up.
        """
        pixels = squashed_pictures(pixels, self.card.input_side)
        if not len(pixels):
            none = np.empty(0)
            return Answers(pfi=none, chest=None if self.card.chest_cutoff is None else none)
        most = self.backend.batch
        batches = [pixels[k : k + most] for k in range(0, len(pixels), most)]
        with ThreadPoolExecutor(self.backend.lanes or available_cores()) as lanes:
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
        device: `cpu`, `cuda`, or `auto`: cuda where ONNX Runtime was built for it and finds one.
        threads: within one batch, 0 for one per core. Cores are better filled by several
            batches at once, as `Model.answer` and the engine do; then a batch has one.

    Returns:
        A model whose card is that of the precision in use, with its own cutoffs. Where
        `card.is_smoke_test`, its answers mean nothing.

    Raises:
        InvalidModel: a file is missing or changed, or the network takes another input.
        UsageError: this precision or device is not to be had here.
        ValueError: there is no such precision or device.
    """
    where = Path(str(files("cxrview.classify") / "weights" if folder == "default" else folder))
    wanted, found = Precision(precision), Device(device)
    if found is not Device.AUTO:
        return _load(where, wanted, found, threads)
    try:
        return _load(where, wanted, Device.CUDA, threads)
    except NoSuchDevice:
        return _load(where, wanted, Device.CPU, threads)


def _load(where: Path, precision: Precision, device: Device, threads: int) -> Model:
    prepare_device(device)
    card, name = read_card(where), WEIGHTS_NAME
    if _takes_int8(card, precision, device):
        if card.int8 is None:
            raise UsageError(
                f"{where} holds no weights of int8", "Make them by cxrview quantise, or take fp32"
            )
        if device is Device.CPU:
            need_int8_processor()
        card, name = card.int8, INT8_WEIGHTS_NAME
    backend = OnnxRuntime(read_weights(where / name, card), threads=threads, device=device)
    if backend.input_side != card.input_side:
        raise InvalidModel(
            f"the network takes {backend.input_side} x {backend.input_side} pixels, "
            f"its card says {card.input_side}",
            "Take all files from one place, unchanged",
        )
    if (CHEST in backend.outputs) != (card.chest_cutoff is not None):
        raise InvalidModel(
            f"the network and its card differ in whether there is an output {CHEST}",
            "Take all files from one place, unchanged",
        )
    return Model(card=card, backend=backend)


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


class OnnxRuntime:
    """ONNX Runtime on the processor, or on a GPU of NVIDIA's.

    Args:
        weights: an ONNX file whole; one that points to further files is refused by loading
            it from memory, so that no path in it can reach the disk.
        threads: 0 takes one per core.
        device: cpu or cuda.

    Raises:
        InvalidModel: it is no network, or not one of these.
        NoSuchDevice: ONNX Runtime cannot use this device here.
    """

    def __init__(self, weights: bytes, *, threads: int = 0, device: Device = Device.CPU) -> None:
        prepare_device(device)
        asking = ASKING[device]
        onnxruntime = onnxruntime_here()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        try:
            # It prints that it falls back to the processor, where rows may be going.
            with contextlib.redirect_stdout(io.StringIO()):
                self._session = onnxruntime.InferenceSession(
                    weights, options, providers=[(asking.provider, asking.options)]
                )
        except Exception as error:  # ONNX Runtime raises classes of its own for a bad file
            if device is not Device.CPU:  # its memory may be full; a bad file is one anywhere
                raise unusable(device) from error
            raise InvalidModel(f"the network cannot be loaded: {type(error).__name__}") from error
        if asking.provider not in self._session.get_providers():
            raise unusable(device)
        self._session.disable_fallback()  # nor later, in the middle of a run
        self._asked_wrongly = onnxruntime.capi.onnxruntime_pybind11_state.InvalidArgument
        self.name = f"onnxruntime-{device}"
        self.batch, self.lanes, self._call = asking.batch, asking.lanes, asking.call
        (self._input,) = self._session.get_inputs()
        self.input_side = int(self._input.shape[-1])
        self.outputs = tuple(output.name for output in self._session.get_outputs())
        if PFI not in self.outputs:
            raise InvalidModel(f"the network has no output named {PFI}")

    def run(self, batch: NDArray[np.uint8]) -> Answers:
        """Ask about squashed radiographs, shape (n, side, side) uint8, n at least 1.

        Raises:
            ValueError: pixels of another type.
            InferenceError: the device gave up.
        """
        if batch.dtype != np.uint8:  # what takes them below would cut them to it
            raise ValueError(f"the network takes uint8; got {batch.dtype}")
        calls = [self._run(batch[k : k + self._call]) for k in range(0, len(batch), self._call)]
        given = {
            name: np.clip(np.concatenate(values).astype(np.float64), 0, 100)
            for name, values in zip(self.outputs, zip(*calls, strict=True), strict=True)
        }
        return Answers(pfi=given[PFI], chest=given.get(CHEST))

    def _run(self, pictures: NDArray[np.uint8]) -> list[NDArray[np.float32]]:
        """One call, of as many radiographs as every other."""
        filled = np.zeros((self._call, *pictures.shape[1:]), np.uint8)
        filled[: len(pictures)] = pictures
        try:
            given = self._session.run(None, {self._input.name: filled})
        except self._asked_wrongly:  # by us
            raise
        except Exception as error:  # it has a class for each way to fail, more in each version
            raise InferenceError(
                f"the network failed on {self.name} ({type(error).__name__})",
                "See whether another program has taken its memory; then run the command again, "
                "cxrview classify with --resume",
            ) from error
        return [values[: len(pictures)] for values in given]
