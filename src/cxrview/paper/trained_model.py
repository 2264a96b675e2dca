"""Reads and writes the folder of a trained model; weights are never stored as a pickle.

weights.safetensors   by GoogLeNet's parameter names, without the auxiliary classifiers
about.json            training images, schedule, and differences from the paper
begun.json            the training that the folder belongs to, written first
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file, save

from cxrview.atomic_files import atomic_path
from cxrview.digests import file_sha256
from cxrview.errors import CannotWrite, InvalidModel, UsageError
from cxrview.json_file import read_json, write_json
from cxrview.paper.candidates import PRE_TRAININGS
from cxrview.train.googlenet import GoogLeNet

WEIGHTS, ABOUT, BEGUN = "weights.safetensors", "about.json", "begun.json"
FORMAT = 1
"""Increased when older versions could not read the files any more."""


def load_trained(folder: Path) -> GoogLeNet:
    """Load a model of `cxrview pretrain` or `finetune`, without auxiliary classifiers.

    Raises:
        InvalidModel: it is missing, unfinished, damaged or altered.
    """
    try:
        about = read_json(folder / ABOUT)
        if about["format"] != FORMAT or about["weights_sha256"] != file_sha256(folder / WEIGHTS):
            raise ValueError("the weights do not have the hash in about.json")
        model = GoogLeNet(about["outputs"], auxiliary=False)
        model.load_state_dict(load_file(folder / WEIGHTS))
    except (OSError, ValueError, KeyError, TypeError, RuntimeError, SafetensorError) as error:
        raise InvalidModel(
            f"{folder} has no trained model, or a damaged one",
            "Train it with cxrview pretrain or cxrview finetune",
        ) from error
    return model


def read_about(folder: Path) -> dict[str, Any]:
    """Read about.json of a finished training.

    Raises:
        InvalidModel: it is missing or unfinished.
    """
    try:
        return read_json(folder / ABOUT)
    except (OSError, ValueError) as error:
        raise InvalidModel(
            f"{folder} has no trained model, or an unfinished one",
            "Train it with cxrview pretrain or cxrview finetune",
        ) from error


def pre_training_of(folder: Path) -> str:
    """Name of the pre-training that a folder holds, such as `grey`.

    Raises:
        UsageError: the folder holds another kind of model.
        InvalidModel: the folder holds no finished model.
    """
    name = read_about(folder).get("pre_training")
    if name not in PRE_TRAININGS:
        raise UsageError(
            f"{folder} does not hold a pre-trained model", "Create one with cxrview pretrain"
        )
    return str(name)


def begin_training(out: Path, belongs: dict[str, str]) -> None:
    """Write which training a folder belongs to, or check that it is the same.

    Raises:
        UsageError: it belongs to another training.
        CannotWrite: it cannot be created or written.
    """
    with writing_to(out):
        out.mkdir(parents=True, exist_ok=True)
        if not (out / BEGUN).is_file():
            write_json(out / BEGUN, belongs)
            return
        try:
            found = read_json(out / BEGUN)
        except ValueError:
            found = {}
    differ = [name for name in belongs if found.get(name) != belongs[name]]
    if differ:
        raise UsageError(
            f"{out} belongs to another training, which differs in {', '.join(differ)}",
            "Resume with the same, or choose a new folder",
        )


def find_finished(out: Path, belongs: dict[str, str]) -> bool:
    """Begin a training as `begin_training` does; whether it was finished before."""
    begin_training(out, belongs)
    return (out / ABOUT).is_file()


def finish_training(out: Path, model: GoogLeNet, about: dict[str, Any]) -> None:
    """Write the weights, without auxiliary classifiers, and then about.json.

    Raises:
        CannotWrite: the disk is full or not writable.
    """
    tensors = {
        key: tensor.cpu().contiguous()
        for key, tensor in model.state_dict().items()
        if not key.startswith("auxiliaries.")
    }
    with writing_to(out):
        with atomic_path(out / WEIGHTS) as part:
            part.write_bytes(save(tensors))  # the error of a full disk is an OSError then
        facts = {
            "outputs": model.classifier.out_features,
            "weights_sha256": file_sha256(out / WEIGHTS),
        }
        write_json(out / ABOUT, {"format": FORMAT, **facts, **about})


@contextmanager
def writing_to(out: Path) -> Iterator[None]:
    """Turn the errors of a full or read-only disk into `CannotWrite`."""
    try:
        yield
    except OSError as error:
        raise CannotWrite(
            f"{out} cannot be written",
            "Free disk space or choose another folder. The same command resumes",
        ) from error
