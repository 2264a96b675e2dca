"""How a page writes what figures have no need of; the rest stands in `show.figures.wording`."""

NONE = "–"
"""Where there is nothing to say."""


def write_right(right: int, total: int) -> str:
    """How many are right of how many: `39,747 of 39,856`."""
    return f"{right:,} of {total:,}"


def write_points(share: float) -> str:
    """A difference of shares, -1 to 1, in signed percentage points: `+0.85`, `−1.20`, `0.00`."""
    words = f"{abs(100 * share):.2f}"
    if float(words) == 0:
        return words
    return ("−" if share < 0 else "+") + words


def write_cutoff(cutoff: float) -> str:
    """`99.6 %`, or `56.95 %` where it is half-way between two steps of a tenth."""
    return f"{cutoff:.2f} %" if round(cutoff * 100) % 10 else f"{cutoff:.1f} %"


def write_seconds(seconds: float) -> str:
    """Wall time in its two largest units: `2 h 05 min`, `3 min 20 s`, `4.2 s`."""
    if round(seconds, 1) < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02} s"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes:02} min"
