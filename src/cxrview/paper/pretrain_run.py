"""Pre-trains on a tree of pictures: stores those of the chosen classes, and trains on them."""

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

from cxrview.atomic_files import atomic_path, locked_new_folder, raising_cannot_write
from cxrview.csv_files import write_csv
from cxrview.dataset.natural.ilsvrc import ImageNetClass, read_classes
from cxrview.dataset.natural.pictures import count_classes, store_pictures
from cxrview.dataset.natural.store import open_pictures
from cxrview.paper.pretrain import NO_WATCH, Plan, choose_classes, pre_train
from cxrview.paper.trained_model import read_about
from cxrview.terms import Partition
from cxrview.train.callbacks import TrainingWatch
from cxrview.train.googlenet import GoogLeNet

PICTURES, SUBSET = "pictures", "subset.csv"


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureSource:
    """Pictures and the list of their classes."""

    pictures: Path
    """Folder or tar with `train/<wnid>/*` and `val/<wnid>/*`, or `<wnid>/*` alone."""
    classes: Path
    """CSV of the 1,000 classes of ILSVRC."""
    workers: int = 2
    """Threads that read pictures."""


def pre_train_on_pictures(
    plan: Plan,
    published: Path,
    source: PictureSource,
    out: Path,
    *,
    watch: TrainingWatch = NO_WATCH,
) -> GoogLeNet:
    """Store the pictures in `out`, list the classes of a subset, and train; resumable.

    Args:
        plan: of `plan_for`.
        published: the published colour weights.
        source: of the pictures.
        out: folder.
        watch: called after each picture, step and epoch.

    Raises:
        UsageError: classes or pictures are not valid, or another process is writing `out`.
        InvalidModel: weights or checkpoint do not fit.
        CannotWrite: the disk is full or not writable.
    """
    counts = count_classes(source.pictures)
    available = set().union(*counts.values())
    names = read_classes(source.classes)
    choose_classes(plan.pre_training, names, available, seed=plan.seed)  # check all names
    chosen = choose_classes(
        plan.pre_training, names, counts[Partition.TRAINING].keys(), seed=plan.seed
    )
    wnids = {c.wnid for c in chosen}
    most = plan.per_class
    total = sum(
        count if most is None else min(count, most)
        for of in counts.values()
        for wnid, count in of.items()
        if wnid in wnids
    )
    with locked_new_folder(out, "training in") if plan.processes.is_first else nullcontext():
        plan.processes.on_first(
            lambda: (
                store_pictures(
                    source.pictures,
                    out / PICTURES,
                    wnids=wnids,
                    per_class=most,
                    workers=source.workers,
                    watch=watch.counter(total, "pictures read"),
                ).about
            )
        )
        kept = open_pictures(out / PICTURES)
        if plan.pre_training.is_subset and plan.processes.is_first:
            _write_subset(out / SUBSET, chosen)
        return pre_train(plan, published, kept, chosen, out, watch)


def pictures_in_words(folder: Path) -> tuple[str, ...]:
    """Describe how the pictures of a finished pre-training differ from the paper's, for tables.

    Raises:
        InvalidModel: it is missing or unfinished.
    """
    about = read_about(folder)
    differs = [str(one) for one in about.get("differs_from_the_paper", [])]
    return tuple(
        f"{about.get('pre_training', '')} pre-training on {one}"
        for one in differs
        if " pictures of " in one
    )


def pre_trained_lines(folder: Path) -> list[str]:
    """What a finished pre-training learnt from and how often it is right, a line each.

    Raises:
        InvalidModel: it is missing or not finished.
    """
    about = read_about(folder)
    lines = [f"{about['pre_training']}: {about['shown']}, in {folder}"]
    lines += [f"not as published: {words}" for words in about["differs_from_the_paper"]]
    before, after = about["top_1_before"], about["top_1_after"]
    if after["pictures"]:
        lines.append(
            f"top-1 of {after['pictures']} validation pictures: {before['right']} right before, "
            f"{after['right']} after"
        )
    return lines


def _write_subset(path: Path, classes: Sequence[ImageNetClass]) -> None:
    """Write the index in the model's output, the index among the 1,000, wnid and category."""
    rows = ([k, c.index, c.wnid, c.category] for k, c in enumerate(classes))
    with raising_cannot_write(path), atomic_path(path) as part:
        write_csv(part, ["output", "index", "wnid", "category"], rows)
