"""What is not the published weights is refused by its name, whatever it is."""

import numpy as np
import pytest
import torch

from cxrview.errors import InvalidModel
from cxrview.train.googlenet import GoogLeNet
from cxrview.train.published import load_published, write_random_weights

FIRST = "conv1/7x7_s2.weight"


@pytest.fixture(scope="module")
def network() -> GoogLeNet:
    torch.manual_seed(0)
    return GoogLeNet(2)


@pytest.fixture(scope="module")
def unlearnt(tmp_path_factory):
    path = tmp_path_factory.mktemp("published") / "weights.npz"
    write_random_weights(path, seed=1)
    return path


def refused(path, network, match: str) -> None:
    before = {key: tensor.clone() for key, tensor in network.state_dict().items()}
    with pytest.raises(InvalidModel, match=match):
        load_published(path, network, with_classifier=False)
    assert all(torch.equal(before[key], tensor) for key, tensor in network.state_dict().items())


def test_the_trunk_is_loaded_and_the_classifier_kept(unlearnt):
    network = GoogLeNet(2)
    fresh = network.classifier.weight.clone()

    load_published(unlearnt, network, with_classifier=False)

    first = network.state_dict()["stem.conv1.7x7_s2.weight"].numpy()
    with np.load(unlearnt) as arrays:
        assert np.array_equal(first, arrays[FIRST])
    assert torch.equal(network.classifier.weight, fresh)


@pytest.mark.parametrize(
    "array",
    [np.zeros((1, 1), np.float32), np.zeros((64, 3, 7, 7), np.int64), np.full((64, 3, 7, 7), "1")],
    ids=["shape", "whole numbers", "words"],
)
def test_arrays_that_do_not_fit_are_refused(network, tmp_path, array):
    np.savez(tmp_path / "other.npz", **{FIRST: array})

    refused(tmp_path / "other.npz", network, r"other\.npz has no array conv1/7x7_s2")


def test_a_network_is_left_alone_where_the_last_array_is_missing(network, unlearnt, tmp_path):
    with np.load(unlearnt) as stored:
        arrays = dict(stored)
    del arrays["inception_5b/pool_proj.bias"]
    np.savez(tmp_path / "most.npz", **arrays)

    refused(tmp_path / "most.npz", network, r"most\.npz has no array inception_5b/pool_proj")


def test_a_pickle_is_not_loaded(network, tmp_path):
    np.savez(tmp_path / "pickled.npz", **{FIRST: np.array([{}], dtype=object)})

    refused(tmp_path / "pickled.npz", network, r"pickled\.npz is not an \.npz")


@pytest.mark.parametrize("content", [b"", b"weights", b"\x80\x04N.", b"PK\x03\x04" + bytes(40)])
def test_a_file_that_is_no_npz_is_refused_by_name(network, tmp_path, content):
    (tmp_path / "other.npz").write_bytes(content)

    refused(tmp_path / "other.npz", network, r"other\.npz is not an \.npz")


def test_one_array_alone_is_refused(network, tmp_path):
    np.save(tmp_path / "one.npy", np.zeros((64, 3, 7, 7), np.float32))

    refused(tmp_path / "one.npy", network, r"one\.npy is not an \.npz")


def test_nothing_and_a_folder_are_refused(network, tmp_path):
    refused(tmp_path / "nowhere.npz", network, r"nowhere\.npz does not exist")
    refused(tmp_path, network, "is not an .npz")


@pytest.mark.parametrize("share", [0.001, 0.5, 0.999])
def test_a_file_cut_short_is_refused(network, unlearnt, tmp_path, share):
    content = unlearnt.read_bytes()
    (tmp_path / "cut.npz").write_bytes(content[: int(len(content) * share)])

    refused(tmp_path / "cut.npz", network, r"cut\.npz is not an \.npz")


def test_a_flipped_bit_is_refused(network, unlearnt, tmp_path):
    content = bytearray(unlearnt.read_bytes())
    content[len(content) // 2] ^= 1
    (tmp_path / "flipped.npz").write_bytes(content)

    refused(tmp_path / "flipped.npz", network, r"flipped\.npz is not an \.npz")
