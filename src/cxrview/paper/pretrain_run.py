"""Pre-trains from a tree of pictures: keeps those of the classes to learn, and trains on them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from cxrview.atomic_files import atomic_path, raising_cannot_write
from cxrview.csv_files import write_csv
from cxrview.dataset.natural.ilsvrc import ImageNetClass, read_classes
from cxrview.dataset.natural.pictures import count_classes, keep_pictures
from cxrview.paper.network_files import read_about
from cxrview.paper.pretrain import Plan, Watch, classes_to_learn, pre_train
from cxrview.terms import Partition
from cxrview.train.googlenet import GoogLeNet

PICTURES, SUBSET = "pictures", "subset.csv"


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureSource:
    """Where pictures are, and what they show."""

    pictures: Path
    """Folder or tar with `train/<wnid>/*` and `val/<wnid>/*`, or `<wnid>/*` alone."""
    classes: Path
    """CSV of the 1,000 classes of ILSVRC."""
    workers: int = 2
    """Threads that read."""


def pre_train_on_pictures(
    plan: Plan,
    published: Path,
    source: PictureSource,
    out: Path,
    *,
    watch: Watch | None = None,
    reading: Callable[[int, int], None] = lambda more, total: None,
) -> GoogLeNet:
    """Keep the pictures in `out`, list the classes of a subset, and train; resumable.

    Args:
        plan: of `plan_for`.
        published: the published colour weights.
        source: of the pictures.
        out: folder.
        watch: told of each step and epoch.
        reading: told how many more pictures are read, of how many.

    Raises:
        UsageError: classes or pictures are at fault.
        InvalidModel: weights or checkpoint do not fit.
        CannotWrite: the disk took no more.
    """
    counts = count_classes(source.pictures)
    available = set().union(*counts.values())
    names = read_classes(source.classes)
    classes_to_learn(plan.pre_training, names, available, seed=plan.seed)  # no unknown name at all
    learnt = classes_to_learn(
        plan.pre_training, names, counts[Partition.TRAINING].keys(), seed=plan.seed
    )
    wnids = {c.wnid for c in learnt}
    most = plan.per_class
    total = sum(
        count if most is None else min(count, most)
        for of in counts.values()
        for wnid, count in of.items()
        if wnid in wnids
    )
    kept = keep_pictures(
        source.pictures,
        out / PICTURES,
        wnids=wnids,
        per_class=most,
        workers=source.workers,
        watch=lambda more: reading(more, total),
    )
    if plan.pre_training.is_subset:
        _write_subset(out / SUBSET, learnt)
    return pre_train(plan, published, kept, learnt, out, watch)


def pictures_in_words(folder: Path) -> tuple[str, ...]:
    """How the pictures of a finished pre-training differ from the paper's, for result tables.

    Raises:
        InvalidModel: it is not there or not finished.
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
    """Place in the network's output, index among the thousand, wnid and category."""
    rows = ([k, c.index, c.wnid, c.category] for k, c in enumerate(classes))
    with raising_cannot_write(path), atomic_path(path) as part:
        write_csv(part, ["output", "index", "wnid", "category"], rows)
