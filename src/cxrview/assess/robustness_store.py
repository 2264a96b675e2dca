"""Make the robustness table of a prepared store: choose its images, and run the model."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from cxrview.assess.cascade import deciding_models
from cxrview.assess.modify import MODIFICATIONS
from cxrview.assess.robustness_run import (
    ImagesToModify,
    NamedClassifier,
    assess_partition,
    draw_images,
)
from cxrview.classify.model import Model
from cxrview.dataset.split import check_split, split_images
from cxrview.errors import InvalidModel, UsageError
from cxrview.records.dataset import Prepared, PreparedImage, Split
from cxrview.records.evaluation import ModifiedCount
from cxrview.terms import Partition


@dataclass(frozen=True, slots=True, kw_only=True)
class PartitionImages:
    """Images of one partition of a prepared store."""

    store: Prepared
    partition: Partition
    images: Sequence[PreparedImage]
    drawn_from: int
    """Number of images in the partition; more than `images` if these are a sample."""

    @property
    def pictures(self) -> int:
        """Number of pictures for a robustness table of these images."""
        return len(self.images) * len(MODIFICATIONS)


def images_of_partition(
    store: Prepared,
    split: Split | None,
    partition: Partition,
    *,
    sample: int | None = None,
    seed: int = 0,
) -> PartitionImages:
    """Return the images of a partition, or a sample of them.

    Args:
        store: from `open_prepared`.
        split: None for the published rule.
        partition: which of its images.
        sample: number of images to draw; None for all.
        seed: of the sample.

    Raises:
        UsageError: the split leaks, or the partition is empty.
    """
    chosen = split or split_images(store.images, by="rule")
    check_split(chosen, store.images, store.content)
    every = [one for one in store.images if chosen.partitions.get(one.file) is partition]
    if not every:
        raise UsageError(f"no image is in the {partition} partition")
    return PartitionImages(
        store=store,
        partition=partition,
        images=[every[k] for k in draw_images(len(every), sample, seed)],
        drawn_from=len(every),
    )


def assess_store(
    of: PartitionImages,
    model: Model,
    cutoff: float | None,
    out: Path,
    *,
    overwrite: bool = False,
    watch: Callable[[int], None] = lambda done: None,
) -> tuple[ModifiedCount, ...]:
    """Run a model on the images under all modifications; see `assess_partition`.

    Args:
        of: the images.
        model: the model; its card has its name and scale for the table.
        cutoff: percent; frontal if PFI is at least this, whichever model answered. None for the
            cutoff on the card of the model that answered.
        out: folder for `robustness.csv` and `robustness.parquet`.
        overwrite: replace a table of another model or of other images.
        watch: called with the number of pictures done since the last call.

    Raises:
        InvalidModel: the model takes pictures of another size than the store has.
        UsageError: `out` holds another table.
        CannotWrite: `out` cannot be written.
    """
    side = of.store.pixels.shape[1]
    if side != model.card.input_side:
        raise InvalidModel(
            f"the model takes {model.card.input_side} x {model.card.input_side} pixels, "
            f"the store has {side} x {side}"
        )
    images = ImagesToModify.of(of.store, of.images, drawn_from=of.drawn_from)
    first, *_ = deciding_models(model, cutoff)
    classifier = NamedClassifier.of(model, cutoff)
    return assess_partition(images, classifier, first.cutoff, out, watch, overwrite=overwrite)
