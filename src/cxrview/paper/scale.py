"""The scales of a run, from a smoke test to the published study, and their description."""

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace

from cxrview.dataset.augment.variants import VARIANTS, variant_named
from cxrview.errors import UsageError
from cxrview.paper.candidates import Schedule
from cxrview.records.dataset import Split, Variant
from cxrview.records.model_card import SMOKE_TEST
from cxrview.terms import Partition

_EIGHT = (
    "progenitor",
    "identity/translate-north",
    "flip-horizontal/spread",
    "flip-vertical/noise-reduction-2",
    "rotate-2-clockwise/gaussian-noise",
    "rotate-2-anticlockwise/poisson-noise",
    "rotate-90-clockwise/impulse-noise",
    "rotate-90-anticlockwise/laplacian-noise",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """Sizes of a study; None is the published size."""

    name: str
    words: str
    """Printed with every result table, so that a scaled run is never taken for a full one."""
    grey_epochs: int | None
    """Epochs of grey pre-training."""
    grey_rate_epochs: int | None = None
    """Epochs of grey pre-training after which the rate is divided."""
    grey_images: int | None
    """Pictures of one epoch of grey pre-training."""
    variants: tuple[Variant, ...]
    """Variants of each progenitor for features and validation; training of all layers samples
    from all 106."""
    epochs: int | None
    """Epochs of fine-tuning."""
    augmented_images: int | None
    """Images of one epoch of training all layers, sampled again for each."""
    passes: int | None = None
    """Passes over all augmented images, divided among the epochs of training all layers. Instead of
    `augmented_images`."""
    is_bf16: bool = False
    """Compute features, validation and top-1 in bf16 arithmetic, like the training of all layers;
    otherwise in float32."""
    training: int | None
    """Most training progenitors; the paper had 1,129."""
    validation: int | None
    """Most validation progenitors; the paper had 376."""
    watched: int | None
    """Validation progenitors on which accuracy is computed after every epoch."""
    modified: int | None
    """Test images for the robustness table, sampled by seed."""


SCALES = {
    row.name: row
    for row in (
        Scale(
            name="smoke",
            words=f"{SMOKE_TEST}: 1 epoch of 24 images everywhere, at most 24 training and 12 "
            "validation progenitors, 2 variants of 106; its figures mean nothing",
            grey_epochs=1,
            grey_images=24,
            variants=tuple(map(variant_named, _EIGHT[:2])),
            epochs=1,
            augmented_images=24,
            training=24,
            validation=12,
            watched=12,
            modified=4,
        ),
        Scale(
            name="laptop",
            words="scaled to two cores: 1 epoch of grey pre-training instead of 30; 8 named "
            "variants instead of 106 for features and validation; 400 of the augmented images "
            "drawn for each of 30 epochs where all layers train, instead of 119,674; at most 1,129 "
            "training and 376 validation progenitors, as many as the paper had, drawn by seed",
            grey_epochs=1,
            grey_images=None,
            variants=tuple(map(variant_named, _EIGHT)),
            epochs=None,
            augmented_images=400,
            training=1129,
            validation=376,
            watched=48,
            modified=250,
        ),
        Scale(
            name="night",
            words="scaled to a night on two cores: 6 epochs of grey pre-training instead of 30, "
            "its rate divided by ten every 2 of them instead of every 10; where all layers train, "
            "1 pass over the augmented images, a 30th of it in each of 30 epochs, instead of 30 "
            "passes; features and validation in bf16 arithmetic; at most 1,129 training and 376 "
            "validation progenitors, as many as the paper had, drawn by seed",
            grey_epochs=6,
            grey_rate_epochs=2,
            grey_images=None,
            variants=VARIANTS,
            epochs=None,
            augmented_images=None,
            passes=1,
            is_bf16=True,
            training=1129,
            validation=376,
            watched=48,
            modified=250,
        ),
        Scale(
            name="paper",
            words="as published",
            grey_epochs=None,
            grey_images=None,
            variants=VARIANTS,
            epochs=None,
            augmented_images=None,
            training=None,
            validation=None,
            watched=None,
            modified=None,
        ),
    )
}


def scale_named(name: str) -> Scale:
    """Find a scale by its name.

    Raises:
        UsageError: the scale does not exist.
    """
    if name not in SCALES:
        raise UsageError(f"scale {name} does not exist", f"Choose from {', '.join(SCALES)}")
    return SCALES[name]


def scaled_schedule(schedule: Schedule, scale: Scale) -> Schedule:
    """Set the number of epochs of a schedule to that of a scale."""
    return schedule if scale.epochs is None else replace(schedule, epochs=scale.epochs)


def run_words(
    scale: Scale, schedule: Schedule, published: Schedule, more: Sequence[str] = ()
) -> str:
    """Describe how a training was scaled or changed.

    Args:
        scale: of the run.
        schedule: of the training.
        published: the method's schedule in the paper.
        more: other differences from the paper.
    """
    wanted = asdict(scaled_schedule(published, scale))
    changed = [
        f"{name.replace('_', ' ')} {value} instead of {wanted[name]}"
        for name, value in asdict(schedule).items()
        if value != wanted[name]
    ]
    return "; ".join([scale.words, *changed, *more])


def scaled_split(split: Split, scale: Scale, seed: int) -> Split:
    """Sample the training and validation images of a scale by seed; all test images stay.

    Every stage of a study uses the same scaled split, so that baselines and candidates are trained
    on the same images.
    """
    most = {Partition.TRAINING: scale.training, Partition.VALIDATION: scale.validation}
    kept = set(split.files(Partition.TEST))
    for partition, number in most.items():
        drawn = sorted(split.files(partition), key=lambda file: _place(seed, file))
        kept.update(drawn[:number])
    partitions = {file: part for file, part in split.partitions.items() if file in kept}
    return replace(split, partitions=partitions)


def _place(seed: int, file: str) -> bytes:
    """Give a random sort key that is the same on every machine and for every order of rows."""
    return hashlib.sha256(f"scale\n{seed}\n{file}".encode()).digest()
