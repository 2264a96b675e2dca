"""Trains one of the nine candidates and runs it on the validation images."""

import shutil
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from cxrview.assess.score_files import read_scores, write_scores
from cxrview.atomic_files import atomic_path, locked_new_folder
from cxrview.dataset.augment.variants import PROGENITOR, VARIANTS
from cxrview.paper.candidate_images import Material, VariantImages
from cxrview.paper.candidates import FINE_TUNINGS, Candidate, FineTuning, Schedule
from cxrview.paper.epochs import Batches, SplitPasses, Training, report_epochs, train_all_layers
from cxrview.paper.features import variant_features
from cxrview.paper.scale import run_words, scaled_schedule
from cxrview.paper.train_head import pfi_of_features, train_classifier
from cxrview.paper.trained_model import (
    find_finished,
    finish_training,
    load_trained,
    writing_to,
)
from cxrview.records.dataset import Variant
from cxrview.records.scores import Scores
from cxrview.terms import Partition
from cxrview.train.callbacks import TrainingWatch
from cxrview.train.googlenet import GoogLeNet
from cxrview.train.loop import predict_pfi

CLASSES = 2
"""Lateral 0, frontal 1."""
CHECKPOINT, VALIDATION = "checkpoint.safetensors", "validation.parquet"
PARTS, PART_IMAGES = "validated", 1024
"""Folder with the PFI of an unfinished validation, and images per file."""
_BATCH = 256
NO_WATCH = TrainingWatch()


def train_candidate(
    candidate: Candidate,
    pre_trained: GoogLeNet,
    material: Material,
    out: Path,
    *,
    features: Path | None = None,
    schedule: Schedule | None = None,
    differs: Sequence[str] = (),
    watch: TrainingWatch = NO_WATCH,
) -> Scores:
    """Fine-tune a pre-trained model by one of the three methods, and validate it.

    If it is stopped, the same call resumes; on CPUs with one number of threads it ends with the
    same bits. Of a finished candidate the scores are read. Of several processes (those of
    `material`), which all make this call, the first writes the files.

    Args:
        candidate: which of the nine.
        pre_trained: of any number of classes; its trunk is copied, its classifiers are not.
        material: images, split, scale and seed.
        out: folder; gets the files of `paper.trained_model`, `validation.parquet`, and a
            checkpoint while it trains.
        features: folder for the features of the frozen trunk, shared by the candidates of one
            pre-training; in `out` if None.
        schedule: replaces the method's scaled schedule.
        differs: differences of the pre-training from the paper, in words for the tables.
        watch: called with the progress.

    Returns:
        Scores of the validation images: of the progenitors for fc-original, of the scale's
        variants for the other two methods (paper, section 4).

    Raises:
        UsageError: `out` or `features` belongs to another training, or another process writes it.
        InvalidModel: the checkpoint belongs to another training.
        CannotWrite: the disk is full or not writable.
    """
    method = FINE_TUNINGS[candidate.fine_tuning]
    schedule = schedule or scaled_schedule(method.schedule, material.scale)
    belongs = _belongs(candidate, pre_trained, material, schedule)
    processes = material.processes
    with locked_new_folder(out, "training in") if processes.is_first else nullcontext():
        if processes.on_first(lambda: find_finished(out, belongs)):
            if processes.is_first:
                _remove_unfinished(out)
            return read_candidate(out)[1]
        run = _Run(candidate, method, material, schedule, out, belongs, watch)
        model = _with_new_classifiers(pre_trained, material.seed, auxiliary=method.is_trunk_trained)
        with writing_to(out):
            if method.is_trunk_trained:
                scores = run.all_layers(model)
            else:
                scores = run.classifier_alone(model, features or out / "features")
            if processes.is_first:
                write_scores(out / VALIDATION, [scores])
                words = run_words(material.scale, schedule, method.schedule, differs)
                finish_training(out, model, run.about(scores) | {"scale_words": words})
                _remove_unfinished(out)
    return scores


def read_candidate(folder: Path) -> tuple[GoogLeNet, Scores]:
    """Load a finished candidate and its validation scores.

    Raises:
        InvalidModel: it is missing, unfinished, damaged or altered.
        UsageError: the scores are missing.
    """
    model = load_trained(folder)
    (scores,) = read_scores(folder / VALIDATION)
    return model, scores


def scores_of(classifier: str, images: VariantImages, pfi: NDArray[np.float64]) -> Scores:
    """Join PFI, shape (len(images),), with file, patient and variant of each image."""
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
    """One training."""

    def __init__(
        self,
        candidate: Candidate,
        method: FineTuning,
        material: Material,
        schedule: Schedule,
        out: Path,
        belongs: dict[str, str],
        watch: TrainingWatch,
    ) -> None:
        self._candidate, self._method, self._material = candidate, method, material
        self._schedule, self._out, self._belongs, self._watch = schedule, out, belongs, watch
        shown: tuple[Variant, ...] = (PROGENITOR,)
        if method.is_augmented:
            shown = VARIANTS if method.is_trunk_trained else material.scale.variants
        self._training = material.part(Partition.TRAINING, shown)
        validated = material.scale.variants if method.is_augmented else (PROGENITOR,)
        self._validation = material.part(Partition.VALIDATION, validated)

    def all_layers(self, model: GoogLeNet) -> Scores:
        """Train every layer; the variants are made when they are needed."""
        watched = self._material.part(Partition.VALIDATION, (PROGENITOR,)).drawn(
            self._material.scale.watched, self._material.seed
        )

        def accuracy() -> float:
            pfi = self._pfi(model, watched, range(len(watched)))
            model.train()
            return float(((pfi >= 50) == watched.is_frontal).mean())

        train_all_layers(model, self._training_with(accuracy))
        pfi = self._validated(model)
        return scores_of(self._candidate.name, self._validation, pfi)

    def classifier_alone(self, model: GoogLeNet, folder: Path) -> Scores:
        """Train the fully connected layer on features of the frozen trunk, computed once.

        All processes compute the features; the first trains, which takes seconds.
        """
        features, held_out = (
            variant_features(
                model,
                images,
                folder / str(partition),
                device=self._material.device,
                processes=self._material.processes,
                is_bf16=self._material.scale.is_bf16,
                watch=self._watch_features(partition),
            )
            for partition, images in (
                (Partition.TRAINING, self._training),
                (Partition.VALIDATION, self._validation),
            )
        )

        def accuracy() -> float:
            pfi = pfi_of_features(model, held_out)
            return float(((pfi >= 50) == self._validation.is_frontal).mean())

        def trained() -> dict[str, torch.Tensor]:
            train_classifier(model, features, self._training_with(accuracy))
            return model.classifier.state_dict()

        model.classifier.load_state_dict(self._material.processes.on_first(trained))
        pfi = pfi_of_features(model, held_out)
        return scores_of(self._candidate.name, self._validation, pfi)

    def _watch_features(self, partition: Partition) -> Callable[[int, int], None]:
        return lambda more, total: self._watch.count(more, total, f"{partition} features")

    def about(self, scores: Scores) -> dict[str, Any]:
        """Give the content of about.json."""
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

    def _validated(self, model: GoogLeNet) -> NDArray[np.float64]:
        """Compute the PFI of all validation images, stored in parts, so that a run can resume."""
        # Named after the weights: on a GPU the same training may end with other bits.
        folder = self._out / PARTS / model.fingerprint()[:16]
        processes, total, parts = self._material.processes, len(self._validation), []
        self._watch.count(0, total, "validation images")
        for start in range(0, total, PART_IMAGES):
            path = folder / f"{start:07}.npy"
            pfi = processes.on_first(partial(_stored, path))
            if pfi is None:
                pfi = processes.each_row(
                    range(start, min(start + PART_IMAGES, total)),
                    lambda numbers: self._pfi(model, self._validation, numbers),
                )
                if processes.is_first:
                    _store(path, pfi)
            parts.append(pfi)
            self._watch.count(len(pfi), total, "validation images")
        return np.concatenate(parts)

    def _training_with(self, accuracy: Callable[[], float]) -> Training:
        is_trunk_trained, scale = self._method.is_trunk_trained, self._material.scale
        batches = Batches(
            images=self._training,
            classes=self._training.is_frontal.astype(np.int64),
            batch=self._schedule.batch,
            seed=self._material.seed,
            per_epoch=scale.augmented_images if is_trunk_trained else None,
            spread=SplitPasses(passes=scale.passes, epochs=self._schedule.epochs)
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
            processes=self._material.processes,
            report=report_epochs(self._watch, batches.steps, self._schedule.epochs, accuracy),
        )

    def _pfi(self, model: GoogLeNet, images: VariantImages, numbers: range) -> NDArray[np.float64]:
        """Compute the PFI of centre crops of the images of these numbers, in their order."""
        parts = [np.empty(0)]
        for start in range(0, len(numbers), _BATCH):
            shown = np.stack([images(k) for k in numbers[start : start + _BATCH]])
            parts.append(
                predict_pfi(
                    model,
                    shown,
                    device=self._material.device,
                    is_bf16=self._material.scale.is_bf16,
                )
            )
        return np.concatenate(parts)


def _stored(path: Path) -> NDArray[np.float64] | None:
    return np.load(path) if path.is_file() else None


def _store(path: Path, pfi: NDArray[np.float64]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_path(path) as part, part.open("wb") as file:
        np.save(file, pfi)


def _remove_unfinished(out: Path) -> None:
    """Remove what only an unfinished training needs."""
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
    """Copy the trunk and add new classifiers (ours: the paper does not say)."""
    torch.manual_seed(seed)
    model = GoogLeNet(CLASSES, auxiliary=auxiliary)
    model.load_state_dict(model.state_dict() | pre_trained.trunk())
    return model
