"""The status page: what the service has done, for a person at a browser."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from cxrview.errors import UnreadableImage
from cxrview.reports.format import fill_template, format_count
from cxrview.service.http.job import Job
from cxrview.service.records import Counts, DeadLetter, HourCounts
from cxrview.wording import plural

STATIC = Path(__file__).parent / "static"
MOST_DEAD_LETTERS = 50
"""Dead letters that the page lists; the counts have all of them."""
MOST_JOBS = 10
_WIDTH, _HEIGHT, _TOP, _BOTTOM, _LEFT = 960, 220, 14, 26, 44
_SERIES = ("received", "classified", "stored", "failed")
_STEPS = (1, 2, 5)


class QueueStatus(Protocol):
    """What the page shows of the queue; `Store` has it."""

    def counts(self) -> Counts:
        """Count images and deliveries."""

    def hours(self, hours: int = 24) -> list[HourCounts]:
        """Count what happened in each of the last hours, the oldest first."""

    def dead_letters(self) -> list[DeadLetter]:
        """The deliveries that were given up, the oldest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """All that the page shows, of one moment."""

    counts: Counts | None
    """None if nothing is received; likewise `hours`."""
    hours: Sequence[HourCounts]
    dead_letters: Sequence[DeadLetter]
    jobs: Sequence[Job]
    answered: Mapping[str, int]
    """Files of POST /classify since the start, by decision, `failed` for failures."""
    troubles: Sequence[str]
    """Why the service is not ready; empty if it is."""
    model: str
    version: str
    started: float
    """Seconds since 1970; likewise `now`."""
    now: float


def render_status(status: Status) -> str:
    """Render the page as HTML without scripts."""
    context: dict[str, Any] = {
        "status": status,
        "counts": status.counts,
        "chart": draw_hours(status.hours),
        "failures": _failures(status.counts),
        "destinations": sorted(status.counts.destinations.items()) if status.counts else [],
        "dead_letters": status.dead_letters[:MOST_DEAD_LETTERS],
        "jobs": status.jobs[:MOST_JOBS],
        "number": format_count,
        "plural": plural,
        "moment": _moment,
        "since": lambda at: _duration(status.now - at),
    }
    return fill_template(
        "cxrview.service.http", "status.html", context, is_html=True, finalize=lambda value: value
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One bar of the chart, in units of its drawing."""

    kind: str
    x: float
    y: float
    width: float
    height: float
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """The last hours, drawn: bars, the lines behind them and the hours below."""

    width: int
    height: int
    left: int
    bars: Sequence[Bar]
    lines: Sequence[tuple[float, str]]
    """Height of each line, and its number."""
    hours: Sequence[tuple[float, str]]
    """Middle of some hours, and their names."""
    words: str
    """The chart for those who do not see it."""


def draw_hours(hours: Sequence[HourCounts]) -> Chart | None:
    """Lay out the chart of the last hours; None without hours."""
    if not hours:
        return None
    top = _rounded_up(max(getattr(one, name) for one in hours for name in _SERIES))
    room = _HEIGHT - _TOP - _BOTTOM
    step = (_WIDTH - _LEFT) / len(hours)
    width = 0.8 * step / len(_SERIES)
    bars, names = [], []
    for place, one in enumerate(hours):
        start = datetime.fromtimestamp(one.start, UTC)
        for number, kind in enumerate(_SERIES):
            if count := getattr(one, kind):
                height = max(1.5, room * count / top)
                bars.append(
                    Bar(
                        kind=kind,
                        x=round(_LEFT + place * step + 0.1 * step + number * width, 1),
                        y=round(_TOP + room - height, 1),
                        width=round(width, 1),
                        height=round(height, 1),
                        words=f"{start:%H}:00 UTC: {format_count(count)} {kind}",
                    )
                )
        if start.hour % 3 == 0:
            names.append((round(_LEFT + (place + 0.5) * step, 1), f"{start:%H}:00"))
    lines = [
        (round(_TOP + room - room * share, 1), format_count(round(top * share)))
        for share in ((0, 0.5, 1) if top % 2 == 0 else (0, 1))
    ]
    totals = ", ".join(
        f"{format_count(sum(getattr(one, kind) for one in hours))} {kind}" for kind in _SERIES
    )
    return Chart(
        width=_WIDTH,
        height=_HEIGHT,
        left=_LEFT,
        bars=bars,
        lines=lines,
        hours=names,
        words=f"The last {len(hours)} hours: {totals}",
    )


def _rounded_up(count: int) -> int:
    """The next of 1, 2, 5, 10, 20, 50 and so on."""
    size = 1
    while True:
        for step in _STEPS:
            if count <= step * size:
                return step * size
        size *= 10


def _failures(counts: Counts | None) -> list[tuple[str, str, int]]:
    """Code, words and number of failed images, the most frequent first."""
    if not counts:
        return []
    words = {
        one.code: (one.__doc__ or "").splitlines()[0] for one in UnreadableImage.__subclasses__()
    }
    most = sorted(counts.failures.items(), key=lambda item: (-item[1], item[0]))
    return [(code, words.get(code, ""), number) for code, number in most]


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M UTC")


def _duration(seconds: float) -> str:
    minutes = max(0, int(seconds)) // 60
    hours, days = minutes // 60, minutes // (60 * 24)
    if days >= 2:
        return plural(days, "day")
    return plural(hours, "hour") if hours >= 2 else plural(minutes, "minute")
