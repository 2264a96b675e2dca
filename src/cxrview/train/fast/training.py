"""A training in its folder: settings, checkpoint, the exported model and its validation."""

import dataclasses
import hashlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cxrview.assess.cutoffs import with_cutoffs
from cxrview.atomic_files import locked, writing
from cxrview.callbacks import ignore
from cxrview.classify.backend import OnnxRuntime
from cxrview.classify.model import Model
from cxrview.classify.model_files import read_model, write_model
from cxrview.classify.straighten import run_straightened
from cxrview.dataset.augment.poses import ORIENTATIONS
from cxrview.errors import UsageError
from cxrview.image import SIDE
from cxrview.json_file import read_about, write_json
from cxrview.records.answers import join_answers
from cxrview.records.card_about import CardAbout
from cxrview.records.model_card import ModelCard
from cxrview.records.scores import Scores
from cxrview.stats import fit_temperature
from cxrview.terms import Partition, Precision, View
from cxrview.train.checkpoint import steps_done
from cxrview.train.fast.batch import Sampling
from cxrview.train.fast.export import FLOAT_PRECISION, INT8_PRECISION, to_int8, to_onnx
from cxrview.train.fast.loop import load_average, train_fast_model
from cxrview.train.fast.pictures import Pictures, open_pictures
from cxrview.train.fast.recipe import FastRecipe
from cxrview.train.fast.rules import CalibrationPart, Run, risk_curves, with_rules
from cxrview.train.fast.typical import fit_typical
from cxrview.train.fast.validate import Validation, validate
from cxrview.train.fast.view_risk import (
    ViewPart,
    count_view_risk,
    load_second,
    rows_new_to_second,
    second_card,
    with_view_curve,
)
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
    out: Path,
    pictures: Pictures,
    *,
    left_out: Sequence[Path] = (),
    progress: Callable[[int], None] = ignore,
) -> ModelCard:
    """Export the averaged weights of a training at any step, in float32 and int8, with a card.

    Temperature, cutoff and the border to the second model are set on validation patients in
    sixteen orientations; thresholds on these patients, each once, and on the sources that other
    trainings left out. The card also has the risk curve of the view, of both models together.

    Args:
        out: folder of the training; gets model/model.onnx, model/model-int8.onnx and
            model/card.json, which `cxrview classify --model` takes.
        pictures: that the trainings used.
        left_out: folders of exported trainings of the same recipe, each without a source.
        progress: called with how many more pictures a model was run on.

    Raises:
        UsageError: there is no checkpoint yet, or the validation patients have no frontal or no
            lateral radiograph; a folder of `left_out` left nothing out.
        InvalidModel: a training of `left_out` is not exported.
    """
    recipe = read_recipe(out)
    if not steps_done(out / CHECKPOINT):
        raise UsageError(f"{out} has no checkpoint yet", "Wait for the first one: a minute")
    average = load_average(out / CHECKPOINT, recipe)
    plain = _validation_scores(OnnxRuntime(to_onnx(average), threads=1).run, pictures, progress)
    temperature = round(fit_temperature(plain.pfi, plain.is_frontal), 4)
    typical = fit_typical(average, pictures, recipe.without)
    weights = to_onnx(average, temperature=temperature, typical=typical)
    int8_weights = to_int8(weights, choose_calibration_pictures(pictures, recipe))
    both = set_rules(
        recipe,
        {Precision.FP32: weights, Precision.INT8: int8_weights},
        temperature,
        pictures,
        left_out=left_out,
        progress=progress,
    )
    with writing(out):
        (out / MODEL).mkdir(exist_ok=True)
        write_model(out / MODEL, both, weights, int8_weights)
    return both


def set_rules(
    recipe: FastRecipe,
    weights: Mapping[Precision, bytes],
    temperature: float,
    pictures: Pictures,
    *,
    left_out: Sequence[Path] = (),
    progress: Callable[[int], None] = ignore,
) -> ModelCard:
    """Make the card of an exported model: its border, thresholds and risk curves.

    Args:
        recipe: of its training.
        weights: ONNX files in float32 and int8.
        temperature: of its logits, which is in the files already.
        pictures: that the training used.
        left_out: as for `export_training`.
        progress: called with how many more pictures a model was run on.

    Raises:
        UsageError, InvalidModel: as `export_training`.
    """
    each = [_left_out_part(folder, pictures) for folder in left_out]
    others = [part for part in each if len(part.rows)]  # a source may have no radiograph

    def card_of(precision: Precision) -> ModelCard:
        backend = OnnxRuntime(weights[precision], threads=1)
        scores = _validation_scores(backend.run, pictures, progress)
        part = CalibrationPart(backend=backend, rows=_validation_rows(pictures))
        parts = [part, *others]
        risks = risk_curves(pictures, parts, progress)
        assert scores.chest is not None
        plain = _card(recipe, weights[precision], precision, temperature)
        card = with_cutoffs(plain, scores, None, None)
        ruled, second = with_rules(card, scores.chest, risks), load_second(precision)
        curve = count_view_risk(
            pictures, [_with_second(part, ruled, second, pictures) for part in parts], progress
        )
        return with_view_curve(ruled, second, curve)

    return dataclasses.replace(card_of(Precision.FP32), int8=card_of(Precision.INT8))


def count_second(
    pictures: Pictures,
    left_out: Sequence[Path],
    progress: Callable[[int], None] = ignore,
) -> ModelCard:
    """Count the model behind a fast one, alone, on the pictures that its own curve counts.

    Args:
        pictures: that the trainings used.
        left_out: as for `export_training`.
        progress: called with how many more pictures the model was run on.

    Returns:
        As `second_card`.
    """
    parts = [_validation_rows(pictures), *(_left_out_rows(one, pictures) for one in left_out)]
    rows = rows_new_to_second(pictures, np.concatenate(parts))
    return second_card(pictures, rows, progress)


def _with_second(
    part: CalibrationPart, card: ModelCard, second: Model, pictures: Pictures
) -> ViewPart:
    """A part with both models, without the patients that the second one learnt from."""
    return ViewPart(
        model=Model(card=card, backend=part.backend, second=second),
        rows=rows_new_to_second(pictures, part.rows),
    )


def _left_out_part(folder: Path, pictures: Pictures) -> CalibrationPart:
    rows = _left_out_rows(folder, pictures)
    _, weights = read_model(folder / MODEL)
    return CalibrationPart(backend=OnnxRuntime(weights, threads=1), rows=rows)


def _left_out_rows(folder: Path, pictures: Pictures) -> NDArray[np.intp]:
    recipe = read_recipe(folder)
    if not recipe.without:
        raise UsageError(f"{folder} left no source out", "Train it with --without SOURCE")
    # Validation patients of the source are counted with the model that is exported.
    is_of_it = np.isin(pictures.sources, list(recipe.without)) & (pictures.kinds() != "not-chest")
    return np.flatnonzero(is_of_it & ~pictures.is_in(Partition.VALIDATION))


def _validation_rows(pictures: Pictures) -> NDArray[np.intp]:
    return np.flatnonzero(pictures.is_in(Partition.VALIDATION) & (pictures.kinds() != "not-chest"))


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
    export_training(out, pictures, progress=progress)
    recipe = read_recipe(out)
    suffix = "-int8" if is_int8 else ""
    runtime = OnnxRuntime((out / MODEL / f"model{suffix}.onnx").read_bytes(), threads=1)
    counts = validate(pictures, runtime.run, without=recipe.without, progress=progress)
    done = {"steps": steps_done(out / CHECKPOINT), "of": recipe.steps}
    write_json(out / f"{VALIDATION}{suffix}.json", done | dataclasses.asdict(counts))
    return counts


def choose_calibration_pictures(pictures: Pictures, recipe: FastRecipe) -> NDArray[np.uint8]:
    """Choose training pictures of each source and kind, and turn and invert them in order.

    Returns:
        Shape (n, 256, 256), uint8; the choice is always the same.
    """
    is_used = pictures.is_in(Partition.TRAINING) & ~np.isin(pictures.sources, recipe.without)
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


def _validation_scores(run: Run, pictures: Pictures, progress: Callable[[int], None]) -> Scores:
    """PFI and `chest` of validation radiographs in sixteen orientations."""
    rows = _validation_rows(pictures)
    labels = [pictures.labels[row] for row in rows]
    if {label.view for label in labels} != set(View):
        raise UsageError("the validation patients have no frontal or no lateral radiograph")
    shown = np.asarray(pictures.pixels[rows])
    parts = []
    for turn in ORIENTATIONS.values():
        parts.append(run_straightened(run, turn(shown)))
        progress(len(labels))
    answers = join_answers(parts)
    times = len(ORIENTATIONS)
    return Scores(
        classifier="fast",
        files=np.array([label.file for label in labels] * times, str),
        patients=np.array([label.patient for label in labels] * times, str),
        variants=np.repeat(list(ORIENTATIONS), len(labels)),
        is_frontal=np.array([label.view is View.FRONTAL for label in labels] * times, bool),
        pfi=answers.pfi,
        facts={"source": np.array([label.source for label in labels] * times, str)},
        chest=answers.chest,
    )


def _card(
    recipe: FastRecipe, weights: bytes, precision: Precision, temperature: float
) -> ModelCard:
    sha256 = hashlib.sha256(weights).hexdigest()
    is_int8 = precision is Precision.INT8
    kind = f"{recipe.name}-int8" if is_int8 else recipe.name
    return ModelCard(
        model_id=f"{kind}-{sha256[:8]}",
        weights_sha256=sha256,
        input_side=SIDE,
        cutoff=50.0,
        paper_cutoff=50.0,
        review_band=(50.0, 50.0),
        precision=INT8_PRECISION if is_int8 else FLOAT_PRECISION,
        temperature=temperature,
        chest_cutoff=0.0,
        about=CardAbout(),
    )
