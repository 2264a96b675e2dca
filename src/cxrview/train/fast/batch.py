"""Samples the batches of a fast model's training: balanced pictures, changed, with targets."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing import resource_tracker
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from torch.utils.data import DataLoader, Dataset

from cxrview.errors import UsageError
from cxrview.terms import Partition, Projection, View
from cxrview.train.fast.change import change_picture
from cxrview.train.fast.pictures import Pictures, open_pictures
from cxrview.train.fast.recipe import FastRecipe
from cxrview.train.not_chest import draw_not_chest

AHEAD = 3
"""Batches that each worker process prepares in advance."""
UNKNOWN_TURN = -1
_SIGNALS = [
    getattr(signal, name)
    for name in ("SIGINT", "SIGTERM", "SIGHUP")
    if hasattr(signal, name)  # SIGHUP is not everywhere
]


@dataclass(frozen=True, slots=True, kw_only=True)
class FastBatch:
    """The pictures and targets of one step; targets are probabilities, NaN where unknown."""

    pixels: NDArray[np.uint8]
    """Shape (b, 224, 224), uint8."""
    frontal: NDArray[np.float32]
    """Shape (b,); NaN of pictures that do not show a chest."""
    chest: NDArray[np.float32]
    """Shape (b,)."""
    turn: NDArray[np.int64]
    """Shape (b,): quarter turns clockwise, 0 to 3; -1 of pictures that do not show a chest."""
    mirrored: NDArray[np.float32]
    """Shape (b,): whether left and right were exchanged; NaN except for frontal radiographs,
    because laterals of both directions are in use."""
    inverted: NDArray[np.float32]
    """Shape (b,); NaN of pictures that do not show a chest."""
    projection_ap: NDArray[np.float32]
    """Shape (b,); NaN except for frontal radiographs sampled for their projection."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling:
    """From which pictures the batches of a training are sampled."""

    pictures: Pictures
    recipe: FastRecipe
    radiographs: NDArray[np.intp]
    """Rows of the radiographs."""
    weights: NDArray[np.float64]
    """Shape of `radiographs`, sum 1."""
    projections: tuple[tuple[NDArray[np.intp], NDArray[np.intp]], ...]
    """Rows of AP and of PA frontals, of each source that has both."""
    not_chest: NDArray[np.intp]
    photographs: NDArray[np.intp]
    targets: "_Targets" = field(repr=False)

    @classmethod
    def of(cls, pictures: Pictures, recipe: FastRecipe) -> "Sampling":
        """Choose pictures: none of a patient that is not for training, none of a source left out.

        Raises:
            UsageError: pictures that the recipe needs are missing, or a source that it leaves out
                has none.
        """
        known = sorted(set(pictures.sources.tolist()))
        if unknown := [source for source in recipe.without if source not in known]:
            raise UsageError(
                f"source {unknown[0]} has no picture, and is to be left out",
                f"Choose from {', '.join(known)}",
            )
        is_used = pictures.is_in(Partition.TRAINING) & ~np.isin(pictures.sources, recipe.without)
        kinds = pictures.kinds()
        is_chest = is_used & (kinds != "not-chest")
        radiographs = np.flatnonzero(is_chest)
        if missing := [view for view in View if not (is_used & (kinds == str(view))).any()]:
            raise UsageError(f"the training has no {missing[0]} radiograph")
        chosen = cls(
            pictures=pictures,
            recipe=recipe,
            radiographs=radiographs,
            weights=_weights(pictures.sources[radiographs], kinds[radiographs], recipe.balance),
            projections=_balanced_projections(pictures, is_used),
            not_chest=np.flatnonzero(is_used & ~is_chest & ~pictures.is_photograph),
            photographs=np.flatnonzero(is_used & pictures.is_photograph),
            targets=_Targets.of(pictures, recipe),
        )
        chosen._check()
        return chosen

    def _check(self) -> None:
        for count, rows, what in (
            (self.recipe.projections, self.projections, "source with AP and PA radiographs"),
            (self.recipe.not_chest, self.not_chest, "picture labelled not-chest"),
            (self.recipe.photographs, self.photographs, "photograph"),
        ):
            if count and not len(rows):
                raise UsageError(
                    f"the training has no {what}, of which the recipe takes {count} a batch",
                    "Add some to the labels, and prepare the pictures again",
                )

    def sample(self, seed: int, step: int) -> FastBatch:
        """Sample one batch; seed and step decide it, so that a resumed training repeats it."""
        recipe = self.recipe
        rng = np.random.default_rng([seed, step])
        viewed = rng.choice(self.radiographs, recipe.radiographs, p=self.weights)
        projected = self._sample_projections(rng, step)
        others = _some(self.not_chest, recipe.not_chest, rng)
        photographs = _some(self.photographs, recipe.photographs, rng)
        rows = np.concatenate([viewed, projected, others, photographs]).astype(np.intp)
        shown = [np.asarray(self.pictures.pixels[row]) for row in rows]
        shown += [draw_not_chest(rng) for _ in range(recipe.drawn)]
        changed = [change_picture(pixels, recipe, rng) for pixels in shown]
        of = self.targets.take(rows, recipe.drawn, recipe.label_smoothing / 2)
        is_chest = ~np.isnan(of.frontal)
        turns = np.array([one.quarter_turns for one in changed], np.int64)
        mirrored = np.array([one.is_mirrored for one in changed], np.float32)
        inverted = np.array([one.is_inverted for one in changed], np.float32)
        is_projected = np.zeros(len(changed), bool)
        is_projected[len(viewed) : len(viewed) + len(projected)] = True
        return FastBatch(
            pixels=np.stack([one.pixels for one in changed]),
            frontal=of.frontal,
            chest=of.chest,
            turn=np.where(is_chest, turns, UNKNOWN_TURN),
            mirrored=np.where(of.is_frontal, _smooth(mirrored, recipe), np.float32(np.nan)),
            inverted=np.where(is_chest, _smooth(inverted, recipe), np.float32(np.nan)),
            projection_ap=np.where(is_projected, of.projection_ap, np.float32(np.nan)),
        )

    def _sample_projections(self, rng: np.random.Generator, step: int) -> NDArray[np.intp]:
        """AP and PA in equal numbers of one source after the other."""
        rows = []
        for place in range(self.recipe.projections):
            # Two places a source, and the next sources in the next step.
            first = step * self.recipe.projections + place
            source = self.projections[first // 2 % len(self.projections)]
            rows.append(rng.choice(source[first % 2]))
        return np.array(rows, np.intp)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Targets:
    """Smoothed targets of every picture, shape (n,) each, NaN where unknown."""

    frontal: NDArray[np.float32]
    is_frontal: NDArray[np.bool_]
    """By the label alone."""
    chest: NDArray[np.float32]
    projection_ap: NDArray[np.float32]

    @classmethod
    def of(cls, pictures: Pictures, recipe: FastRecipe) -> "_Targets":
        kinds, projections, teacher = pictures.kinds(), pictures.projections(), pictures.teacher
        assert teacher.chest is not None
        is_chest = kinds != "not-chest"
        is_frontal = kinds == str(View.FRONTAL)
        frontal = _mixed(is_frontal, teacher.pfi, recipe)
        is_ap = (projections == str(Projection.AP)).astype(np.float32)
        return cls(
            frontal=np.where(is_chest, frontal, np.float32(np.nan)),
            is_frontal=is_frontal,
            chest=_mixed(is_chest, teacher.chest, recipe),
            projection_ap=np.where(projections == "", np.float32(np.nan), _smooth(is_ap, recipe)),
        )

    def take(self, rows: NDArray[np.intp], drawn: int, chest_of_drawn: float) -> "_Targets":
        """Targets of some rows, then of drawn pictures that do not show a chest."""
        unknown = np.full(drawn, np.nan, np.float32)
        return _Targets(
            frontal=np.concatenate([self.frontal[rows], unknown]),
            is_frontal=np.concatenate([self.is_frontal[rows], np.zeros(drawn, bool)]),
            chest=np.concatenate([self.chest[rows], np.full(drawn, chest_of_drawn, np.float32)]),
            projection_ap=np.concatenate([self.projection_ap[rows], unknown]),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Batches(Dataset[FastBatch]):
    """The batches of some steps, for worker processes, which map the same pixels."""

    folder: Path
    recipe: FastRecipe
    seed: int
    steps: range
    opened: list[Sampling] = field(default_factory=list, repr=False)

    def __len__(self) -> int:
        return len(self.steps)

    def __getitem__(self, number: int) -> FastBatch:
        if not self.opened:  # once in each process
            self.opened.append(Sampling.of(open_pictures(self.folder), self.recipe))
        return self.opened[0].sample(self.seed, self.steps[number])


def sample_batches(
    folder: Path, recipe: FastRecipe, *, seed: int, first: int = 0, workers: int = 0
) -> Iterator[FastBatch]:
    """Sample the batches of a training in order; they are the same with any number of workers.

    Args:
        folder: of `prepare_pictures`.
        recipe: what a batch holds, and how many steps there are.
        seed: of the training.
        first: step to begin with, from 0.
        workers: processes that prepare batches in advance; 0 prepares each when it is needed.

    Raises:
        UsageError: the folder is not complete, or pictures that the recipe needs are missing.
    """
    steps = range(first, recipe.steps)
    if not workers:
        sampling = Sampling.of(open_pictures(folder), recipe)
        yield from (sampling.sample(seed, step) for step in steps)
        return
    loader = DataLoader(
        _Batches(folder=folder, recipe=recipe, seed=seed, steps=steps),
        batch_size=None,
        num_workers=workers,
        prefetch_factor=AHEAD,
        worker_init_fn=_begin_worker,
        # A forked process would wait forever for the threads that OpenCV had in this one.
        multiprocessing_context="spawn",
    )
    with _holding_signals():
        batches = iter(loader)
    yield from batches


def _weights(
    sources: NDArray[np.str_], kinds: NDArray[np.str_], power: float
) -> NDArray[np.float64]:
    """Give the share of n images of one source and view in proportion to n to a power."""
    groups = np.char.add(np.char.add(sources, "/"), kinds)
    _, group, counts = np.unique(groups, return_inverse=True, return_counts=True)
    weights = counts.astype(float)[group] ** (power - 1)
    return np.asarray(weights / weights.sum())


def _balanced_projections(
    pictures: Pictures, is_used: NDArray[np.bool_]
) -> tuple[tuple[NDArray[np.intp], NDArray[np.intp]], ...]:
    """AP and PA rows of each source that has both: of one with AP only, its look would be AP."""
    sources, projections = pictures.sources, pictures.projections()
    pairs = []
    for source in np.unique(sources[is_used]):
        of = is_used & (sources == source)
        ap, pa = (np.flatnonzero(of & (projections == one)) for one in ("AP", "PA"))
        if len(ap) and len(pa):
            pairs.append((ap, pa))
    return tuple(pairs)


def _some(rows: NDArray[np.intp], count: int, rng: np.random.Generator) -> NDArray[np.intp]:
    return rng.choice(rows, count) if count else np.empty(0, np.intp)


def _mixed(
    is_so: NDArray[np.bool_], teacher_percent: NDArray[np.float64], recipe: FastRecipe
) -> NDArray[np.float32]:
    """Mix the label and the teacher's answer, smoothed."""
    share = recipe.teacher_share
    mixed = (1 - share) * is_so + share * teacher_percent / 100
    return _smooth(mixed.astype(np.float32), recipe)


def _smooth(target: NDArray[np.float32], recipe: FastRecipe) -> NDArray[np.float32]:
    smoothing = np.float32(recipe.label_smoothing)
    return np.asarray(target * (1 - smoothing) + smoothing / 2, np.float32)


@contextmanager
def _holding_signals() -> Iterator[None]:
    """Hold signals back from processes that are started in the block, until `_begin_worker`.

    They inherit the mask of signals, and need seconds to load their libraries.
    """
    if not hasattr(signal, "pthread_sigmask"):  # on Windows
        yield
        return
    resource_tracker.ensure_running()  # its start would end the mask
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _begin_worker(worker: int) -> None:
    cv2.setNumThreads(1)
    # The training ends its workers; a signal to the process group must not, since the training
    # still completes its step and saves a checkpoint.
    for number in _SIGNALS:
        signal.signal(number, signal.SIG_IGN)
