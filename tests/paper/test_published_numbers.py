"""The paper's figures agree with one another, as far as they can be computed from each other."""

import pytest

from cxrview.paper import published_numbers as paper
from cxrview.stats import exact_interval


@pytest.mark.parametrize("right", [39_747, 39_748])
def test_the_validation_accuracy_and_its_interval_are_those_of_the_count(right):
    reported, total = paper.VALIDATED["grey/all-augmented"], 39_856
    interval = exact_interval(right, total)

    assert total == paper.IMAGES["augmented validation"].value
    assert round(100 * right / total, 2) == reported.percent
    assert reported.percent_interval == pytest.approx(
        (100 * interval.low, 100 * interval.high), abs=0.006
    )


def test_the_test_sets_add_up_to_both_together():
    inside, external, both = (paper.TESTED[name] for name in ("inside", "external", "both"))

    assert inside.total + external.total == both.total == both.right
    assert inside.total == paper.IMAGES["test"].value
    assert external.total == paper.IMAGES["external"].value
    assert both.percent_interval[0] == round(100 * exact_interval(both.right, both.total).low, 2)


def test_images_add_up():
    value = {name: number.value for name, number in paper.IMAGES.items()}

    assert value["training"] + value["validation"] + value["test"] == (
        value["collected"] - value["excluded"]
    )
    for part in ("training", "validation"):
        assert value[part] * value["variants"] == value[f"augmented {part}"]
