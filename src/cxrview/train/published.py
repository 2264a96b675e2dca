"""Loads the published BVLC GoogLeNet from an .npz file, never from a pickle."""

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
"""Means of ILSVRC in the order blue, green, red, with which the published weights were trained."""
_ADVICE = "It should be the published BVLC GoogLeNet, main branch"


def load_published(path: Path, model: GoogLeNet, *, with_classifier: bool) -> None:
    """Load the published weights into a model, in place.

    Args:
        path: .npz with keys `<caffe layer>.weight` (out, in, rows, columns) and `.bias`.
        model: of any number of classes; auxiliary classifiers are not published and stay as
            they are.
        with_classifier: also load the layer of the 1,000 classes.

    Raises:
        InvalidModel: the file is missing, not an .npz file, damaged or contains pickles; or an
            array is missing or does not fit. The model is then unchanged.
    """
    parameters = {
        caffe: parameter
        for key, parameter in model.named_parameters()
        if (caffe := _caffe_name(key)) and (with_classifier or not caffe.startswith("loss3"))
    }
    arrays = _read_arrays(path, parameters)
    for caffe, parameter in parameters.items():
        array = arrays.get(caffe)
        shape = tuple(parameter.shape)
        if array is None or array.shape != shape or array.dtype.kind != "f":
            raise InvalidModel(f"{path.name} has no array {caffe} of shape {shape}", _ADVICE)
    with torch.no_grad():
        for caffe, parameter in parameters.items():
            parameter.copy_(torch.from_numpy(arrays[caffe]))


def write_random_weights(path: Path, *, seed: int) -> None:
    """Write random weights in the published form, to try a study without the real ones.

    Args:
        path: .npz file.
        seed: decides them.
    """
    torch.manual_seed(seed)
    model = GoogLeNet(1000, auxiliary=False)
    arrays = {str(_caffe_name(key)): p.detach().numpy() for key, p in model.named_parameters()}
    # NumPy's type stubs object because an array could be named allow_pickle.
    np.savez(path, **arrays)  # type: ignore[arg-type]


def _read_arrays(path: Path, names: Iterable[str]) -> dict[str, NDArray[np.generic]]:
    """Read those of the named arrays that the file has."""
    try:
        with path.open("rb") as file:
            # NumPy would try other formats, even a pickle, on a file that is not an .npz.
            if not zipfile.is_zipfile(file):
                raise zipfile.BadZipFile(path.name)
            file.seek(0)
            with np.load(file, allow_pickle=False) as stored:
                return {name: stored[name] for name in names if name in stored}
    except FileNotFoundError as error:
        raise InvalidModel(f"{path} does not exist", _ADVICE) from error
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise InvalidModel(
            f"{path.name} is not an .npz file of arrays, or it is damaged or unreadable", _ADVICE
        ) from error


def _caffe_name(key: str) -> str | None:
    """`inceptions.3a.layers.1x1.bias` to `inception_3a/1x1.bias`; None for layers that it lacks."""
    if key.startswith(("auxiliaries.", "chest.")):
        return None
    if key.startswith("classifier."):
        return key.replace("classifier.", "loss3/classifier.")
    inception = re.fullmatch(r"inceptions\.(\w+)\.layers\.(\w+)\.(\w+)", key)
    if inception:
        return "inception_{}/{}.{}".format(*inception.groups())
    return "{}/{}.{}".format(*key.removeprefix("stem.").split("."))
