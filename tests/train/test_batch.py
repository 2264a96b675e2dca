import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cxrview.terms import View
from cxrview.train.batch import sample_batch, sampling_weights
from fixtures.bars import BRIEF, label


def test_sample_batch_depends_on_seed_and_step_alone(bars):
    first, again, other = (sample_batch(bars, BRIEF, seed=1, step=step) for step in (5, 5, 6))

    assert np.array_equal(first.pixels, again.pixels)
    assert not np.array_equal(first.pixels, other.pixels)


def test_sample_batch_has_chests_first_and_others_in_their_share(bars):
    recipe = dataclasses.replace(BRIEF, batch=400)

    batch = sample_batch(bars, recipe, seed=0, step=0)

    chests = len(batch.is_frontal)
    assert (batch.pixels.shape, batch.pixels.dtype) == ((400, 224, 224), np.uint8)
    assert batch.is_chest.tolist() == [True] * chests + [False] * (400 - chests)
    assert 160 < chests < 240  # half of 400, within four standard deviations


def test_sample_batch_refuses_recipe_without_its_images(bars):
    without = dataclasses.replace(bars, not_chest=np.empty((0, 256, 256), np.uint8))

    with pytest.raises(ValueError, match="images without a chest"):
        sample_batch(without, BRIEF, seed=0, step=0)


@given(
    st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from(View)), min_size=1, max_size=60),
    st.floats(0, 1),
)
def test_sampling_weights_are_number_of_kind_to_a_power(kinds, power):
    labels = [label(k, view, source) for k, (source, view) in enumerate(kinds)]

    weights = sampling_weights(labels, power)

    counts = {kind: kinds.count(kind) for kind in kinds}
    total = sum(n**power for n in counts.values())
    for kind, n in counts.items():
        share = sum(w for w, of in zip(weights, kinds, strict=True) if of == kind)
        assert share == pytest.approx(n**power / total)


def test_sampling_weights_do_not_depend_on_order():
    alike = sampling_weights([label(k, View.FRONTAL) for k in range(9)], 0.5)

    assert np.allclose(alike, 1 / 9)
