"""How counts, percentages and p values are written in figures, the same everywhere."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from cxrview.records import Interval
from cxrview.wording import counted


def format_count(number: int, noun: str = "") -> str:
    """`1,885 images`; a plural noun loses its s where there is one: `1 image`."""
    return counted(number, noun, form=",") if noun else f"{number:,}"


def format_sources(names: Iterable[str]) -> str:
    """`covid, open-i`; an empty name, of labels without that column, is `source not named`."""
    return ", ".join(name or "source not named" for name in names)


def format_pfi(pfi: float) -> str:
    """`99.93 %`; never rounded to the certainty that no network has: `> 99.99 %`.

    Args:
        pfi: or any probability in percent, 0 to 100.
    """
    if 99.99 < pfi < 100:
        return "> 99.99 %"
    if 0 < pfi < 0.01:
        return "< 0.01 %"
    return f"{pfi:.2f} %"


def format_p(p: float) -> str:
    """`p < 0.001`, or the figure: two digits that count, as in `p = 0.0062`."""
    if p < 0.001:
        return "p < 0.001"
    decimals = 4 if p < 0.01 else 3 if p < 0.1 else 2
    return f"p = {p:.{decimals}f}"


def format_share(share: float) -> str:
    """`99.73 %`; `100.00 %` only where nothing is missing.

    Args:
        share: such as an accuracy, 0 to 1.
    """
    return "> 99.99 %" if 0.99995 <= share < 1 else f"{100 * share:.2f} %"


def format_interval(interval: Interval) -> str:
    """`99.67–99.78 %`."""
    return f"{100 * interval.low:.2f}–{100 * interval.high:.2f} %"


def fill_template(
    package: str,
    name: str,
    context: Mapping[str, Any],
    *,
    is_html: bool,
    finalize: Callable[[object], object],
) -> str:
    """Fill in one template; a name that it asks for and does not get is an error.

    Args:
        package: whose folder `templates` holds the template, such as `cxrview.paper`.
        name: of a file in `templates/`.
        context: what it asks for, by name.
        is_html: turn what is filled in into HTML's entities.
        finalize: applied to each value first.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader(package),
        autoescape=is_html,
        finalize=finalize,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(name).render(context)


NONE = "–"
"""Where there is nothing to say."""


def format_right(right: int, total: int) -> str:
    """How many are right of how many: `39,747 of 39,856`."""
    return f"{right:,} of {total:,}"


def format_points(share: float) -> str:
    """A difference of shares, -1 to 1, in signed percentage points: `+0.85`, `−1.20`, `0.00`."""
    words = f"{abs(100 * share):.2f}"
    if float(words) == 0:
        return words
    return ("−" if share < 0 else "+") + words


def format_cutoff(cutoff: float) -> str:
    """`99.6 %`, or `56.95 %` where it is half-way between two steps of a tenth."""
    return f"{cutoff:.2f} %" if round(cutoff * 100) % 10 else f"{cutoff:.1f} %"


def format_seconds(seconds: float) -> str:
    """Wall time in its two largest units: `2 h 05 min`, `3 min 20 s`, `4.2 s`."""
    if round(seconds, 1) < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02} s"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes:02} min"
