"""Writes MODEL_CARD.md from a model card."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cxrview.atomic_files import write_atomic
from cxrview.errors import InvalidModel, UsageError
from cxrview.json_file import read_json
from cxrview.records.card_about import (
    COMPUTED,
    CardStatements,
    DecisionCounts,
    NotChestCounts,
)
from cxrview.records.json_object import from_json
from cxrview.records.model_card import ModelCard
from cxrview.records.scores import PROGENITOR_NAME
from cxrview.reports.format import fill_template

NAME = "MODEL_CARD.md"
NOT_STATED: dict[str, Any] = {
    "intended_use": "Not stated.",
    "limits": ("Not stated.",),
    "failures": ("Not stated.",),
    "data": "Not stated.",
    "data_licences": {},
    "weights_licence": "not stated",
    "readers": {"checked_with": "not stated", "not_checked_with": "not stated"},
}
"""Printed for statements that are missing (`cxrview train --about` takes them)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A picture of the page."""

    file: str
    """Relative to the page."""
    words: str


def write_model_card(card: ModelCard, path: Path, pictures: Sequence[Picture] = ()) -> None:
    """Write the page atomically.

    Args:
        card: of a model of `cxrview train`.
        path: .md; an existing page is replaced.
        pictures: shown under calibration.

    Raises:
        InvalidModel: the card lacks something that the page needs.
        CannotWrite: the disk is full or not writable.
    """
    write_atomic(path, render_model_card(card, pictures))


def render_model_card(card: ModelCard, pictures: Sequence[Picture] = ()) -> str:
    """Give the page as text; see `write_model_card`."""
    from jinja2 import UndefinedError

    context = {
        "card": card,
        "about": card.about,
        "stated": _stated(card.about.statements),
        "pictures": pictures,
        "share": _share,
        "interval": _interval,
        "percent": _percent,
        "orientation": _orientation,
        "both": _both,
    }
    try:
        page = fill_template(
            "cxrview.reports", "model_card.md", context, is_html=False, finalize=_keep
        )
    except UndefinedError as error:
        raise InvalidModel(f"the card of {card.model_id} is incomplete: {error}") from error
    return page.rstrip() + "\n"


def read_statements(path: Path) -> CardStatements:
    """Read what `cxrview train --about` states: a JSON object.

    Raises:
        UsageError: the file cannot be read, a value has the wrong form, or it states what
            training computes.
    """
    try:
        stated = read_json(path)
    except (OSError, ValueError) as error:
        raise UsageError(f"{path} cannot be read as a JSON object") from error
    try:
        statements = from_json(CardStatements, stated)
    except ValueError as error:
        raise UsageError(f"{path} does not fit: {error}", "See docs/model-about.json") from error
    if computed := sorted(COMPUTED & set(statements.other)):
        raise UsageError(
            f"{path} states {computed[0]}, which training computes", "Remove it from the file"
        )
    return statements


def _stated(statements: CardStatements) -> dict[str, Any]:
    """The statements by name, with words where nothing is stated."""
    given = {field: getattr(statements, field) for field in NOT_STATED}
    return NOT_STATED | {field: value for field, value in given.items() if value is not None}


def _keep(value: object) -> object:
    """Refuse None: it would be printed as a word."""
    from jinja2 import UndefinedError

    if value is None:
        raise UndefinedError("a value is missing")
    return value


def _share(counts: DecisionCounts) -> str:
    return f"{_percent(counts.accuracy_percent)} % ({_interval(counts)})"


def _interval(counts: DecisionCounts | NotChestCounts) -> str:
    low, high = counts.interval_95_percent
    return f"{_percent(low)}–{_percent(high)}"


def _percent(value: float) -> str:
    return f"{value:.2f}"


def _orientation(name: str) -> str:
    """Format `mirrored-turned-90-inverted` as `mirrored, turned 90°, inverted`."""
    if name == PROGENITOR_NAME:
        return "upright"
    words = name.replace("turned-", "turned ").split("-")
    return ", ".join(f"{word}°" if word.startswith("turned") else word for word in words)


def _both(pair: tuple[float, float] | None) -> str:
    """The values of float32 and int8; empty for images that have none."""
    return ", ".join(map(str, pair or ()))
