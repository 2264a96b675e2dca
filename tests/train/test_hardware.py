import pytest
import torch

from cxrview.errors import UsageError
from cxrview.train.hardware import MAX_WORKERS, find_device, find_hardware


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
