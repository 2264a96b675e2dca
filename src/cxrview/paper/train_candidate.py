"""One of the nine candidates: trained, and asked about the validation images."""

import shutil
from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from cxrview.assess.score_files import read_scores, write_scores
from cxrview.atomic_files import atomic_path
from cxrview.dataset.augment.variants import PROGENITOR, VARIANTS
from cxrview.paper.candidates import FINE_TUNINGS, Candidate, FineTuning, Schedule
from cxrview.paper.epochs import Batches, Spread, Training, Watch, train_all_layers
from cxrview.paper.features import variant_features
from cxrview.paper.material import Material, VariantImages
from cxrview.paper.network_files import (
    ABOUT,
    begin_training,
    finish_training,
    load_trained,
    writing_to,
)
from cxrview.paper.scale import run_words, scaled_schedule
from cxrview.paper.train_head import pfi_of_features, train_classifier
from cxrview.records import Scores, Variant
from cxrview.terms import Partition
from cxrview.train.googlenet import GoogLeNet
from cxrview.train.loop import predict_pfi

CLASSES = 2
"""Lateral 0, frontal 1."""
CHECKPOINT, VALIDATION = "checkpoint.safetensors", "validation.parquet"
PARTS, PART_IMAGES = "validated", 1024
"""Folder of what a validation under way has found, and images of one of its files."""
_AT_ONCE = 256


def train_candidate(
    candidate: Candidate,
    pre_trained: GoogLeNet,
    material: Material,
    out: Path,
    *,
    features: Path | None = None,
    schedule: Schedule | None = None,
    differs: Sequence[str] = (),
    watch: Watch | None = None,
) -> Scores:
    """Fine-tune a pre-trained network by one of the three methods, and validate it.

    Stopped at any point, the same call goes on, and on processors and one number of threads ends
    at the same bits. Where it is finished, what it said is read.

    Args:
        candidate: which of the nine.
        pre_trained: of any number of classes; its trunk is copied, its classifiers are not.
        material: images, split, scale and seed.
        out: folder; gets the files of `train.trained`, `validation.parquet`, and a checkpoint
            while it trains.
        features: folder for what the frozen trunk sees, shared by the candidates of one
            pre-training; within `out` where None.
        schedule: in place of the method's own, scaled.
        differs: what of the pre-training is not as published, in words for the tables.
        watch: told of each step and epoch.

    Returns:
        What it says of the validation images: of the progenitors alone for fc-original, of the
        scale's variants for the other two (paper, section 4).

    Raises:
        UsageError: another training stands in `out` or `features`.
        InvalidModel: the checkpoint belongs to another training.
        CannotWrite: the disk took no more.
    """
    method = FINE_TUNINGS[candidate.fine_tuning]
    schedule = schedule or scaled_schedule(method.schedule, material.scale)
    belongs = _belongs(candidate, pre_trained, material, schedule)
    begin_training(out, belongs)
    if (out / ABOUT).is_file():
        _remove_unfinished(out)
        return read_candidate(out)[1]
    run = _Run(candidate, method, material, schedule, out, belongs, watch or Watch())
    network = _with_new_classifiers(pre_trained, material.seed, auxiliary=method.is_trunk_trained)
    with writing_to(out):
        if method.is_trunk_trained:
            scores = run.all_layers(network)
        else:
            scores = run.classifier_alone(network, features or out / "features")
        write_scores(out / VALIDATION, [scores])
        words = run_words(material.scale, schedule, method.schedule, differs)
        finish_training(out, network, run.about(scores) | {"scale_words": words})
        _remove_unfinished(out)
    return scores


def read_candidate(folder: Path) -> tuple[GoogLeNet, Scores]:
    """Load a finished candidate, and what it said of its validation images.

    Raises:
        InvalidModel: it is not there, not finished, damaged or altered.
        UsageError: what it said is not there.
    """
    network = load_trained(folder)
    (scores,) = read_scores(folder / VALIDATION)
    return network, scores


def scores_of(classifier: str, images: VariantImages, pfi: NDArray[np.float64]) -> Scores:
    """Put beside each PFI, shape (len(images),), whose image it is of."""
    each = [images.which(k) for k in range(len(images))]
    return Scores(
        classifier=classifier,
        files=np.array([image.file for image, _ in each], str),
        patients=np.array([image.patient for image, _ in each], str),
        variants=np.array([variant.name for _, variant in each], str),
        is_frontal=images.is_frontal,
        pfi=pfi,
        facts={"source": np.array([image.source for image, _ in each], str)},
    )


class _Run:
    """One training under way."""

    def __init__(
        self,
        candidate: Candidate,
        method: FineTuning,
        material: Material,
        schedule: Schedule,
        out: Path,
        belongs: dict[str, str],
        watch: Watch,
    ) -> None:
        self._candidate, self._method, self._material = candidate, method, material
        self._schedule, self._out, self._belongs, self._watch = schedule, out, belongs, watch
        shown: tuple[Variant, ...] = (PROGENITOR,)
        if method.is_augmented:
            shown = VARIANTS if method.is_trunk_trained else material.scale.variants
        self._training = material.part(Partition.TRAINING, shown)
        validated = material.scale.variants if method.is_augmented else (PROGENITOR,)
        self._validation = material.part(Partition.VALIDATION, validated)

    def all_layers(self, network: GoogLeNet) -> Scores:
        """Train every layer; the variants are made as they are asked for."""
        watched = self._material.part(Partition.VALIDATION, (PROGENITOR,)).drawn(
            self._material.scale.watched, self._material.seed
        )

        def accuracy() -> float:
            pfi = self._pfi(network, watched, range(len(watched)))
            network.train()
            return float(((pfi >= 50) == watched.is_frontal).mean())

        train_all_layers(network, self._training_with(accuracy))
        pfi = self._validated(network)
        return scores_of(self._candidate.name, self._validation, pfi)

    def classifier_alone(self, network: GoogLeNet, folder: Path) -> Scores:
        """Train the fully connected layer on what the frozen trunk sees, computed once."""
        seen, held_out = (
            variant_features(
                network,
                images,
                folder / str(partition),
                device=self._material.device,
                is_bf16=self._material.scale.is_bf16,
                watch=partial(self._tell, f"{partition} features"),
            )
            for partition, images in (
                (Partition.TRAINING, self._training),
                (Partition.VALIDATION, self._validation),
            )
        )

        def accuracy() -> float:
            pfi = pfi_of_features(network, held_out)
            return float(((pfi >= 50) == self._validation.is_frontal).mean())

        train_classifier(network, seen, self._training_with(accuracy))
        pfi = pfi_of_features(network, held_out)
        return scores_of(self._candidate.name, self._validation, pfi)

    def about(self, scores: Scores) -> dict[str, Any]:
        """What was trained and how, for about.json."""
        return {
            "candidate": self._candidate.name,
            "scale": self._material.scale.name,
            "schedule": asdict(self._schedule),
            "seed": self._material.seed,
            "training_images": len(self._training),
            "validation_images": len(scores),
            "validation_right": int(scores.is_right.sum()),
            "belongs": self._belongs,
        }

    def _validated(self, network: GoogLeNet) -> NDArray[np.float64]:
        """PFI of all validation images, kept part by part: a resumed run asks about the rest."""
        # Of this very network: on a GPU the same training need not end at the same bits.
        folder = self._out / PARTS / network.fingerprint()[:16]
        folder.mkdir(parents=True, exist_ok=True)
        total, parts = len(self._validation), []
        self._tell("validation images", 0, total)
        for start in range(0, total, PART_IMAGES):
            path = folder / f"{start:07}.npy"
            if path.is_file():
                pfi = np.load(path)
            else:
                numbers = range(start, min(start + PART_IMAGES, total))
                pfi = self._pfi(network, self._validation, numbers)
                with atomic_path(path) as part, part.open("wb") as file:
                    np.save(file, pfi)
            parts.append(pfi)
            self._tell("validation images", len(pfi), total)
        return np.concatenate(parts)

    def _training_with(self, accuracy: Callable[[], float]) -> Training:
        is_trunk_trained, scale = self._method.is_trunk_trained, self._material.scale
        batches = Batches(
            images=self._training,
            classes=self._training.is_frontal.astype(np.int64),
            batch=self._schedule.batch,
            seed=self._material.seed,
            per_epoch=scale.augmented_images if is_trunk_trained else None,
            spread=Spread(passes=scale.passes, epochs=self._schedule.epochs)
            if is_trunk_trained and scale.passes
            else None,
            is_cropped_at_random=is_trunk_trained,
        )
        return Training(
            batches=batches,
            schedule=self._schedule,
            seed=self._material.seed,
            checkpoint=self._out / CHECKPOINT,
            belongs=self._belongs,
            device=self._material.device,
            report=self._watch.reporter(batches.steps, self._schedule.epochs, accuracy),
        )

    def _tell(self, what: str, more: int, total: int) -> None:
        self._watch.images(more, total, what)

    def _pfi(
        self, network: GoogLeNet, images: VariantImages, numbers: range
    ) -> NDArray[np.float64]:
        """Of the centre crops of the images of these numbers, in their order."""
        parts = []
        for start in range(0, len(numbers), _AT_ONCE):
            shown = np.stack([images(k) for k in numbers[start : start + _AT_ONCE]])
            parts.append(
                predict_pfi(
                    network,
                    shown,
                    device=self._material.device,
                    is_bf16=self._material.scale.is_bf16,
                )
            )
        return np.concatenate(parts)


def _remove_unfinished(out: Path) -> None:
    """What only a run under way needs."""
    (out / CHECKPOINT).unlink(missing_ok=True)
    shutil.rmtree(out / PARTS, ignore_errors=True)


def _belongs(
    candidate: Candidate, pre_trained: GoogLeNet, material: Material, schedule: Schedule
) -> dict[str, str]:
    return {
        "candidate": candidate.name,
        "pre_trained": pre_trained.fingerprint(),
        "schedule": repr(schedule),
        **material.belongs,
    }


def _with_new_classifiers(pre_trained: GoogLeNet, seed: int, *, auxiliary: bool) -> GoogLeNet:
    """A copy of the trunk under fresh classifiers (ours: the paper is silent)."""
    torch.manual_seed(seed)
    network = GoogLeNet(CLASSES, auxiliary=auxiliary)
    network.load_state_dict(network.state_dict() | pre_trained.trunk())
    return network
