"""What a result depends on besides the files, in words for journal and summary."""

import hashlib
import json
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from cxrview.image.pseudonyms import IDENTIFIED, key_condition
from cxrview.sources.paths import absolute

if TYPE_CHECKING:
    from cxrview.classify.engine import EngineSettings
    from cxrview.classify.model import Model


def conditions_of(paths: list[str], model: "Model", settings: "EngineSettings") -> dict[str, str]:
    """What the result depends on besides the files; a resume must agree on all of it."""
    from cxrview.classify.chest_rule import load_chest_rule
    from cxrview.image.dicom.view_position import load_table

    read = settings.read
    band = settings.review_band or model.card.review_band
    return {
        "paths": json.dumps([path if path == "-" else absolute(path) for path in paths]),
        "cxrview": version("cxrview"),
        "model": model.card.model_id,
        "weights_sha256": model.card.weights_sha256,
        "precision": model.card.precision,
        "backend": model.backend.name,
        "reader": "exact" if read.options.exact else "fast",
        "limits": str(read.options.limits),
        "memory_bytes": str(read.memory_bytes),
        "timeout_seconds": f"{settings.timeout_s:g}",
        "cutoff": str(model.card.cutoff),
        "review_band": f"{band[0]:g} {band[1]:g}",
        "chest_cutoff": str(
            model.card.chest_cutoff if settings.chest_cutoff is None else settings.chest_cutoff
        ),
        "chest_rule": _named(read.chest_rule, load_chest_rule(read.chest_rule).version)
        if read.skip
        else "off",
        "header_terms": _named(
            read.options.header_terms, load_table(read.options.header_terms).version
        ),
        "patients": IDENTIFIED if read.identify else key_condition(read.key or b""),
    } | ({"scale": str(model.card.about["scale"])} if model.card.is_smoke_test else {})


def _named(own: Path | None, published_version: str) -> str:
    """A published file by its version, a user's own by its content."""
    return _fingerprint(own.read_bytes()) if own else f"version {published_version}"


def _fingerprint(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:16]
