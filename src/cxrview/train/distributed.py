"""One training on several processes, started by torchrun, that ends like one on a single process.

Each process computes some rows of every batch (`BatchRows`), and DistributedDataParallel averages
the gradients. Batches, dropout and learning rates are those of a single process; only sums are
rounded differently. The first process alone writes files and reports progress. All processes read
the same inputs, and the folder of the result must be the same for all, such as a shared disk.
"""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, distributed, nn
from torch.nn.parallel import DistributedDataParallel

from cxrview.errors import RunStopped, UsageError
from cxrview.train.batch_rows import BatchRows
from cxrview.train.checkpoint import TrainingIdentity, restore_checkpoint

TIMEOUT = timedelta(hours=6)
"""How long processes wait for the first one, which validates between two epochs. torchrun itself
ends the others when a process fails."""
FIRST = 0
"""Number of the process that writes files and reports progress."""
_VARIABLES = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE")

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True, kw_only=True)
class Processes:
    """The processes of a training, as one of them sees them."""

    rank: int = 0
    """Number of this process, from 0."""
    count: int = 1
    local_rank: int = 0
    """Number of this process among those on the same machine."""
    local_count: int = 1
    """Number of processes on this machine."""

    @classmethod
    def of_environment(cls, environment: Mapping[str, str] = os.environ) -> "Processes":
        """Read what torchrun tells a process; a single process if it was started otherwise.

        Raises:
            UsageError: some of the variables are missing or are not numbers.
        """
        if environment.get("WORLD_SIZE", "") in ("", "1"):
            return cls()
        try:
            rank, count, local_rank, local_count = (int(environment[name]) for name in _VARIABLES)
        except (KeyError, ValueError) as error:
            raise UsageError(
                f"{', '.join(_VARIABLES)} are not all set to numbers",
                "Start several processes with torchrun, or unset WORLD_SIZE",
            ) from error
        return cls(rank=rank, count=count, local_rank=local_rank, local_count=local_count)

    @property
    def is_first(self) -> bool:
        """Whether this process writes files and reports progress."""
        return self.rank == FIRST

    def rows(self, total: int) -> BatchRows:
        """The rows that this process computes of a batch of `total` rows."""
        return BatchRows(rank=self.rank, count=self.count, total=total)

    def on_first(self, work: Callable[[], Result]) -> Result:
        """Call a function in the first process only, and return its result in all of them."""
        result: Result = self.sent(work() if self.is_first else None, FIRST)
        return result

    def sent(self, value: Any, sender: int) -> Any:
        """Return in all processes the value that process `sender` has; that of others is ignored.

        Args:
            value: any object that can be pickled. It comes from a process of the same training.
            sender: number of a process.
        """
        if self.count == 1:
            return value
        values = [value]
        distributed.broadcast_object_list(values, src=sender)
        return values[0]

    def each_row(self, numbers: range, compute: Callable[[range], NDArray[Any]]) -> NDArray[Any]:
        """Divide the computation of an array among the processes; all get the complete array.

        Args:
            numbers: of the rows.
            compute: computes the rows of some of these numbers, shape (len(numbers), ...); it is
                also called with none.
        """
        own = compute(numbers[self.rank :: self.count])
        if self.count == 1:
            return own
        parts: list[Any] = [None] * self.count
        distributed.all_gather_object(parts, own)
        complete = np.empty((len(numbers), *own.shape[1:]), own.dtype)
        for rank, part in enumerate(parts):
            complete[rank :: self.count] = part
        return complete

    def data_parallel(self, model: nn.Module, device: str) -> nn.Module:
        """Return what to call in place of the model, so that gradients are averaged.

        All processes get the weights of the first.
        """
        if self.count == 1:
            return model
        index = torch.device(device).index
        return DistributedDataParallel(model, device_ids=None if index is None else [index])

    def mean(self, value: Tensor) -> float:
        """The mean over all processes of a number, such as the loss."""
        if self.count == 1:
            return value.item()
        total = value.detach().clone()
        distributed.all_reduce(total)
        return total.item() / self.count

    def restore(
        self, path: Path, model: nn.Module, optimiser: torch.optim.SGD, belongs: TrainingIdentity
    ) -> int:
        """Load a checkpoint in the first process, and momentum and rates from it in the others.

        Weights are sent by `data_parallel`, which must be called afterwards.

        Returns:
            The number of completed steps; 0 without a checkpoint.

        Raises:
            InvalidModel: the checkpoint belongs to another training.
        """
        step = self.on_first(lambda: restore_checkpoint(path, model, optimiser, belongs))
        if self.count == 1 or not step:
            return step
        rates = self.sent([group["lr"] for group in optimiser.param_groups], FIRST)
        for group, rate in zip(optimiser.param_groups, rates, strict=True):
            group["lr"] = rate
        has_momentum = self.sent([bool(optimiser.state[p]) for p in model.parameters()], FIRST)
        for parameter, has in zip(model.parameters(), has_momentum, strict=True):
            if has:
                state = optimiser.state[parameter]
                momentum = state.setdefault("momentum_buffer", torch.zeros_like(parameter.data))
                # Weights may be stored channels-last, which a broadcast does not take.
                sent = momentum.contiguous()
                distributed.broadcast(sent, src=FIRST)
                momentum.copy_(sent)
        return step


ALONE = Processes()
"""A training on a single process."""


@contextmanager
def joined(processes: Processes, device: str) -> Iterator[None]:
    """Connect the processes of a training during the block: by NCCL for GPUs, gloo for CPUs.

    Args:
        processes: nothing is done for a single one.
        device: of this process, as torch names it.

    Raises:
        RunStopped: another process of the training failed.
    """
    if processes.count == 1:
        yield
        return
    is_cuda = device.startswith("cuda")
    if is_cuda:
        torch.cuda.set_device(device)
    # Objects are sent from memory of the CPU, by gloo, also where gradients go by NCCL.
    distributed.init_process_group("cpu:gloo,cuda:nccl" if is_cuda else "gloo", timeout=TIMEOUT)
    try:
        yield
    except RuntimeError as error:
        if isinstance(error, distributed.DistError) or "gloo" in str(error):
            raise RunStopped(
                f"process {processes.rank} of the training lost the connection to another one",
                "See the message of that process. The same command resumes",
            ) from error
        raise
    finally:
        distributed.destroy_process_group()
