"""Images per hour of the time that was spent at it, by hand from the times of each key."""

from datetime import UTC, datetime, timedelta

import pytest

from cxrview.annotate.agreement import ReadingRate, reading_rates
from cxrview.terms import Action, Method, ReadingRound

START = datetime(2017, 4, 1, 8, tzinfo=UTC)


@pytest.fixture
def at(say):
    """A reading of reader 1 at a second; each of another image unless it is named."""

    def make(second, said="frontal", image_id=None, **facts):
        made = START + timedelta(seconds=second)
        return say(1, image_id or f"{second}", said, made=made, **facts)

    return make


def test_one_key_every_two_seconds_is_1800_images_an_hour(at):
    readings = [at(2 * n, milliseconds=1500 + n) for n in range(5)]

    single = reading_rates(readings)[1].single

    # Four gaps of 2 s, and what the browser measured of the first.
    assert single.readings == 5
    assert single.active_seconds == pytest.approx(8 + 1.5)
    assert single.images_per_hour == pytest.approx(3600 * 5 / 9.5)
    assert single.median_milliseconds == 1502


def test_without_what_the_browser_measured_the_first_has_no_time(at):
    single = reading_rates([at(2 * n) for n in range(5)])[1].single

    assert (single.readings, single.images_per_hour) == (5, pytest.approx(1800))
    assert single.median_milliseconds is None


def test_a_pause_is_no_work_and_the_reading_after_it_takes_what_was_measured(at):
    readings = [at(0, milliseconds=4000), at(60, milliseconds=59_000), at(121, milliseconds=2000)]

    assert reading_rates(readings)[1].single.active_seconds == pytest.approx(4 + 60 + 2)


def test_a_picture_that_was_left_on_the_screen_over_lunch_has_no_time(at):
    single = reading_rates([at(0, milliseconds=1000), at(3600, milliseconds=3_600_000)])[1].single

    assert (single.active_seconds, single.images_per_hour) == (1, 3600)


def test_what_was_taken_back_took_time_but_is_no_image(at):
    wrong, right = at(2, "frontal", "a"), at(3, "lateral", "a")
    undo = at(2.5, Action.UNDO, "a", undoes=wrong.uid)

    single = reading_rates([at(0), wrong, undo, right])[1].single

    assert (single.readings, single.active_seconds) == (2, 3)
    assert single.images_per_hour == pytest.approx(1200)


def test_a_page_of_thumbnails_is_told_apart_with_its_shared_time(at):
    cells = [
        at(
            90,
            image_id=f"cell {n}",
            milliseconds=1500,
            how=Method.GRID_EXCEPTION if n == 3 else Method.GRID,
        )
        for n in range(60)
    ]

    found = reading_rates([at(0), *cells, at(92)])[1]

    assert found.grid == ReadingRate(
        readings=60, active_seconds=90, images_per_hour=2400, median_milliseconds=1500
    )
    assert (found.single.readings, found.single.active_seconds) == (2, 2)


def test_readings_count_in_order_of_time_whatever_order_they_came_in(at):
    readings = [at(2 * n) for n in range(5)]

    assert reading_rates(readings[::-1]) == reading_rates(readings)


def test_imports_and_other_rounds_have_no_pace(at):
    readings = [
        at(0, how=Method.IMPORT),
        at(2, round=ReadingRound.ADJUDICATION),
        at(4, Action.POSTPONE),
    ]

    assert reading_rates(readings) == {}
    assert reading_rates(readings, ReadingRound.ADJUDICATION)[1].single.readings == 1


def test_of_one_reading_nobody_knows_the_pace(at):
    assert reading_rates([at(0)])[1].single == ReadingRate(readings=1)
