"""Makes one model by a recipe: trained, calibrated, its cutoffs set by validation patients."""

import dataclasses
import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cxrview.assess.review_band import widest_review_band
from cxrview.classify.runtime import OnnxRuntime
from cxrview.errors import UsageError
from cxrview.image import SIDE
from cxrview.records import ModelCard, Scores
from cxrview.stats import fit_temperature, log_odds, youden_cutoff
from cxrview.store.models import read_model, write_model
from cxrview.store.scores import read_scores, write_scores
from cxrview.store.whole import write_whole, writing
from cxrview.study.examine import asked_in_all, chest_of_others, examine
from cxrview.study.labelled_pool import Pool
from cxrview.study.stages import StudyWatch
from cxrview.terms import Partition
from cxrview.train.export import PRECISION, to_onnx
from cxrview.train.finetune import train_network
from cxrview.train.recipes import Recipe

CHECKPOINT_NAME, VALIDATION, ABOUT = "checkpoint.safetensors", "validation.parquet", "about.json"
MOST_REFUSED = 0.002
"""Share of radiographs of any source that may be called no chest."""


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
    watch: StudyWatch | None = None,
) -> ViewModel:
    """Train on training patients; calibrate and set cutoffs on validation patients.

    Cutoff and temperature come from validation radiographs in all orientations, as the paper's
    cutoff came from augmented ones. The review band leaves 99 % of each source decided, and of each
    left-out source too. The cutoff of `chest` is the middle of Youden's range, or lower, so that of
    no source more than MOST_REFUSED are refused.

    Args:
        pool: radiographs of both views in training and in validation.
        published: the published GoogLeNet, .npz.
        recipe: steps, rates, weights.
        out: folder of the checkpoint, from which a training that was stopped goes on; gets
            model.onnx, card.json and validation.parquet. A model that stands there is read.
        seed: decides the classifiers' start, every batch and every dropped unit.
        left_out: what models of the same recipe said of sources that they had not seen.
        watch: told how far it is.

    Raises:
        UsageError: a view is missing, or the folder is of something else.
        ModelRefused: the published weights or the checkpoint do not fit.
    """
    watch = watch or StudyWatch()
    training, validation = map(pool.partition, (Partition.TRAINING, Partition.VALIDATION))
    training.need_both_views("training partition")
    validation.need_both_views("validation partition")
    lesson = training.lesson
    claim_folder(
        out,
        {
            "recipe": dataclasses.asdict(recipe),
            "seed": seed,
            "training_sha256": lesson.sha256,
            "validation_sha256": validation.lesson.sha256,
            "published_sha256": hashlib.sha256(published.read_bytes()).hexdigest(),
            "left_out_sha256": ""
            if left_out is None
            else hashlib.sha256(left_out.pfi.tobytes()).hexdigest(),
        },
    )
    if (out / VALIDATION).exists():
        return _read(out)
    network = train_network(
        lesson,
        published,
        recipe,
        seed=seed,
        checkpoint=out / CHECKPOINT_NAME,
        report=lambda step, loss: watch.step(step, recipe.steps, loss),
    )
    raw = OnnxRuntime(to_onnx(network, side=SIDE))
    asked = counting(watch, asked_in_all(validation.radiographs), "validation pictures asked about")
    said = examine(validation.radiographs, raw.run, name=recipe.name, progress=asked)
    temperature = round(fit_temperature(said.pfi, said.is_frontal), 4)
    weights = to_onnx(network, side=SIDE, temperature=temperature)
    card = _card(recipe, seed, weights, temperature)
    scores = dataclasses.replace(said, classifier=card.model_id, pfi=_cooled(said.pfi, temperature))
    card = _with_cutoffs(card, scores, left_out, chest_of_others(validation, raw.run))
    with writing(out):
        write_model(out, card, weights)
        write_scores(out / VALIDATION, [scores])
    return ViewModel(card=card, weights=weights, validation=scores)


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
        write_whole(path, text)


def counting(watch: StudyWatch, total: int, what: str) -> Callable[[int], None]:
    """Tells `watch` of so many more of `total`, and the unit."""
    return lambda more: watch.count(more, total, what)


def _read(out: Path) -> ViewModel:
    card, weights = read_model(out)
    (scores,) = read_scores(out / VALIDATION)
    return ViewModel(card=card, weights=weights, validation=scores)


def _cooled(pfi: NDArray[np.float64], temperature: float) -> NDArray[np.float64]:
    """PFI as the network gives them once the temperature is in its weights."""
    return np.asarray(100 / (1 + np.exp(-log_odds(pfi) / temperature)))


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
        about={"recipe": dataclasses.asdict(recipe), "seed": seed},
    )


def _with_cutoffs(
    card: ModelCard,
    validation: Scores,
    left_out: Scores | None,
    others: NDArray[np.float64] | None,
) -> ModelCard:
    """Set cutoffs and band; `others` is `chest` of validation pictures that show none."""
    best = youden_cutoff(validation.pfi, validation.is_frontal)
    middle = round((best.low + best.high) / 2, 3)
    judged = [validation] if left_out is None else [validation, left_out]
    groups = np.concatenate(
        [np.char.add(f"{n} ", one.facts["source"]) for n, one in enumerate(judged)]
    )
    return dataclasses.replace(
        card,
        cutoff=middle,
        paper_cutoff=best.high,
        review_band=widest_review_band(np.concatenate([one.pfi for one in judged]), groups, middle),
        chest_cutoff=None if others is None else _chest_cutoff(judged, groups, others),
        about={**card.about, "cutoff_range": [best.low, best.high]},
    )


def _chest_cutoff(
    judged: list[Scores], groups: NDArray[np.str_], others: NDArray[np.float64]
) -> float:
    chest = np.concatenate([one.chest for one in judged if one.chest is not None])
    best = youden_cutoff(
        np.concatenate([chest, others]), np.arange(len(chest) + len(others)) < len(chest)
    )
    allowed = [
        np.quantile(chest[groups == group], MOST_REFUSED, method="lower") for group in set(groups)
    ]
    # Rounded down, so that the last one allowed is not refused after all.
    return float(np.floor(1000 * min((best.low + best.high) / 2, *allowed)) / 1000)
