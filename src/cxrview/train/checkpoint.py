"""A training stopped at any step and taken up again: weights, momentum and what they belong to."""

import json
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import nn

from cxrview.atomic_files import atomic_path
from cxrview.errors import InvalidModel

Belongs = dict[str, str]
"""What a checkpoint is one of: recipe, seed, data. Another training must not take it up."""


def save_checkpoint(
    path: Path, network: nn.Module, optimiser: torch.optim.SGD, belongs: Belongs, step: int
) -> None:
    """Write a checkpoint, whole or not at all.

    Args:
        path: .safetensors file; one that stands there is replaced.
        network: its parameters.
        optimiser: its momentum and its rates, those of the step to come.
        belongs: checked by `restore_checkpoint`.
        step: how many steps are done.
    """
    tensors = {f"network.{k}": v.contiguous() for k, v in network.state_dict().items()}
    for key, parameter in network.named_parameters():
        momentum = optimiser.state[parameter].get("momentum_buffer")
        if momentum is not None:
            tensors[f"momentum.{key}"] = momentum.contiguous()
    rates = json.dumps([group["lr"] for group in optimiser.param_groups])
    with atomic_path(path) as part:
        save_file(tensors, part, metadata={**belongs, "step": str(step), "rates": rates})


def restore_checkpoint(
    path: Path, network: nn.Module, optimiser: torch.optim.SGD, belongs: Belongs
) -> int:
    """Load a checkpoint, if there is one, into network and optimiser; gives the steps done.

    Raises:
        InvalidModel: it belongs to another training.
    """
    if not path.exists():
        return 0
    with safe_open(path, framework="pt") as stored:
        facts = stored.metadata()
        if any(facts.get(name) != value for name, value in belongs.items()):
            raise InvalidModel(
                f"{path.name} belongs to another recipe or seed",
                "Give another folder to --out, or remove the checkpoint",
            )
        tensors = {key: stored.get_tensor(key) for key in stored.keys()}  # noqa: SIM118
    device = next(network.parameters()).device
    network.load_state_dict(
        {k.removeprefix("network."): v for k, v in tensors.items() if k.startswith("network.")}
    )
    for key, parameter in network.named_parameters():
        if f"momentum.{key}" in tensors:
            optimiser.state[parameter]["momentum_buffer"] = tensors[f"momentum.{key}"].to(device)
    rates = json.loads(facts["rates"])
    for group, rate in zip(optimiser.param_groups, rates, strict=True):
        group["lr"] = rate
    return int(facts["step"])


def load_weights(path: Path, network: nn.Module) -> None:
    """Load a checkpoint's weights into a network of the same shape; its momentum is left."""
    with safe_open(path, framework="pt") as stored:
        keys = [key for key in stored.keys() if key.startswith("network.")]  # noqa: SIM118
        network.load_state_dict({k.removeprefix("network."): stored.get_tensor(k) for k in keys})


def steps_done(path: Path) -> int:
    """How far a training has come; 0 where there is no checkpoint."""
    if not path.exists():
        return 0
    with safe_open(path, framework="pt") as stored:
        return int(stored.metadata()["step"])
