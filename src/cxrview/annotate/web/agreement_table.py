"""What the agreement page shows, as plain values for its template."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, TypeVar

from cxrview.annotate.agreement import (
    ReaderRates,
    ReadingRate,
    between_readers,
    reading_rates,
    within_readers,
)
from cxrview.annotate.web.kappa_axis import kappa_axis
from cxrview.annotate.web.shown_items import random_order
from cxrview.annotate.web.state import StudyState
from cxrview.records.annotation import Kappa, Reader
from cxrview.terms import Role

T = TypeVar("T")


def agreement_table(state: StudyState, reader: Reader) -> dict[str, Any]:
    """Say how far readers agree, how quick they are, and how far they have come.

    Readers are anonymised while conflicts may still come: a row and a column of
    a confusion table would tell the adjudicator whose a side of a conflict is.

    Args:
        state: the study.
        reader: who asks. How others agree is no matter for one who has still to read blind.
    """
    hides = state.has_blind_left(reader)
    # Its own look at all readings: the pace counts time spent on what was taken back, too.
    paces = reading_rates(state.store.readings())
    active = (one for one in state.readers if Role.READER in one.roles and not one.is_retired)
    lists = {one.reader_id: state.list_of(one) for one in active}
    with state.lock:
        verdicts = list(state.effective.verdicts.values())
        hides_names = state.blind_round_closed is None or bool(state.label_statuses.conflicts())
        named = {one.reader_id: one.name for one in state.readers}
        names = _numbers(state) if hides_names else named
        study = Counter(str(one.how) for one in state.label_statuses.all().values())
    between = {} if hides else between_readers(state.study, verdicts, state.readers)
    within = within_readers(state.study, verdicts, state.readers)
    return {
        "names_hidden": hides_names,
        "between_hidden": hides,
        "between": sorted(
            (_pair(names[a], names[b], kappa) for (a, b), kappa in between.items()),
            key=lambda pair: (pair["first"], pair["second"]),
        ),
        "within": [
            {"reader": names[one], **_kappa(kappa)} for one, kappa in _by_name(within, names)
        ],
        "pace": [{"reader": names[one], **_pace(how)} for one, how in _by_name(paces, names)],
        "progress": [
            {"reader": names[one], "all": len(told), "done": told.done, "left": told.left}
            for one, told in _by_name(lists, names)
        ],
        "study": {} if hides else dict(study),
    }


def _numbers(state: StudyState) -> dict[int, str]:
    drawn = sorted(
        state.readers,
        key=lambda one: (
            Role.READER not in one.roles,
            random_order(state, f"name {one.reader_id}"),
        ),
    )
    return {one.reader_id: f"Reader {number}" for number, one in enumerate(drawn, start=1)}


def _by_name(of: Mapping[int, T], names: Mapping[int, str]) -> list[tuple[int, T]]:
    return sorted(of.items(), key=lambda item: names[item[0]])


def _pair(first: str, second: str, kappa: Kappa) -> dict[str, Any]:
    """Order two readers by what they are called: by their ids would tell who came first."""
    if first > second:
        table = tuple(zip(*kappa.table, strict=True))
        first, second, kappa = second, first, replace(kappa, table=table)
    return {"first": first, "second": second, **_kappa(kappa)}


def _kappa(kappa: Kappa) -> dict[str, Any]:
    return {
        "kappa": kappa.kappa,
        "low": kappa.low,
        "high": kappa.high,
        "axis": kappa_axis(kappa),
        "images": kappa.images,
        "agreed": kappa.agreed,
        "labels": list(kappa.labels),
        "table": [list(row) for row in kappa.table],
    }


def _pace(how: ReaderRates) -> dict[str, Any]:
    return {
        "readings": how.single.readings + how.grid.readings,
        "per_hour": _together(how.single, how.grid),
        "single_per_hour": how.single.images_per_hour,
        "grid_per_hour": how.grid.images_per_hour,
        "median_ms": how.single.median_milliseconds,
    }


def _together(*paces: ReadingRate) -> float | None:
    """Images per hour by all means, each weighing as much as the time spent at it."""
    spent = sum(one.active_seconds for one in paces)
    images = sum((one.images_per_hour or 0) * one.active_seconds for one in paces)
    return images / spent if spent else None
