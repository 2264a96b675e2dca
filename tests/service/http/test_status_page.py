import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from cxrview.service.http.job import Job
from cxrview.service.http.status_page import Status, draw_hours, render_status
from cxrview.service.records import Counts, DeadLetter, DestinationCounts, Form, HourCounts

NOW = 1_700_000_000.0
HOUR = 3600
HOURS = [
    HourCounts(start=(NOW // HOUR - 23 + n) * HOUR, received=n, stored=n // 2) for n in range(24)
]
COUNTS = Counts(
    received=1234,
    waiting=4,
    classified=1200,
    review=20,
    refused=7,
    failed=3,
    conflicting=1,
    undelivered=2,
    deliveries=1300,
    stored=1290,
    to_be_stored=8,
    dead=2,
    failures={"truncated": 2, "no_pixel_data": 1},
    destinations={
        "pacs": DestinationCounts(stored=1290, waiting=6),
        "archive": DestinationCounts(
            waiting=2, dead=2, failing_since=NOW - 3 * HOUR, reason="it does not answer <b>"
        ),
    },
)
STATUS = Status(
    counts=COUNTS,
    hours=HOURS,
    dead_letters=[
        DeadLetter(
            id=n, image_id=n, destination="archive", form=Form.SR, tries=20, reason="refused"
        )
        for n in range(60)
    ],
    jobs=[Job(id="j1", root="films", folder="secret", created=NOW, decisions={"review": 2})],
    answered={"classified": 5, "failed": 1},
    troubles=[],
    model="model-1",
    version="9.9",
    started=NOW - 90 * 60,
    now=NOW,
)


def text_of(page: str) -> str:
    """What a reader sees of a page."""
    seen: list[str] = []

    class Text(HTMLParser):
        def handle_data(self, data: str) -> None:
            seen.append(data)

    Text().feed(page)
    return re.sub(r"\s+", " ", " ".join(seen))


def test_the_page_shows_every_state_and_destination():
    text = text_of(render_status(STATUS))

    for expected in (
        "received 1,234 classified 1,200 review 20 refused 7 waiting 4 failed 3",
        "truncated The file ends before its pixels do. 2",
        "archive failing for 3 hours : it does not answer <b> 0 2 2",
        "pacs works 1,290 6 0",
        "1,300 deliveries = 1,290 stored + 8 to be stored + 2 given up",
        "cxrview serve retry CONFIG.toml",
        "And 10 more",
        "classified 5 failed 1",
        "j1 films queued 2",
        "up for 90 minutes",
        "Version 9.9, model model-1",
        "2023-11-14 22:13 UTC",
    ):
        assert expected in text, expected


def test_the_page_has_no_script_and_nothing_from_elsewhere():
    page = render_status(STATUS)

    assert "<script" not in page and "style=" not in page and "<style" not in page
    assert re.findall(r'(?:src|href)="(?![/#])', page) == []
    assert "<b>" not in page  # values are escaped
    assert "secret" not in page


def test_troubles_are_named_first():
    page = text_of(render_status(replace(STATUS, troubles=["The disk is full"])))

    assert page.index("Not ready") < page.index("The disk is full") < page.index("received")


def test_counts_that_do_not_add_up_are_named():
    page = text_of(render_status(replace(STATUS, counts=replace(COUNTS, received=1))))

    assert "do not add up" in page


def test_a_service_without_queue_shows_the_rest():
    page = text_of(render_status(replace(STATUS, counts=None, hours=(), dead_letters=())))

    assert "Destinations" not in page and "Batch jobs" in page and "Ready" in page


@pytest.mark.parametrize("most", [0, 1, 3, 7, 10, 999, 123_456])
def test_bars_are_as_high_as_their_counts(most):
    hours = [HourCounts(start=0, received=most), HourCounts(start=HOUR, received=most // 2)]

    chart = draw_hours(hours)

    numbers = [int(words.replace(",", "")) for _, words in chart.lines]
    heights = {bar.words: bar.height for bar in chart.bars}
    assert numbers[0] == 0 and numbers[-1] >= most
    full = chart.lines[0][0] - chart.lines[-1][0]
    if most:
        assert heights[f"00:00 UTC: {most:,} received"] == pytest.approx(
            max(1.5, full * most / numbers[-1]), abs=0.1
        )
    assert all(0 <= bar.x <= chart.width and bar.y >= 0 for bar in chart.bars)


def test_the_chart_is_described_for_those_who_do_not_see_it():
    words = draw_hours(HOURS).words

    assert words == "The last 24 hours: 276 received, 0 classified, 132 stored, 0 failed"
