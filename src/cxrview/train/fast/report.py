"""Counts what a fast model and the model behind it decide, for the page of the model."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cxrview.assess.decisions import decisions_of
from cxrview.assess.pose import PoseCounts, PoseImages, add_up, count_poses
from cxrview.callbacks import ignore
from cxrview.classify.backend import OnnxRuntime
from cxrview.classify.model import Model, load_model
from cxrview.classify.model_files import read_card, read_model
from cxrview.dataset.augment.poses import ORIENTATIONS
from cxrview.records.answers import join_answers
from cxrview.records.model_card import ModelCard
from cxrview.records.scores import PROGENITOR_NAME
from cxrview.terms import Decision, Partition, ShippedModel, View
from cxrview.train.fast.pictures import Pictures
from cxrview.train.fast.training import MODEL, read_recipe
from cxrview.train.fast.validate import need_radiographs
from cxrview.train.not_chest import DRAWN

DRAWN_OF_EACH = 50
"""Drawn pictures of each kind that are counted."""
ALONE = "fast alone"
CALL = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionRow:
    """What a model, or two in a cascade, decided about one group of pictures."""

    model: str
    """`fast`, which leaves to `googlenet` what it is not sure of; ALONE; or `googlenet`."""
    group: str
    """A source and view, a pose, or a kind of picture."""
    pictures: int
    decided: int
    """Given a view."""
    errors: int
    """Of the decided ones: a wrong view, or any view where there is no chest."""
    review: int
    refused: int
    """Called `not_chest`."""
    second: int
    """Decided by the second model."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FastReport:
    """All counts of the page."""

    card: ModelCard
    """Of float32, with that of int8."""
    precision: str
    """Of the weights of all three models in these counts, as on their cards."""
    left_out: tuple[str, ...]
    """Sources that a training left out."""
    upright: tuple[DecisionRow, ...]
    """Test patients, by source and view; three models."""
    poses: tuple[DecisionRow, ...]
    """Test patients, by pose; three models."""
    others: tuple[DecisionRow, ...]
    """Pictures that show no chest: of test patients, photographs, drawn ones; three models."""
    unseen: tuple[DecisionRow, ...]
    """Radiographs of sources that were left out, by models that were trained without them: what the
    fast model alone is sure of."""
    unseen_others: tuple[DecisionRow, ...]
    """Pictures that show no chest, of sources that were left out, by the same models."""
    answers: tuple[PoseCounts, ...]
    """Turn, mirroring, inversion and projection of test patients, over all poses, by source."""
    unseen_answers: tuple[PoseCounts, ...]
    """The same of sources that were left out, upright."""


def count_all(
    training: Path,
    left_out: Sequence[Path],
    pictures: Pictures,
    progress: Callable[[int], None] = ignore,
) -> FastReport:
    """Run three models on test patients, and models without a source on that source.

    Args:
        training: folder of an exported training.
        left_out: folders of exported trainings, each without a source.
        pictures: of all trainings.
        progress: called with how many more pictures a model was run on.

    Raises:
        UsageError: no radiograph is of a test patient.
    """
    fast = load_model(training / MODEL, device="cpu")
    second = load_model(ShippedModel.GOOGLENET, device="cpu")
    models = {"fast": replace(fast, second=second), ALONE: fast, "googlenet": second}
    test = _rows(pictures, pictures.is_in(Partition.TEST))
    need_radiographs(len(test))
    upright, poses, others, unseen, unseen_others = [], [], [], [], []
    unseen_answers: list[PoseCounts] = []
    for name, model in models.items():
        groups = np.char.add(np.char.add(pictures.sources[test], " "), pictures.kinds()[test])
        upright += _count(name, model, pictures, test, groups, PROGENITOR_NAME, progress)
        for pose in ORIENTATIONS:
            same = np.full(len(test), pose)
            poses += _count(name, model, pictures, test, same, pose, progress)
        others += _count_others(name, model, pictures, progress)
    for folder in left_out:
        alone, is_of_it = _left_out_model(folder, fast, pictures)
        rows = _rows(pictures, is_of_it)
        groups = np.char.add(np.char.add(pictures.sources[rows], " "), pictures.kinds()[rows])
        unseen += _count(ALONE, alone, pictures, rows, groups, PROGENITOR_NAME, progress)
        without = np.flatnonzero(is_of_it & (pictures.kinds() == "not-chest"))
        sources = pictures.sources[without]
        unseen_others += _count(ALONE, alone, pictures, without, sources, PROGENITOR_NAME, progress)
        if len(rows):  # else there is nothing to turn
            unseen_answers += count_poses(
                alone,
                _pose_images(pictures, rows),
                orientations=(PROGENITOR_NAME,),
                progress=progress,
            )
    answers = add_up(count_poses(fast, _pose_images(pictures, test), progress=progress))
    return FastReport(
        card=read_card(training / MODEL),
        precision=fast.card.precision,
        left_out=tuple(source for folder in left_out for source in read_recipe(folder).without),
        upright=tuple(upright),
        poses=tuple(poses),
        others=tuple(others),
        unseen=tuple(unseen),
        unseen_others=tuple(unseen_others),
        answers=answers,
        unseen_answers=tuple(unseen_answers),
    )


def _rows(pictures: Pictures, is_wanted: NDArray[np.bool_]) -> NDArray[np.intp]:
    return np.flatnonzero(is_wanted & (pictures.kinds() != "not-chest"))


def _left_out_model(
    folder: Path, released: Model, pictures: Pictures
) -> tuple[Model, NDArray[np.bool_]]:
    """The model of a training, with the rules of the released one, and which pictures are of the
    source that it left out.
    """
    card, weights = read_model(folder / MODEL)
    ruled = replace(
        card,
        review_band=released.card.review_band,
        chest_cutoff=released.card.chest_cutoff,
        thresholds=released.card.thresholds,
        second="",
    )
    is_of_it = np.isin(pictures.sources, list(read_recipe(folder).without))
    return Model(card=ruled, backend=OnnxRuntime(weights, threads=1)), is_of_it


def _pose_images(pictures: Pictures, rows: NDArray[np.intp]) -> PoseImages:
    return PoseImages(
        pixels=pictures.pixels[rows],
        is_frontal=pictures.kinds()[rows] == str(View.FRONTAL),
        sources=pictures.sources[rows],
        projections=pictures.projections()[rows],
    )


def _count(
    name: str,
    model: Model,
    pictures: Pictures,
    rows: NDArray[np.intp],
    groups: NDArray[np.str_],
    pose: str,
    progress: Callable[[int], None],
) -> list[DecisionRow]:
    if not len(rows):
        return []
    turn = ORIENTATIONS[pose]
    parts = []
    for start in range(0, len(rows), CALL):
        shown = turn(np.asarray(pictures.pixels[rows[start : start + CALL]]))
        parts.append(model.answer(shown))
        progress(len(shown))
    answers = join_answers(parts)
    decisions = decisions_of(answers, model.card, model.second.card if model.second else None)
    kinds = pictures.kinds()[rows]
    return [
        _row(name, str(group), decisions[groups == group], kinds[groups == group], of_second)
        for group in dict.fromkeys(groups.tolist())
        for of_second in [_of_second(answers.is_of_second, groups == group)]
    ]


def _count_others(
    name: str, model: Model, pictures: Pictures, progress: Callable[[int], None]
) -> list[DecisionRow]:
    is_other = pictures.is_in(Partition.TEST) & (pictures.kinds() == "not-chest")
    groups: Mapping[str, NDArray[np.uint8]] = {
        source: np.asarray(pictures.pixels[is_other & (pictures.sources == source)])
        for source in np.unique(pictures.sources[is_other])
    }
    rng = np.random.default_rng(0)
    drawn = {
        f"drawn: {kind.__name__.replace('_', ' ')}": np.stack(
            [kind(rng) for _ in range(DRAWN_OF_EACH)]
        )
        for kind in dict.fromkeys(DRAWN)
    }
    rows = []
    for group, shown in {**groups, **drawn}.items():
        answers = model.answer(shown)
        progress(len(shown))
        decisions = decisions_of(answers, model.card, model.second.card if model.second else None)
        kinds = np.full(len(shown), "not-chest")
        of_second = _of_second(answers.is_of_second, np.ones(len(shown), bool))
        rows.append(_row(name, str(group), decisions, kinds, of_second))
    return rows


def _of_second(is_of_second: NDArray[np.bool_] | None, chosen: NDArray[np.bool_]) -> int:
    return 0 if is_of_second is None else int(is_of_second[chosen].sum())


def _row(
    model: str,
    group: str,
    decisions: NDArray[np.str_],
    kinds: NDArray[np.str_],
    second: int,
) -> DecisionRow:
    is_review = decisions == Decision.REVIEW.value
    is_refused = decisions == Decision.NOT_CHEST.value
    is_decided = ~is_review & ~is_refused
    return DecisionRow(
        model=model,
        group=group,
        pictures=len(decisions),
        decided=int(is_decided.sum()),
        errors=int((is_decided & (decisions != kinds)).sum()),
        review=int(is_review.sum()),
        refused=int(is_refused.sum()),
        second=second,
    )
