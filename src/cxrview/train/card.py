"""Sets the figures that a model decides by, on validation patients, and writes its card."""

import dataclasses
import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cxrview.records import Label, ModelCard
from cxrview.stats import exact_interval, youden_cutoff
from cxrview.terms import Partition, View
from cxrview.train.recipes import Recipe

COVERAGE = 0.99
"""Share of each source's validation images that must be decided and not sent to review."""
WIDEST_BAND = (5.0, 95.0)
"""Beyond these a model that says so is taken at its word, whatever coverage would allow."""

Pfi = NDArray[np.float64]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """The labels of one partition and what the finished model says of their images."""

    labels: tuple[Label, ...]
    pfi: Pfi
    """Shape (n,), percent."""

    @property
    def is_frontal(self) -> NDArray[np.bool_]:
        """Shape (n,), the truth."""
        return np.array([label.view is View.FRONTAL for label in self.labels], bool)

    @property
    def sources(self) -> NDArray[np.str_]:
        """Shape (n,)."""
        return np.array([label.source for label in self.labels])


def write_card(
    weights: bytes,
    recipe: Recipe,
    *,
    seed: int,
    precision: str,
    input_side: int,
    labels_sha256: str,
    training: Sequence[Label],
    validation: Scored,
    test: Scored,
    about: dict[str, Any],
) -> ModelCard:
    """Make the card of a finished model.

    Args:
        weights: the ONNX file whole.
        recipe: by which it was trained.
        seed: of the training.
        precision: how weights are stored and computed with.
        input_side: rows and columns that it takes.
        labels_sha256: of the labels file.
        training: what it was trained on.
        validation: chooses cutoff and review band.
        test: counted, and nothing chosen by it.
        about: what cannot be computed: licences, intended use, limits.
    """
    chosen = youden_cutoff(validation.pfi, validation.is_frontal)
    cutoff = round((chosen.low + chosen.high) / 2, 3)
    band = widest_review_band(validation.pfi, validation.sources, cutoff)
    sha256 = hashlib.sha256(weights).hexdigest()
    return ModelCard(
        model_id=f"{recipe.name}-{sha256[:8]}",
        weights_sha256=sha256,
        input_side=input_side,
        cutoff=cutoff,
        paper_cutoff=chosen.high,
        review_band=band,
        precision=precision,
        about={
            "cutoff_range": [chosen.low, chosen.high],
            "chosen_on": "validation patients",
            "labels_sha256": labels_sha256,
            "partitions": "SHA-256 of the patient's name modulo 10: 0-5 training, 6-7 validation, "
            "8-9 test (cxrview.dataset.partition)",
            "recipe": dataclasses.asdict(recipe) | {"seed": seed},
            "training": _count_training(training),
            str(Partition.VALIDATION): count_errors(validation, cutoff, band),
            str(Partition.TEST): count_errors(test, cutoff, band),
            **about,
        },
    )


def widest_review_band(pfi: Pfi, sources: NDArray[np.str_], cutoff: float) -> tuple[float, float]:
    """The widest band about the cutoff that still decides COVERAGE of each source's images.

    Args:
        pfi: shape (n,), of validation images, percent.
        sources: shape (n,).
        cutoff: percent.

    Both ends lie at the same distance from the cutoff in log-odds, and never outside
    WIDEST_BAND; ends included.
    """
    centre = _log_odds(np.clip(cutoff, 0.1, 99.9))
    for reach in np.linspace(_log_odds(WIDEST_BAND[1]) - _log_odds(WIDEST_BAND[0]), 0, 200):
        low = max(_percent(centre - reach), WIDEST_BAND[0])
        high = min(_percent(centre + reach), WIDEST_BAND[1])
        low, high = round(min(low, cutoff), 3), round(max(high, cutoff), 3)
        is_decided = (pfi < low) | (pfi > high)
        if all(is_decided[sources == source].mean() >= COVERAGE for source in set(sources)):
            return low, high
    return cutoff, cutoff


def count_errors(scored: Scored, cutoff: float, band: tuple[float, float]) -> list[dict[str, Any]]:
    """Errors by source and view, with the band off and on, and exact intervals in percent."""
    counts = []
    is_called_frontal = scored.pfi >= cutoff
    is_decided = (scored.pfi < band[0]) | (scored.pfi > band[1])
    for source in sorted(set(scored.sources)):
        for view in View:
            of = (scored.sources == source) & (scored.is_frontal == (view is View.FRONTAL))
            if not of.any():
                continue
            is_wrong = of & (is_called_frontal != scored.is_frontal)
            images, errors = int(of.sum()), int(is_wrong.sum())
            interval = exact_interval(images - errors, images)
            counts.append(
                {
                    "source": source,
                    "view": str(view),
                    "images": images,
                    "errors": errors,
                    "accuracy_percent": round(100 * (1 - errors / images), 3),
                    "interval_95_percent": [
                        round(100 * interval.low, 3),
                        round(100 * interval.high, 3),
                    ],
                    "decided": int((of & is_decided).sum()),
                    "errors_decided": int((is_wrong & is_decided).sum()),
                }
            )
    return counts


def _count_training(labels: Sequence[Label]) -> list[dict[str, Any]]:
    kinds = sorted({(label.source, label.view) for label in labels})
    return [
        {
            "source": source,
            "view": str(view),
            "images": sum((label.source, label.view) == (source, view) for label in labels),
        }
        for source, view in kinds
    ]


def _log_odds(percent: float) -> float:
    return float(np.log(percent / (100 - percent)))


def _percent(log_odds: float) -> float:
    return float(100 / (1 + np.exp(-log_odds)))
