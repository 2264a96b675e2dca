"""Write the result tables of an assessment as CSV and JSON, each atomically."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import numpy as np

from cxrview.assess.classifiers import AS_NAMED, BOTH, images_of, is_right
from cxrview.assess.header import CLAIM
from cxrview.assess.pose_files import SetPoses
from cxrview.atomic_files import atomic_path
from cxrview.errors import CannotWrite
from cxrview.records.evaluation import Assessed, Interval, TwoByTwo
from cxrview.records.scores import Scores
from cxrview.results.tables import write_rows
from cxrview.terms import View

ASSESSMENT, SLICES, RELIABILITY = "assessment.csv", "slices.csv", "reliability.csv"
ERRORS, REPORT = "errors.csv", "assessment.json"

_ERROR_COLUMNS = (
    *("classifier", "images", "cutoff_from", "rule"),
    *("file", "source", "view", "said", "pfi"),
)

Row = dict[str, Any]


def write_assessment(
    out: Path,
    scores: Sequence[Scores],
    assessed: Sequence[Assessed],
    headline: Sequence[Assessed],
    about: Mapping[str, Any],
    remarks: Sequence[str],
    *,
    scale: str = "",
    poses: Sequence[SetPoses] = (),
) -> None:
    """Write the five tables. Shares are of 1; PFI, cutoffs and calibration are in percent.

    Args:
        out: folder.
        scores: of every classifier.
        assessed: every row.
        headline: rows whose errors are listed.
        about: the inputs of the assessment, by name.
        remarks: from `assessment_remarks`.
        scale: the scale of the model's training, in words; in every row except those of errors.
        poses: counts of the answers on the pose, of a model with these.

    Raises:
        CannotWrite: the folder cannot be written.
    """
    chosen = {id(row) for row in headline}
    everything = {
        **about,
        "scale": scale,
        "remarks": list(remarks),
        "assessed": [asdict(row) | {"headline": id(row) in chosen} for row in assessed],
        **({"poses": [asdict(one) for one in poses]} if poses else {}),
    }
    try:
        for name, rows in (
            (ASSESSMENT, (_counted(row, id(row) in chosen) for row in assessed)),
            (SLICES, (one for row in assessed for one in _slices(row))),
            (RELIABILITY, _reliability(assessed)),
        ):
            columns = _SLICE_COLUMNS if name == SLICES else ()
            write_rows(out / name, ({**row, "scale": scale} for row in rows), columns)
        write_rows(out / ERRORS, _errors(scores, headline), _ERROR_COLUMNS)
        with atomic_path(out / REPORT) as part:
            part.write_text(json.dumps(everything, indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        raise CannotWrite(f"{out} cannot be written: {error.strerror}") from error


_SLICE_COLUMNS = (
    *("classifier", "images", "cutoff_from", "rule", "kind", "name"),
    *("right", "total", "accuracy", "accuracy_low", "accuracy_high", "sensitivity", "specificity"),
    *(field.name for field in fields(TwoByTwo)),
    "scale",
)
"""Columns, also of a table without rows (images without source and header)."""


def _names(row: Assessed) -> Row:
    return {
        "classifier": row.classifier,
        "images": row.images,
        "cutoff_from": row.cutoff_from,
        "rule": row.rule,
    }


def _shares(table: TwoByTwo, interval: Interval) -> Row:
    return {
        "right": table.right,
        "total": table.total,
        "accuracy": table.accuracy,
        "accuracy_low": interval.low,
        "accuracy_high": interval.high,
        "sensitivity": table.sensitivity,
        "specificity": table.specificity,
        **asdict(table),
    }


def _counted(row: Assessed, is_headline: bool) -> Row:
    found, best = row.assessment, row.assessment.best
    return {
        **_names(row),
        "headline": "yes" if is_headline else "no",
        "cutoff": None if row.rule == AS_NAMED else found.cutoff,
        **_shares(found.table, found.interval),
        "calibration_error": found.calibration_error,
        "youden_low": best and best.low,
        "youden_high": best and best.high,
        "youden_j": best and best.youden_j,
    }


def _slices(row: Assessed) -> Iterator[Row]:
    for one in row.assessment.slices:
        named = {"kind": one.kind, "name": one.name}
        yield {**_names(row), **named, **_shares(one.table, one.interval)}


def _reliability(assessed: Iterable[Assessed]) -> Iterator[Row]:
    """Yield the rows of each classifier and set once, since they do not depend on a cutoff."""
    once = {(row.classifier, row.images): row.assessment.reliability for row in assessed}
    for (classifier, images), bins in once.items():
        for one in bins:
            named = asdict(one)
            interval = named.pop("interval")
            yield {
                "classifier": classifier,
                "images": images,
                **named,
                "frontal_low": interval["low"],
                "frontal_high": interval["high"],
            }


def _errors(scores: Sequence[Scores], headline: Iterable[Assessed]) -> Iterator[Row]:
    """Yield each wrong image by classifier and rule; without BOTH, which repeats them."""
    of = {one.classifier: images_of(one) for one in scores}
    for row in headline:
        if row.images == BOTH:
            continue
        one = of[row.classifier][row.images]
        for k in np.flatnonzero(~is_right(one, row)):
            view = View.FRONTAL if one.is_frontal[k] else View.LATERAL
            yield {
                **_names(row),
                "file": str(one.files[k]),
                "source": str(one.facts["source"][k]),
                "view": str(view),
                "said": _verdict_in_words(one, row, int(k)),
                "pfi": float(one.pfi[k]),
            }


def _verdict_in_words(one: Scores, row: Assessed, k: int) -> str:
    if row.rule == AS_NAMED:
        return str(one.facts[CLAIM][k])
    return str(View.LATERAL if one.is_frontal[k] else View.FRONTAL)
