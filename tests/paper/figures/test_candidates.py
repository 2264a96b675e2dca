"""Fig 2: nine accuracies with exact intervals, and the paper's comparisons in words."""

import pytest
from scipy.stats import beta

from cxrview.paper.candidates import CANDIDATES
from cxrview.paper.compare import choose_candidate, compare_candidates
from cxrview.paper.figures.candidates import draw_candidates


def points(axis) -> list[tuple[float, float, float]]:
    """Accuracy, and both ends of the interval, of each point from left to right."""
    found = []
    for container in axis.containers:
        line, _, (bars,) = container.lines
        ((_, low), (_, high)) = bars.get_segments()[0]
        found.append((line.get_xdata()[0], line.get_ydata()[0], low, high))
    return [point[1:] for point in sorted(found)]


def clopper_pearson(right: int, total: int) -> tuple[float, float]:
    """By the beta distribution; theirs is by inverting the binomial test."""
    low = beta.ppf(0.025, right, total - right + 1) if right else 0
    high = beta.ppf(0.975, right + 1, total - right) if right < total else 1
    return 100 * low, 100 * high


@pytest.fixture(scope="module")
def compared(validated):
    return compare_candidates(validated, seed=0, rounds=200)


def draw(validated, compared, **kwargs):
    return draw_candidates(validated, compared, chosen=choose_candidate(validated), **kwargs)


def test_the_points_are_the_accuracies_and_their_exact_intervals(validated, compared):
    drawn = points(draw(validated, compared).axes[0])

    expected = []
    for candidate in CANDIDATES:
        scores = validated[candidate]
        for of in (scores, scores.where(scores.variants == "progenitor")):
            right = int(((of.pfi >= 50) == of.is_frontal).sum())
            expected.append((100 * right / len(of), *clopper_pearson(right, len(of))))
    assert len(drawn) == 18
    for point, truth in zip(drawn, expected, strict=True):
        assert point == pytest.approx(truth, abs=1e-6)


def test_the_axis_shows_all_of_it_and_says_that_it_does_not_start_at_0(validated, compared, words):
    figure = draw(validated, compared)

    low, high = figure.axes[0].get_ylim()
    assert 0 < low <= min(point[1] for point in points(figure.axes[0]))
    assert high >= 100
    assert any(f"axis starts at {low:g}, not at 0" in text for text in words(figure))


def test_an_axis_that_starts_at_0_needs_no_warning(smoke, words, check_print):
    compared = compare_candidates(smoke, seed=0, rounds=50)

    figure = draw(smoke, compared)

    assert figure.axes[0].get_ylim()[0] == 0
    assert not any("starts at" in text for text in words(figure))
    check_print(lambda: draw(smoke, compared))


def test_the_five_comparisons_stand_with_both_accuracies_and_p(validated, compared, words):
    from scipy.stats import chi2_contingency

    text = words(draw(validated, compared))

    for one in compared:
        (a, n), (b, m) = one.first, one.second
        p = chi2_contingency([[a, n - a], [b, m - b]], correction=False).pvalue
        said = "p < 0.001" if p < 0.001 else f"p = {p:.{4 if p < 0.01 else 3 if p < 0.1 else 2}f}"
        assert f"{100 * a / n:.2f} against {100 * b / m:.2f}\n{said}" in text
    assert text.count("99.6 against 95.2\np < 0.001") == 1  # the paper's


def test_the_differences_are_drawn_with_their_intervals(validated, compared):
    axis = draw(validated, compared).axes[1]

    segments = [line for line in axis.lines if len(set(line.get_ydata())) == 1]
    drawn = [tuple(line.get_xdata()) for line in segments if len(line.get_xdata()) == 2]
    assert drawn == [(100 * one.interval.low, 100 * one.interval.high) for one in compared]


def test_where_nobody_errs_there_is_nothing_to_test(flawless, words):
    compared = compare_candidates(flawless, seed=0, rounds=50)

    text = words(draw(flawless, compared))

    assert sum("no error in either" in t for t in text) == 5
    assert not any(t.startswith("p ") and "against" not in t for t in text)


def test_the_chosen_one_is_printed_in_bold(validated, compared):
    from matplotlib.text import Text

    figure = draw(validated, compared)

    bold = [t for t in figure.axes[0].findobj(Text) if t.get_fontweight() == "bold"]
    best = max(scores.accuracy for scores in validated.values())
    assert [t.get_text() for t in bold] == [f"{100 * best:.2f}"]


def test_a_missing_candidate_is_refused(validated, compared):
    some = {c: validated[c] for c in CANDIDATES[:8]}

    with pytest.raises(ValueError, match="no validation of grey-subset/all-augmented"):
        draw_candidates(some, compared, chosen=CANDIDATES[0])


def test_it_can_be_printed(validated, compared, check_print):
    note = "Scale smoke: a scaled run must never look like a full one, which takes words. " * 3
    check_print(lambda: draw(validated, compared, note=note))
