"""Words of the page: why an image is listed, and what to do about it."""

from types import MappingProxyType

from cxrview.audit.pose_counts import UNSURE, unsure_of
from cxrview.audit.select_poses import pose_probability
from cxrview.reports.format import format_pfi
from cxrview.results.columns import Row
from cxrview.terms import Decision

NO_BREAK_SPACE = "\u00a0"
DECISIONS = MappingProxyType(
    {
        "classified": "classified",
        "labelled": "labelled by readers",
        "excluded": "excluded by readers",
        "review": "sent to review",
        "not_chest": "no chest radiograph",
        "skipped": "skipped by header",
    }
)
KEY_PROBLEMS = MappingProxyType(
    {
        "no_image": (
            "name no image of the result",
            "Classify their files too, or check that --claim-key names the right column",
        ),
        "unreadable": ("name a file that could not be read", "See the failures of the result"),
        "several_images": (
            "name files of different content",
            "Name a column of paths with --claim-key, so that each key names one file",
        ),
        "several_views": (
            "stand in several rows that claim different views",
            "Find out which row is right",
        ),
        "several_keys": (
            "name an image that another key names too",
            "Keep one spelling of each key",
        ),
    }
)
"""Of each reason why a key is not used: what its keys do, and what to do about them."""


def reason_of(row: Row, section: str, who: str) -> str:
    """Say why an image is listed.

    Args:
        row: of the result, or with the claim of a metadata table in place of the header.
        section: key of the section that lists it.
        who: what claims the view: `header` or `table`.
    """
    pfi = "" if row["pfi"] is None else f"PFI {_percent(row['pfi'])}"
    claim = row["header_view_position"] or row["header_view_code"] or "nothing"
    if section == Decision.NOT_CHEST:
        chest = row["chest"]
        return (
            "not a chest" if chest is None else f"{_percent(chest)} likely to be a chest radiograph"
        )
    if section == Decision.REVIEW:
        is_constant = "constant_image" in (row["warnings"] or "").split(";")
        why = (
            "every pixel has the same value" if is_constant else f"{pfi} is too near to the cutoff"
        )
        return f"{who} says {claim}; {why}"
    return f"{who} says {claim}, image shows {row['view']}" + (f"; {pfi}" if pfi else "")


def pose_reason(row: Row, kind: str) -> str:
    """Say how an image is oriented, and how probable that is.

    Args:
        row: of the result, with the columns from `projection` on.
        kind: one of `pose_counts.KINDS` that the image is of.
    """
    if kind != UNSURE:
        answer = "rotation" if kind.startswith("turned") else kind
        words = f"turned by {row['rotation']}° clockwise" if answer == "rotation" else kind
        return f"{words}; {_percent(pose_probability(row, answer))}"
    return "; ".join(
        f"{_UNSURE_OF[answer]}: {_percent(row[f'{answer}_probability'])}"
        for answer in unsure_of(row)
    )


_UNSURE_OF = MappingProxyType(
    {"rotation": "most probable turn", "mirrored": "mirrored", "inverted": "inverted"}
)


def _percent(percent: float) -> str:
    """With a space at which no line breaks."""
    return format_pfi(percent).replace(" ", NO_BREAK_SPACE)
