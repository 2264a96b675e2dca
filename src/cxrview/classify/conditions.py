"""The conditions of a result: all settings that it depends on, as in journal and summary."""

import hashlib
import json
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from cxrview.image.pseudonyms import IDENTIFIED, key_condition
from cxrview.records.model_card import ModelCard
from cxrview.results.journal import Conditions
from cxrview.sources.paths import absolute

if TYPE_CHECKING:
    from cxrview.classify.model import Model
    from cxrview.classify.options import ClassifyOptions

DECISION_CONDITIONS = (
    *("model", "weights_sha256", "precision", "cutoff"),
    *("reader", "chest_cutoff", "chest_rule"),
)
"""Conditions that say which answer an image gets, and whether it gets one."""
_OF_SECOND = ("second_model", "second_weights_sha256", "second_cutoff", "border")
DECISION_CONDITIONS_OF_CASCADE = (*DECISION_CONDITIONS, *_OF_SECOND)
"""The same with a second model, which decides what is within the border of the first."""


def conditions_of(paths: Sequence[str], model: "Model", options: "ClassifyOptions") -> Conditions:
    """Collect what the result depends on besides the files; a resume must have the same.

    Args:
        paths: the arguments of the run; `-` stands for a list.
        model: with its card.
        options: resolved.

    Returns:
        From name to value. The names are on users' disks and never change, so that an interrupted
        run of an earlier version can be resumed.
    """
    from cxrview.image.dicom.view_position import load_table

    card, second = model.card, model.second_card
    low, high = options.review_band or card.review_band
    key = options.key if isinstance(options.key, bytes) else b""
    decision = decision_conditions(card, options, second)
    conditions = {
        "paths": json.dumps([path if path == "-" else absolute(path) for path in paths]),
        "cxrview": version("cxrview"),
        "model": decision["model"],
        "weights_sha256": decision["weights_sha256"],
        "precision": decision["precision"],
        "backend": model.backend.name,
        "reader": decision["reader"],
        "limits": str(options.limits),
        "memory_bytes": str(options.memory_bytes),
        "timeout_seconds": f"{options.timeout_seconds:g}",
        "cutoff": decision["cutoff"],
        "review_band": f"{low:g} {high:g}",
        "chest_cutoff": decision["chest_cutoff"],
        "chest_rule": decision["chest_rule"],
        "header_terms": _named(options.header_terms, load_table(options.header_terms).version),
        "patients": IDENTIFIED if options.identify else key_condition(key),
    }
    if card.thresholds:
        conditions["thresholds"] = " ".join(
            f"{name} {least:g}" for name, least in sorted(card.thresholds.items())
        )
    if second:
        low, high = options.review_band or second.review_band
        conditions |= {name: decision[name] for name in _OF_SECOND}
        conditions["second_review_band"] = f"{low:g} {high:g}"
    if card.is_smoke_test:
        conditions["scale"] = str(card.about.scale)
    return conditions | _promise(options)


def decision_conditions(
    card: ModelCard, options: "ClassifyOptions", second: ModelCard | None = None
) -> Conditions:
    """Collect the conditions that say which answer an image gets, and whether it gets one.

    Args:
        card: of the model.
        options: a chest cutoff of None stands for the card's.
        second: card of the second model of a cascade; None for a single model.
    """
    from cxrview.classify.chest_rule import load_chest_rule

    chest_rule = "off"
    if options.skip_by_header:
        rule = load_chest_rule(options.chest_rule)
        chest_rule = _named(options.chest_rule, rule.version)
    conditions = {
        "model": card.model_id,
        "weights_sha256": card.weights_sha256,
        "precision": card.precision,
        "cutoff": str(card.cutoff),
        "reader": "exact" if options.exact else "fast",
        "chest_cutoff": str(
            card.chest_cutoff if options.chest_cutoff is None else options.chest_cutoff
        ),
        "chest_rule": chest_rule,
    }
    if second is None:
        return conditions
    if options.chest_cutoff is not None:  # else each model has its own
        conditions["chest_cutoff"] += " of both models"
    low, high = card.review_band
    return conditions | {
        "second_model": second.model_id,
        "second_weights_sha256": second.weights_sha256,
        "second_cutoff": str(second.cutoff),
        "border": f"{low:g} {high:g}",
    }


def _promise(options: "ClassifyOptions") -> Conditions:
    """The promise about errors, and the thresholds that keep it; nothing without one."""
    if options.promise is None:
        return {}
    return {
        "max_error": options.promise.words,
        "calibration": options.promise.origin,
        "promised_thresholds": ", ".join(
            f"{head} {'none' if threshold is None else f'{threshold:g}'}"
            for head, threshold in sorted(options.promise.thresholds.items())
        ),
    }


def _named(own: Path | None, published_version: str) -> str:
    """Identify a published file by its version, a user's own by its content."""
    return _fingerprint(own.read_bytes()) if own else f"version {published_version}"


def _fingerprint(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:16]
