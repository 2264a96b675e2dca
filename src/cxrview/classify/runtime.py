"""Runs a model's weights: whatever the backend, a batch of squashed radiographs in, PFI out."""

import os
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from cxrview.errors import ModelRefused
from cxrview.records import ModelCard
from cxrview.store.models import read_model

BATCH = 16
"""Radiographs a call. The last batch is filled up to it, so that no row depends on how many
images came with it."""


class Backend(Protocol):
    """What runs a network."""

    name: str

    def run(self, batch: NDArray[np.uint8]) -> NDArray[np.float64]:
        """Squashed radiographs, shape (n, side, side) uint8, to PFI in percent, shape (n,)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """A card and a backend that holds its weights."""

    card: ModelCard
    backend: Backend


def load_model(folder: str | Path = "default", *, threads: int = 0) -> Model:
    """Load a model, checked against its card.

    Args:
        folder: holds `model.onnx` and `card.json`; `default` is the one in the package.
        threads: of the network; 0 takes one per core.

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

    def run(self, batch: NDArray[np.uint8]) -> NDArray[np.float64]:
        """Shape (n, side, side) uint8 to PFI in percent, shape (n,), n at most BATCH."""
        filled = np.zeros((BATCH, *batch.shape[1:]), np.uint8)
        filled[: len(batch)] = batch
        (pfi,) = self._session.run(None, {self._input.name: filled})
        found: NDArray[np.float64] = np.clip(pfi[: len(batch)].astype(np.float64), 0, 100)
        return found
