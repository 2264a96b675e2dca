"""Loads the published BVLC GoogLeNet from arrays (.npz), never from a pickle."""

import re
from pathlib import Path

import numpy as np
import torch

from cxrview.errors import ModelRefused
from cxrview.train.googlenet import GoogLeNet

CHANNEL_MEANS = (104.0, 117.0, 123.0)
"""Of ILSVRC, in the order blue, green, red, that the published weights were trained with."""


def load_published(path: Path, network: GoogLeNet, *, with_classifier: bool) -> None:
    """Fill `network` with the published weights, in place.

    Args:
        path: .npz with keys `<caffe layer>.weight` (out, in, rows, columns) and `.bias`.
        network: any number of classes; auxiliary classifiers are not published and stay.
        with_classifier: load the 1,000-class layer too; otherwise it keeps its fresh start.

    Raises:
        ModelRefused: an array is missing or does not fit.
    """
    parameters = dict(network.named_parameters())
    with np.load(path, allow_pickle=False) as arrays:
        for key, parameter in parameters.items():
            caffe = _caffe_name(key)
            if caffe is None or (caffe.startswith("loss3") and not with_classifier):
                continue
            if caffe not in arrays or arrays[caffe].shape != tuple(parameter.shape):
                raise ModelRefused(
                    f"{path.name} holds no array {caffe} of shape {tuple(parameter.shape)}",
                    "It should be the published BVLC GoogLeNet, main branch",
                )
            with torch.no_grad():
                parameter.copy_(torch.from_numpy(arrays[caffe]))


def write_unlearnt(path: Path, *, seed: int) -> None:
    """Write random weights in the published form, to try a study where the real ones are not.

    Args:
        path: .npz file.
        seed: decides them.
    """
    torch.manual_seed(seed)
    network = GoogLeNet(1000, auxiliary=False)
    arrays = {str(_caffe_name(key)): p.detach().numpy() for key, p in network.named_parameters()}
    np.savez(path, **arrays)  # type: ignore[arg-type]


def _caffe_name(key: str) -> str | None:
    """`inceptions.3a.layers.1x1.bias` to `inception_3a/1x1.bias`; None for auxiliary heads."""
    if key.startswith("auxiliaries."):
        return None
    if key.startswith("classifier."):
        return key.replace("classifier.", "loss3/classifier.")
    inception = re.fullmatch(r"inceptions\.(\w+)\.layers\.(\w+)\.(\w+)", key)
    if inception:
        return "inception_{}/{}.{}".format(*inception.groups())
    return "{}/{}.{}".format(*key.removeprefix("stem.").split("."))
