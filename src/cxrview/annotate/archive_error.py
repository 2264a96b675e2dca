"""Estimate the error of a result in its archive from a labelled sample of its images."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from cxrview.annotate.database.store import ReadingStore
from cxrview.annotate.labels import SettledImage, settled_images
from cxrview.annotate.match_rows import StudyRows
from cxrview.errors import UsageError
from cxrview.records.evaluation import ArchiveError, LabelledRow, SampledShare, StratumCount
from cxrview.results.columns import ORIGIN
from cxrview.results.tables import each_row, write_rows
from cxrview.stats import exact_interval, weighted_interval
from cxrview.terms import Decision, View

WRONG = "wrong view"
WITHOUT = "view not named"
NOTHING_THERE = "named where there is none"
Question = Callable[[LabelledRow], bool]

_QUESTIONS: tuple[tuple[str, Question, Question], ...] = (
    (WRONG, lambda r: bool(r.label_view and r.view), lambda r: r.view is not r.label_view),
    (WITHOUT, lambda r: r.label_view is not None, lambda r: r.view is None),
    (NOTHING_THERE, lambda r: r.view is not None, lambda r: r.label_view is None),
)
"""For each share: its name, the images it is a share of, and those that count as errors."""


def archive_error(rows: Iterable[LabelledRow]) -> ArchiveError:
    """Count errors of a result in a labelled sample, and estimate those of the archive.

    `wrong view` is the share of images whose views by readers and by the result differ, among
    images for which both name one; `view not named` that of images with a view by readers which the
    result sends to review, refuses or skips; `named where there is none` that of views in the
    result which readers excluded or gave another label.

    A stratum is weighted by all its images, as if its settled images had been drawn at random.

    Args:
        rows: every image of a study.

    Raises:
        UsageError: no image is settled and in the result.
    """
    every = list(rows)
    strata = _strata(every)
    compared = [row for row in every if row.is_compared]
    if not compared:
        raise UsageError("no image of the study is both settled and in the result")
    shares = [_share(strata, *question) for question in _QUESTIONS]
    wrong = [r for r in compared if r.label_view and r.view and r.view is not r.label_view]
    return ArchiveError(
        strata=tuple(_count(name, of) for name, of in strata.items()),
        shares=tuple(share for share in shares if share),
        wrong=tuple(sorted(wrong, key=lambda row: (-_sureness(row), row.path))),
        unsettled=sum(not row.is_settled for row in every),
        without_row=sum(row.is_settled and not row.decision for row in every),
    )


def _strata(rows: Iterable[LabelledRow]) -> dict[str, list[LabelledRow]]:
    """Group by stratum; images of one stratum with two weights come from two draws, and are two."""
    found: dict[tuple[str, float], list[LabelledRow]] = {}
    for row in rows:
        found.setdefault((row.stratum, row.weight), []).append(row)
    names = [name for name, _ in found]
    return {
        name if names.count(name) == 1 else f"{name} (weight {weight:.4g})": of
        for (name, weight), of in sorted(found.items())
    }


def _share(
    strata: dict[str, list[LabelledRow]], name: str, is_among: Question, is_hit: Question
) -> SampledShare | None:
    hits, images, weights = [], [], []
    for of in strata.values():
        compared = [row for row in of if row.is_compared]
        among = [row for row in compared if is_among(row)]
        if among:
            hits.append(sum(map(is_hit, among)))
            images.append(len(among))
            weights.append(sum(row.weight for row in of) * len(among) / len(compared))
    if not images:
        return None
    return SampledShare(
        name=name,
        hits=sum(hits),
        images=sum(images),
        interval=exact_interval(sum(hits), sum(images)),
        weighted=_weighted(hits, images, weights),
        weighted_interval=weighted_interval(hits, images, weights),
    )


def _weighted(hits: Sequence[int], images: Sequence[int], weights: Sequence[float]) -> float:
    shares = (w * h / n for h, n, w in zip(hits, images, weights, strict=True))
    return sum(shares) / sum(weights)


def _count(name: str, of: Sequence[LabelledRow]) -> StratumCount:
    compared = [row for row in of if row.is_compared]
    with_view = [row for row in compared if row.label_view and row.view]
    return StratumCount(
        name=name,
        archive=round(sum(row.weight for row in of), 6),  # weights are shares of a whole number
        drawn=len(of),
        compared=len(compared),
        with_view=len(with_view),
        wrong=sum(row.view is not row.label_view for row in with_view),
    )


def _sureness(row: LabelledRow) -> float:
    return 0.0 if row.pfi is None else abs(row.pfi - 50)


SHARES, STRATA, WRONG_IMAGES = "shares.csv", "strata.csv", "wrong.csv"
_COLUMNS = ("path", "content_id", "decision", "view", "pfi", "warnings", "model_id", ORIGIN)
_SHARE_COLUMNS = (
    *("name", "hits", "images", "low", "high"),
    *("weighted", "weighted_low", "weighted_high"),
)
_WRONG_COLUMNS = ("path", "stratum", "weight", "label_view", "view", "pfi")
Row = dict[str, Any]


def labelled_rows(
    table: Path, store: ReadingStore, *, root: Path | None = None
) -> list[LabelledRow]:
    """Return every image of a study with its row in a result.

    Args:
        table: a result of `classify`, in any format.
        store: the study.
        root: folder that relative paths of the table are relative to; None for the working folder.

    Raises:
        UsageError: as `each_row`, or labels were merged into the result.
    """
    images = settled_images(store)
    known = StudyRows(store, images, root)
    of_path: dict[str, Row] = {}
    of_content: dict[str, Row] = {}
    for row in each_row(table, _COLUMNS):
        if row[ORIGIN]:
            raise UsageError(
                f"in {table} labels override the model, so that it cannot show errors of the model",
                "Name the result as cxrview classify wrote it",
            )
        if one := known.by_path(row):
            of_path[one.image.image_id] = row
        elif one := known.by_content(row):
            of_content[one.image.image_id] = row
    found = of_content | of_path
    return [_beside(one, found.get(one.image.image_id, {})) for one in images]


def need_sample_of_archive(store: ReadingStore) -> None:
    """Check that the images of a study may be those that the model decides and those it does not.

    Raises:
        UsageError: the study was created of some decisions only, such as `review`.
    """
    decisions = store.study.about.get("decisions")
    if decisions is not None and not {Decision.CLASSIFIED, Decision.REVIEW} <= set(decisions):
        raise UsageError(
            f"the study was drawn from images with the decision {' or '.join(decisions)} only, "
            "and says nothing of the others",
            "Draw one from the whole result: cxrview annotate create without --only",
        )


def write_archive_error(folder: Path, found: ArchiveError) -> None:
    """Write shares, strata, and the images whose view is wrong, each as CSV.

    Raises:
        CannotWrite: the disk is full or fails.
    """
    write_rows(
        folder / SHARES, [_share_row(asdict(share)) for share in found.shares], _SHARE_COLUMNS
    )
    write_rows(folder / STRATA, [asdict(stratum) for stratum in found.strata])
    wrong = [{name: getattr(row, name) for name in _WRONG_COLUMNS} for row in found.wrong]
    write_rows(folder / WRONG_IMAGES, wrong, _WRONG_COLUMNS)


def _share_row(share: Row) -> Row:
    """Return a row without its nested records."""
    weighted = {f"weighted_{end}": at for end, at in share.pop("weighted_interval").items()}
    return {**share.pop("interval"), **weighted, **share}


def _beside(one: SettledImage, row: Row) -> LabelledRow:
    return LabelledRow(
        path=one.image.path,
        stratum=one.image.stratum,
        weight=one.image.weight,
        is_settled=one.settled.is_settled,
        label_view=one.view,
        decision=row.get("decision") or "",
        view=View(row["view"]) if row.get("view") else None,
        pfi=row.get("pfi"),
        image_id=one.image.image_id,
        patient=one.image.patient,
        status=one.settled.how,
        reason=one.settled.reason,
        warnings=row.get("warnings") or "",
        model_id=row.get("model_id") or "",
    )
