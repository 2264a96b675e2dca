"""Loads the published BVLC GoogLeNet from arrays (.npz), never from a pickle."""

import re
import zipfile
import zlib
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from cxrview.errors import InvalidModel
from cxrview.train.googlenet import GoogLeNet

CHANNEL_MEANS = (104.0, 117.0, 123.0)
"""Of ILSVRC, in the order blue, green, red, that the published weights were trained with."""
_ADVICE = "It should be the published BVLC GoogLeNet, main branch"


def load_published(path: Path, network: GoogLeNet, *, with_classifier: bool) -> None:
    """Fill `network` with the published weights, in place.

    Args:
        path: .npz with keys `<caffe layer>.weight` (out, in, rows, columns) and `.bias`.
        network: any number of classes; auxiliary classifiers are not published and stay.
        with_classifier: load the 1,000-class layer too; otherwise it keeps its fresh start.

    Raises:
        InvalidModel: it is not there, no .npz, damaged or holds pickles; or an array is missing
            or does not fit. The network is then as it was.
    """
    parameters = {
        caffe: parameter
        for key, parameter in network.named_parameters()
        if (caffe := _caffe_name(key)) and (with_classifier or not caffe.startswith("loss3"))
    }
    arrays = _read_arrays(path, parameters)
    for caffe, parameter in parameters.items():
        array = arrays.get(caffe)
        shape = tuple(parameter.shape)
        if array is None or array.shape != shape or array.dtype.kind != "f":
            raise InvalidModel(f"{path.name} holds no array {caffe} of shape {shape}", _ADVICE)
    with torch.no_grad():
        for caffe, parameter in parameters.items():
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
    # NumPy's types fear that an array is called allow_pickle.
    np.savez(path, **arrays)  # type: ignore[arg-type]


def _read_arrays(path: Path, names: Iterable[str]) -> dict[str, NDArray[np.generic]]:
    """Those of the arrays that are there."""
    try:
        with path.open("rb") as file:
            # NumPy takes what is no .npz for something else that it knows, down to a pickle.
            if not zipfile.is_zipfile(file):
                raise zipfile.BadZipFile(path.name)
            file.seek(0)
            with np.load(file, allow_pickle=False) as stored:
                return {name: stored[name] for name in names if name in stored}
    except FileNotFoundError as error:
        raise InvalidModel(f"{path} is not there", _ADVICE) from error
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise InvalidModel(
            f"{path.name} is no .npz of arrays, is damaged or cannot be read", _ADVICE
        ) from error


def _caffe_name(key: str) -> str | None:
    """`inceptions.3a.layers.1x1.bias` to `inception_3a/1x1.bias`; None for what it has not."""
    if key.startswith(("auxiliaries.", "chest.")):
        return None
    if key.startswith("classifier."):
        return key.replace("classifier.", "loss3/classifier.")
    inception = re.fullmatch(r"inceptions\.(\w+)\.layers\.(\w+)\.(\w+)", key)
    if inception:
        return "inception_{}/{}.{}".format(*inception.groups())
    return "{}/{}.{}".format(*key.removeprefix("stem.").split("."))
