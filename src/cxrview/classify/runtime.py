"""Runs a model's weights: whatever the backend, squashed radiographs in, percentages out."""

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from cxrview.classify.cores import available_cores
from cxrview.errors import ModelRefused
from cxrview.records import Answers, ModelCard, join_answers
from cxrview.store.models import read_model

BATCH = 4
"""Radiographs a call. The last batch is filled up to it, so that no row depends on how many
images came with it. More at a time are no faster on one thread, and take memory and time to
gather: see docs/benchmarks.md."""
PFI, CHEST = "pfi", "chest"
"""Outputs of a network, by name; not every network has the second."""


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


def load_model(folder: str | Path = "default", *, threads: int = 1) -> Model:
    """Load a model, checked against its card.

    Args:
        folder: holds `model.onnx` and `card.json`; `default` is the one in the package.
        threads: within one batch, 0 for one per core. Cores are better filled by several
            batches at once, as `Model.answer` and the engine do; then a batch has one.

    Raises:
        ModelRefused: a file is missing or changed, or the network takes another input.
    """
    where = files("cxrview.classify") / "weights" if folder == "default" else folder
    card, weights = read_model(Path(str(where)))
    backend = OnnxRuntime(weights, threads=threads)
    if backend.input_side != card.input_side:
        raise ModelRefused(
            f"the network takes {backend.input_side} x {backend.input_side} pixels, "
            f"its card says {card.input_side}",
            "Take both files from one place, unchanged",
        )
    if (CHEST in backend.outputs) != (card.chest_cutoff is not None):
        raise ModelRefused(
            f"the network and its card differ in whether there is an output {CHEST}",
            "Take both files from one place, unchanged",
        )
    return Model(card=card, backend=backend)


class OnnxRuntime:
    """ONNX Runtime on the processor.

    Args:
        weights: an ONNX file whole; one that points to further files is refused by loading
            it from memory, so that no path in it can reach the disk.
        threads: 0 takes one per core.
    """

    name = "onnxruntime-cpu"

    def __init__(self, weights: bytes, *, threads: int = 0) -> None:
        # Since 1.32 it would note down this machine's facts in HOME and send them to its maker.
        os.environ["ORT_DISABLE_TELEMETRY"] = "1"
        import onnxruntime

        onnxruntime.disable_telemetry_events()
        onnxruntime.set_default_logger_severity(3)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        try:
            self._session = onnxruntime.InferenceSession(
                weights, options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # ONNX Runtime raises classes of its own for a bad file
            raise ModelRefused(f"the network cannot be loaded: {type(error).__name__}") from error
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
