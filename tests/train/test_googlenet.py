"""GoogLeNet against the published weights, torch's own layers and what their README states."""

import csv
import tarfile

import numpy as np
import pytest
import torch
from PIL import Image

from cxrview.train.batch_rows import BatchRows
from cxrview.train.googlenet import (
    LRN_BETA,
    GoogLeNet,
    _to_the_minus_beta,
    drop_out,
    local_response_norm,
)
from cxrview.train.published import CHANNEL_MEANS, load_published


@pytest.fixture(scope="module")
def published(shared_data) -> GoogLeNet:
    network = GoogLeNet(1000)
    arrays = shared_data / "pretraining" / "bvlc-googlenet.npz"
    load_published(arrays, network, with_classifier=True)
    return network.eval().to(memory_format=torch.channels_last)


OTHERWISE = """
4:842 36:35 44:41 56:44 60:53 68:62 104:278 112:1 124:47 204:262 212:173 240:239 264:361
272:269 328:109 356:360 384:364 396:115 412:518 424:636 440:907 456:351 460:437 476:866
484:914 500:972 540:510 620:424 636:790 644:971 664:782 692:636 696:850 700:969 704:707
736:579 740:592 748:636 764:413 780:536 788:904 808:502 820:705 824:658 860:706 960:505
988:36
"""
"""Of every fourth class, CLASS:CALLED where OpenCV 4.12 calls its sample another class.

By `cv2.dnn.readNetFromCaffe` with BVLC's own deploy.prototxt (commit 9b88154) and the same weights,
squashed to 256, cropped to 224 and less `CHANNEL_MEANS`.
"""


@pytest.mark.slow
def test_googlenet_with_the_published_weights_calls_samples_as_opencv_does(published, shared_data):
    """All of 250 of the 1,000 ImageNet samples, of which 203 are right."""
    folder = shared_data / "pretraining"
    with (folder / "ilsvrc-classes.csv").open(newline="") as rows:
        index = {row["wnid"]: int(row["index"]) for row in csv.DictReader(rows)}
    pictures, truth = [], []
    with tarfile.open(folder / "imagenet-samples.tar") as samples:
        for member in samples.getmembers()[::4]:
            picture = np.asarray(Image.open(samples.extractfile(member)).convert("RGB"))
            pictures.append(picture[16:240, 16:240, ::-1] - np.float32(CHANNEL_MEANS))
            truth.append(index[member.name.removesuffix(".jpg")])
    called: list[int] = []
    with torch.inference_mode():
        for start in range(0, 250, 50):
            batch = torch.from_numpy(np.stack(pictures[start : start + 50])).permute(0, 3, 1, 2)
            called += published(batch).main.argmax(dim=1).tolist()

    assert truth == list(range(0, 1000, 4))
    otherwise = dict(map(int, pair.split(":")) for pair in OTHERWISE.split())
    assert called == [otherwise.get(one, one) for one in truth]


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


def test_the_power_of_bf16_values_is_torchs_for_each_of_them():
    """Every finite bf16 value from 1 up; a sum of squares is never below."""
    bits = torch.arange(0x3F80, 0x7F80, dtype=torch.int16)
    values = bits.view(torch.bfloat16).reshape(4, 1, 64, 64)

    assert values.min() == 1
    assert torch.equal(_to_the_minus_beta(values), values.pow(-LRN_BETA))


def test_drop_out_of_some_rows_drops_what_it_drops_in_the_batch():
    x = torch.arange(1.0, 36.0).reshape(7, 5)

    def dropped(rows):
        torch.manual_seed(3)
        return drop_out(x if rows is None else x[rows.part], 0.4, rows)

    complete = dropped(None)
    assert torch.equal(dropped(BatchRows(rank=0, count=1, total=7)), complete)
    for rank in range(3):
        rows = BatchRows(rank=rank, count=3, total=7)
        assert torch.equal(dropped(rows), complete[rank::3])
    assert 0 < (complete == 0).sum() < complete.numel()
