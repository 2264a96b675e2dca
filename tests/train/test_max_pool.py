"""Max pooling of bf16 arrays against torch's own, value for value."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional

from cxrview.train import max_pool
from cxrview.train.max_pool import halve, pool_neighbours


@given(
    rows=st.integers(2, 17),
    columns=st.integers(2, 17),
    is_channels_last=st.booleans(),
    dtype=st.sampled_from([torch.bfloat16, torch.float32]),
    seed=st.integers(0, 2**31),
)
def test_it_is_the_same_as_torchs(rows, columns, is_channels_last, dtype, seed):
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(2, 5, rows, columns, generator=generator).to(dtype)
    x[0, 0, 0, 0] = float("nan")
    if is_channels_last:
        x = x.contiguous(memory_format=torch.channels_last)

    with torch.inference_mode():
        pairs = (
            (pool_neighbours(x), functional.max_pool2d(x, 3, stride=1, padding=1)),
            (halve(x), functional.max_pool2d(x, 3, stride=2, ceil_mode=True)),
        )

    for ours, torchs in pairs:
        assert ours.dtype == torchs.dtype
        torch.testing.assert_close(ours, torchs, rtol=0, atol=0, equal_nan=True)


def test_in_bf16_without_a_gradient_torchs_is_not_used(monkeypatch):
    """Otherwise the test above would compare torch with itself."""
    x = torch.randn(1, 4, 9, 9).bfloat16().contiguous(memory_format=torch.channels_last)

    def unused(*_args, **_settings):
        pytest.fail("torch's own pooling was called")

    monkeypatch.setattr(max_pool.functional, "max_pool2d", unused)
    with torch.no_grad():
        assert pool_neighbours(x).shape == (1, 4, 9, 9)
        assert halve(x).shape == (1, 4, 4, 4)


def test_a_gradient_flows_through():
    x = torch.randn(1, 2, 6, 6).contiguous(memory_format=torch.channels_last).requires_grad_()

    (pool_neighbours(x).sum() + halve(x).sum()).backward()

    assert x.grad is not None
    assert x.grad.sum() == 2 * (36 + 9)


@pytest.mark.parametrize(("rows", "halved"), [(112, 56), (56, 28), (28, 14), (14, 7)])
def test_pooling_rounds_up_as_caffe_does(rows, halved):
    assert halve(torch.zeros(1, 1, rows, rows)).shape[2:] == (halved, halved)
