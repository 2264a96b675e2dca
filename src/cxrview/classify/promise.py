"""The promise that a run keeps about errors, and the thresholds and review band that keep it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cxrview.classify.calibration_file import calibration_digest, need_same_conditions
from cxrview.classify.risk_control import CONFIDENCE, least_error, thresholds_of
from cxrview.errors import InvalidModel, UsageError
from cxrview.records.calibration import Calibration
from cxrview.records.model_card import ModelCard
from cxrview.records.risk_curve import Head, RiskCurve

OF_THE_CARD = "model card"
Band = tuple[float, float]
_ADVICE = (
    "Calibrate the model on labelled images of your own archive with cxrview calibrate, and use "
    "--calibration"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """Thresholds above which answers are wrong at most so often, with a stated confidence.

    Attributes:
        thresholds: percent, by head: an answer is decided where its probability is above it; None
            where nothing is decided. A head that is missing has no promise.
        words: error and confidence of each head, such as `view 0.001 at 0.95`.
        origin: OF_THE_CARD, or the digest of a calibration.
    """

    thresholds: Mapping[Head, float | None]
    words: str
    origin: str

    def review_band(self, *cards: ModelCard) -> Band | None:
        """Return the review band of the view, lowest and highest PFI in percent.

        Args:
            cards: of the model, or of both models of a cascade.

        Returns:
            None if the view has no promise.

        Raises:
            InvalidModel: the band does not contain the cutoff of a card.
        """
        if Head.VIEW not in self.thresholds:
            return None
        threshold = self.thresholds[Head.VIEW]
        if threshold is None:
            return 0.0, 100.0
        low, high = round(100 - threshold, 3), threshold
        for card in cards:
            if not low <= card.cutoff <= high:
                raise InvalidModel(
                    f"the threshold of {threshold:g} % is below the cutoff of {card.model_id}",
                    "Copy all files from one place, unchanged",
                )
        return low, high


def promise_of_card(card: ModelCard, max_error: float, second: ModelCard | None = None) -> Promise:
    """Find the thresholds that keep an error with CONFIDENCE, by the curves in a model card.

    Args:
        card: of the model.
        max_error: share of errors among decided images, above 0 and below 1.
        second: card of the second model of a cascade; None for a single model.

    Raises:
        UsageError: the card has no curve for the view, its images cannot show the promise, or its
            curve counts the answers of another second model than this one.
    """
    behind = second.model_id if second else ""
    if Head.VIEW in card.risk_curves and behind != card.second_model_id:
        raise UsageError(
            f"the card of {card.model_id} counts the answers together with "
            f"{card.second_model_id or 'no second model'}, and not with "
            f"{behind or 'no second model'}, so that it promises no largest error",
            _ADVICE,
        )
    if Head.VIEW not in card.risk_curves:
        raise UsageError(
            f"the card of {card.model_id} has no counts of calibration images for the view, so "
            "that it promises no largest error",
            _ADVICE,
        )
    cutoffs = [card.cutoff, *([second.cutoff] if second else [])]
    view = _up_to_cutoffs(card.risk_curves[Head.VIEW], cutoffs)
    others = {head: curve for head, curve in card.risk_curves.items() if head is not Head.VIEW}
    thresholds = thresholds_of(others | ({Head.VIEW: view} if view else {}), max_error)
    if thresholds.get(Head.VIEW) is None:
        images = card.risk_curves[Head.VIEW].decided[-1]
        least = f"--max-error {least_error(view):g} or more" if view else "--review-band"
        raise UsageError(
            f"the {images:,} calibration images in the card of {card.model_id} cannot show an "
            f"error of at most {100 * max_error:g} % with {100 * CONFIDENCE:g} % confidence",
            f"Use {least}. Or: {_ADVICE[0].lower()}{_ADVICE[1:]}",
        )
    promises = dict.fromkeys(thresholds, (max_error, CONFIDENCE))
    return Promise(thresholds=thresholds, words=_in_words(promises), origin=OF_THE_CARD)


def _up_to_cutoffs(curve: RiskCurve, cutoffs: Sequence[float]) -> RiskCurve | None:
    """Leave out candidates whose review band would not contain all cutoffs; None if none is left.

    The others are the first of the sequence, so that the test at each holds as before.
    """
    least = max(max(cutoff, round(100 - cutoff, 3)) for cutoff in cutoffs)
    count = sum(threshold >= least for threshold in curve.thresholds)
    if not count:
        return None
    return RiskCurve(
        thresholds=curve.thresholds[:count],
        decided=curve.decided[:count],
        errors=curve.errors[:count],
    )


def promise_of_calibration(calibration: Calibration, conditions: Mapping[str, str]) -> Promise:
    """Take the thresholds of a calibration.

    Args:
        calibration: of `cxrview calibrate`.
        conditions: of the run, as of `decision_conditions`.

    Raises:
        UsageError: the calibration is of another model, or was made under other settings.
    """
    need_same_conditions(calibration, conditions)
    heads = calibration.heads
    return Promise(
        thresholds={head: one.threshold for head, one in heads.items()},
        words=_in_words({head: (one.max_error, one.confidence) for head, one in heads.items()}),
        origin=calibration_digest(calibration),
    )


def _in_words(promises: Mapping[Head, tuple[float, float]]) -> str:
    return ", ".join(
        f"{head} {max_error:g} at {confidence:g}"
        for head, (max_error, confidence) in sorted(promises.items())
    )
