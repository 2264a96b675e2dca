"""Reads the published tables of an earlier run of the study, to show them beside a new one."""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cxrview.assess.classifiers import HIGHER_END, VALIDATION
from cxrview.assess.tables import ASSESSMENT
from cxrview.csv_files import read_csv_rows
from cxrview.errors import UsageError
from cxrview.paper.choose import CANDIDATE_TABLE, COMPARISON_TABLE
from cxrview.paper.scale import SCALES

Count = tuple[int, int]
"""Correct images, and all images."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EarlierComparison:
    """One of the paper's comparisons in an earlier run."""

    first: Count
    second: Count
    p: float | None
    """Of the chi-squared test without continuity correction; None if there was nothing to test."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EarlierRun:
    """The counts of an earlier run of the study."""

    scale: str
    """Name of its scale; empty if no scale of this version is described by its tables."""
    words: str
    """What was scaled, as above its tables."""
    chosen: str
    """Name of the chosen candidate."""
    candidates: Mapping[str, Count]
    """By name, each on its own validation images."""
    comparisons: Mapping[str, EarlierComparison]
    """By name."""
    tested: Mapping[str, Count]
    """By `Assessed.images`: the chosen candidate by the paper's rule for the cutoff, from
    validation images."""

    @property
    def title(self) -> str:
        """`at laptop scale`, or `in the earlier run` if the scale is unknown."""
        return f"at {self.scale} scale" if self.scale else "in the earlier run"

    @property
    def heading(self) -> str:
        """`Laptop scale`, or `Earlier run` if the scale is unknown; for a column."""
        return f"{self.scale.capitalize()} scale" if self.scale else "Earlier run"


def read_earlier_run(folder: Path) -> EarlierRun:
    """Read candidates.csv, comparisons.csv and assessment.csv of a published run.

    Args:
        folder: a folder that `cxrview reproduce --publish` wrote.

    Raises:
        UsageError: a table is missing, damaged or of something else.
    """
    try:
        candidates = list(read_csv_rows(folder / CANDIDATE_TABLE))
        (chosen,) = [row["candidate"] for row in candidates if row["chosen"]]
        words = candidates[0]["scale"]
        comparisons = {
            row["comparison"]: EarlierComparison(
                first=_count(row, "first_"),
                second=_count(row, "second_"),
                p=float(row["chi_squared_p"]) if row["chi_squared_p"] else None,
            )
            for row in read_csv_rows(folder / COMPARISON_TABLE)
        }
        tested = {
            row["images"]: _count(row, of="total")
            for row in read_csv_rows(folder / ASSESSMENT)
            if (row["classifier"], row["cutoff_from"], row["rule"])
            == (chosen, VALIDATION, HIGHER_END)
        }
        if not (comparisons and tested):
            raise ValueError("a table has no rows of the chosen candidate")
        return EarlierRun(
            scale=next((s.name for s in SCALES.values() if words.startswith(s.words)), ""),
            words=words,
            chosen=chosen,
            candidates={row["candidate"]: _count(row) for row in candidates},
            comparisons=comparisons,
            tested=tested,
        )
    except (OSError, ValueError, KeyError, TypeError, csv.Error) as error:
        raise UsageError(
            f"{folder} does not have the tables of an earlier run",
            "Name a folder that cxrview reproduce --publish wrote",
        ) from error


def _count(row: Mapping[str, str], prefix: str = "", of: str = "images") -> Count:
    right, total = int(row[f"{prefix}right"]), int(row[f"{prefix}{of}"])
    if not 0 <= right <= total or not total:
        raise ValueError(f"{right} correct images of {total}")
    return right, total
