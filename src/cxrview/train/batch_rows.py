"""The rows of a batch that one of several training processes computes."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchRows:
    """Every `count`-th row of a batch, from row `rank` on.

    Rows are dealt in turn and not in blocks: radiographs of a chest come first in a batch, and so
    each process gets some, and they come first among its rows, too.
    """

    rank: int
    """Number of the process, from 0."""
    count: int
    """Number of processes."""
    total: int
    """Rows of the complete batch."""

    @property
    def part(self) -> slice:
        """Selects the rows of this process from an array of the complete batch."""
        return slice(self.rank, None, self.count)

    def weight(self, own: int) -> float:
        """Weight of a mean over `own` rows of this process.

        With it the mean over the processes is the mean over all rows.
        """
        return own * self.count / self.total
