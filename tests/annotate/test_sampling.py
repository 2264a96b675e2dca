"""A sample by strata: right sizes, right weights, the same for ever."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cxrview.annotate.sampling import allocate, draw_sample
from cxrview.errors import UsageError

ARCHIVE = {
    **{f"{n}.dcm": "classified" for n in range(960)},
    **{f"r{n}.dcm": "review" for n in range(37)},
    **{f"x{n}.dcm": "not_chest" for n in range(3)},
}
sizes = st.dictionaries(st.text("abcdef", min_size=1), st.integers(1, 400), min_size=1, max_size=8)


def test_shares_are_in_proportion_but_for_the_small_strata():
    shares = allocate({"classified": 960, "review": 37, "not_chest": 3}, 100)

    assert shares == {"classified": 92, "review": 5, "not_chest": 3}


@given(sizes=sizes, sample=st.integers(40, 2000))
def test_a_sample_is_met_exactly_and_no_stratum_gives_more_than_it_has(sizes, sample):
    shares = allocate(sizes, sample)

    assert sum(shares.values()) == min(sample, sum(sizes.values()))
    assert all(min(5, size) <= shares[name] <= size for name, size in sizes.items())


@given(sizes=sizes, sample=st.integers(40, 2000))
def test_strata_above_the_least_have_weights_that_differ_by_rounding_alone(sizes, sample):
    shares = allocate(sizes, sample)
    fractions = [shares[n] / sizes[n] for n in sizes if shares[n] > 5]
    slack = [1 / sizes[n] for n in sizes if shares[n] > 5]

    assert not fractions or max(fractions) - min(fractions) <= 2 * max(slack)


def test_weights_count_the_archive():
    sample = draw_sample(ARCHIVE, 100)

    assert sum(stratum.weight for stratum in sample.stratum_of.values()) == pytest.approx(1000)
    assert [(s.name, s.images, s.drawn) for s in sample.strata] == [
        ("classified", 960, 92),
        ("not_chest", 3, 3),
        ("review", 37, 5),
    ]


def test_the_draw_depends_on_the_seed_and_on_no_order():
    backwards = dict(reversed(ARCHIVE.items()))

    assert set(draw_sample(backwards, 100).stratum_of) == set(draw_sample(ARCHIVE, 100).stratum_of)
    assert set(draw_sample(ARCHIVE, 100, seed=1).stratum_of) != set(
        draw_sample(ARCHIVE, 100).stratum_of
    )


def test_a_larger_sample_holds_the_smaller_ones_images():
    smaller, larger = (set(draw_sample(ARCHIVE, n).stratum_of) for n in (100, 200))

    assert smaller < larger


def test_every_image_of_a_stratum_is_as_likely_as_another():
    drawn = [path for seed in range(400) for path in draw_sample(ARCHIVE, 50, seed=seed).stratum_of]

    counts = [drawn.count(f"r{n}.dcm") for n in range(37)]
    assert sum(counts) == 400 * 5
    assert min(counts) > 30 and max(counts) < 85  # 54 expected, standard deviation 7


@pytest.mark.parametrize("sample", [None, 1000, 5000])
def test_all_images_stand_for_themselves(sample):
    stratum_of = draw_sample(ARCHIVE, sample).stratum_of

    assert list(stratum_of) == list(ARCHIVE)
    assert {stratum.weight for stratum in stratum_of.values()} == {1}


def test_a_sample_too_small_for_its_strata_is_refused():
    with pytest.raises(UsageError, match="12 is too small for 3 strata with 5 images each"):
        allocate({"a": 50, "b": 60, "c": 3}, 12)
