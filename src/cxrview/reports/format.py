"""Formats counts, percentages, p values and durations, and fills in templates."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from cxrview.records.evaluation import Interval
from cxrview.wording import counted


def format_count(number: int, noun: str = "") -> str:
    """Format `1,885 images`; the noun is plural and loses its s after 1: `1 image`."""
    return counted(number, noun, form=",") if noun else f"{number:,}"


def format_sources(names: Iterable[str]) -> str:
    """Format `covid, open-i`; an empty name, of labels without sources, is `source not named`."""
    return ", ".join(name or "source not named" for name in names)


def format_pfi(pfi: float) -> str:
    """Format `99.93 %`; values are not rounded to 0 or 100: `> 99.99 %`.

    Args:
        pfi: probability in percent, 0 to 100.
    """
    if 99.99 < pfi < 100:
        return "> 99.99 %"
    if 0 < pfi < 0.01:
        return "< 0.01 %"
    return f"{pfi:.2f} %"


def format_p(p: float) -> str:
    """Format `p < 0.001`, or two significant digits: `p = 0.0062`."""
    if p < 0.001:
        return "p < 0.001"
    decimals = 4 if p < 0.01 else 3 if p < 0.1 else 2
    return f"p = {p:.{decimals}f}"


def format_share(share: float) -> str:
    """Format `99.73 %`; a share below 1 is never rounded to `100.00 %`.

    Args:
        share: such as an accuracy, 0 to 1.
    """
    return "> 99.99 %" if 0.99995 <= share < 1 else f"{100 * share:.2f} %"


def format_interval(interval: Interval) -> str:
    """Format `99.67–99.78 %`."""
    return f"{100 * interval.low:.2f}–{100 * interval.high:.2f} %"


def fill_template(
    package: str,
    name: str,
    context: Mapping[str, Any],
    *,
    is_html: bool,
    finalize: Callable[[object], object],
) -> str:
    """Fill in a template; a name without a value is an error.

    Args:
        package: with the folder `templates`, such as `cxrview.paper`.
        name: of a file in `templates/`.
        context: values by name.
        is_html: escape the values for HTML.
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
"""Shown for a missing value."""


def format_right(right: int, total: int) -> str:
    """Format `39,747 of 39,856`."""
    return f"{right:,} of {total:,}"


def format_points(share: float) -> str:
    """Format a difference of shares, -1 to 1, in percentage points: `+0.85`, `−1.20`, `0.00`."""
    words = f"{abs(100 * share):.2f}"
    if float(words) == 0:
        return words
    return ("−" if share < 0 else "+") + words


def format_cutoff(cutoff: float) -> str:
    """Format `99.6 %`, or `56.95 %` for a value halfway between two tenths."""
    return f"{cutoff:.2f} %" if round(cutoff * 100) % 10 else f"{cutoff:.1f} %"


def format_seconds(seconds: float) -> str:
    """Format a duration in its two largest units: `2 h 05 min`, `3 min 20 s`, `4.2 s`."""
    if round(seconds, 1) < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02} s"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes:02} min"
