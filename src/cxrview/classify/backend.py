"""Backends: what runs the weights of a model on 256 x 256 pixels; here, ONNX Runtime."""

import contextlib
import io
from collections.abc import Mapping
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from cxrview.classify.devices import PROFILES, onnxruntime_here, prepare_device, unusable
from cxrview.errors import InferenceError, InvalidModel
from cxrview.records.answers import Answers, PoseAnswers
from cxrview.terms import Device

PFI, CHEST = "pfi", "chest"
"""Names of a model's outputs; not every model has the second."""
TURNS, MIRRORED, INVERTED, PROJECTION_AP = "turns", "mirrored", "inverted", "projection_ap"
POSE = (TURNS, MIRRORED, INVERTED, PROJECTION_AP)
"""Names of the outputs of a model with `ModelCard.thresholds`."""


class Backend(Protocol):
    """Runs the weights of a model; several threads may call it at the same time.

    Attributes:
        name: of library and device, such as `onnxruntime-cpu`.
        batch: maximum number of radiographs of one call.
        lanes: number of threads that should call at the same time; None for one per core.
    """

    name: str
    batch: int
    lanes: int | None

    def run(self, batch: NDArray[np.uint8]) -> Answers:
        """Run on squares, shape (n, side, side) uint8, n at least 1.

        It uses one core and the calling thread.

        Raises:
            InferenceError: the device failed; the same batch may succeed later.
        """


class OnnxRuntime:
    """ONNX Runtime on the processor, or on an NVIDIA GPU.

    Args:
        weights: a complete ONNX file. It is loaded from memory, so that a file that refers to other
            files is refused, and no path in it can reach the disk.
            threads: 0 for one per core.
        device: cpu or cuda.

    Raises:
        InvalidModel: the file is not a model, or has other inputs or outputs.
        NoSuchDevice: ONNX Runtime cannot use this device here.
    """

    def __init__(self, weights: bytes, *, threads: int = 0, device: Device = Device.CPU) -> None:
        prepare_device(device)
        profile = PROFILES[device]
        onnxruntime = onnxruntime_here()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        try:
            # ONNX Runtime reports on stdout, where rows may go, that it falls back to the CPU.
            with contextlib.redirect_stdout(io.StringIO()):
                self._session = onnxruntime.InferenceSession(
                    weights, options, providers=[(profile.provider, profile.options)]
                )
        except Exception as error:  # ONNX Runtime raises its own classes for a bad file
            if device is not Device.CPU:  # the GPU's memory may be full; a bad file fails anywhere
                raise unusable(device) from error
            raise InvalidModel(f"the model cannot be loaded: {type(error).__name__}") from error
        if profile.provider not in self._session.get_providers():
            raise unusable(device)
        self._session.disable_fallback()  # also later, during a run
        self._invalid_argument = onnxruntime.capi.onnxruntime_pybind11_state.InvalidArgument
        self.name = f"onnxruntime-{device}"
        self.batch, self.lanes, self._call = profile.batch, profile.lanes, profile.call
        try:
            (self._input,) = self._session.get_inputs()
            self.input_side = int(self._input.shape[-1])
        except (IndexError, TypeError, ValueError) as error:  # several inputs, or of any size
            raise InvalidModel("the model does not take one input of squares") from error
        self.outputs = tuple(output.name for output in self._session.get_outputs())
        if PFI not in self.outputs:
            raise InvalidModel(f"the model has no output named {PFI}")

    def run(self, batch: NDArray[np.uint8]) -> Answers:
        """Run on squares, shape (n, side, side) uint8, n at least 1.

        Raises:
            ValueError: pixels of another type.
            InferenceError: the device failed.
        """
        if batch.dtype != np.uint8:  # the assignment below would convert them without an error
            raise ValueError(f"the model takes uint8; got {batch.dtype}")
        calls = [self._run(batch[k : k + self._call]) for k in range(0, len(batch), self._call)]
        given = {
            name: np.clip(np.concatenate(values).astype(np.float64), 0, 100)
            for name, values in zip(self.outputs, zip(*calls, strict=True), strict=True)
        }
        return Answers(pfi=given[PFI], chest=given.get(CHEST), pose=_pose(given))

    def _run(self, pictures: NDArray[np.uint8]) -> list[NDArray[np.float32]]:
        """Call the session with as many radiographs as every other call."""
        filled = np.zeros((self._call, *pictures.shape[1:]), np.uint8)
        filled[: len(pictures)] = pictures
        try:
            given = self._session.run(None, {self._input.name: filled})
        except self._invalid_argument:  # an error in cxrview
            raise
        except Exception as error:  # ONNX Runtime has many error classes, more in each version
            raise InferenceError(
                f"the model failed on {self.name} ({type(error).__name__})",
                "Check whether another program uses its memory; then run the command again, "
                "cxrview classify with --resume",
            ) from error
        return [values[: len(pictures)] for values in given]


def _pose(given: Mapping[str, NDArray[np.float64]]) -> PoseAnswers | None:
    if not set(POSE) <= set(given):
        return None
    return PoseAnswers(
        turns=given[TURNS],
        mirrored=given[MIRRORED],
        inverted=given[INVERTED],
        projection_ap=given[PROJECTION_AP],
    )
