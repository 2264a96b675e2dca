"""Counts of agreement, against counts by hand and by collections.Counter."""

import math
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cxrview.audit.header_counts import MOST_VALUES, count_headers, log_heights, log_ticks

ROW = {
    "decision": "classified",
    "view": "frontal",
    "pfi": 99.0,
    "agreement": "agrees",
    "header_view": "frontal",
    "header_view_position": "PA",
    "header_view_code": None,
    "manufacturer": "Drawn",
    "manufacturer_model": "One",
    "study_year": 2001,
    "modality": "CR",
    "transfer_syntax": "1.2.840.10008.1.2.1",
    "warnings": None,
    "model_id": "model-1",
    "view_origin": None,
}


def row(view="frontal", header="frontal", **facts):
    agreement = "silent" if not header else "agrees" if header == view else "disagrees"
    pfi = 99.0 if view == "frontal" else 1.0
    return ROW | {"view": view, "header_view": header, "agreement": agreement, "pfi": pfi} | facts


def test_losses_count_what_filtering_by_the_header_misses_and_takes_wrongly():
    rows = [
        *[row()] * 5,
        *[row("lateral", "frontal")] * 3,
        *[row("lateral", None)] * 2,
        row("lateral", "lateral"),
    ]

    frontal, lateral = count_headers(rows).losses()

    assert (frontal.kept, frontal.lost, frontal.wrong) == (5, 0, 3)
    assert (lateral.kept, lateral.lost, lateral.wrong) == (1, 5, 0)


def test_losses_by_view_position_alone_are_told_where_they_differ():
    """Of a lateral whose code says so, and of one whose position is missing or says PA."""
    coded = {"header_view_code": "399067008^SCT"}
    rows = [
        *[row()] * 5,
        row("lateral", "lateral", header_view_position="LL", **coded),
        *[row("lateral", "lateral", header_view_position=None, **coded)] * 2,
        row("lateral", "lateral", header_view_position="PA", **coded),
    ]

    counts = count_headers(rows)
    _, lateral = counts.losses()
    others = counts.other_losses_by_position()

    assert (lateral.kept, lateral.lost) == (4, 0)
    frontal, lateral = others["frontal"], others["lateral"]
    assert (frontal.kept, frontal.lost, frontal.wrong) == (5, 0, 1)
    assert (lateral.kept, lateral.lost, lateral.wrong) == (1, 3, 0)
    assert count_headers(rows[:6]).other_losses_by_position() == {}


def test_losses_by_view_position_alone_follow_the_terms_of_the_run():
    """A table of terms that the user replaced may name views that the shipped one does not."""
    rows = [row("lateral", "lateral", header_view_position="PROFIL")]

    assert count_headers(rows).other_losses_by_position() == {}


def test_count_headers_counts_only_images_with_a_view_for_agreement():
    rows = [row(), row(decision="review", view=None), row(decision="skipped", view=None, pfi=None)]

    counts = count_headers(rows)

    assert (counts.agreement.total, dict(counts.views)) == (1, {"frontal": 1})
    assert counts.decisions == {"classified": 1, "review": 1, "skipped": 1}
    assert sum(counts.histogram) == 2


views = st.sampled_from(["frontal", "lateral"])


@given(st.lists(st.tuples(views, st.sampled_from(["frontal", "lateral", None]), st.text("ab"))))
def test_count_headers_agrees_with_counting_by_hand(images):
    counts = count_headers(row(v, h, manufacturer=m) for v, h, m in images)

    by_maker = {m: c.total for m, c in counts.by_column["manufacturer"].items()}
    assert by_maker == Counter(m for _, _, m in images)
    assert counts.agreement.disagrees == sum(h not in (v, None) for v, h, _ in images)
    for loss in counts.losses():
        assert loss.kept + loss.lost == sum(v == loss.view for v, _, _ in images)


def test_listed_adds_up_rare_values():
    counts = count_headers(row(manufacturer=f"maker {n}") for n in range(MOST_VALUES + 7))

    listed = counts.listed("manufacturer")

    assert len(listed) == MOST_VALUES + 1
    assert listed[-1][0].startswith("7 other")
    assert sum(count.total for _, count in listed) == MOST_VALUES + 7


def test_listed_sorts_years_by_year():
    counts = count_headers(row(study_year=year) for year in (2003, 2003, 2001, 2002, 2002, 2002))

    assert [year for year, _ in counts.listed("study_year")] == ["2001", "2002", "2003"]


def test_count_headers_tells_who_decided():
    rows = [row(), row(), row(decision="labelled", view_origin="agreed"), row(model_id="model-2")]

    assert count_headers(rows).models == {"model-1": 2, "readers": 1, "model-2": 1}


def test_count_headers_counts_why_images_were_skipped():
    skipped = {"decision": "skipped", "view": None, "pfi": None}
    reasons = ["odd_vr;skipped_by_body_part", "skipped_by_sop_class", "skipped_by_sop_class", None]

    counts = count_headers(row(**skipped, warnings=reason) for reason in reasons)

    assert counts.skipped == {"SOP class": 2, "body part": 1, "header": 1}


@pytest.mark.parametrize(
    ("counts", "ticks"), [([0, 3], [1]), ([0, 10], [1, 10]), ([0], [1]), ([12_345], 5)]
)
def test_log_ticks_are_the_powers_of_ten_within(counts, ticks):
    found = log_ticks(counts)

    expected = ticks if isinstance(ticks, list) else [10**n for n in range(ticks)]
    assert [tick for tick, _ in found] == expected
    assert all(0 < height <= 1 for _, height in found)


@pytest.mark.parametrize("counts", [[0, 1, 10, 1000], [0, 0], [7]])
def test_log_heights_are_shares_of_the_highest(counts):
    heights = log_heights(counts)

    assert all((height > 0) == (count > 0) for height, count in zip(heights, counts, strict=True))
    if max(counts):
        assert max(heights) == 1.0
        assert heights[0] == pytest.approx(math.log10(counts[0] + 1) / math.log10(max(counts) + 1))
