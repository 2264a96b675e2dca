"""`Model`: its card, and the backend that runs its weights; alone or with a second one behind."""

import dataclasses
import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cxrview.classify.backend import CHEST, POSE, Backend, OnnxRuntime
from cxrview.classify.devices import is_exact_at_int8, is_fast_at_int8, prepare_device
from cxrview.classify.model_files import INT8_WEIGHTS_NAME, WEIGHTS_NAME, read_card, read_weights
from cxrview.classify.straighten import run_straightened
from cxrview.errors import InvalidModel, NoSuchDevice, UsageError
from cxrview.image.resize import squash
from cxrview.records.answers import Answer, Answers, join_answers
from cxrview.records.classification import Instance, Prediction, Radiograph
from cxrview.records.model_card import ModelCard
from cxrview.records.pixels import squashed_pictures
from cxrview.records.risk_curve import Head
from cxrview.terms import Device, Precision, ShippedModel
from cxrview.workers.cores import available_cores

if TYPE_CHECKING:
    from pydicom import Dataset

DEFAULT_MODEL = ShippedModel.FAST
"""What `default` is another name of."""
_ONE_PLACE = "Copy all files from one place, unchanged"


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """A model that is ready to run; `load_model` returns one.

    Attributes:
        card: identity of the model, its cutoffs and its accuracy.
        backend: holds the weights and runs them.
        second: decides what this model would send to review or refuse as not a chest radiograph;
            None for a single model.
    """

    card: ModelCard
    backend: Backend
    second: "Model | None" = None

    @property
    def second_card(self) -> ModelCard | None:
        """The card of `second`; None for a single model."""
        return self.second.card if self.second else None

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
        from cxrview.classify.one_image import read_square

        radiograph = read_square(image, self.card.input_side, exact=exact)
        (answer,) = self.answer(radiograph.pixels[None])
        return self.decide(
            radiograph.instance,
            answer,
            review_band=review_band,
            chest_cutoff=chest_cutoff,
            warnings=radiograph.warnings,
            is_constant=radiograph.is_constant,
        )

    def decide(
        self,
        instance: Instance,
        answer: Answer,
        *,
        review_band: tuple[float, float] | None = None,
        chest_cutoff: float | None = None,
        thresholds: Mapping[str, float] | None = None,
        warnings: tuple[str, ...] = (),
        is_constant: bool = False,
    ) -> Prediction:
        """Decide on one image by the card of the model that answered.

        Args:
            instance: the image.
            answer: one of those of `answer`.
            review_band: as for `predict`.
            chest_cutoff: as for `predict`.
            thresholds: in place of some on the card, percent, by name.
            warnings: codes of warnings from reading the file.
            is_constant: every pixel has the same value, so that the image is sent to review.
        """
        from cxrview.classify.decide import decide

        deciding = self.second if self.second and answer.is_of_second else self
        return decide(
            instance,
            answer.pfi,
            deciding.card,
            chest=answer.chest,
            pose=answer.pose,
            thresholds={**self.card.thresholds, **(thresholds or {})},
            review_band=review_band,
            chest_cutoff=chest_cutoff,
            warnings=warnings,
            is_constant=is_constant,
        )

    def run(self, batch: NDArray[np.uint8]) -> Answers:
        """Run on one batch, on one core and in the calling thread; several threads may call it.

        An answer does not depend on the rest of its batch.

        Args:
            batch: shape (n, side, side), uint8, n at least 1 and at most `backend.batch`.

        Raises:
            InferenceError: the device failed; the same batch may succeed later.
        """
        has_pose = bool(self.card.thresholds)
        answers = run_straightened(self.backend.run, batch) if has_pose else self.backend.run(batch)
        if self.second is None:
            return answers
        is_of_second = ~self._is_sure(answers)
        if not is_of_second.any():
            return dataclasses.replace(answers, is_of_second=is_of_second)
        given = self.second.run(batch[is_of_second])
        pfi, chest = answers.pfi.copy(), np.array(answers.chest)
        pfi[is_of_second] = given.pfi
        chest[is_of_second] = given.chest
        return dataclasses.replace(answers, pfi=pfi, chest=chest, is_of_second=is_of_second)

    def _is_sure(self, answers: Answers) -> NDArray[np.bool_]:
        """Whether this model alone would give each picture a view, shape (n,)."""
        low, high = self.card.review_band
        # As `decide` rounds, so that no image is between the two models.
        pfi, chest = answers.pfi.round(3), np.asarray(answers.chest).round(3)
        return np.asarray(((pfi < low) | (pfi > high)) & (chest >= self.card.chest_cutoff))

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
            return join_answers(list(lanes.map(self.run, batches)))


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
        folder: holds `card.json`, `model.onnx` and, if it was quantised, `model-int8.onnx`; or the
            name of a model in the package: `fast`, which leaves the images that it is not sure of
            to `googlenet`; `googlenet`, the paper's; or `default`, which is `fast`.
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
    wanted, found = Precision(precision), Device(device)
    name = os.fspath(folder)
    if found is not Device.AUTO:
        return _load_all(name, wanted, found, threads)
    try:
        return _load_all(name, wanted, Device.CUDA, threads)
    except NoSuchDevice:
        return _load_all(name, wanted, Device.CPU, threads)


def model_folder(name: str | os.PathLike[str]) -> Path:
    """Return the folder of a model: that in the package for its names, else the one named.

    Args:
        name: as for `load_model`; another folder that is called `fast` is named `./fast`.
    """
    if name in list(ShippedModel):
        shipped = DEFAULT_MODEL if name == ShippedModel.DEFAULT else os.fspath(name)
        return Path(str(files("cxrview.classify") / "weights" / shipped))
    return Path(name)


def shipped_name(model_id: str) -> ShippedModel | None:
    """Return the name of the model in the package that has an id; None for any other model."""
    for name in (ShippedModel.FAST, ShippedModel.GOOGLENET):
        card = read_card(model_folder(name))
        if model_id in (card.model_id, card.int8.model_id if card.int8 else None):
            return name
    return None


def _load_all(name: str, precision: Precision, device: Device, threads: int) -> Model:
    """Load a model, and the second one that its card names; in the package only."""
    model = _load(model_folder(name), precision, device, threads)
    if name not in list(ShippedModel) or not model.card.second:
        return dataclasses.replace(model, card=_without_second(model.card))
    second = _load(model_folder(model.card.second), precision, device, threads)
    return dataclasses.replace(model, second=second)


def _without_second(card: ModelCard) -> ModelCard:
    """The card of a model that runs alone, without counts of two models together."""
    if not card.second:
        return card
    curves = dict(card.risk_curves)
    curves.pop(Head.VIEW, None)
    return dataclasses.replace(card, second="", second_model_id="", risk_curves=curves)


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
            _ONE_PLACE,
        )
    if (CHEST in backend.outputs) != (card.chest_cutoff is not None):
        raise InvalidModel(
            f"the model and its card differ in whether there is an output {CHEST}",
            _ONE_PLACE,
        )
    if (set(POSE) <= set(backend.outputs)) != bool(card.thresholds):
        raise InvalidModel(
            "the model and its card differ in whether there are outputs on the pose", _ONE_PLACE
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
