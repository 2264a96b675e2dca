"""An archive's own error, from a sample by strata."""

import numpy as np
import pytest

from cxrview.annotate.archive_error import NOTHING_THERE, WITHOUT, WRONG, archive_error
from cxrview.errors import UsageError
from cxrview.records.evaluation import LabelledRow
from cxrview.stats import exact_interval
from cxrview.terms import View

FRONTAL, LATERAL = View.FRONTAL, View.LATERAL


def rows(count, *, label=FRONTAL, view=FRONTAL, stratum="classified", weight=1.0, **more):
    """So many images of one kind; settled, and in the result, unless said otherwise."""
    usual = {
        "is_settled": True,
        "decision": "classified" if view else "review",
        "path": f"{stratum}-{label}-{view}.dcm",
        "pfi": 99.0,
    }
    one = LabelledRow(stratum=stratum, weight=weight, label_view=label, view=view, **usual | more)
    return [one] * count


def shares(found):
    return {share.name: share for share in found.shares}


def test_each_share_is_among_the_images_that_it_can_be_true_of():
    found = archive_error(
        [
            *rows(90),
            *rows(2, label=LATERAL),
            *rows(8, label=LATERAL, view=None),
            *rows(4, label=None),
            *rows(3, label=None, view=None),
        ]
    )

    counted = {name: (share.hits, share.images) for name, share in shares(found).items()}
    assert counted == {WRONG: (2, 92), WITHOUT: (8, 100), NOTHING_THERE: (4, 96)}
    assert shares(found)[WRONG].interval == exact_interval(2, 92)


def test_of_a_plain_sample_the_weighted_share_is_the_share():
    wrong = archive_error([*rows(97), *rows(3, label=LATERAL)]).shares[0]

    assert wrong.weighted == pytest.approx(0.03)
    assert wrong.weighted_interval == wrong.interval


def test_strata_count_by_their_images_in_the_archive():
    """900 images of which 10 % are wrong and 100 of which half are: 140 of 1,000."""
    found = archive_error(
        [
            *rows(45, weight=18.0),
            *rows(5, weight=18.0, label=LATERAL),
            *rows(10, stratum="review", weight=5.0),
            *rows(10, stratum="review", weight=5.0, label=LATERAL),
        ]
    )

    assert found.shares[0].weighted == pytest.approx(0.14)
    assert (found.shares[0].hits, found.shares[0].images) == (15, 70)
    assert [(s.name, s.archive, s.wrong) for s in found.strata] == [
        ("classified", 900, 5),
        ("review", 100, 10),
    ]


def test_a_stratum_counts_whole_though_some_of_it_is_unsettled():
    half_read = [
        *rows(45, weight=18.0),
        *rows(5, weight=18.0, label=LATERAL),
        *rows(5, stratum="review", weight=5.0),
        *rows(5, stratum="review", weight=5.0, label=LATERAL),
        *rows(10, stratum="review", weight=5.0, label=None, is_settled=False),
    ]

    found = archive_error(half_read)

    assert found.shares[0].weighted == pytest.approx(0.14)
    assert found.unsettled == 10


def test_a_stratum_has_a_whole_number_of_images():
    """100 images of which 55 were drawn: 55 times the nearest float is less."""
    assert [s.archive for s in archive_error(rows(55, weight=100 / 55)).strata] == [100]


def test_images_that_are_excluded_are_no_part_of_the_archives_views():
    """Half of the lighter stratum is no radiograph: 50 of its 100 images have a view."""
    found = archive_error(
        [
            *rows(50, weight=10.0),
            *rows(10, stratum="review", weight=5.0, label=LATERAL),
            *rows(10, stratum="review", weight=5.0, label=None),
        ]
    )

    assert found.shares[0].weighted == pytest.approx(50 / 550)


@pytest.mark.slow
def test_the_estimate_is_right_on_average_over_many_samples():
    """40 samples of 150 by two strata, of an archive of 10,000 whose error is known: 3.9 %."""
    rng = np.random.default_rng(0)
    archive = {"sure": (9500, 0.02, 100), "unsure": (500, 0.4, 50)}
    estimates = []
    for _ in range(40):
        sample = []
        for stratum, (size, wrong, n) in archive.items():
            hits = int(rng.hypergeometric(wrong * size, size - wrong * size, n))
            of = {"stratum": stratum, "weight": size / n}
            sample += rows(n - hits, **of) + rows(hits, label=LATERAL, **of)
        estimates.append(archive_error(sample).shares[0].weighted)

    assert np.mean(estimates) == pytest.approx(0.039, abs=0.0066)  # three standard errors


def test_two_draws_under_one_name_are_two_strata():
    found = archive_error([*rows(10, weight=3.0), *rows(10, weight=1.0)])

    assert [s.name for s in found.strata] == ["classified (weight 1)", "classified (weight 3)"]


def test_wrong_views_are_listed_the_surest_first():
    found = archive_error(
        [
            *rows(1, label=LATERAL, pfi=60.0, path="unsure.dcm"),
            *rows(1, label=LATERAL, pfi=99.9, path="sure.dcm"),
        ]
    )

    assert [row.path for row in found.wrong] == ["sure.dcm", "unsure.dcm"]


def test_what_nothing_can_be_said_of_is_left_out_or_refused():
    only_excluded = archive_error([*rows(5, label=None, view=None), *rows(2, decision="")])

    assert only_excluded.shares == ()
    assert only_excluded.without_row == 2
    with pytest.raises(UsageError, match="no image of the study is both settled"):
        archive_error(rows(5, is_settled=False, label=None))
