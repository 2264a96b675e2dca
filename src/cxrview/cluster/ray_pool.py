"""`RayPool`: the workers of a run, one Ray actor for some cores of each machine."""

import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from cxrview.cluster.engine import Answer
from cxrview.cluster.worker import BlockWorker, Died, Refused, WorkerSettings, with_cores
from cxrview.terms import Device

CORES_EACH = 8
"""Most cores of one worker, if the user says nothing: one process passes the outcomes of all its
decoders on."""
IN_FLIGHT = 2
"""Blocks that each worker has, so that it begins the next one while it ends the first."""
LOOK_SECONDS = 5.0
"""Time between two looks for machines that joined or were started again."""
MOST_DEATHS = 5
"""Times that workers of a machine may die without a finished block in between."""


@dataclass(eq=False, slots=True)
class _Worker:
    actor: Any
    node: str
    is_ready: bool = False
    numbers: dict[Any, int] = field(default_factory=dict)
    """Blocks that it has, by the reference of their outcome."""


class RayPool:
    """Workers on all machines of a cluster, those included that join later.

    Args:
        ray: from `connected`.
        settings: of the workers.

    Attributes:
        unfit: why workers of a machine are not used, by the address of the machine.
    """

    def __init__(self, ray: Any, settings: WorkerSettings) -> None:
        self._ray, self._settings = ray, settings
        self._workers: list[_Worker] = []
        self._starting: dict[Any, _Worker] = {}
        self._deaths: Counter[str] = Counter()
        self._unfit_nodes: set[str] = set()
        self._looked = float("-inf")
        self.unfit: dict[str, Refused] = {}
        self._addresses: dict[str, str] = {}

    @property
    def has_workers(self) -> bool:
        """Whether a worker is ready or being started."""
        return bool(self._workers)

    def look(self) -> None:
        """Start workers on the machines that have none yet, at intervals."""
        if time.monotonic() < self._looked + LOOK_SECONDS:
            return
        self._looked = time.monotonic()
        for node in self._ray.nodes():
            name = node["NodeID"]
            self._addresses[name] = node["NodeManagerAddress"]
            if not node["Alive"] or name in self._unfit_nodes or self._deaths[name] >= MOST_DEATHS:
                continue
            there = sum(worker.node == name for worker in self._workers)
            for cores in self._sizes(node["Resources"])[there:]:
                self._start(name, cores)

    def _sizes(self, resources: dict[str, float]) -> list[int]:
        """Return the cores of each worker of a machine."""
        cores = int(resources.get("CPU", 0))
        if self._settings.device is Device.CUDA:
            gpus = int(resources.get("GPU", 0))
            return [max(1, cores // gpus)] * gpus if gpus else []
        return divide_cores(cores, self._settings.options.workers)

    def _start(self, node: str, cores: int) -> None:
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        settings = replace(self._settings, options=with_cores(self._settings.options, cores))
        actor = (
            self._ray.remote(BlockWorker)
            .options(
                num_cpus=cores,
                num_gpus=int(settings.device is Device.CUDA),
                max_concurrency=IN_FLIGHT + 1,
                max_restarts=0,  # a new one is started, on the machines that there are then
                scheduling_strategy=NodeAffinitySchedulingStrategy(node, soft=False),
            )
            .remote(settings)
        )
        worker = _Worker(actor, node)
        self._workers.append(worker)
        self._starting[actor.prepare.remote()] = worker

    def submit(self, number: int) -> bool:
        """Give a block to the worker with the fewest; False if all have enough."""
        ready = [worker for worker in self._workers if worker.is_ready]
        worker = min(ready, key=lambda one: len(one.numbers), default=None)
        if worker is None or len(worker.numbers) >= IN_FLIGHT:
            return False
        worker.numbers[worker.actor.classify_block.remote(number)] = number
        return True

    def wait(self, seconds: float) -> list[tuple[int, Answer]]:
        """Wait until a worker answers; return what became of blocks, none after this time."""
        references = [*self._starting, *(one for worker in self._workers for one in worker.numbers)]
        if not references:
            time.sleep(seconds)
            return []
        done, _ = self._ray.wait(references, timeout=seconds)
        return [answer for reference in done for answer in self._answers(reference)]

    def _answers(self, reference: Any) -> Iterator[tuple[int, Answer]]:
        worker = self._starting.pop(reference, None)
        number = None
        if worker is None:
            worker = next((one for one in self._workers if reference in one.numbers), None)
            if worker is None:  # it was dropped with an earlier answer
                return
            number = worker.numbers.pop(reference)
        try:
            answer = self._ray.get(reference)
        except self._ray.exceptions.RayTaskError:  # an error in cxrview
            raise
        except self._ray.exceptions.RayError as error:
            self._deaths[worker.node] += 1
            answer = Died(type(error).__name__)
        if number is not None:
            yield number, answer
        if isinstance(answer, Refused):
            self.unfit[self._addresses[worker.node]] = answer
            self._unfit_nodes.add(worker.node)
        if isinstance(answer, Refused | Died):
            yield from self._drop(worker, answer)
        elif number is None:
            worker.is_ready = True
        else:
            self._deaths[worker.node] = 0

    def _drop(self, worker: _Worker, why: Refused | Died) -> Iterator[tuple[int, Answer]]:
        """End a worker; its other blocks are to be done by others."""
        self._workers.remove(worker)
        self._ray.kill(worker.actor)
        for number in worker.numbers.values():
            yield number, why

    def close(self) -> None:
        """End all workers at once."""
        for worker in self._workers:
            self._ray.kill(worker.actor)
        self._workers, self._starting = [], {}


def divide_cores(cores: int, each: int | None = None) -> list[int]:
    """Divide the cores of a machine among workers.

    Args:
        cores: of the machine, 0 or more.
        each: cores of one worker, or all of a smaller machine; None divides all cores evenly among
            as few workers as `CORES_EACH` allows.

    Returns:
        The cores of each worker, the largest first.
    """
    if each:
        each = min(each, cores)
        return [each] * (cores // each) if each else []
    count = -(-cores // CORES_EACH)
    return [cores // count + (number < cores % count) for number in range(count)]
