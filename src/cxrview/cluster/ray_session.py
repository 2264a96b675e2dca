"""`connected`: connect to a Ray cluster, or start Ray on this machine."""

import os
import signal
import socket
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from cxrview.cluster.ray_pool import RayPool
from cxrview.cluster.worker import WorkerSettings
from cxrview.errors import RunStopped, UsageError
from cxrview.install_command import install_command
from cxrview.workers.cores import available_cores

LOCAL, AUTO = "local", "auto"
"""Cluster addresses: Ray on this machine for this run; the cluster that this machine belongs to."""
LOOPBACK = "127.0.0.1"
OBJECT_STORE_BYTES = 256 << 20
"""Of a local cluster: only digests of keys pass through it, and Ray spills what does not fit."""
_ERRORS_ONLY = 40
_TRIES = 4
_CONNECT_SECONDS = 10.0
_ENVIRONMENT = {
    "RAY_USAGE_STATS_ENABLED": "0",  # no reports to the publisher of Ray
    # Otherwise Ray warns that it hides GPUs from processes that reserve none.
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "RAY_agent_register_timeout_ms": "120000",  # a busy machine is slow to start Ray
}


@contextmanager
def connected(address: str, cores: int | None = None) -> Iterator["RayEngine"]:
    """Yield a connection to a cluster, for a `with` block.

    Args:
        address: `local`, `auto`, `ray://HOST:PORT` or `HOST:PORT`.
        cores: of a local cluster; None for all.

    Raises:
        UsageError: Ray is not installed, or no cluster answers there.
    """
    ray = import_ray()
    if ray.is_initialized():  # by the program that calls cxrview
        yield RayEngine(ray)
        return
    here = available_cores()
    how: dict[str, Any] = {"address": address}
    if address == LOCAL:
        # Without an address, Ray would listen on that of this machine in its network.
        how |= {
            "num_cpus": min(cores or here, here),
            "include_dashboard": False,
            "object_store_memory": OBJECT_STORE_BYTES,
            "_node_ip_address": LOOPBACK,
        }
    handler = signal.getsignal(signal.SIGTERM)
    try:
        _start(ray, log_to_driver=False, logging_level=_ERRORS_ONLY, **how)
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, handler)  # that of Ray ends the process without a message
    except Exception as error:  # Ray raises Exception itself, and many others
        ray.shutdown()
        raise UsageError(
            f"Ray cannot be started on this machine ({type(error).__name__})"
            if address == LOCAL
            else f"no Ray cluster can be used at {address} ({type(error).__name__})",
            "The machine may be too busy: try again, or leave out --cluster"
            if address == LOCAL
            else "Check the address, and that the cluster has the same versions of Ray and Python",
        ) from error
    try:
        yield RayEngine(ray)
    finally:
        ray.shutdown()


def _start(ray: Any, **how: Any) -> None:
    """Start or connect Ray. A head that accepts connections but is slow to answer, as one that is
    just starting, is asked again: Ray itself gives up after half a minute."""
    for _ in range(_TRIES - 1):
        try:
            ray.init(**how)
        except ConnectionError:
            if not _accepts_connections(how["address"]):
                raise
            ray.shutdown()
        else:
            return
    ray.init(**how)


def _accepts_connections(address: str) -> bool:
    """Whether something listens at `ray://HOST:PORT`."""
    place = urlsplit(address)
    if place.scheme != "ray" or not place.hostname or not place.port:
        return False
    try:
        socket.create_connection((place.hostname, place.port), timeout=_CONNECT_SECONDS).close()
    except OSError:
        return False
    return True


def import_ray() -> Any:
    """Import Ray, without reports of its usage.

    Raises:
        UsageError: it is not installed.
    """
    for name, value in _ENVIRONMENT.items():  # read when it is imported, and when it is started
        os.environ.setdefault(name, value)
    try:
        import ray
    except ImportError as error:
        raise UsageError(
            f"--cluster needs {error.name}, which is not installed",
            f"Install it with: {install_command('cluster')}",
        ) from error
    return ray


class RayEngine:
    """An `Engine`.

    Args:
        ray: the module, connected.
    """

    def __init__(self, ray: Any) -> None:
        self._ray = ray

    def workers(self, settings: WorkerSettings) -> RayPool:
        """See `Engine`."""
        return RayPool(self._ray, settings)

    def map(self, function: Callable[..., Any], calls: Iterable[tuple[Any, ...]]) -> Iterator[Any]:
        """See `Engine`; twice as many calls as cores run, or wait for a core."""
        at_once = 2 * max(1, int(self._ray.cluster_resources().get("CPU", 1)))
        task = self._ray.remote(function)
        running: list[Any] = []
        for call in calls:
            running.append(task.remote(*call))
            while len(running) >= at_once:
                done, running = self._ray.wait(running)
                yield from self._values(done)
        while running:
            done, running = self._ray.wait(running)
            yield from self._values(done)

    def shuffle(
        self,
        deal: Callable[..., list[Any]],
        calls: Iterable[tuple[Any, ...]],
        meet: Callable[..., Any],
        buckets: int,
    ) -> list[Any]:
        """See `Engine`; what is dealt stays in the object stores of the machines."""
        # A task of one value returns that value, and not a list of one.
        dealing = self._ray.remote(deal if buckets > 1 else _first_of(deal))
        dealt = [dealing.options(num_returns=buckets).remote(*call) for call in calls]
        by_call = dealt if buckets > 1 else [[one] for one in dealt]
        meeting = self._ray.remote(meet)
        return self._values([meeting.remote(*bucket) for bucket in zip(*by_call, strict=True)])

    def _values(self, references: list[Any]) -> list[Any]:
        try:
            values: list[Any] = self._ray.get(references)
        except self._ray.exceptions.RayTaskError as error:
            raise getattr(error, "cause", None) or error from error
        except self._ray.exceptions.RayError as error:
            raise RunStopped(
                f"the cluster could not finish a task ({type(error).__name__})",
                "Check its machines, and run the same command with --resume",
            ) from error
        return values


def _first_of(deal: Callable[..., list[Any]]) -> Callable[..., Any]:
    def first(*call: Any) -> Any:
        return deal(*call)[0]

    return first
