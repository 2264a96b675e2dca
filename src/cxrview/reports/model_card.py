"""A model's card for people: `card.json` as one readable page of Markdown."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cxrview.atomic_files import write_atomic
from cxrview.errors import InvalidModel
from cxrview.records import ModelCard
from cxrview.records.scores import PROGENITOR_NAME
from cxrview.reports.format import fill_template

NAME = "MODEL_CARD.md"
NOT_STATED: Mapping[str, Any] = {
    "intended_use": "Not stated.",
    "limits": ("Not stated.",),
    "failures": ("Not stated.",),
    "data": "Not stated.",
    "data_licences": {},
    "weights_licence": "not stated",
    "readers": {"checked_with": "not stated", "not_checked_with": "not stated"},
}
"""What nobody can compute, and whoever trains a model should tell (`cxrview train --about`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A picture that stands in the page."""

    file: str
    """Relative to the page."""
    words: str


def write_model_card(card: ModelCard, path: Path, pictures: Sequence[Picture] = ()) -> None:
    """Write the page, whole or not at all.

    Args:
        card: of a model that `cxrview train` made.
        path: .md; a page that stands there is replaced.
        pictures: shown under calibration.

    Raises:
        InvalidModel: the card does not tell what the page needs.
        CannotWrite: the disk took no more.
    """
    write_atomic(path, render_model_card(card, pictures))


def render_model_card(card: ModelCard, pictures: Sequence[Picture] = ()) -> str:
    """The page as text; see `write_model_card`."""
    from jinja2 import UndefinedError

    context = {
        "card": card,
        "about": {**NOT_STATED, **card.about},
        "pictures": pictures,
        "share": _share,
        "interval": _interval,
        "percent": _percent,
        "orientation": _orientation,
        "both": _both,
    }
    try:
        page = fill_template(
            "cxrview.reports", "model_card.md", context, is_html=False, finalize=lambda value: value
        )
    except UndefinedError as error:
        raise InvalidModel(f"the card of {card.model_id} does not tell all: {error}") from error
    return page.rstrip() + "\n"


def _share(row: Mapping[str, Any]) -> str:
    return f"{_percent(row['accuracy_percent'])} % ({_interval(row)})"


def _interval(row: Mapping[str, Any]) -> str:
    low, high = row["interval_95_percent"]
    return f"{_percent(low)}–{_percent(high)}"


def _percent(value: float) -> str:
    return f"{value:.2f}"


def _orientation(name: str) -> str:
    """`mirrored-turned-90-inverted` as `mirrored, turned 90°, inverted`."""
    if name == PROGENITOR_NAME:
        return "as it lies"
    words = name.replace("turned-", "turned ").split("-")
    return ", ".join(f"{word}°" if word.startswith("turned") else word for word in words)


def _both(row: Mapping[str, Any], name: str) -> str:
    """What float32 and 8 bits come to; empty of pictures that have no such figure."""
    return ", ".join(map(str, row.get(name, ())))
