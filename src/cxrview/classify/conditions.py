"""The conditions of a result: all settings that it depends on, as in journal and summary."""

import hashlib
import json
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from cxrview.image.pseudonyms import IDENTIFIED, key_condition
from cxrview.results.journal import Conditions
from cxrview.sources.paths import absolute

if TYPE_CHECKING:
    from cxrview.classify.model import Model
    from cxrview.classify.options import ClassifyOptions


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
    from cxrview.classify.chest_rule import load_chest_rule
    from cxrview.image.dicom.view_position import load_table

    card = model.card
    low, high = options.review_band or card.review_band
    key = options.key if isinstance(options.key, bytes) else b""
    conditions = {
        "paths": json.dumps([path if path == "-" else absolute(path) for path in paths]),
        "cxrview": version("cxrview"),
        "model": card.model_id,
        "weights_sha256": card.weights_sha256,
        "precision": card.precision,
        "backend": model.backend.name,
        "reader": "exact" if options.exact else "fast",
        "limits": str(options.limits),
        "memory_bytes": str(options.memory_bytes),
        "timeout_seconds": f"{options.timeout_seconds:g}",
        "cutoff": str(card.cutoff),
        "review_band": f"{low:g} {high:g}",
        "chest_cutoff": str(
            card.chest_cutoff if options.chest_cutoff is None else options.chest_cutoff
        ),
        "chest_rule": "off",
        "header_terms": _named(options.header_terms, load_table(options.header_terms).version),
        "patients": IDENTIFIED if options.identify else key_condition(key),
    }
    if options.skip_by_header:
        rule = load_chest_rule(options.chest_rule)
        conditions["chest_rule"] = _named(options.chest_rule, rule.version)
    if card.is_smoke_test:
        conditions["scale"] = str(card.about.scale)
    return conditions


def _named(own: Path | None, published_version: str) -> str:
    """Identify a published file by its version, a user's own by its content."""
    return _fingerprint(own.read_bytes()) if own else f"version {published_version}"


def _fingerprint(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:16]
