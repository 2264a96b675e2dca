"""Trains one of the nine candidates and says what it makes of the validation images."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from cxrview.dataset.variants import PROGENITOR, VARIANTS, make_variant
from cxrview.records import Prepared, PreparedImage, Scores, Split, Variant
from cxrview.terms import Partition, View
from cxrview.train.batches import Batches
from cxrview.train.classifier import train_classifier, trunk_features
from cxrview.train.epochs import Training, train_all_layers
from cxrview.train.googlenet import GoogLeNet
from cxrview.train.loop import predict_pfi
from cxrview.train.scale import Scale
from cxrview.train.study import FINE_TUNINGS, Candidate, FineTuning

CLASSES = 2
"""Lateral 0, frontal 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VariantImages:
    """Progenitors and some of their variants, each made when it is asked for.

    Number k is variant `k % len(variants)` of progenitor `k // len(variants)`.
    """

    images: tuple[PreparedImage, ...]
    pixels: NDArray[np.uint8]
    """Shape (n, 256, 256), uint8, of the whole prepared store: `images[k].row` points into it."""
    variants: tuple[Variant, ...]
    seed: int

    def __len__(self) -> int:
        return len(self.images) * len(self.variants)

    def __call__(self, number: int) -> NDArray[np.uint8]:
        """Pixels of one image, shape (256, 256), uint8."""
        image, variant = self.which(number)
        progenitor = self.pixels[image.row]
        return make_variant(progenitor, variant, seed=self.seed, image_id=image.file)

    def which(self, number: int) -> tuple[PreparedImage, Variant]:
        """Whose variant it is, and which."""
        progenitor, variant = divmod(number, len(self.variants))
        return self.images[progenitor], self.variants[variant]

    @property
    def is_frontal(self) -> NDArray[np.bool_]:
        """Shape (len,), the truth: a variant has its progenitor's."""
        return np.repeat([i.view is View.FRONTAL for i in self.images], len(self.variants))


@dataclass(frozen=True, slots=True, kw_only=True)
class Study:
    """What all nine candidates share."""

    prepared: Prepared
    split: Split
    scale: Scale
    seed: int
    device: str = "cpu"

    def part(self, partition: Partition, variants: Sequence[Variant]) -> VariantImages:
        """The images of a partition with some variants of each; fewer where the scale says so."""
        wanted = set(self.split.files(partition))
        images = [image for image in self.prepared.images if image.file in wanted]
        most = self.scale.progenitors
        if most is not None:
            most = most if partition is Partition.TRAINING else most // 2
            drawn = np.random.default_rng(self.seed).permutation(len(images))[:most]
            images = [images[k] for k in sorted(drawn)]
        return VariantImages(
            images=tuple(images),
            pixels=self.prepared.pixels,
            variants=tuple(variants),
            seed=self.seed,
        )


def train_candidate(
    candidate: Candidate,
    pre_trained: GoogLeNet,
    study: Study,
    checkpoint: Path,
    report: Callable[[int, float], None] = lambda step, loss: None,
) -> tuple[GoogLeNet, Scores]:
    """Fine-tune a pre-trained network by one of the three methods.

    Args:
        candidate: which of the nine.
        pre_trained: of any number of classes; its trunk is copied, its classifiers are not.
        study: images, split, scale and seed.
        checkpoint: .safetensors file; a stopped training goes on from it.
        report: called after each step with its number, from 1, and its loss.

    Returns:
        The network, and what it says of the validation images: of the progenitors alone for
        fc-original, of the scale's variants for the other two (paper, section 4).

    Raises:
        ModelRefused: the checkpoint belongs to another training.
    """
    method = FINE_TUNINGS[candidate.fine_tuning]
    network = _with_new_classifiers(pre_trained, study.seed, auxiliary=method.is_trunk_trained)
    shown = _shown_variants(method, study.scale)
    training = study.part(Partition.TRAINING, shown)
    run = _training_of(candidate, method, training, study, checkpoint, report)
    if method.is_trunk_trained:
        train_all_layers(network, run)
    else:
        features = trunk_features(network, training, len(training), device=study.device)
        train_classifier(network, features, run)
    variants = study.scale.variants if method.is_augmented else (PROGENITOR,)
    return network, validate(
        candidate, network, study.part(Partition.VALIDATION, variants), device=study.device
    )


def validate(
    candidate: Candidate, network: GoogLeNet, images: VariantImages, *, device: str = "cpu"
) -> Scores:
    """Let a network say what it makes of images, centre crops of each."""
    network.to(device)
    pfi = np.concatenate(
        [
            predict_pfi(network, np.stack([images(k) for k in range(start, stop)]), device=device)
            for start, stop in _spans(len(images), 256)
        ]
    )
    each = [images.which(k) for k in range(len(images))]
    return Scores(
        classifier=candidate.name,
        files=np.array([image.file for image, _ in each]),
        patients=np.array([image.patient for image, _ in each]),
        variants=np.array([variant.name for _, variant in each]),
        is_frontal=images.is_frontal,
        pfi=pfi,
        facts={"source": np.array([image.source for image, _ in each])},
    )


def _with_new_classifiers(pre_trained: GoogLeNet, seed: int, *, auxiliary: bool) -> GoogLeNet:
    """A copy of the trunk under fresh classifiers (ours: the paper is silent)."""
    torch.manual_seed(seed)
    network = GoogLeNet(CLASSES, auxiliary=auxiliary)
    trunk = {
        key: value
        for key, value in pre_trained.state_dict().items()
        if not key.startswith(("classifier.", "auxiliaries."))
    }
    network.load_state_dict(network.state_dict() | trunk)
    return network


def _shown_variants(method: FineTuning, scale: Scale) -> tuple[Variant, ...]:
    if not method.is_augmented:
        return (PROGENITOR,)
    return VARIANTS if method.is_trunk_trained else scale.variants


def _training_of(
    candidate: Candidate,
    method: FineTuning,
    images: VariantImages,
    study: Study,
    checkpoint: Path,
    report: Callable[[int, float], None],
) -> Training:
    schedule, scale = method.schedule, study.scale
    if scale.epochs is not None:
        schedule = replace(schedule, epochs=scale.epochs)
    return Training(
        batches=Batches(
            images=images,
            classes=images.is_frontal.astype(np.int64),
            batch=schedule.batch,
            seed=study.seed,
            per_epoch=scale.augmented_images if method.is_trunk_trained else None,
            is_cropped_at_random=method.is_trunk_trained,
        ),
        schedule=schedule,
        seed=study.seed,
        checkpoint=checkpoint,
        belongs={
            "candidate": candidate.name,
            "schedule": repr(schedule),
            "scale": scale.name,
            "seed": str(study.seed),
            "images": str(study.prepared.about.get("content_sha256", "")),
        },
        device=study.device,
        report=report,
    )


def _spans(count: int, size: int) -> list[tuple[int, int]]:
    return [(start, min(start + size, count)) for start in range(0, count, size)]
