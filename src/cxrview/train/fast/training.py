"""A training in its folder: settings, checkpoint, the exported model and its validation."""

import dataclasses
import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cxrview.assess.cutoffs import with_cutoffs
from cxrview.atomic_files import locked, writing
from cxrview.callbacks import ignore
from cxrview.classify.model_files import write_model
from cxrview.dataset.augment.poses import ORIENTATIONS
from cxrview.errors import UsageError
from cxrview.image import SIDE
from cxrview.json_file import read_about, write_json
from cxrview.records.card_about import CardAbout
from cxrview.records.model_card import ModelCard
from cxrview.records.scores import Scores
from cxrview.stats import fit_temperature, log_odds
from cxrview.terms import View
from cxrview.train.checkpoint import steps_done
from cxrview.train.fast.answers import FastRuntime
from cxrview.train.fast.batch import Sampling
from cxrview.train.fast.export import FLOAT_PRECISION, INT8_PRECISION, to_int8, to_onnx
from cxrview.train.fast.loop import load_average, train_fast_model
from cxrview.train.fast.pictures import Pictures, open_pictures
from cxrview.train.fast.recipe import FastRecipe
from cxrview.train.fast.validate import Validation, validate
from cxrview.train.hardware import CPU, Hardware

CHECKPOINT, ABOUT, MODEL, VALIDATION = "checkpoint.safetensors", "about.json", "model", "validation"
FORMAT = 1
CALIBRATION_PICTURES = 300
"""Training pictures whose activations set the steps of int8."""


def run_training(
    folder: Path,
    out: Path,
    recipe: FastRecipe,
    *,
    seed: int,
    hardware: Hardware = CPU,
    is_stopped: Callable[[], bool] = lambda: False,
    report: Callable[[int, float], None] = ignore,
) -> None:
    """Train in a folder, or resume the training that is there.

    Args:
        folder: of `prepare_pictures`.
        out: gets about.json and checkpoint.safetensors; created where it is missing.
        recipe: all settings.
        seed: decides the first weights and every batch.
        hardware: device and worker processes.
        is_stopped: called after each step; True saves a checkpoint and ends the run.
        report: called after each step with its number, from 1, and its loss.

    Raises:
        UsageError: `folder` is not complete or lacks pictures that the recipe needs; `out` belongs
            to another training, or another process is writing it.
        RunStopped: `is_stopped` was True; the same call resumes.
    """
    Sampling.of(open_pictures(folder), recipe)  # refused before anything is written
    wanted = _settings(recipe, seed)
    with writing(out):
        out.mkdir(parents=True, exist_ok=True)
        with locked(out, "training in"):
            stored = read_about(out / ABOUT, version=FORMAT, what="a fast training")
            if stored is not None and stored["settings"] != wanted:
                raise UsageError(
                    f"{out} belongs to a training with other settings",
                    "Give another folder to --out",
                )
            write_json(out / ABOUT, {"format": FORMAT, "complete": False, "settings": wanted})
            train_fast_model(
                folder,
                recipe,
                seed=seed,
                checkpoint=out / CHECKPOINT,
                hardware=hardware,
                is_stopped=is_stopped,
                report=report,
            )
            write_json(out / ABOUT, {"format": FORMAT, "complete": True, "settings": wanted})


def read_recipe(out: Path) -> FastRecipe:
    """Read the recipe of a training.

    Raises:
        UsageError: the folder does not hold one, or one of another version.
    """
    about = read_about(out / ABOUT, version=FORMAT, needs=("settings",), what="a fast training")
    if about is None:
        raise UsageError(
            f"{out} does not hold a training", "Create it with cxrview fast-model train"
        )
    try:
        fields = {name: value for name, value in about["settings"].items() if name != "seed"}
        return FastRecipe(**{**fields, "without": tuple(fields["without"])})
    except (AttributeError, KeyError, TypeError) as error:
        raise UsageError(
            f"{out} belongs to a training of another version",
            "Assess it with that version, or train again in another folder",
        ) from error


def export_training(
    out: Path, pictures: Pictures, progress: Callable[[int], None] = ignore
) -> ModelCard:
    """Export the averaged weights of a training at any step, in float32 and int8, with a card.

    Temperature, cutoffs and review band are set on held-out patients in sixteen orientations, as
    those of the model in the package are set on validation patients.

    Args:
        out: folder of the training; gets model/model.onnx, model/model-int8.onnx and
            model/card.json, which `cxrview classify --model` takes.
        pictures: that the training used.
        progress: called with how many more pictures the model was run on.

    Raises:
        UsageError: there is no checkpoint yet, or the held-out patients have no frontal or no
            lateral radiograph, or no picture that does not show a chest.
    """
    recipe = read_recipe(out)
    if not steps_done(out / CHECKPOINT):
        raise UsageError(f"{out} has no checkpoint yet", "Wait for the first one: a minute")
    average = load_average(out / CHECKPOINT, recipe)
    plain = FastRuntime(to_onnx(average))
    scores = _scores(plain, pictures, progress)
    temperature = round(fit_temperature(scores.pfi, scores.is_frontal), 4)
    weights = to_onnx(average, temperature=temperature)
    int8_weights = to_int8(weights, choose_calibration_pictures(pictures, recipe))
    calibrated = np.asarray(100 / (1 + np.exp(-log_odds(scores.pfi) / temperature)))
    card = with_cutoffs(
        _card(recipe, weights, FLOAT_PRECISION, temperature),
        dataclasses.replace(scores, pfi=calibrated),
        None,
        _chest_of_others(plain, pictures, progress),
    )
    quantised = FastRuntime(int8_weights)
    int8 = with_cutoffs(
        _card(recipe, int8_weights, INT8_PRECISION, temperature),
        _scores(quantised, pictures, progress),
        None,
        _chest_of_others(quantised, pictures, progress),
    )
    both = dataclasses.replace(card, int8=int8)
    with writing(out):
        (out / MODEL).mkdir(exist_ok=True)
        write_model(out / MODEL, both, weights, int8_weights)
    return both


def validate_training(
    out: Path,
    pictures: Pictures,
    *,
    is_int8: bool = False,
    progress: Callable[[int], None] = ignore,
) -> Validation:
    """Export a training at any step, and count the errors of the exported model.

    Args:
        out: folder of the training; gets also validation.json, or validation-int8.json.
        pictures: that the training used.
        is_int8: run the int8 weights.
        progress: called with how many more pictures the model was run on.

    Raises:
        UsageError: as `export_training`.
    """
    export_training(out, pictures, progress)
    recipe = read_recipe(out)
    suffix = "-int8" if is_int8 else ""
    runtime = FastRuntime((out / MODEL / f"model{suffix}.onnx").read_bytes())
    counts = validate(pictures, runtime.run, without=recipe.without, progress=progress)
    done = {"steps": steps_done(out / CHECKPOINT), "of": recipe.steps}
    write_json(out / f"{VALIDATION}{suffix}.json", done | dataclasses.asdict(counts))
    return counts


def choose_calibration_pictures(pictures: Pictures, recipe: FastRecipe) -> NDArray[np.uint8]:
    """Choose training pictures of each source and kind, and turn and invert them in order.

    Returns:
        Shape (n, 256, 256), uint8; the choice is always the same.
    """
    is_used = ~pictures.is_held_out & ~np.isin(pictures.sources, recipe.without)
    rows = np.flatnonzero(is_used)
    groups = np.char.add(pictures.sources[rows], pictures.kinds()[rows])
    rng = np.random.default_rng(0)
    names = np.unique(groups)
    each = -(-CALIBRATION_PICTURES // len(names))
    chosen = []
    for name in names:
        of = rows[groups == name]
        chosen.append(rng.choice(of, min(each, len(of)), replace=False))
    turns = list(ORIENTATIONS.values())
    together = enumerate(np.concatenate(chosen))
    return np.concatenate(
        [turns[k % len(turns)](np.asarray(pictures.pixels[row])[None]) for k, row in together]
    )


def _settings(recipe: FastRecipe, seed: int) -> dict[str, Any]:
    fields = dataclasses.asdict(recipe)
    return {**fields, "without": list(recipe.without), "seed": seed}


def _scores(runtime: FastRuntime, pictures: Pictures, progress: Callable[[int], None]) -> Scores:
    """PFI and `chest` of held-out radiographs in sixteen orientations."""
    rows = [k for k, one in enumerate(pictures.labels) if one.is_chest and one.is_held_out]
    labels = [pictures.labels[row] for row in rows]
    if {label.view for label in labels} != set(View):
        raise UsageError("the held-out patients have no frontal or no lateral radiograph")
    shown = np.asarray(pictures.pixels[rows])
    answers = [runtime.run(turn(shown), progress) for turn in ORIENTATIONS.values()]
    times = len(ORIENTATIONS)
    return Scores(
        classifier="fast",
        files=np.array([label.file for label in labels] * times, str),
        patients=np.array([label.patient for label in labels] * times, str),
        variants=np.repeat(list(ORIENTATIONS), len(labels)),
        is_frontal=np.array([label.view is View.FRONTAL for label in labels] * times, bool),
        pfi=np.concatenate([one.pfi for one in answers]),
        facts={"source": np.array([label.source for label in labels] * times, str)},
        chest=np.concatenate([one.chest for one in answers]),
    )


def _chest_of_others(
    runtime: FastRuntime, pictures: Pictures, progress: Callable[[int], None]
) -> NDArray[np.float64]:
    """`chest` of held-out pictures that do not show a chest, percent."""
    is_other = pictures.is_held_out & (pictures.kinds() == "not-chest")
    if not is_other.any():
        raise UsageError("no picture of the held-out patients is labelled not-chest")
    return runtime.run(np.asarray(pictures.pixels[is_other]), progress).chest


def _card(recipe: FastRecipe, weights: bytes, precision: str, temperature: float) -> ModelCard:
    sha256 = hashlib.sha256(weights).hexdigest()
    kind = f"{recipe.name}-int8" if precision == INT8_PRECISION else recipe.name
    return ModelCard(
        model_id=f"{kind}-{sha256[:8]}",
        weights_sha256=sha256,
        input_side=SIDE,
        cutoff=50.0,
        paper_cutoff=50.0,
        review_band=(50.0, 50.0),
        precision=precision,
        temperature=temperature,
        chest_cutoff=0.0,
        about=CardAbout(),
    )
