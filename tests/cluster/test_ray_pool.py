"""Which workers a pool starts, and what it says of their blocks; Ray is replaced."""

import sys
from dataclasses import replace
from types import SimpleNamespace

import pytest

from cxrview.classify.options import ClassifyOptions
from cxrview.cluster.ray_pool import RayPool, divide_cores
from cxrview.cluster.worker import Died, Refused, WorkerSettings
from cxrview.terms import Device, Precision

SETTINGS = WorkerSettings(
    job="views.job",
    session="",
    model="fast",
    precision=Precision.FP32,
    device=Device.CPU,
    options=ClassifyOptions(),
    conditions={},
    named=(),
    folder="",
    watched=(),
)


class _RayError(Exception):
    pass


class _RayTaskError(_RayError):
    pass


class FakeRay:
    """One machine, whose actors answer what they are told.

    Args:
        cores: of the machine.
        answers: of the first block, then of the second, and so on; an exception is raised.
        gpus: of the machine.

    Attributes:
        started: cores and GPUs of each worker.
    """

    exceptions = SimpleNamespace(RayError=_RayError, RayTaskError=_RayTaskError)

    def __init__(self, cores, answers=(), gpus=0):
        self._cores, self._answers, self._gpus = cores, list(answers), gpus
        self.started = []

    def nodes(self):
        resources = {"CPU": float(self._cores)}
        if self._gpus:
            resources["GPU"] = float(self._gpus)
        return [
            {"NodeID": "1", "NodeManagerAddress": "a", "Alive": True, "Resources": resources},
        ]

    def remote(self, actor):
        return SimpleNamespace(options=self._options)

    def _options(self, *, num_cpus, num_gpus, **_):
        self.started.append((num_cpus, num_gpus))
        method = SimpleNamespace
        return SimpleNamespace(
            remote=lambda settings: SimpleNamespace(
                prepare=method(remote=lambda: "prepare"),
                classify_block=method(remote=lambda number: number),
            )
        )

    def wait(self, references, timeout):
        return references[:1], references[1:]

    def get(self, reference):
        answer = None if reference == "prepare" else self._answers[reference]
        if isinstance(answer, Exception):
            raise answer
        return answer

    def kill(self, actor):
        pass


@pytest.fixture(autouse=True)
def no_ray(monkeypatch):
    module = SimpleNamespace(NodeAffinitySchedulingStrategy=lambda *_, **__: None)
    monkeypatch.setitem(sys.modules, "ray.util.scheduling_strategies", module)


REFUSED = Refused(kind="InputUnavailable", reason="the disk is gone", advice="")


@pytest.mark.parametrize(
    ("answer", "expected"), [(REFUSED, REFUSED), (_RayError(), Died("_RayError"))]
)
def test_other_blocks_of_a_worker_have_the_answer_that_ended_it(answer, expected):
    pool = RayPool(FakeRay(1, [answer]), SETTINGS)
    pool.look()
    assert pool.wait(0) == []  # it is ready
    assert pool.submit(0)
    assert pool.submit(1)

    assert pool.wait(0) == [(0, expected), (1, expected)]
    assert not pool.has_workers


@pytest.mark.parametrize(
    ("cores", "each", "expected"),
    [
        (2, None, [2]),
        (8, None, [8]),
        (12, None, [6, 6]),
        (17, None, [6, 6, 5]),
        (64, None, [8] * 8),
        (0, None, []),
        (12, 4, [4, 4, 4]),
        (3, 4, [3]),
        (0, 4, []),
    ],
)
def test_all_cores_of_a_machine_are_divided_among_workers(cores, each, expected):
    assert divide_cores(cores, each) == expected


def test_a_machine_gets_workers_for_all_of_its_cores():
    ray = FakeRay(12)

    RayPool(ray, SETTINGS).look()

    assert ray.started == [(6, 0), (6, 0)]


@pytest.mark.parametrize(
    ("cores", "gpus", "expected"),
    [
        (16, 1, [(16, 1)]),
        (16, 4, [(4, 1)] * 4),
        (17, 2, [(8, 1), (8, 1)]),
        (2, 4, [(1, 1)] * 4),  # Ray starts as many of these as there are cores
        (16, 0, []),
    ],
)
def test_each_gpu_gets_a_worker_with_its_share_of_the_cores(cores, gpus, expected):
    ray = FakeRay(cores, gpus=gpus)

    RayPool(ray, replace(SETTINGS, device=Device.CUDA)).look()

    assert ray.started == expected


def test_processors_alone_classify_on_a_machine_with_gpus_too():
    ray = FakeRay(16, gpus=2)

    RayPool(ray, SETTINGS).look()

    assert ray.started == [(8, 0), (8, 0)]
