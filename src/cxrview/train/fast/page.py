"""Writes the page of a fast model: FAST_MODEL_CARD.md, and the same counts as JSON."""

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from cxrview.atomic_files import write_atomic
from cxrview.classify.model_files import write_card
from cxrview.classify.promise import promise_of_card
from cxrview.classify.risk_control import least_error
from cxrview.errors import UsageError
from cxrview.json_file import write_json
from cxrview.records.model_card import ModelCard
from cxrview.records.risk_curve import Head
from cxrview.reports.format import fill_template
from cxrview.terms import Precision
from cxrview.train.fast.recipe import FastRecipe
from cxrview.train.fast.report import FastReport
from cxrview.train.fast.rules import MAX_ERROR, NEVER

NAME, COUNTS = "FAST_MODEL_CARD.md", "fast-model-counts.json"
GOOGLENET_CARD = "googlenet-card.json"
PROMISES = (0.001, 0.005, 0.01, 0.02)
"""Values of `--max-error` on the page."""


def write_fast_page(
    folder: Path,
    report: FastReport,
    recipe: FastRecipe,
    second: ModelCard,
    *,
    left_out_steps: int,
) -> None:
    """Write the page, its counts and the card of the second model into a folder, each atomically.

    Args:
        folder: must exist.
        report: of `count_all`.
        recipe: of the training.
        second: of `count_second`.
        left_out_steps: of each training that left a source out.

    Raises:
        CannotWrite: the disk is full or not writable.
    """
    context = {
        **{name: getattr(report, name) for name in FastReport.__dataclass_fields__},
        "recipe": recipe,
        "promise_shares": [f"{100 * share:g} %" for share in PROMISES],
        "left_out_steps": left_out_steps,
        "band": _band,
        "threshold": _threshold,
        "promise_rows": [
            *_promise_rows("fast", report.card, second),
            *_promise_rows("googlenet", second, None),
        ],
        "promises": ", ".join(f"{100 * most:g} % ({head})" for head, most in MAX_ERROR.items()),
    }
    page = fill_template(
        "cxrview.reports", "fast_model_card.md", context, is_html=False, finalize=str
    )
    write_atomic(folder / NAME, page.rstrip() + "\n")
    counts = asdict(report)
    del counts["card"]
    write_json(folder / COUNTS, {"model_id": report.card.model_id, **counts})
    write_card(folder / GOOGLENET_CARD, second)


def _promise_rows(
    name: str, card: ModelCard, second: ModelCard | None
) -> Iterator[dict[str, object]]:
    """What the curve of the view can promise, in float32 and in int8."""
    for precision, one, behind in (
        (Precision.FP32, card, second),
        (Precision.INT8, card.int8, second.int8 if second else None),
    ):
        assert one is not None
        curve = one.risk_curves[Head.VIEW]
        yield {
            "model": f"{name}, {precision}",
            "least": f"{100 * least_error(curve):.3g} %",
            "decided": curve.decided[0],
            "errors": curve.errors[0],
            "bands": [_promised_band(one, behind, share) for share in PROMISES],
        }


def _promised_band(card: ModelCard, second: ModelCard | None, max_error: float) -> str:
    try:
        promise = promise_of_card(card, max_error, second)
    except UsageError:
        return "cannot be shown"
    threshold = promise.thresholds[Head.VIEW]
    return f"{round(100 - threshold, 3):g} to {threshold:g} %" if threshold else "cannot be shown"


def _band(card: ModelCard) -> str:
    low, high = card.review_band
    return f"{low:g} to {high:g} %"


def _threshold(card: ModelCard, name: str) -> str:
    least = card.thresholds[name]
    return "never" if least == NEVER else f"{least:g} %"
