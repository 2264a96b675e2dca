"""What a model card says about how its model was made and how well it does."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from cxrview.records.json_object import FLAT, from_json, keys_of, to_json


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionCounts:
    """How many decisions of a model on images of known view are right."""

    images: int
    errors: int
    """By the cutoff alone, as if nothing were sent to review or refused."""
    accuracy_percent: float
    """Share of images without such an error, 0 to 100."""
    interval_95_percent: tuple[float, float]
    """Clopper-Pearson interval of the accuracy, 0 to 100."""
    decided: int
    """Images outside the review band and not refused."""
    errors_decided: int
    """Errors among the decided images."""
    refused: int
    """Images that are called `not_chest`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceCounts:
    """Counts of one source and view."""

    source: str
    view: str
    counts: DecisionCounts = field(metadata=FLAT)


@dataclass(frozen=True, slots=True, kw_only=True)
class OrientationCounts:
    """Counts of one orientation over all sources and views."""

    orientation: str
    """A key of `dataset.augment.poses.ORIENTATIONS`."""
    counts: DecisionCounts = field(metadata=FLAT)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingCount:
    """How many training images one source gave of one view."""

    source: str
    view: str
    """`frontal`, `lateral` or `not-chest`."""
    images: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NotChestCounts:
    """How many images without a chest are called a view all the same."""

    partition: str
    source: str
    images: int
    called_a_view: int
    interval_95_percent: tuple[float, float]
    """Clopper-Pearson interval of their share, 0 to 100."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StorageLoss:
    """What is lost by storing weights as float16 rather than float32."""

    images: int
    """Validation images that both were run on."""
    largest_pfi_difference_points: float
    changed_views: int
    bytes: int
    """Size of the model file."""
    bytes_float32: int
    """Size of the same file with weights in float32."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibrationBin:
    """Images whose PFI is within one tenth of the scale; all but `images` in percent."""

    low: float
    high: float
    images: int
    mean_pfi: float
    percent_frontal: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """How the PFI compares with the share of frontal images."""

    images: int
    expected_calibration_error_points: float
    bins: tuple[CalibrationBin, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOutCounts:
    """One view of one source, by a model whose training left that source out."""

    model: str
    """`without-SOURCE` or `SOURCE-alone`."""
    left_out: str
    """The source."""
    view: str
    images: int
    errors: int
    accuracy_percent: float
    decided: int
    errors_decided: int
    refused: int
    interval_low_percent: float
    interval_high_percent: float
    orientations: int
    """Images in all orientations that the next three count."""
    orientation_errors: int
    orientation_decided: int
    orientation_errors_decided: int
    log_loss: float
    """Nats, over all orientations."""
    model_id: str
    cutoff: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PointsApart:
    """Absolute differences of two models' percentages of the same images, in points."""

    mean: float
    percentile_99: float
    largest: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SeedResult:
    """One training, on validation patients."""

    seed: int
    model_id: str
    temperature: float
    cutoff_range: tuple[float, float]
    review_band: tuple[float, float]
    chest_cutoff: float | None
    log_loss: float
    """Nats, over all orientations."""
    upright: DecisionCounts
    sixteen_orientations: DecisionCounts


@dataclass(frozen=True, slots=True, kw_only=True)
class Seeds:
    """The trainings that the model was chosen from."""

    chosen: int
    """The seed of the model."""
    chosen_by: str
    """The rule, in words."""
    each: tuple[SeedResult, ...]
    pfi_apart_points: tuple[PointsApart, ...]
    """Of each pair of seeds, on upright validation images."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PrecisionComparison:
    """int8 against float32 on the same images; of each pair, float32 comes first."""

    pictures: int
    pfi_apart_points: PointsApart
    chest_apart_points: PointsApart | None = None
    """None of a model without an output `chest`."""
    other_view: int
    to_or_from_review: int
    changed_decisions: int
    log_loss: tuple[float, float] | None = None
    """This and the rest are None of images without a view."""
    errors: tuple[int, int] | None = None
    decided: tuple[int, int] | None = None
    refused: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RecipeFacts:
    """The recipe of `train.recipes` that a model was trained by."""

    name: str
    steps: int
    batch: int
    other: Mapping[str, Any] = field(default_factory=dict)
    """Rates, shares and chances of changes, as in that version's recipe."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedReaders:
    """Which ways of reading an image the model was checked with, in words."""

    checked_with: str
    not_checked_with: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CardStatements:
    """What cannot be computed and is given by those who train a model (`cxrview train --about`)."""

    data: str | None = None
    """Where the training images come from."""
    data_licences: Mapping[str, str] | None = None
    """By source."""
    weights_licence: str | None = None
    readers: CheckedReaders | None = None
    intended_use: str | None = None
    limits: tuple[str, ...] | None = None
    failures: tuple[str, ...] | None = None
    """Known failures."""
    other: Mapping[str, Any] = field(default_factory=dict)
    """Whatever else is stated."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CardAbout:
    """Data, recipe, counts, readers, licences and limits; None if the card does not say.

    Attributes:
        recipe: the recipe of its training.
        seed: of the training.
        candidate: the paper's candidate that was chosen, such as `grey/all-augmented`.
        scale: in words, how much smaller than the paper's study a run of `reproduce` was.
        quantised_from: `model_id` of the float32 model; of int8 alone.
        calibrated_on_training_pictures: of int8 alone.
        cutoff_range: cutoffs with the largest Youden's J, in percent.
        against_fp32: by partition, then by kind of image; of int8 alone.
        chosen_on: in words, the images that the model was chosen on.
        validation_right: of a candidate: validation images that are right at a PFI of 50 %.
        validation_images: of a candidate: validation images in all.
        schedule: of a candidate: rates, epochs and batch of its training.
        belongs: of a candidate: hashes of the images, the split and the weights that it was
            trained from.
        weights: of a candidate: name of its weights file.
        labels_sha256: SHA-256 of the labels.
        partitions: the rule that divides the patients.
        training: images that it was trained on.
        validation: upright validation images.
        test: upright test images.
        orientations: by partition: `validation` and `test`.
        not_chest: None of a model without an output `chest`.
        storage: what storing images as JPEG before training changes.
        calibration: by the set of images, in words.
        leave_source_out: how often the recipe is right on a source that it was not trained on.
        seeds: trainings by other seeds.
        statements: what people wrote: data, licences, readers, limits.
    """

    recipe: RecipeFacts | None = None
    seed: int | None = None
    candidate: str | None = None
    scale: str | None = None
    quantised_from: str | None = None
    calibrated_on_training_pictures: int | None = None
    cutoff_range: tuple[float, float] | None = None
    against_fp32: Mapping[str, Mapping[str, PrecisionComparison]] | None = None
    chosen_on: str | None = None
    validation_right: int | None = None
    validation_images: int | None = None
    schedule: Mapping[str, Any] | None = None
    belongs: Mapping[str, str] | None = None
    weights: str | None = None
    labels_sha256: str | None = None
    partitions: str | None = None
    training: tuple[TrainingCount, ...] | None = None
    validation: tuple[SourceCounts, ...] | None = None
    test: tuple[SourceCounts, ...] | None = None
    orientations: Mapping[str, tuple[OrientationCounts, ...]] | None = None
    not_chest: tuple[NotChestCounts, ...] | None = None
    storage: StorageLoss | None = None
    calibration: Mapping[str, Calibration] | None = None
    leave_source_out: tuple[LeftOutCounts, ...] | None = None
    seeds: Seeds | None = None
    statements: CardStatements = field(default=CardStatements(), metadata=FLAT)

    @classmethod
    def from_json(cls, value: Any) -> "CardAbout":
        """Read `about` of a card of this or any earlier version.

        A value of another form than today's is kept as it is in `statements.other`: a model can
        be run without it.

        Raises:
            ValueError: it is not an object.
        """
        try:
            return from_json(cls, value)
        except ValueError:
            if not isinstance(value, Mapping):
                raise
        known, kept = dict(value), {}
        for key in value:
            try:
                from_json(cls, {key: value[key]})
            except ValueError:
                kept[key] = known.pop(key)
        about = from_json(cls, known)
        stated = replace(about.statements, other={**about.statements.other, **kept})
        return replace(about, statements=stated)

    def as_json(self) -> dict[str, Any]:
        """The object that `from_json` reads."""
        return to_json(self)


COMPUTED = keys_of(CardAbout) - keys_of(CardStatements)
"""Keys of a card's `about` that training computes; `CardStatements` must not have them."""
