"""Checkpoints, from which a stopped training resumes: weights, momentum and identity."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import nn

from cxrview.atomic_files import atomic_path
from cxrview.errors import InvalidModel

TrainingIdentity = dict[str, str]
"""Recipe, seed and data of a training. Another training must not resume from its checkpoint."""
_WORDS = {"lesson": "images"}
"""For a message: names of facts that stay as earlier versions wrote them."""


def save_checkpoint(
    path: Path, model: nn.Module, optimiser: torch.optim.SGD, belongs: TrainingIdentity, step: int
) -> None:
    """Write a checkpoint atomically.

    Args:
        path: .safetensors file; an existing one is replaced.
        model: its parameters.
        optimiser: its momentum, and its learning rates of the next step.
        belongs: checked by `restore_checkpoint`.
        step: how many steps are done.

    Raises:
        OSError: the disk is full, or the folder is gone.
    """
    tensors = {f"network.{k}": v.contiguous() for k, v in model.state_dict().items()}
    for key, parameter in model.named_parameters():
        momentum = optimiser.state[parameter].get("momentum_buffer")
        if momentum is not None:
            tensors[f"momentum.{key}"] = momentum.contiguous()
    rates = json.dumps([group["lr"] for group in optimiser.param_groups])
    with atomic_path(path) as part:
        # Not by `save_file`, whose error for a full disk is not an OSError.
        part.write_bytes(save(tensors, metadata={**belongs, "step": str(step), "rates": rates}))


def restore_checkpoint(
    path: Path, model: nn.Module, optimiser: torch.optim.SGD, belongs: TrainingIdentity
) -> int:
    """Load a checkpoint, if there is one, into model and optimiser; gives the steps done.

    Raises:
        InvalidModel: it belongs to another training, and the message names what differs; or it is
            damaged.
    """
    if not path.exists():
        return 0
    with _opened(path) as stored:
        facts = stored.metadata()
        differ = [name for name, value in belongs.items() if facts.get(name) != value]
        if differ:
            names = ", ".join(_WORDS.get(name, name) for name in differ)
            raise InvalidModel(
                f"{path.name} belongs to another training, which differs in {names}",
                "Give another folder to --out, or remove the checkpoint",
            )
        tensors = {key: stored.get_tensor(key) for key in stored.keys()}  # noqa: SIM118
    device = next(model.parameters()).device
    model.load_state_dict(
        {k.removeprefix("network."): v for k, v in tensors.items() if k.startswith("network.")}
    )
    for key, parameter in model.named_parameters():
        if f"momentum.{key}" in tensors:
            optimiser.state[parameter]["momentum_buffer"] = tensors[f"momentum.{key}"].to(device)
    rates = json.loads(facts["rates"])
    for group, rate in zip(optimiser.param_groups, rates, strict=True):
        group["lr"] = rate
    return int(facts["step"])


def load_weights(path: Path, model: nn.Module) -> None:
    """Load a checkpoint's weights, without momentum, into a model of the same shape.

    Raises:
        InvalidModel: it is missing or damaged.
    """
    with _opened(path) as stored:
        keys = [key for key in stored.keys() if key.startswith("network.")]  # noqa: SIM118
        model.load_state_dict({k.removeprefix("network."): stored.get_tensor(k) for k in keys})


def steps_done(path: Path) -> int:
    """Return the number of steps in a checkpoint; 0 if there is none.

    Raises:
        InvalidModel: it is damaged.
    """
    if not path.exists():
        return 0
    with _opened(path) as stored:
        return int(stored.metadata()["step"])


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    try:
        with safe_open(path, framework="pt") as stored:
            yield stored
    except FileNotFoundError as error:
        raise InvalidModel(
            f"{path} does not exist", "Restore it, or train again in another folder"
        ) from error
    except SafetensorError as error:
        raise InvalidModel(
            f"{path.name} is damaged", "Remove it to begin the training again"
        ) from error
