"""How much of the published study a run carries out, and the words that say so in every table."""

from dataclasses import dataclass

from cxrview.dataset.variants import VARIANTS, variant_named
from cxrview.records import Variant

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
    """What of the study is scaled; None is the published size."""

    name: str
    words: str
    """For the result tables: a scaled run must never look like a full one."""
    grey_epochs: int | None
    """Of grey pre-training."""
    grey_images: int | None
    """Shown in one epoch of grey pre-training."""
    variants: tuple[Variant, ...]
    """Of each progenitor, for features and for validation; training of all layers draws from
    all 106."""
    epochs: int | None
    """Of fine-tuning."""
    augmented_images: int | None
    """Shown in one epoch where all layers are fine-tuned."""
    progenitors: int | None
    """Of training, and half as many of validation."""


SCALES = {
    row.name: row
    for row in (
        Scale(
            name="smoke",
            words="smoke test: 1 epoch of 24 images everywhere, 24 training and 12 validation "
            "progenitors, 2 variants of 106; its figures mean nothing",
            grey_epochs=1,
            grey_images=24,
            variants=tuple(map(variant_named, _EIGHT[:2])),
            epochs=1,
            augmented_images=24,
            progenitors=24,
        ),
        Scale(
            name="laptop",
            words="scaled to two cores: 1 epoch of grey pre-training instead of 30, 8 named "
            "variants instead of 106 for features and validation, 400 of the augmented images "
            "drawn for each of 30 epochs where all layers train",
            grey_epochs=1,
            grey_images=None,
            variants=tuple(map(variant_named, _EIGHT)),
            epochs=None,
            augmented_images=400,
            progenitors=None,
        ),
        Scale(
            name="paper",
            words="as published",
            grey_epochs=None,
            grey_images=None,
            variants=VARIANTS,
            epochs=None,
            augmented_images=None,
            progenitors=None,
        ),
    )
}
