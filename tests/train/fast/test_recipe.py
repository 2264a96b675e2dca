from cxrview.train.augment import AUGMENTATIONS
from cxrview.train.fast.recipe import FAST


def test_fast_names_changes_that_exist_and_are_no_targets():
    assert set(FAST.chances) < set(AUGMENTATIONS)
    assert not set(FAST.chances) & {"mirror", "upside_down", "quarter_turn", "invert"}


def test_fast_has_probabilities_and_a_batch_of_64():
    chances = [FAST.mirrored, FAST.turned, FAST.inverted, FAST.corner_words, FAST.hidden_edges]

    assert all(0 < chance < 1 for chance in (*chances, *FAST.chances.values()))
    assert FAST.batch == 64
    assert FAST.projections % 2 == 0  # as many AP as PA
