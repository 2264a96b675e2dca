"""Pre-training: further training of the published colour weights on grey pictures.

Source: paper, section 3.
"""

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from cxrview.dataset.natural.ilsvrc import ImageNetClass, subset_classes
from cxrview.dataset.natural.store import Pictures
from cxrview.digests import file_sha256
from cxrview.errors import UsageError
from cxrview.paper.candidates import PRE_TRAININGS, PreTraining, Schedule
from cxrview.paper.epochs import Batches, Training, train_all_layers
from cxrview.paper.scale import Scale
from cxrview.paper.top_1 import ShownPictures, Top1Log
from cxrview.paper.trained_model import (
    find_finished,
    finish_training,
    load_trained,
    writing_to,
)
from cxrview.records.model_card import SMOKE_TEST
from cxrview.terms import Partition
from cxrview.train.callbacks import TrainingWatch
from cxrview.train.checkpoint import TrainingIdentity
from cxrview.train.distributed import ALONE, Processes
from cxrview.train.googlenet import GoogLeNet
from cxrview.train.published import load_published
from cxrview.wording import plural

CHECKPOINT, TOP_1 = "checkpoint.safetensors", "top-1.json"
PUBLISHED_CLASSES = 1000
PER_CLASS = {"smoke": 1}
"""Most pictures of each class and partition that a scale uses; others use all."""
NO_WATCH = TrainingWatch()
VALIDATION_PICTURES = {"smoke": 48, "laptop": 1000}
"""Pictures, sampled by seed, that a scale counts top-1 on; others use all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One pre-training on grey pictures, with every value that may be changed."""

    pre_training: PreTraining
    schedule: Schedule
    scale: str
    """Name of a `paper.scale.Scale`."""
    epoch_pictures: int | None = None
    """Pictures of one epoch, sampled again for each; all if None."""
    validation_pictures: int | None = None
    """Number of pictures, sampled by seed, that top-1 is counted on; all if None."""
    per_class: int | None = None
    """Most pictures of a class and partition; all if None."""
    seed: int = 0
    device: str = "cpu"
    processes: Processes = ALONE
    """The first writes the files, and counts top-1."""
    is_bf16: bool = False
    """Count top-1 in bf16 arithmetic, like the training; otherwise in float32."""


def plan_for(
    pre_training: str,
    scale: Scale,
    *,
    seed: int = 0,
    device: str = "cpu",
    epoch_pictures: int | None = None,
    validation_pictures: int | None = None,
    per_class: int | None = None,
) -> Plan:
    """Make the plan of a grey pre-training at a scale.

    Args:
        pre_training: `grey` or `grey-subset`.
        scale: of `scale_named`.
        seed: of all random choices.
        device: as torch names it.
        epoch_pictures: as in `Plan`; None for the scale's, and likewise the following.
        validation_pictures: as in `Plan`.
        per_class: as in `Plan`.

    Raises:
        UsageError: the pre-training does not exist, or is not trained on pictures.
    """
    row = PRE_TRAININGS.get(pre_training)
    if row is None or row.schedule is None:
        grey = ", ".join(r.name for r in PRE_TRAININGS.values() if r.schedule)
        raise UsageError(f"{pre_training} is not a pre-training on pictures", f"Choose from {grey}")
    schedule = row.schedule
    if scale.grey_epochs is not None:
        schedule = replace(schedule, epochs=scale.grey_epochs)
    if scale.grey_rate_epochs is not None:
        schedule = replace(schedule, rate_epochs=scale.grey_rate_epochs)
    return Plan(
        pre_training=row,
        schedule=schedule,
        scale=scale.name,
        epoch_pictures=epoch_pictures or scale.grey_images,
        validation_pictures=validation_pictures or VALIDATION_PICTURES.get(scale.name),
        per_class=per_class or PER_CLASS.get(scale.name),
        is_bf16=scale.is_bf16,
        seed=seed,
        device=device,
    )


def choose_classes(
    pre_training: PreTraining,
    classes: Sequence[ImageNetClass],
    available: Collection[str],
    *,
    seed: int,
) -> tuple[ImageNetClass, ...]:
    """Choose the classes that the model is trained on, in the order of its output.

    Args:
        pre_training: on the subset, or on all.
        classes: the complete list of ILSVRC, indices 0 to 999.
        available: wnids that have training pictures.
        seed: decides which artifacts are in the subset.

    Raises:
        UsageError: the list is incomplete, lacks a wnid, or there are too few classes.
    """
    everything = tuple(sorted(classes, key=lambda c: c.index))
    if [c.index for c in everything] != list(range(PUBLISHED_CLASSES)):
        raise UsageError(
            f"the list of classes does not have the indices 0 to {PUBLISHED_CLASSES - 1}"
        )
    unknown = sorted(set(available) - {c.wnid for c in everything})
    if unknown:
        more = f" and {len(unknown) - 3} more" if len(unknown) > 3 else ""
        raise UsageError(
            f"folders without a class in the list: {', '.join(unknown[:3])}{more}",
            "The name of each folder should be the WordNet id of its class, such as n02747177",
        )
    if not pre_training.is_subset:
        return everything
    return subset_classes(everything, seed=seed, available=available)


def pre_train(
    plan: Plan,
    published: Path,
    pictures: Pictures,
    classes: Sequence[ImageNetClass],
    out: Path,
    watch: TrainingWatch = NO_WATCH,
) -> GoogLeNet:
    """Continue training the published colour weights on grey pictures, all layers.

    If it is stopped, the same call resumes; on CPUs with one number of threads it ends with the
    same bits. A finished training is loaded. Of several processes (those of `plan`), which all
    make this call, the first writes the files, and all must see them.

    Args:
        plan: pre-training, schedule and numbers of pictures.
        published: as for `load_published`.
        pictures: at least of these classes; those of other classes are not used.
        classes: the 1,000 in the order of their indices, or the hundred of the subset.
        out: folder; gets the files of `paper.trained_model`, and a checkpoint while it trains.
        watch: `epoch` is also called before the first epoch; its accuracy is top-1.

    Returns:
        The model without auxiliary classifiers; its classes are in the order of `classes`.

    Raises:
        InvalidModel: the published weights or the checkpoint do not fit.
        UsageError: no training picture was given, or `out` belongs to another training.
        CannotWrite: the disk is full or not writable.
    """
    shown = ShownPictures.of(pictures, classes, Partition.TRAINING)
    if not len(shown.rows):
        raise UsageError("there are no training pictures", "Give it pictures of more classes")
    belongs = _belongs(plan, published, pictures, classes)
    if plan.processes.on_first(lambda: find_finished(out, belongs)):
        if plan.processes.is_first:
            _remove_unfinished(out)
        return load_trained(out)
    batches = Batches(
        images=shown.picture,
        classes=shown.classes,
        batch=plan.schedule.batch,
        seed=plan.seed,
        per_epoch=plan.epoch_pictures,
    )
    model = initial_model(plan.pre_training, published, classes, seed=plan.seed)
    held_out = ShownPictures.of(pictures, classes, Partition.VALIDATION)
    held_out = held_out.drawn(plan.validation_pictures, plan.seed)
    counted = Top1Log(out / TOP_1, model, held_out, device=plan.device, is_bf16=plan.is_bf16)
    _train(plan, model, batches, counted, belongs, out, watch)

    def finish() -> None:
        about = _about(plan, belongs, pictures, classes, batches) | {
            "top_1_before": asdict(counted.after(0)),
            "top_1_after": asdict(counted.after(plan.schedule.epochs)),
            "top_1_right_by_epoch": counted.right,
        }
        finish_training(out, model, about)
        _remove_unfinished(out)

    plan.processes.on_first(finish)
    return load_trained(out)


def _train(
    plan: Plan,
    model: GoogLeNet,
    batches: Batches,
    counted: Top1Log,
    belongs: TrainingIdentity,
    out: Path,
    watch: TrainingWatch,
) -> None:
    """Train in place, and count top-1 before the first epoch and after each."""
    epochs = plan.schedule.epochs

    def report_top_1(epoch: int) -> None:
        top_1 = counted.after(epoch)
        if top_1.pictures:
            watch.epoch(epoch, epochs, top_1.right / top_1.pictures)

    def report(step: int, loss: float) -> None:
        watch.step(step, batches.steps * epochs, loss)
        epoch, rest = divmod(step, batches.steps)
        if rest == 0 and epoch < epochs:
            report_top_1(epoch)
            model.train()

    if plan.processes.is_first:
        report_top_1(0)
    training = Training(
        batches=batches,
        schedule=plan.schedule,
        seed=plan.seed,
        checkpoint=out / CHECKPOINT,
        belongs=belongs,
        device=plan.device,
        processes=plan.processes,
        report=report,
    )
    with writing_to(out):
        train_all_layers(model, training)
    if plan.processes.is_first:
        report_top_1(epochs)


def initial_model(
    pre_training: PreTraining, published: Path, classes: Sequence[ImageNetClass], *, seed: int
) -> GoogLeNet:
    """Load the published colour weights, with new auxiliary classifiers.

    With all 1,000 classes, the published classifier is kept. That of the subset starts with the
    rows of its classes (ours: the paper does not say).

    Args:
        pre_training: on the subset or not.
        published: as for `load_published`.
        classes: those of the subset; unused otherwise.
        seed: of the auxiliary classifiers.

    Raises:
        InvalidModel: an array is missing or does not fit.
    """
    torch.manual_seed(seed)
    if not pre_training.is_subset:
        model = GoogLeNet(PUBLISHED_CLASSES)
        load_published(published, model, with_classifier=True)
        return model
    published_model = GoogLeNet(PUBLISHED_CLASSES, auxiliary=False)
    load_published(published, published_model, with_classifier=True)
    torch.manual_seed(seed)
    model = GoogLeNet(len(classes))
    load_published(published, model, with_classifier=False)
    own = [c.index for c in classes]
    with torch.no_grad():
        model.classifier.weight.copy_(published_model.classifier.weight[own])
        model.classifier.bias.copy_(published_model.classifier.bias[own])
    return model


def _remove_unfinished(out: Path) -> None:
    """Remove what only an unfinished training needs."""
    for name in (CHECKPOINT, TOP_1):
        (out / name).unlink(missing_ok=True)


def _belongs(
    plan: Plan, published: Path, pictures: Pictures, classes: Sequence[ImageNetClass]
) -> dict[str, str]:
    return {
        "pre_training": plan.pre_training.name,
        "schedule": repr(plan.schedule),
        "scale": plan.scale,
        "epoch_pictures": str(plan.epoch_pictures),
        "validation_pictures": str(plan.validation_pictures),
        "seed": str(plan.seed),
        "pictures": str(pictures.about.get("content_sha256", "")),
        "classes": hashlib.sha256(" ".join(c.wnid for c in classes).encode()).hexdigest(),
        "published_sha256": file_sha256(published),
    }


def _about(
    plan: Plan,
    belongs: dict[str, str],
    pictures: Pictures,
    classes: Sequence[ImageNetClass],
    batches: Batches,
) -> dict[str, Any]:
    shown = ShownPictures.of(pictures, classes, Partition.TRAINING)
    held_out = ShownPictures.of(pictures, classes, Partition.VALIDATION)
    count = len(np.unique(shown.classes))
    enlarged = pictures.about.get("enlarged", 0)
    return {
        "pre_training": plan.pre_training.name,
        "shown": f"{len(shown.rows):,} grey pictures of {count:,} classes, "
        f"{len(batches.order(0)):,} of them in each of {plan.schedule.epochs} epochs, "
        "after the published colour weights",
        "differs_from_the_paper": _differences(plan, len(shown.rows), count, batches, enlarged),
        "scale": plan.scale,
        "schedule": asdict(plan.schedule),
        "seed": plan.seed,
        "steps": batches.steps * plan.schedule.epochs,
        "validation_pictures": len(held_out.rows),
        "pictures_enlarged": enlarged,
        "pictures_not_readable": pictures.about.get("failures", 0),
        "belongs": belongs,
        "published_sha256": belongs["published_sha256"],
        "classes": [c.wnid for c in classes],
    }


def _differences(
    plan: Plan, pictures: int, classes: int, batches: Batches, enlarged: int
) -> list[str]:
    """Describe what differs from the paper, so that a scaled run is never taken for a full one."""
    published = PRE_TRAININGS[plan.pre_training.name]
    wanted = published.images - PRE_TRAININGS["colour"].images
    wanted_classes = 100 if published.is_subset else PUBLISHED_CLASSES
    words = []
    if (pictures, classes) != (wanted, wanted_classes):
        words.append(
            f"{plural(pictures, 'picture', form=',')} of "
            f"{plural(classes, 'class', 'classes', form=',')} instead of {wanted:,} of "
            f"{wanted_classes:,}"
        )
    if len(batches.order(0)) < pictures:
        words.append(f"{len(batches.order(0)):,} pictures drawn for each epoch instead of all")
    if enlarged:
        words.append(
            f"{plural(enlarged, 'picture', form=',')} enlarged from fewer than 256 x 256 pixels: "
            "soft"
        )
    for figure in fields(Schedule):
        is_, was = (getattr(s, figure.name) for s in (plan.schedule, published.schedule))
        if is_ != was:
            words.append(f"{figure.name} {is_} instead of {was}")
    if plan.scale == "smoke":
        words.append(f"{SMOKE_TEST}: its figures mean nothing")
    return words
