"""Runs an exported fast model with ONNX Runtime: all five outputs; torch is not needed."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cxrview.callbacks import ignore
from cxrview.classify.devices import onnxruntime_here

_CALL = 4
"""Pictures in each call of ONNX Runtime: the last one is filled up, so that an answer does not
depend on how many others there are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FastAnswers:
    """The outputs of a fast model for n pictures, in percent, 0 to 100."""

    pfi: NDArray[np.float64]
    """Shape (n,): probability of frontal."""
    chest: NDArray[np.float64]
    """Shape (n,): probability of a chest radiograph."""
    turn: NDArray[np.float64]
    """Shape (n, 4): probability of each number of quarter turns clockwise, 0 to 3."""
    inverted: NDArray[np.float64]
    """Shape (n,): probability of inverted grey values."""
    projection_ap: NDArray[np.float64]
    """Shape (n,): probability that a frontal radiograph is AP."""

    @property
    def quarter_turns(self) -> NDArray[np.intp]:
        """The most probable number of quarter turns, shape (n,)."""
        return np.asarray(self.turn.argmax(axis=1))


class FastRuntime:
    """An exported fast model on one core.

    Args:
        weights: ONNX, as `export.to_onnx` or `export.to_int8` makes it.
    """

    def __init__(self, weights: bytes) -> None:
        onnxruntime = onnxruntime_here()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(
            weights, options, providers=["CPUExecutionProvider"]
        )

    def run(
        self, pictures: NDArray[np.uint8], progress: Callable[[int], None] = ignore
    ) -> FastAnswers:
        """Run on squashed pictures.

        Args:
            pictures: shape (n, 256, 256), uint8, n at least 1.
            progress: called with how many more are done.
        """
        calls = []
        for start in range(0, len(pictures), _CALL):
            shown = pictures[start : start + _CALL]
            filled = np.zeros((_CALL, *pictures.shape[1:]), np.uint8)
            filled[: len(shown)] = shown
            outputs = self._session.run(None, {"radiographs": filled})
            calls.append([output[: len(shown)] for output in outputs])
            progress(len(shown))
        names = [output.name for output in self._session.get_outputs()]
        joined = {
            name: np.clip(np.concatenate(values).astype(np.float64), 0, 100)
            for name, values in zip(names, zip(*calls, strict=True), strict=True)
        }
        return FastAnswers(**joined)
