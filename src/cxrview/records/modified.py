"""Radiographs changed as an unusual acquisition would change them, and what came of it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cxrview.records.evaluation import Interval, TwoByTwo


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """A rectangle of a picture of any size, in percent of its rows and columns."""

    row: float
    """Of the upper edge, 0 at the top."""
    column: float
    """Of the left edge as the picture is seen, 0 at the left."""
    rows: float
    columns: float

    def __post_init__(self) -> None:
        for name, start, length in (
            ("rows", self.row, self.rows),
            ("columns", self.column, self.columns),
        ):
            # A pixel's share of a picture, added up, may miss 100 by a rounding.
            if not (start >= 0 and length > 0 and start + length <= 100 + 1e-9):
                raise ValueError(f"a box lies within its picture, 0 to 100 percent of its {name}")

    def slices(self, shape: tuple[int, ...]) -> tuple[slice, slice]:
        """Where it lies in a picture of that shape, to the nearest pixel.

        Raises:
            ValueError: there it is thinner than a pixel.
        """
        down = _slice(self.row, self.rows, shape[0])
        across = _slice(self.column, self.columns, shape[1])
        if down.start == down.stop or across.start == across.stop:
            raise ValueError("a box holds at least one pixel")
        return down, across


@dataclass(frozen=True, slots=True, kw_only=True)
class ModifiedImage:
    """One radiograph, changed, and what a classifier says of it: a picture of the paper's Fig 6."""

    modification: str
    """Such as `rotation`; `unmodified` for the radiograph as it was."""
    severity: str
    """Such as `10`; empty where unmodified."""
    title: str
    """For people, such as `rotated by 10°`."""
    pixels: NDArray[np.uint8]
    """Shape (side, side), uint8."""
    pfi: float
    """Percent, 0 to 100."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModifiedCount:
    """How many of the same images a classifier gets right under one modification."""

    modification: str
    severity: str
    table: TwoByTwo
    interval: Interval
    """Of the accuracy, Clopper-Pearson, 95 %."""
    frontal_interval: Interval | None
    """Of the share of frontal images called so; None where there are none."""
    lateral_interval: Interval | None
    lost: int
    """Images right as they were and wrong now."""
    gained: int
    """The reverse."""
    drawn_from: int
    """Images there would have been; more than `table.total` where only some were drawn."""

    def __post_init__(self) -> None:
        if self.drawn_from < self.table.total:
            raise ValueError(f"{self.table.total} images cannot come from {self.drawn_from}")

    @property
    def difference(self) -> float:
        """Accuracy minus that of the same images unmodified, -1 to 1."""
        return (self.gained - self.lost) / self.table.total


def _slice(start: float, length: float, pixels: int) -> slice:
    return slice(round(start / 100 * pixels), round((start + length) / 100 * pixels))
