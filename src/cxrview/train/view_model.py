"""Makes one model by a recipe: trained, calibrated, its cutoffs set by validation patients."""

import dataclasses
import hashlib
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from cxrview.assess.cutoffs import with_cutoffs
from cxrview.assess.score_files import read_scores, write_scores
from cxrview.atomic_files import write_atomic, writing
from cxrview.classify.model import OnnxRuntime
from cxrview.classify.model_files import read_model, write_model
from cxrview.dataset.natural.photographs import SOURCE as PHOTOGRAPHS
from cxrview.errors import InvalidModel, UsageError
from cxrview.image import SIDE
from cxrview.records import Label, ModelCard, NotChest, Scores
from cxrview.stats import fit_temperature, log_odds
from cxrview.terms import Partition, View
from cxrview.train.examine import asked_in_all, chest_of_others, examine
from cxrview.train.export import PRECISION, to_onnx
from cxrview.train.hardware import PROCESSOR, Hardware
from cxrview.train.loop import train_network
from cxrview.train.pool import Pool
from cxrview.train.recipes import Recipe
from cxrview.train.watch import StudyWatch

CHECKPOINT_NAME, VALIDATION, ABOUT = "checkpoint.safetensors", "validation.parquet", "about.json"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ViewModel:
    """A finished model, and what it said of the images that set its cutoffs."""

    card: ModelCard
    weights: bytes
    """The ONNX file."""
    validation: Scores
    """As of `examine`."""

    @property
    def network(self) -> OnnxRuntime:
        """Loaded anew."""
        return OnnxRuntime(self.weights)


def make_view_model(
    pool: Pool,
    published: Path,
    recipe: Recipe,
    out: Path,
    *,
    seed: int,
    left_out: Scores | None = None,
    hardware: Hardware = PROCESSOR,
    watch: StudyWatch | None = None,
) -> ViewModel:
    """Train on training patients; calibrate and set cutoffs on validation patients.

    Cutoff and temperature come from validation radiographs in all orientations, as the paper's
    cutoff came from augmented ones. The review band leaves 99 % of each source decided, and of each
    left-out source too. The cutoff of `chest` is the middle of Youden's range, or lower, so that no
    more than MOST_REFUSED of the validation radiographs are refused, neither as they lie nor in all
    orientations.

    Args:
        pool: as `need_material` wants it.
        published: the published GoogLeNet, .npz.
        recipe: steps, rates, weights.
        out: folder of the checkpoint, from which a training that was stopped goes on; gets
            model.onnx, card.json and validation.parquet. A model that stands there is not trained
            again; its cutoffs are set anew.
        seed: decides the classifiers' start, every batch and every dropped unit.
        left_out: what models of the same recipe said of sources that they had not seen; none of
            test patients.
        watch: told how far it is.

    Raises:
        UsageError: a view is missing, or the folder is of something else.
        InvalidModel: the published weights or the checkpoint do not fit.
    """
    watch = watch or StudyWatch()
    need_material(pool.radiographs.labels, pool.others, recipe, "the labels")
    training, validation = map(pool.partition, (Partition.TRAINING, Partition.VALIDATION))
    claim_folder(
        out,
        {
            "recipe": dataclasses.asdict(recipe),
            "seed": seed,
            "training_sha256": training.lesson.sha256,
            "validation_sha256": validation.lesson.sha256,
            "published_sha256": _sha256(published),
        },
    )
    if not (out / VALIDATION).exists():
        _train(training, validation, published, recipe, out, seed, hardware, watch)
    card, weights = read_model(out)
    (scores,) = read_scores(out / VALIDATION)
    others = chest_of_others(validation, OnnxRuntime(weights).run)
    card = with_cutoffs(card, scores, left_out, others)
    with writing(out):
        write_model(out, card, weights)
    return ViewModel(card=card, weights=weights, validation=scores)


def need_material(
    labels: Sequence[Label], others: Sequence[NotChest], recipe: Recipe, what: str
) -> None:
    """See to it that a recipe can be learnt from something, before hours are spent on it.

    Args:
        labels: need both views in training and in validation.
        others: need a picture in both where the recipe teaches what is no chest, and a
            photograph where it shows some.
        recipe: of the training.
        what: names them in the message.

    Raises:
        UsageError: something is missing.
    """
    for part in (Partition.TRAINING, Partition.VALIDATION):
        views = {label.view for label in labels if label.partition is part}
        if missing := [view for view in View if view not in views]:
            raise UsageError(
                f"{what}, {part} patients: no {missing[0]} radiograph, and both views are needed"
            )
        sources = {other.source for other in others if other.partition is part}
        if recipe.not_chest and not sources - {PHOTOGRAPHS}:
            raise UsageError(
                f"{what}, {part} patients: no row says not-chest, and recipe {recipe.name} learns "
                "what is no chest",
                "Add such rows, or take --recipe wide",
            )
        if recipe.photographs and PHOTOGRAPHS not in sources:
            raise UsageError(
                f"recipe {recipe.name} also learns from photographs, and there are none for {part}",
                "Name a tar or folder of some to --photographs, or take --recipe wide",
            )


def claim_folder(out: Path, about: dict[str, Any]) -> None:
    """Note down in a folder what it is of.

    Raises:
        UsageError: it is of something else.
        CannotWrite: the disk took no more.
    """
    text = json.dumps(about, indent=2) + "\n"
    path = out / ABOUT
    with writing(out):
        out.mkdir(parents=True, exist_ok=True)
        if path.exists() and path.read_text(encoding="utf-8") != text:
            raise UsageError(
                f"{out} is of another recipe or seed, or of other pictures",
                "Give another folder to --out",
            )
        write_atomic(path, text)


def counting(watch: StudyWatch, total: int, what: str) -> Callable[[int], None]:
    """Tells `watch` of so many more of `total`, and the unit."""
    return lambda more: watch.count(more, total, what)


def _sha256(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise InvalidModel(f"{path} cannot be read: {error.strerror}") from error


def _train(
    training: Pool,
    validation: Pool,
    published: Path,
    recipe: Recipe,
    out: Path,
    seed: int,
    hardware: Hardware,
    watch: StudyWatch,
) -> None:
    """Leave a calibrated model without cutoffs, and what it says of validation patients."""
    network = train_network(
        training.lesson,
        published,
        recipe,
        seed=seed,
        checkpoint=out / CHECKPOINT_NAME,
        hardware=hardware,
        report=lambda step, loss: watch.step(step, recipe.steps, loss),
    )
    raw = OnnxRuntime(to_onnx(network, side=SIDE))
    asked = counting(watch, asked_in_all(validation.radiographs), "validation pictures asked about")
    said = examine(validation.radiographs, raw.run, name=recipe.name, progress=asked)
    temperature = round(fit_temperature(said.pfi, said.is_frontal), 4)
    weights = to_onnx(network, side=SIDE, temperature=temperature)
    card = _card(recipe, seed, weights, temperature)
    pfi = np.asarray(100 / (1 + np.exp(-log_odds(said.pfi) / temperature)))
    with writing(out):
        write_model(out, card, weights)
        scores = dataclasses.replace(said, classifier=card.model_id, pfi=pfi)
        write_scores(out / VALIDATION, [scores])


def _card(recipe: Recipe, seed: int, weights: bytes, temperature: float) -> ModelCard:
    sha256 = hashlib.sha256(weights).hexdigest()
    return ModelCard(
        model_id=f"{recipe.name}-{sha256[:8]}",
        weights_sha256=sha256,
        input_side=SIDE,
        cutoff=50.0,
        paper_cutoff=50.0,
        review_band=(50.0, 50.0),
        precision=PRECISION,
        temperature=temperature,
        chest_cutoff=0.0 if recipe.has_chest else None,
        about={"recipe": dataclasses.asdict(recipe), "seed": seed},
    )
