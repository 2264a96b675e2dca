import numpy as np
import pytest

from cxrview.train.batch import sample_batch
from cxrview.train.batch_workers import sample_batches
from cxrview.train.hardware import Hardware
from fixtures.bars import BRIEF


@pytest.mark.slow
@pytest.mark.parametrize("workers", [0, 2])
def test_sample_batches_are_same_with_workers(bars, workers):
    drawn = list(sample_batches(bars, BRIEF, Hardware(workers=workers), seed=1, first=1))

    wanted = [sample_batch(bars, BRIEF, seed=1, step=step) for step in (1, 2)]
    assert len(drawn) == 2
    for one, other in zip(drawn, wanted, strict=True):
        assert np.array_equal(one.pixels, other.pixels)
        assert np.array_equal(one.is_frontal, other.is_frontal)
        assert np.array_equal(one.is_chest, other.is_chest)
