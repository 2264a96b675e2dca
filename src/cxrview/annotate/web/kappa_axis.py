"""Where a kappa, its interval and the numbers of its axis stand on the agreement page's drawing."""

import math
from dataclasses import dataclass

from cxrview.annotate.agreement import write_kappa
from cxrview.records.annotation import Kappa

LEFT, RIGHT = 10.0, 290.0
"""Ends of the axis in units of the drawing, which is 300 wide."""
_STEP = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class KappaAxis:
    """Places from LEFT to RIGHT, rounded to tenths, and the words of three figures."""

    ticks: tuple[tuple[float, str], ...]
    """Place and number, each 0.2; to 1, from 0 or from where all of the interval is on it."""
    start: str
    at: float
    """Of kappa."""
    low: float
    """Of the interval's ends."""
    high: float
    kappa: str
    interval: str


def kappa_axis(kappa: Kappa) -> KappaAxis | None:
    """Lay out the drawing of a kappa; None where it is not defined."""
    if kappa.kappa is None or kappa.low is None or kappa.high is None:
        return None
    # Rounded before: -0.2 is one step below 0, and no two for its last binary digit.
    below = max(0, math.ceil(round(-kappa.low / _STEP, 6)))
    start = -below * _STEP

    def place(value: float) -> float:
        return round(LEFT + (RIGHT - LEFT) * (value - start) / (1 - start), 1)

    numbers = [step * _STEP for step in range(-below, 6)]
    return KappaAxis(
        ticks=tuple((place(number), f"{round(number, 1) + 0.0:.1f}") for number in numbers),
        start=f"{start + 0.0:.1f}",
        at=place(kappa.kappa),
        low=place(kappa.low),
        high=place(kappa.high),
        kappa=write_kappa(kappa.kappa),
        interval=f"{write_kappa(kappa.low)} to {write_kappa(kappa.high)}",
    )
