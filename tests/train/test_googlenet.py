"""GoogLeNet against the published weights, torch's own layers and what their README states."""

import csv
import tarfile

import numpy as np
import pytest
import torch
from PIL import Image

from cxrview.train.googlenet import GoogLeNet, halve, local_response_norm
from cxrview.train.published import CHANNEL_MEANS, load_published


@pytest.fixture(scope="module")
def published(shared_data) -> GoogLeNet:
    network = GoogLeNet(1000)
    arrays = shared_data / "pretraining" / "bvlc-googlenet.npz"
    load_published(arrays, network, with_classifier=True)
    return network.eval().to(memory_format=torch.channels_last)


@pytest.mark.slow
def test_the_published_weights_reach_their_stated_top_1(published, shared_data):
    """784 of the 1,000 ImageNet samples, squashed to 256 and cropped to 224."""
    folder = shared_data / "pretraining"
    with (folder / "ilsvrc-classes.csv").open(newline="") as rows:
        index = {row["wnid"]: int(row["index"]) for row in csv.DictReader(rows)}
    pictures, truth = [], []
    with tarfile.open(folder / "imagenet-samples.tar") as samples:
        for member in samples:
            picture = np.asarray(Image.open(samples.extractfile(member)).convert("RGB"))
            pictures.append(picture[16:240, 16:240, ::-1] - np.float32(CHANNEL_MEANS))
            truth.append(index[member.name.removesuffix(".jpg")])
    right = 0
    with torch.inference_mode():
        for start in range(0, 1000, 50):
            batch = torch.from_numpy(np.stack(pictures[start : start + 50])).permute(0, 3, 1, 2)
            called = published(batch).main.argmax(dim=1)
            right += int((called == torch.tensor(truth[start : start + 50])).sum())

    assert right == 784


def test_it_has_22_weight_layers_and_two_auxiliary_classifiers():
    """Szegedy 2015: 22 layers deep counting layers with parameters; nine inception modules."""
    network = GoogLeNet(2)
    depth = 3 + 2 * len(network.inceptions) + 1  # stem, two in a row a module, classifier

    outputs = network.train()(torch.zeros(2, 3, 224, 224))

    assert (depth, len(network.inceptions)) == (22, 9)
    assert [tuple(logits.shape) for logits in outputs[:3]] == [(2, 2)] * 3
    assert outputs.chest is None


def test_auxiliary_classifiers_are_silent_in_use():
    outputs = GoogLeNet(2).eval()(torch.zeros(1, 3, 224, 224))

    assert (outputs.loss1, outputs.loss2) == (None, None)


def test_a_second_output_tells_chests_and_leaves_the_trunk_as_it_is():
    network = GoogLeNet(2, auxiliary=False, chest=True).eval()

    outputs = network(torch.zeros(3, 3, 224, 224))

    assert tuple(outputs.chest.shape) == (3,)
    assert set(network.trunk()) == set(GoogLeNet(2, auxiliary=False).trunk())


def test_responses_are_normalised_as_torch_does_forwards_and_backwards():
    x = (torch.randn(2, 7, 5, 5) * 100).requires_grad_()
    other = x.detach().clone().requires_grad_()
    weight = torch.randn(2, 7, 5, 5)

    ours, torchs = local_response_norm(x), torch.nn.LocalResponseNorm(5, 1e-4, 0.75, 1.0)(other)
    (ours * weight).sum().backward()
    (torchs * weight).sum().backward()

    torch.testing.assert_close(ours, torchs)
    torch.testing.assert_close(x.grad, other.grad)


@pytest.mark.parametrize(("rows", "halved"), [(112, 56), (56, 28), (28, 14), (14, 7)])
def test_pooling_rounds_up_as_caffe_does(rows, halved):
    assert halve(torch.zeros(1, 1, rows, rows)).shape[2:] == (halved, halved)
