"""`Model`: its card, and the backend (ONNX Runtime) that runs its weights on 256 x 256 pixels."""

import contextlib
import io
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from cxrview.classify.devices import (
    PROFILES,
    is_exact_at_int8,
    is_fast_at_int8,
    onnxruntime_here,
    prepare_device,
    unusable,
)
from cxrview.classify.model_files import INT8_WEIGHTS_NAME, WEIGHTS_NAME, read_card, read_weights
from cxrview.errors import InferenceError, InvalidModel, NoSuchDevice, UsageError
from cxrview.image.resize import squash
from cxrview.records.classification import Prediction, Radiograph
from cxrview.records.model_card import ModelCard
from cxrview.records.pixels import squashed_pictures
from cxrview.records.scores import Answers, join_answers
from cxrview.terms import Device, Precision
from cxrview.workers.cores import available_cores

if TYPE_CHECKING:
    from pydicom import Dataset

PFI, CHEST = "pfi", "chest"
"""Names of a model's outputs; not every model has the second."""


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """A model that is ready to run; `load_model` returns one.

    Attributes:
        card: identity of the model, its cutoffs and its accuracy.
        backend: holds the weights and runs them.
    """

    card: ModelCard
    backend: Backend

    def predict(
        self,
        image: "str | os.PathLike[str] | bytes | Dataset | Radiograph",
        *,
        exact: bool = False,
        review_band: tuple[float, float] | None = None,
        chest_cutoff: float | None = None,
    ) -> Prediction:
        """Find out which way one radiograph faces.

        Args:
            image: a path or URL of a DICOM, PNG, JPEG or TIFF file; the bytes of such a file; a
                pydicom `Dataset`, from `pydicom.dcmread`; or a `Radiograph`.
            exact: decode every pixel, and window as DCMTK does, padding values included. It has no
            effect on a `Radiograph`, which has its pixels already.
            review_band: lowest and highest PFI in percent, both inclusive, that are sent to review;
            None for the card's.
            chest_cutoff: minimum `chest` in percent for an image to get a view; None for the
            card's, 0 refuses nothing.

        Returns:
            The same values as in the row of `cxrview.classify`, without a patient's pseudonym. The
            model is run even on an image whose header says that it is not a chest radiograph.

        Raises:
            UnreadableImage: one of its subclasses; the image has no usable pixels.
            UsageError: the `Dataset` has no transfer syntax.
            InferenceError: the device that the model runs on failed.
        """
        from cxrview.classify.decide import decide
        from cxrview.classify.one_image import read_square

        radiograph = read_square(image, self.card.input_side, exact=exact)
        answers = self.answer(radiograph.pixels[None])
        return decide(
            radiograph.instance,
            float(answers.pfi[0]),
            self.card,
            chest=None if answers.chest is None else float(answers.chest[0]),
            review_band=review_band,
            chest_cutoff=chest_cutoff,
            warnings=radiograph.warnings,
            is_constant=radiograph.is_constant,
        )

    def predict_pixels(
        self, arrays: NDArray[np.uint8] | Sequence[NDArray[np.uint8]]
    ) -> NDArray[np.float64]:
        """Run the model on grey pixels of any size.

        Args:
            arrays: shape (n, rows, columns), or a list of n arrays of shape (rows, columns) that
                may differ in size; uint8, 0 to 255, bone bright (MONOCHROME2), n from 0. Arrays of
                numpy, or tensors of torch on the CPU.

        Returns:
            PFI in percent, 0 to 100, shape (n,): the probability of a frontal image.

        Raises:
            ValueError: pixels of another type, range or shape; the message says what is expected.
            InferenceError: the device that the model runs on failed.

        Source:
            Each array is resized to a square (paper, section 1; see `squash`).
        """
        side = self.card.input_side
        if not isinstance(arrays, list | tuple) and getattr(arrays, "ndim", 0) != 3:
            raise ValueError(
                "pixels are an array of shape (n, rows, columns), or a list of arrays of shape "
                f"(rows, columns), uint8; got {_described(arrays)}"
                + (". One image is pixels[None]" if getattr(arrays, "ndim", 0) == 2 else "")
            )
        squares = [squash(array, side) for array in arrays]
        return self.pfi(np.stack(squares) if squares else np.empty((0, side, side), np.uint8))

    def pfi(self, pixels: NDArray[np.uint8]) -> NDArray[np.float64]:
        """Run the model on squares that `squash` made.

        Args:
            pixels: shape (n, side, side), uint8, 0 to 255, bone bright, side that of the card
                (256), n from 0; an array of numpy, or a tensor of torch on the CPU.

        Returns:
            PFI in percent, 0 to 100, shape (n,).

        Raises:
            ValueError: pixels of another type, range or shape.
            InferenceError: the device that the model runs on failed.
        """
        return self.answer(pixels).pfi

    def answer(self, pixels: NDArray[np.uint8]) -> Answers:
        """Run the model on squares, as `pfi` does, and return all its outputs.

        All cores are used, each for a separate batch.

        Raises:
            ValueError: pixels of another type, range or shape.
            InferenceError: the device that the model runs on failed.
        """
        pixels = squashed_pictures(pixels, self.card.input_side)
        if not len(pixels):
            none = np.empty(0)
            return Answers(pfi=none, chest=None if self.card.chest_cutoff is None else none)
        most = self.backend.batch
        batches = [pixels[k : k + most] for k in range(0, len(pixels), most)]
        with ThreadPoolExecutor(self.backend.lanes or available_cores()) as lanes:
            return join_answers(list(lanes.map(self.backend.run, batches)))


def _described(arrays: object) -> str:
    shape = getattr(arrays, "shape", None)
    if shape is None:
        return f"a {type(arrays).__name__}"
    return f"shape {tuple(shape)}, {getattr(arrays, 'dtype', 'of unknown type')}"


def load_model(
    folder: str | os.PathLike[str] = "default",
    *,
    precision: str = Precision.AUTO,
    device: str = Device.AUTO,
    threads: int = 1,
) -> Model:
    """Load a model, checked against its card.

    Args:
        folder: holds `card.json`, `model.onnx` and, if it was quantised, `model-int8.onnx`;
            `default` is the model in the package.
            precision: `fp32`, `int8`, or `auto`: int8 if the folder has it and the processor is
            fast at it, and never on a GPU.
            device: `cpu`, `cuda`, or `auto`: cuda if ONNX Runtime was built for it and finds a GPU.
            threads: within one batch, 0 for one per core. Several batches at once use the cores
            better, as in `Model.answer` and in a run; then a batch needs only one thread.

    Returns:
        A model whose card is that of the precision in use, with the cutoffs of that precision. If
        `card.is_smoke_test`, its output is meaningless.

    Raises:
        InvalidModel: a file is missing or changed, or the model takes another input.
        UsageError: this precision or device is not available here.
        ValueError: the precision or device does not exist.
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
            f"the model takes {backend.input_side} x {backend.input_side} pixels, "
            f"its card says {card.input_side}",
            "Copy all files from one place, unchanged",
        )
    if (CHEST in backend.outputs) != (card.chest_cutoff is not None):
        raise InvalidModel(
            f"the model and its card differ in whether there is an output {CHEST}",
            "Copy all files from one place, unchanged",
        )
    return Model(card=card, backend=backend)


def need_int8_processor() -> None:
    """Check that int8 is computed correctly on this processor.

    Raises:
        UsageError: it is not.
    """
    if not is_exact_at_int8():
        raise UsageError(
            "this processor has no VNNI, and without it sums of int8 overflow", "Use fp32"
        )


def _takes_int8(card: ModelCard, precision: Precision, device: Device) -> bool:
    if precision is not Precision.AUTO:
        return precision is Precision.INT8
    return card.int8 is not None and device is Device.CPU and is_fast_at_int8()


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
        (self._input,) = self._session.get_inputs()
        self.input_side = int(self._input.shape[-1])
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
        return Answers(pfi=given[PFI], chest=given.get(CHEST))

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
