"""The model that ships: of several trainings by one recipe one, chosen, counted, described."""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from cxrview.assess.accuracy import assess_pfi
from cxrview.assess.decisions import count_by, count_decisions, log_loss, points_apart, views_of
from cxrview.assess.score_files import write_scores
from cxrview.atomic_files import writing
from cxrview.classify.model import Model, OnnxRuntime
from cxrview.classify.model_files import write_model
from cxrview.dataset.split import RULE
from cxrview.errors import UsageError
from cxrview.image import SIDE
from cxrview.records import Assessment, ModelCard, Scores
from cxrview.stats import exact_interval
from cxrview.terms import Partition
from cxrview.train.checkpoint import load_weights
from cxrview.train.examine import asked_in_all, chest_of_others, examine
from cxrview.train.export import to_onnx
from cxrview.train.googlenet import GoogLeNet
from cxrview.train.hardware import PROCESSOR, Hardware
from cxrview.train.leave_source_out import LeftOut, judging, left_out_rows
from cxrview.train.pool import Pool
from cxrview.train.recipes import Recipe
from cxrview.train.view_model import CHECKPOINT_NAME, ViewModel, counting, make_view_model
from cxrview.train.watch import StudyWatch

TEST = "test.parquet"


@dataclass(frozen=True, slots=True, kw_only=True)
class ShippedModel:
    """The chosen model, with what its description is drawn from."""

    card: ModelCard
    calibration: Mapping[str, Assessment]
    """In sixteen orientations: of test patients, which no temperature was fitted to, and of sources
    left out, by the models that had not seen them."""


def make_shipped_model(
    pool: Pool,
    published: Path,
    recipe: Recipe,
    out: Path,
    *,
    seeds: Sequence[int],
    left_out: Sequence[LeftOut],
    labels_sha256: str,
    about: Mapping[str, Any],
    hardware: Hardware = PROCESSOR,
    watch: StudyWatch | None = None,
) -> ShippedModel:
    """Train with each seed, choose by validation patients, and count test patients once.

    The chosen one has the lowest log loss over validation radiographs in all orientations: errors
    are too few to tell seeds apart by.

    Args:
        pool: of all sources.
        published: the published GoogLeNet, .npz.
        recipe: of all trainings.
        out: gets model.onnx, card.json and test.parquet, and a folder for each seed.
        seeds: at least one, each once.
        left_out: of the same recipe, for the review band, the cutoff of `chest` and the card.
        labels_sha256: of the labels file.
        about: what cannot be computed: licences, intended use, limits, for the card.
        hardware: where it trains.
        watch: told how far it is.

    Raises:
        UsageError: a view is missing, or a folder is of something else.
        InvalidModel: the published weights or a checkpoint do not fit.
    """
    if not seeds or len(set(seeds)) != len(seeds):
        raise UsageError(f"seeds are numbers, each once; got {list(seeds)}")
    watch = watch or StudyWatch()
    unseen = judging(left_out)
    made: dict[int, ViewModel] = {}
    for seed in seeds:
        watch.stage(f"seed {seed}")
        place = out / f"seed-{seed}"
        made[seed] = make_view_model(
            pool,
            published,
            recipe,
            place,
            seed=seed,
            left_out=unseen,
            hardware=hardware,
            watch=watch,
        )
    chosen = min(made, key=lambda seed: log_loss(made[seed].validation))
    watch.stage(f"seed {chosen}, chosen")
    model = made[chosen]
    test = _ask(pool.partition(Partition.TEST), model, watch)
    validation = _upright(model.validation)
    calibration = {"test patients": assess_pfi(test.pfi, test.is_frontal, cutoff=model.card.cutoff)}
    if unseen is not None:
        calibration["sources left out"] = assess_pfi(
            unseen.pfi, unseen.is_frontal, cutoff=model.card.cutoff
        )
    card = dataclasses.replace(
        model.card,
        about={
            **model.card.about,
            "chosen_on": "validation patients",
            "labels_sha256": labels_sha256,
            "partitions": RULE,
            "training": _count_training(pool.partition(Partition.TRAINING)),
            str(Partition.VALIDATION): _by_kind(validation, model.card),
            str(Partition.TEST): _by_kind(_upright(test), model.card),
            "orientations": {
                str(part): _by_orientation(scores, model.card)
                for part, scores in (
                    (Partition.VALIDATION, model.validation),
                    (Partition.TEST, test),
                )
            },
            **_chest(pool, model, watch),
            "storage": _storage(
                pool.partition(Partition.VALIDATION),
                model,
                recipe,
                out / f"seed-{chosen}" / CHECKPOINT_NAME,
            ),
            "calibration": {name: _as_row(one) for name, one in calibration.items()},
            "leave_source_out": left_out_rows(left_out),
            "seeds": _spread(made, chosen),
            **about,
        },
    )
    with writing(out):
        write_model(out, card, model.weights)
        write_scores(out / TEST, [test])
    return ShippedModel(card=card, calibration=calibration)


def _ask(pool: Pool, model: ViewModel, watch: StudyWatch) -> Scores:
    total = asked_in_all(pool.radiographs, most_turned=None)
    asked = counting(watch, total, "test pictures asked about")
    return examine(
        pool.radiographs,
        model.network.run,
        name=model.card.model_id,
        most_turned=None,
        progress=asked,
    )


def _upright(scores: Scores) -> Scores:
    return scores.where(scores.is_progenitor)


def _by_kind(scores: Scores, card: ModelCard) -> list[dict[str, Any]]:
    return count_by(scores, card, {"source": scores.facts["source"], "view": views_of(scores)})


def _by_orientation(scores: Scores, card: ModelCard) -> list[dict[str, Any]]:
    """In the order in which they were asked."""
    rows = {
        row["orientation"]: row for row in count_by(scores, card, {"orientation": scores.variants})
    }
    return [rows[name] for name in dict.fromkeys(scores.variants.tolist())]


def _count_training(pool: Pool) -> list[dict[str, Any]]:
    kinds = [(label.source, str(label.view)) for label in pool.radiographs.labels]
    kinds += [(other.source, "not-chest") for other in pool.others]
    return [
        {"source": source, "view": view, "images": kinds.count((source, view))}
        for source, view in sorted(set(kinds))
    ]


def _chest(pool: Pool, model: ViewModel, watch: StudyWatch) -> dict[str, Any]:
    """How many pictures that are no chest are called a view, by partition and source."""
    least = model.card.chest_cutoff
    if least is None:
        return {}
    rows = []
    for part in (Partition.VALIDATION, Partition.TEST):
        of = pool.partition(part)
        asked = counting(watch, len(of.others), f"{part} pictures of no chest asked about")
        chest = chest_of_others(of, model.network.run, asked)
        if chest is None:
            continue
        sources = np.array([other.source for other in of.others], str)
        for source in sorted(set(sources)):
            images = int((sources == source).sum())
            called = int((chest[sources == source] >= least).sum())
            interval = exact_interval(called, images)
            rows.append(
                {
                    "partition": str(part),
                    "source": str(source),
                    "images": images,
                    "called_a_view": called,
                    "interval_95_percent": [
                        round(100 * interval.low, 3),
                        round(100 * interval.high, 3),
                    ],
                }
            )
    return {"not_chest": rows}


def _storage(pool: Pool, model: ViewModel, recipe: Recipe, checkpoint: Path) -> dict[str, Any]:
    """What is lost by storing weights as float16: the same network in float32, asked the same."""
    network = GoogLeNet(2, auxiliary=False, chest=recipe.has_chest)
    load_weights(checkpoint, network)
    full = to_onnx(network, side=SIDE, temperature=model.card.temperature, is_half=False)
    pixels = pool.radiographs.pixels
    half_pfi, full_pfi = (
        Model(card=model.card, backend=backend).pfi(pixels)
        for backend in (model.network, OnnxRuntime(full))
    )
    cutoff = model.card.cutoff
    return {
        "images": len(pixels),
        "largest_pfi_difference_points": round(float(abs(half_pfi - full_pfi).max()), 4),
        "changed_views": int(((half_pfi >= cutoff) != (full_pfi >= cutoff)).sum()),
        "bytes": len(model.weights),
        "bytes_float32": len(full),
    }


def _as_row(found: Assessment) -> dict[str, Any]:
    return {
        "images": found.table.total,
        "expected_calibration_error_points": round(found.calibration_error, 3),
        "bins": [
            {
                "low": one.low,
                "high": one.high,
                "images": one.images,
                "mean_pfi": round(one.mean_pfi, 3),
                "percent_frontal": round(one.percent_frontal, 3),
            }
            for one in found.reliability
        ],
    }


def _spread(made: Mapping[int, ViewModel], chosen: int) -> dict[str, Any]:
    """Each seed's figures on validation patients, and how far two seeds' PFI lie apart."""
    upright = {seed: _upright(model.validation) for seed, model in made.items()}
    return {
        "chosen": chosen,
        "chosen_by": "lowest log loss over validation radiographs in sixteen orientations",
        "each": [
            {
                "seed": seed,
                "model_id": model.card.model_id,
                "temperature": model.card.temperature,
                "cutoff_range": model.card.about["cutoff_range"],
                "review_band": list(model.card.review_band),
                "chest_cutoff": model.card.chest_cutoff,
                "log_loss": round(log_loss(model.validation), 5),
                "upright": count_decisions(upright[seed], model.card),
                "sixteen_orientations": count_decisions(model.validation, model.card),
            }
            for seed, model in made.items()
        ],
        "pfi_apart_points": [
            points_apart(upright[one].pfi, upright[other].pfi)
            for k, one in enumerate(made)
            for other in list(made)[k + 1 :]
        ],
    }
