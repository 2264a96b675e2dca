"""How counts, percentages and p values are written in figures, the same everywhere."""

from collections.abc import Iterable

from cxrview.records import Interval
from cxrview.wording import counted


def write_count(number: int, noun: str = "") -> str:
    """`1,885 images`; a plural noun loses its s where there is one: `1 image`."""
    return counted(number, noun, form=",") if noun else f"{number:,}"


def write_sources(names: Iterable[str]) -> str:
    """`covid, open-i`; an empty name, of labels without that column, is `source not named`."""
    return ", ".join(name or "source not named" for name in names)


def write_pfi(pfi: float) -> str:
    """`99.93 %`; never rounded to the certainty that no network has: `> 99.99 %`.

    Args:
        pfi: or any probability in percent, 0 to 100.
    """
    if 99.99 < pfi < 100:
        return "> 99.99 %"
    if 0 < pfi < 0.01:
        return "< 0.01 %"
    return f"{pfi:.2f} %"


def write_p(p: float) -> str:
    """`p < 0.001`, or the figure: two digits that count, as in `p = 0.0062`."""
    if p < 0.001:
        return "p < 0.001"
    decimals = 4 if p < 0.01 else 3 if p < 0.1 else 2
    return f"p = {p:.{decimals}f}"


def write_share(share: float) -> str:
    """`99.73 %`; `100.00 %` only where nothing is missing.

    Args:
        share: such as an accuracy, 0 to 1.
    """
    return "> 99.99 %" if 0.99995 <= share < 1 else f"{100 * share:.2f} %"


def write_interval(interval: Interval) -> str:
    """`99.67–99.78 %`."""
    return f"{100 * interval.low:.2f}–{100 * interval.high:.2f} %"
