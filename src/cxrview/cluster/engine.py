"""What a run needs of a distributed engine; `RayEngine` is the only one, tests have another."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Protocol

from cxrview.cluster.ledger import FinishedBlock
from cxrview.cluster.worker import Died, Refused, WorkerSettings

Answer = FinishedBlock | Refused | Died
"""What became of a block that a worker was given."""


class Workers(Protocol):
    """The workers of a run.

    Attributes:
        unfit: why a machine is not used, by its address.
    """

    unfit: dict[str, Refused]

    @property
    def has_workers(self) -> bool:
        """Whether a worker is ready or being started."""

    def look(self) -> None:
        """Start workers on the machines that have none yet."""

    def submit(self, number: int) -> bool:
        """Give a block to a worker; False if all have enough."""

    def wait(self, seconds: float) -> list[tuple[int, Answer]]:
        """Return what became of blocks; an empty list after this time."""

    def close(self) -> None:
        """End all workers at once."""


class Engine(Protocol):
    """A connection to a cluster."""

    def workers(self, settings: WorkerSettings) -> Workers:
        """Return workers for a run, none of which is started yet."""

    def map(self, function: Callable[..., Any], calls: Iterable[tuple[Any, ...]]) -> Iterator[Any]:
        """Call a function on the cluster; yield its values as they come.

        Args:
            function: of a module that all machines have. A call whose machine is lost is repeated.
            calls: arguments, taken as earlier calls end.

        Raises:
            RunStopped: a machine was lost too often.
            CxrviewError: raised by a call.
        """

    def shuffle(
        self,
        deal: Callable[..., list[Any]],
        calls: Iterable[tuple[Any, ...]],
        meet: Callable[..., Any],
        buckets: int,
    ) -> list[Any]:
        """Deal values into buckets, and combine those of each bucket.

        Args:
            deal: returns one value for each bucket.
            calls: arguments of `deal`.
            meet: takes the values of one bucket as its arguments.
            buckets: number of buckets, at least 1.

        Returns:
            What `meet` returned for each bucket; nothing without calls. Errors as for `map`.
        """
