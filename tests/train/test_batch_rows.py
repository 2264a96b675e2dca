import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cxrview.train.batch_rows import BatchRows


@given(total=st.integers(1, 70), count=st.integers(1, 9))
def test_parts_of_all_processes_are_the_batch(total, count):
    batch = np.arange(total)

    parts = [batch[BatchRows(rank=k, count=count, total=total).part] for k in range(count)]

    assert sorted(np.concatenate(parts)) == list(batch)
    assert max(map(len, parts)) - min(map(len, parts)) <= 1


@given(total=st.integers(1, 70), count=st.integers(1, 9))
def test_weighted_means_of_processes_average_to_mean_of_batch(total, count):
    batch = np.random.default_rng(total).random(total)
    means = []

    for rank in range(count):
        rows = BatchRows(rank=rank, count=count, total=total)
        own = batch[rows.part]
        means.append(own.mean() * rows.weight(len(own)) if len(own) else 0.0)

    assert np.mean(means) == pytest.approx(batch.mean())


def test_weight_of_single_process_changes_no_bit():
    assert BatchRows(rank=0, count=1, total=24).weight(24) == 1.0
