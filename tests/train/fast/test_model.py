import pytest
import torch

from cxrview.train.fast.model import FastModel, decayed
from cxrview.train.fast.recipe import FAST


def test_fast_model_gives_six_answers():
    logits = FastModel(0.1).eval()(torch.randn(2, 1, 224, 224))

    assert [tuple(one.shape) for one in logits] == [(2,), (2,), (2, 4), (2,), (2,), (2,)]


def test_fast_model_has_the_multiplications_of_mobilenet_at_its_width():
    """Howard 2017, table 4: 569 million at width 1, with three channels and 1,000 classes."""
    counts = []

    def count(layer, _inputs, output):
        kernel = layer.weight[0].numel()
        counts.append(kernel * output[0].numel())

    model = FastModel(1.0).eval()
    for layer in model.modules():
        if isinstance(layer, torch.nn.Conv2d):
            layer.register_forward_hook(count)
    with torch.no_grad():
        model(torch.zeros(1, 1, 224, 224))

    two_channels_more = 2 * 9 * 32 * 112 * 112
    classifier = 1024 * 1000
    assert (sum(counts) + two_channels_more + classifier) / 1e6 == pytest.approx(569, abs=1)


def test_fast_model_has_under_half_a_million_parameters():
    assert sum(p.numel() for p in FastModel(FAST.width).parameters()) == 470_025


def test_decayed_leaves_out_depthwise_weights_norms_and_biases():
    model = FastModel(0.1)
    with_decay, without = decayed(model)
    names = {id(p): name for name, p in model.named_parameters()}

    assert len(with_decay) + len(without) == len(names)
    assert all(
        "depthwise" not in names[id(p)] and names[id(p)].endswith("weight") for p in with_decay
    )
    assert sum("pointwise.conv" in names[id(p)] for p in with_decay) == 13
