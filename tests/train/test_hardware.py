import pytest
import torch

from cxrview.errors import UsageError
from cxrview.train.distributed import Processes
from cxrview.train.hardware import MAX_WORKERS, find_device, find_hardware

FIFTH = Processes(rank=5, count=8, local_rank=1, local_count=4)


def test_find_device_takes_cpu():
    assert find_device("cpu") == "cpu"


@pytest.mark.parametrize("name", ["tpu", "", "cuda?"])
def test_find_device_refuses_unknown_device(monkeypatch, name):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)

    with pytest.raises(UsageError, match=f"device {name}".replace("?", r"\?")):
        find_device(name)


@pytest.mark.parametrize(("has_cuda", "device"), [(True, "cuda"), (False, "cpu")])
def test_find_device_chooses_gpu_by_itself(monkeypatch, has_cuda, device):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: has_cuda)

    assert find_device("auto") == device


def test_find_hardware_has_no_workers_beside_cpu():
    assert find_hardware("cpu", None).workers == 0


def test_find_hardware_has_workers_for_gpu(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)

    assert 1 <= find_hardware("cuda", None).workers <= MAX_WORKERS
    assert find_hardware("cuda", 3).workers == 3


@pytest.mark.parametrize(("gpus", "device"), [(4, "cuda:1"), (8, "cuda:1")])
def test_find_device_gives_each_process_a_gpu(monkeypatch, gpus, device):
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    monkeypatch.setattr("torch.cuda.device_count", lambda: gpus)

    assert find_device("auto", FIFTH) == device


def test_find_device_refuses_more_processes_than_gpus(monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    monkeypatch.setattr("torch.cuda.device_count", lambda: 3)

    with pytest.raises(UsageError, match=r"4 processes .* 3 GPUs"):
        find_device("cuda", FIFTH)
    assert find_device("cpu", FIFTH) == "cpu"
