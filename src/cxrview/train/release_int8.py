"""Adds weights of int8 to a finished model: calibrated, given cutoffs of their own, compared."""

import dataclasses
import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cxrview.assess.cutoffs import with_cutoffs
from cxrview.assess.decisions import count_decisions, decisions_of, log_loss, points_apart
from cxrview.atomic_files import writing
from cxrview.classify.model import OnnxRuntime, need_int8_processor
from cxrview.classify.model_files import read_model, write_model
from cxrview.dataset.augment.poses import ORIENTATIONS
from cxrview.errors import UsageError
from cxrview.records import Answers, ModelCard, Scores
from cxrview.terms import Decision, Partition, View
from cxrview.train.examine import Ask, answers_of_others, asked_in_all, examine
from cxrview.train.leave_source_out import LeftOut, judging
from cxrview.train.pool import Pool
from cxrview.train.quantise import PRECISION, quantise
from cxrview.train.view_model import counting
from cxrview.train.watch import StudyWatch

UPRIGHT = 240
"""Training radiographs that calibrate, alike of each source and view, as far as there are."""
OTHERS = 60
"""Training pictures of no chest that do, likewise."""


def quantise_model(
    folder: Path,
    pool: Pool,
    out: Path,
    *,
    left_out: Sequence[LeftOut] = (),
    watch: StudyWatch | None = None,
) -> ModelCard:
    """Quantise by training patients, set cutoffs by validation patients, compare on test patients.

    Args:
        folder: of a model of float32, as `cxrview train` makes it.
        pool: of the labels that it was made with.
        out: gets model.onnx as it is, model-int8.onnx, and the card of both; may be `folder`.
        left_out: as the model was made with.
        watch: told how far it is.

    Returns:
        The card of float32 with that of int8 in it, whose `about` tells the calibration and the
        loss.

    Raises:
        UsageError: a partition has no radiographs, or this processor computes int8 wrongly.
        InvalidModel: there is no model in the folder, or it was changed.
    """
    watch = watch or StudyWatch()
    need_int8_processor()
    card, weights = read_model(folder)
    for part in Partition:
        if not pool.partition(part).radiographs.labels:
            raise UsageError(f"the labels hold no radiograph of {part} patients")
    watch.stage("calibrate")
    pictures = draw_pictures(pool.partition(Partition.TRAINING))
    int8_weights = quantise(weights, pictures)
    networks = OnnxRuntime(weights), OnnxRuntime(int8_weights)
    new = _card(card, int8_weights, len(pictures))
    told: dict[str, Any] = {}
    for part in (Partition.VALIDATION, Partition.TEST):
        watch.stage(f"ask about {part} patients")
        of = pool.partition(part)
        (said, others), (new_said, new_others) = (_ask(of, one.run, watch) for one in networks)
        if part is Partition.VALIDATION:
            chest = None if new_others is None else new_others.chest
            new = with_cutoffs(new, new_said, judging(left_out), chest)
        told[str(part)] = {
            "as_they_lie": _compare(said, new_said, card, new, said.is_progenitor),
            "sixteen_orientations": _compare(said, new_said, card, new),
        }
        if others and new_others:
            told[str(part)]["no_chest"] = _compare_answers(others, new_others, card, new)
    new = dataclasses.replace(new, about={**new.about, "against_fp32": told})
    whole = dataclasses.replace(card, int8=new)
    with writing(out):
        out.mkdir(parents=True, exist_ok=True)
        write_model(out, whole, weights, int8_weights)
    return whole


def draw_pictures(training: Pool) -> NDArray[np.uint8]:
    """Draw what calibrates: pictures of each kind, upright, and every second one turned as well.

    Returns:
        Squashed, shape (n, 256, 256), uint8; always the same ones.
    """
    rng = np.random.default_rng(0)
    labels = training.radiographs.labels
    views = np.array([f"{label.source}\0{label.view}" for label in labels], str)
    sources = np.array([other.source for other in training.others], str)
    upright = np.concatenate(
        [
            training.radiographs.pixels[_alike(views, UPRIGHT, rng)],
            training.not_chest[_alike(sources, OTHERS, rng)],
        ]
    )
    turns = list(ORIENTATIONS.values())[1:]
    turned = [turns[k % len(turns)](one[None]) for k, one in enumerate(upright[::2])]
    return np.concatenate([upright, *turned])


def _alike(kinds: NDArray[np.str_], total: int, rng: np.random.Generator) -> NDArray[np.intp]:
    """Positions of about as many of each kind."""
    names = np.unique(kinds)
    drawn = [np.empty(0, np.intp)]
    for name in names:
        of = np.flatnonzero(kinds == name)
        drawn.append(rng.choice(of, min(len(of), -(-total // len(names))), replace=False))
    return np.sort(np.concatenate(drawn))


def _card(card: ModelCard, weights: bytes, pictures: int) -> ModelCard:
    sha256 = hashlib.sha256(weights).hexdigest()
    recipe = card.model_id.rpartition("-")[0] or card.model_id
    return dataclasses.replace(
        card,
        model_id=f"{recipe}-int8-{sha256[:8]}",
        weights_sha256=sha256,
        precision=PRECISION,
        about={"quantised_from": card.model_id, "calibrated_on_training_pictures": pictures},
        int8=None,
    )


def _ask(pool: Pool, ask: Ask, watch: StudyWatch) -> tuple[Scores, Answers | None]:
    total = asked_in_all(pool.radiographs) + len(pool.others)
    asked = counting(watch, total, "pictures asked about")
    said = examine(pool.radiographs, ask, name="network", progress=asked)
    return said, answers_of_others(pool, ask, asked)


def _compare(
    old: Scores,
    new: Scores,
    old_card: ModelCard,
    new_card: ModelCard,
    chosen: NDArray[np.bool_] | None = None,
) -> dict[str, Any]:
    if chosen is not None:
        old, new = old.where(chosen), new.where(chosen)
    counts = count_decisions(old, old_card), count_decisions(new, new_card)
    return {
        **_compare_answers(
            Answers(pfi=old.pfi, chest=old.chest),
            Answers(pfi=new.pfi, chest=new.chest),
            old_card,
            new_card,
        ),
        "log_loss": [round(log_loss(one), 5) for one in (old, new)],
        **{name: [one[name] for one in counts] for name in ("errors", "decided", "refused")},
    }


def _compare_answers(
    old: Answers, new: Answers, old_card: ModelCard, new_card: ModelCard
) -> dict[str, Any]:
    """How far answers lie apart, in points, and of how many pictures more comes of it."""
    before, after = decisions_of(old, old_card), decisions_of(new, new_card)
    views = [str(view) for view in View]
    has_view = np.isin(before, views) & np.isin(after, views)
    is_changed = before != after
    return {
        "pictures": len(before),
        "pfi_apart_points": points_apart(old.pfi, new.pfi),
        **(
            {"chest_apart_points": points_apart(old.chest, new.chest)}
            if old.chest is not None and new.chest is not None
            else {}
        ),
        "other_view": int((is_changed & has_view).sum()),
        "to_or_from_review": int(
            (is_changed & ((before == Decision.REVIEW) | (after == Decision.REVIEW))).sum()
        ),
        "changed_decisions": int(is_changed.sum()),
    }
