"""A network that was trained, in its folder: weights by name, never a pickle, and what they are.

weights.safetensors   by GoogLeNet's parameter names, without the auxiliary classifiers
about.json            what was shown, by which schedule, and how that compares with the paper
begun.json            what the folder is for, written first
"""

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from cxrview.atomic_files import atomic_path
from cxrview.errors import CannotWrite, InvalidModel, UsageError
from cxrview.paper.candidates import PRE_TRAININGS
from cxrview.train.googlenet import GoogLeNet

WEIGHTS, ABOUT, BEGUN = "weights.safetensors", "about.json", "begun.json"
FORMAT = 1
"""Raised when an older reader could not read what is written."""


def load_trained(folder: Path) -> GoogLeNet:
    """Load what `cxrview pretrain` or `finetune` made, without auxiliary classifiers.

    Raises:
        InvalidModel: it is not there, not finished, damaged or altered.
    """
    try:
        about = json.loads((folder / ABOUT).read_text(encoding="utf-8"))
        if about["format"] != FORMAT or about["weights_sha256"] != file_sha256(folder / WEIGHTS):
            raise ValueError("the weights are not those that about.json tells of")
        network = GoogLeNet(about["outputs"], auxiliary=False)
        network.load_state_dict(load_file(folder / WEIGHTS))
    except (OSError, ValueError, KeyError, TypeError, RuntimeError, SafetensorError) as error:
        raise InvalidModel(
            f"{folder} holds no trained network, or a damaged one",
            "Make it with cxrview pretrain or cxrview finetune",
        ) from error
    return network


def read_about(folder: Path) -> dict[str, Any]:
    """What a finished training says of itself.

    Raises:
        InvalidModel: it is not there or not finished.
    """
    try:
        about = json.loads((folder / ABOUT).read_text(encoding="utf-8"))
        if not isinstance(about, dict):
            raise ValueError("it is no object")
    except (OSError, ValueError) as error:
        raise InvalidModel(
            f"{folder} holds no trained network, or an unfinished one",
            "Make it with cxrview pretrain or cxrview finetune",
        ) from error
    return about


def pre_training_of(folder: Path) -> str:
    """Name of the pre-training that a folder holds, such as `grey`.

    Raises:
        UsageError: the folder holds another kind of network.
        InvalidModel: the folder holds no finished network.
    """
    name = read_about(folder).get("pre_training")
    if name not in PRE_TRAININGS:
        raise UsageError(
            f"{folder} does not hold a pre-trained network", "Create one with cxrview pretrain"
        )
    return str(name)


def begin_training(out: Path, belongs: dict[str, str]) -> None:
    """Say what a folder is for, once; refuse it for anything else.

    Raises:
        UsageError: it holds another training.
        CannotWrite: it cannot be made or written.
    """
    with writing_to(out):
        out.mkdir(parents=True, exist_ok=True)
        if not (out / BEGUN).is_file():
            _write_json(out / BEGUN, belongs)
            return
        try:
            standing = json.loads((out / BEGUN).read_text(encoding="utf-8"))
        except ValueError:
            standing = {}
    differ = [name for name in belongs if standing.get(name) != belongs[name]]
    if differ:
        raise UsageError(
            f"{out} holds another training: {', '.join(differ)} differ",
            "Go on with the same, or name a new folder",
        )


def finish_training(out: Path, network: GoogLeNet, about: dict[str, Any]) -> None:
    """Write the weights, without auxiliary classifiers, and then what they are.

    Raises:
        CannotWrite: the disk took no more.
    """
    tensors = {
        key: tensor.cpu().contiguous()
        for key, tensor in network.state_dict().items()
        if not key.startswith("auxiliaries.")
    }
    with writing_to(out):
        with atomic_path(out / WEIGHTS) as part:
            save_file(tensors, part)
        facts = {
            "outputs": network.classifier.out_features,
            "weights_sha256": file_sha256(out / WEIGHTS),
        }
        _write_json(out / ABOUT, {"format": FORMAT, **facts, **about})


def file_sha256(path: Path) -> str:
    """SHA-256 of a file's bytes, as hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def writing_to(out: Path) -> Iterator[None]:
    """Turn what a full or closed disk raises into `CannotWrite`."""
    try:
        yield
    except (OSError, SafetensorError) as error:
        raise CannotWrite(
            f"{out} cannot be written",
            "Make room or name another folder; the same command goes on from where it stands",
        ) from error


def _write_json(path: Path, content: dict[str, Any]) -> None:
    with atomic_path(path) as part:
        part.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
