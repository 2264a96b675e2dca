"""Finds the device that a training runs on."""

from cxrview.errors import UsageError


def find_device(name: str) -> str:
    """`cpu` or `cuda`; of `auto` the latter where there is one.

    Raises:
        UsageError: there is no such device here.
    """
    import torch

    has_cuda = torch.cuda.is_available()
    if name == "auto":
        return "cuda" if has_cuda else "cpu"
    if name == "cpu" or (name.startswith("cuda") and has_cuda):
        return name
    raise UsageError(
        f"there is no device {name} here", "--device takes cpu, auto, or cuda where there is one"
    )
