"""What a network sees before radiographs: published colour weights, or grey pictures after them.

Source: paper, section 3.
"""

import hashlib
from collections.abc import Callable, Collection, Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from cxrview.dataset.natural.ilsvrc import ImageNetClass, subset_classes
from cxrview.dataset.natural.store import Pictures
from cxrview.errors import UsageError
from cxrview.paper.candidates import PRE_TRAININGS, PreTraining, Schedule
from cxrview.paper.epochs import Batches, Training, train_all_layers
from cxrview.paper.network_files import (
    ABOUT,
    begin_training,
    file_sha256,
    finish_training,
    load_trained,
    writing_to,
)
from cxrview.paper.scale import Scale
from cxrview.paper.top_1 import CountedTop1, ShownPictures, Top1
from cxrview.records import SMOKE_TEST
from cxrview.terms import Partition
from cxrview.train.googlenet import GoogLeNet
from cxrview.train.published import load_published
from cxrview.wording import plural

CHECKPOINT, TOP_1 = "checkpoint.safetensors", "top-1.json"
PUBLISHED_CLASSES = 1000
PER_CLASS = {"smoke": 1}
"""Pictures of each class and partition that a scale keeps at the most; others keep all."""
VALIDATION_PICTURES = {"smoke": 48, "laptop": 1000}
"""Pictures, drawn by seed, that a scale counts top-1 on; others take all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One pre-training on grey pictures, with every figure that may be changed."""

    pre_training: PreTraining
    schedule: Schedule
    scale: str
    """Name of a `train.scale.Scale`."""
    epoch_pictures: int | None = None
    """Shown in one epoch, drawn anew for each; all where None."""
    validation_pictures: int | None = None
    """That top-1 is counted on, drawn by seed; all where None."""
    per_class: int | None = None
    """Pictures of a class and partition that are kept; all where None."""
    seed: int = 0
    device: str = "cpu"
    is_bf16: bool = False
    """Top-1 is counted in bf16 arithmetic, as it is trained; in float32 otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """What a caller is told while it trains."""

    step: Callable[[int, int, float], None] = lambda step, total, loss: None
    """Number of the step, from 1, of how many, and its loss."""
    epoch: Callable[[int, Top1], None] = lambda epoch, top_1: None
    """Number of epochs done, 0 before the first, and top-1 after them."""


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
        epoch_pictures: as in `Plan`; the scale's where None, and likewise the following.
        validation_pictures: as in `Plan`.
        per_class: as in `Plan`.

    Raises:
        UsageError: there is no such pre-training, or it is not trained.
    """
    row = PRE_TRAININGS.get(pre_training)
    if row is None or row.schedule is None:
        grey = ", ".join(r.name for r in PRE_TRAININGS.values() if r.schedule)
        raise UsageError(f"{pre_training} is no pre-training on pictures", f"There are {grey}")
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


def classes_to_learn(
    pre_training: PreTraining,
    classes: Sequence[ImageNetClass],
    available: Collection[str],
    *,
    seed: int,
) -> tuple[ImageNetClass, ...]:
    """Choose which classes the network tells apart, in the order of its output.

    Args:
        pre_training: on the subset, or on all.
        classes: the whole list of ILSVRC, indices 0 to 999.
        available: wnids of which there are training pictures.
        seed: decides which artifacts the subset takes.

    Raises:
        UsageError: the list is not whole, a wnid stands not in it, or there are too few.
    """
    whole = tuple(sorted(classes, key=lambda c: c.index))
    if [c.index for c in whole] != list(range(PUBLISHED_CLASSES)):
        raise UsageError(f"the list of classes does not number {PUBLISHED_CLASSES} from 0")
    unknown = sorted(set(available) - {c.wnid for c in whole})
    if unknown:
        more = f" and {len(unknown) - 3} more" if len(unknown) > 3 else ""
        raise UsageError(
            f"no class of the list is called as the folders are: {', '.join(unknown[:3])}{more}",
            "Each should have the WordNet id of its class for a name, such as n02747177",
        )
    if not pre_training.is_subset:
        return whole
    return subset_classes(whole, seed=seed, available=available)


def convert_colour(published: Path, out: Path) -> GoogLeNet:
    """Keep the published colour weights as the first of the three pre-trained networks.

    Args:
        published: as `load_published` takes it.
        out: folder; gets weights.safetensors and about.json.

    Raises:
        InvalidModel: an array is missing or does not fit.
        UsageError: another training stands in the folder.
        CannotWrite: the disk took no more.
    """
    network = GoogLeNet(PUBLISHED_CLASSES, auxiliary=False)
    load_published(published, network, with_classifier=True)
    begin_training(out, {"pre_training": "colour", "published_sha256": file_sha256(published)})
    about: dict[str, Any] = {
        "pre_training": "colour",
        "shown": "1,281,167 colour pictures of 1,000 classes, by those who published the weights",
        "published_sha256": file_sha256(published),
        "differs_from_the_paper": [],
        "schedule": None,
        "top_1_before": None,
        "top_1_after": None,
        "classes": None,
    }
    finish_training(out, network, about)
    return network


def pre_train(
    plan: Plan,
    published: Path,
    pictures: Pictures,
    classes: Sequence[ImageNetClass],
    out: Path,
    watch: Watch | None = None,
) -> GoogLeNet:
    """Go on from the published colour weights with grey pictures, all layers.

    Stopped at any point, the same call goes on; on processors and one number of threads it ends at
    the same bits. Where it is finished, it is loaded.

    Args:
        plan: which, how, and on how many pictures.
        published: as `load_published` takes it.
        pictures: of these classes at least; those of other classes are not shown.
        classes: the 1,000 in the order of their indices, or the hundred of the subset.
        out: folder; gets the files of `train.trained`, and a checkpoint while it trains.
        watch: told of each step and epoch.

    Returns:
        The network, without auxiliary classifiers; classes in the order of `classes`.

    Raises:
        InvalidModel: the published weights or the checkpoint do not fit.
        UsageError: there is no picture to learn from, or another training stands in `out`.
        CannotWrite: the disk took no more.
    """
    watch = watch or Watch()
    shown = ShownPictures.of(pictures, classes, Partition.TRAINING)
    if not len(shown.rows):
        raise UsageError("there is no picture to learn from", "Give it pictures of more classes")
    belongs = _belongs(plan, published, pictures, classes)
    begin_training(out, belongs)
    if (out / ABOUT).is_file():
        _remove_unfinished(out)
        return load_trained(out)
    network = initial_network(plan.pre_training, published, classes, seed=plan.seed)
    held_out = ShownPictures.of(pictures, classes, Partition.VALIDATION)
    held_out = held_out.drawn(plan.validation_pictures, plan.seed)
    counted = CountedTop1(out / TOP_1, network, held_out, device=plan.device, is_bf16=plan.is_bf16)
    watch.epoch(0, counted.after(0))
    batches = Batches(
        images=shown.picture,
        classes=shown.classes,
        batch=plan.schedule.batch,
        seed=plan.seed,
        per_epoch=plan.epoch_pictures,
    )

    total = batches.steps * plan.schedule.epochs

    def report(step: int, loss: float) -> None:
        watch.step(step, total, loss)
        epoch, rest = divmod(step, batches.steps)
        if rest == 0 and epoch < plan.schedule.epochs:
            watch.epoch(epoch, counted.after(epoch))
            network.train()

    training = Training(
        batches=batches,
        schedule=plan.schedule,
        seed=plan.seed,
        checkpoint=out / CHECKPOINT,
        belongs=belongs,
        device=plan.device,
        report=report,
    )
    with writing_to(out):
        train_all_layers(network, training)
    watch.epoch(plan.schedule.epochs, counted.after(plan.schedule.epochs))
    about = _about(plan, belongs, pictures, classes, batches) | {
        "top_1_before": asdict(counted.after(0)),
        "top_1_after": asdict(counted.after(plan.schedule.epochs)),
        "top_1_right_by_epoch": counted.right,
    }
    finish_training(out, network, about)
    _remove_unfinished(out)
    return load_trained(out)


def initial_network(
    pre_training: PreTraining, published: Path, classes: Sequence[ImageNetClass], *, seed: int
) -> GoogLeNet:
    """The published colour weights under fresh auxiliary classifiers.

    All 1,000 classes keep the published classifier. The subset's begins with the rows of its own
    classes in it (ours: the paper is silent), so that nothing known is thrown away.

    Args:
        pre_training: whether on the subset.
        published: as `load_published` takes it.
        classes: those of the subset; not looked at otherwise.
        seed: of the auxiliary classifiers.

    Raises:
        InvalidModel: an array is missing or does not fit.
    """
    torch.manual_seed(seed)
    if not pre_training.is_subset:
        network = GoogLeNet(PUBLISHED_CLASSES)
        load_published(published, network, with_classifier=True)
        return network
    whole = GoogLeNet(PUBLISHED_CLASSES, auxiliary=False)
    load_published(published, whole, with_classifier=True)
    torch.manual_seed(seed)
    network = GoogLeNet(len(classes))
    load_published(published, network, with_classifier=False)
    own = [c.index for c in classes]
    with torch.no_grad():
        network.classifier.weight.copy_(whole.classifier.weight[own])
        network.classifier.bias.copy_(whole.classifier.bias[own])
    return network


def _remove_unfinished(out: Path) -> None:
    """What only a training under way needs."""
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
    """What of it is not as published, in words: a scaled run must never look like a full one."""
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
