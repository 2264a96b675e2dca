"""A training on two processes is that of one."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch import nn
from torch.nn import functional

from cxrview.errors import UsageError
from cxrview.train.distributed import ALONE, Processes
from cxrview.train.loop import mean_over_rows

PROGRAM = Path(__file__).parents[1] / "fixtures" / "train_bars.py"
TORCHRUN = ("-m", "torch.distributed.run", "--nproc-per-node", "2")
OF_TORCHRUN = {"RANK": "5", "WORLD_SIZE": "8", "LOCAL_RANK": "1", "LOCAL_WORLD_SIZE": "4"}


def test_of_environment_reads_what_torchrun_sets():
    found = Processes.of_environment(OF_TORCHRUN)

    assert found == Processes(rank=5, count=8, local_rank=1, local_count=4)
    assert not found.is_first


@pytest.mark.parametrize("environment", [{}, {"WORLD_SIZE": "1"}, {"WORLD_SIZE": ""}])
def test_of_environment_finds_single_process(environment):
    assert Processes.of_environment(environment) == ALONE


@pytest.mark.parametrize("changed", [{"RANK": "first"}, {"WORLD_SIZE": "many"}])
def test_of_environment_refuses_what_is_not_a_number(changed):
    with pytest.raises(UsageError, match="WORLD_SIZE"):
        Processes.of_environment(OF_TORCHRUN | changed)


def test_of_environment_refuses_missing_variable():
    with pytest.raises(UsageError, match="LOCAL_RANK"):
        Processes.of_environment({"WORLD_SIZE": "2", "RANK": "0"})


def test_single_process_computes_everything_itself():
    model = nn.Linear(2, 2)

    assert ALONE.data_parallel(model, "cpu") is model
    assert ALONE.on_first(lambda: "done") == ALONE.sent("done", 0) == "done"
    assert ALONE.mean(torch.tensor(0.25)) == 0.25
    assert np.array_equal(ALONE.each_row(range(3, 6), np.array), [3, 4, 5])


@pytest.mark.parametrize("count", [1, 2, 3, 7])
def test_mean_over_rows_gives_gradients_that_average_to_those_of_the_batch(count):
    """With seven processes two have no row of the five."""
    torch.manual_seed(0)
    x, truth, weights = torch.randn(5, 3), torch.tensor([0, 1, 1, 0, 1]), torch.randn(3, 2)

    def gradient(x, truth, rows):
        leaf = weights.clone().requires_grad_()
        mean_over_rows(functional.cross_entropy, x @ leaf, truth, rows).backward()
        return leaf.grad

    averaged = sum(
        gradient(x[rows.part], truth[rows.part], rows)
        for rows in (Processes(rank=k, count=count).rows(5) for k in range(count))
    )

    complete = gradient(x, truth, ALONE.rows(5))
    torch.testing.assert_close(averaged / count, complete)
    assert count == 1 or not torch.allclose(
        gradient(x[::count], truth[::count], Processes(count=count).rows(5)), complete
    )


def run(*arguments: object, code: int = 0) -> None:
    """Start the program on one core, and expect an exit code."""
    environment = {k: v for k, v in os.environ.items() if k not in OF_TORCHRUN}
    done = subprocess.run(
        [sys.executable, *map(str, arguments)],
        env=environment | {"OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == code, done.stderr[-2000:]


def momentum_of(checkpoint: Path) -> torch.Tensor:
    """The sums of gradients in a checkpoint."""
    found = load_file(checkpoint)
    return torch.cat([found[k].flatten() for k in sorted(found) if k.startswith("momentum.")])


@pytest.mark.slow
def test_fine_tune_on_two_processes_is_that_of_one(tmp_path):
    """In float32, where only the order of sums differs.

    Without averaged gradients the two would end with different weights. The second run on two
    processes is stopped after two of three steps, and resumed.
    """
    run(PROGRAM, tmp_path / "one.safetensors", tmp_path / "one.json")
    run(*TORCHRUN, PROGRAM, tmp_path / "two.safetensors", tmp_path / "two.json")
    stopped = tmp_path / "stopped.safetensors"
    run(*TORCHRUN, PROGRAM, stopped, tmp_path / "stopped.json", 2, code=1)
    run(*TORCHRUN, PROGRAM, stopped, tmp_path / "stopped.json")

    one, two, resumed = (
        json.loads((tmp_path / f"{name}.json").read_text()) for name in ("one", "two", "stopped")
    )
    assert list(one) == list(two) == ["1", "2", "3"]
    assert list(one.values()) == pytest.approx(list(two.values()), rel=1e-5)
    assert resumed == {"3": two["3"]}
    momentum = [momentum_of(tmp_path / f"{name}.safetensors") for name in ("one", "two")]
    assert (momentum[1] - momentum[0]).norm() < 0.002 * momentum[0].norm()
    digests = {
        (tmp_path / f"{name}.json.{rank}").read_text()
        for name in ("two", "stopped")
        for rank in (0, 1)
    }
    assert len(digests) == 1  # both processes, also after they were stopped
