"""Nothing lost, nothing doubled: offline, in two tabs, a server killed, a login ended."""

import pytest

from cxrview.terms import Action

pytestmark = pytest.mark.slow

WAITS = "not sent yet"


def test_offline_one_goes_on_reading_and_all_is_sent_later(serve, browser, hand):
    served = serve(20)
    context = browser()
    page = served.enter(context, "Ann")
    keys = hand(page)
    keys.press("f")
    served.wait_for_readings(1)
    page.wait_for_timeout(1000)

    context.set_offline(True)
    shown = [keys.press("l") for _ in range(4)]
    page.get_by_role("alert").get_by_text("4 readings are not sent yet").wait_for()
    assert len(served.readings()) == 1

    context.set_offline(False)
    page.get_by_role("alert").wait_for(state="hidden")
    while "Thank you" not in page.locator("#message").text_content():
        shown.append(keys.press("f"))

    readings = served.wait_for_readings(20)
    assert len({one.image_id for one in readings}) == 20
    assert len(set(shown)) == len(shown) == 19


def test_long_notes_written_offline_are_all_sent(serve, browser, hand):
    """A browser sends nothing at all of more than 64 KiB that is to outlive its page."""
    served = serve(4)
    context = browser()
    page = served.enter(context, "Ann")
    keys = hand(page)
    page.wait_for_timeout(300)
    context.set_offline(True)
    page.keyboard.press("n")
    page.locator("#note-text").fill("影" * 2000)
    page.keyboard.press("Enter")
    for _ in range(12):
        keys.press("f")
        keys.press("u")
    context.set_offline(False)

    assert sum(len(one.note) for one in served.wait_for_readings(24)) == 12 * 2000


def test_what_waits_outlives_the_tab_and_another_sends_it(serve, browser, hand):
    served = serve(8)
    context = browser()
    page = served.enter(context, "Ann")
    keys = hand(page)
    page.wait_for_timeout(300)
    context.set_offline(True)
    for _ in range(3):
        keys.press("f")
    page.close()
    context.set_offline(False)
    assert served.readings() == []

    other = context.new_page()
    other.goto(f"{served.address}/read")

    assert len({one.image_id for one in served.wait_for_readings(3)}) == 3
    other.locator("#count").get_by_text("3 of 8").wait_for()


def test_two_tabs_of_a_reader_never_show_the_same_picture(serve, browser, hand):
    served = serve(24)
    context = browser()
    tabs = [hand(served.enter(context, "Ann")), hand(served.enter(context, "Ann"))]
    shown = [tab.press("f") for _ in range(6) for tab in tabs]

    assert len(set(shown)) == 12
    assert len({one.image_id for one in served.wait_for_readings(12)}) == 12


def test_a_server_that_is_killed_while_one_reads_loses_nothing(serve, browser, hand):
    served = serve(16)
    page = served.enter(browser(), "Ann")
    keys = hand(page)
    for _ in range(3):
        keys.press("f")
    served.kill()
    for _ in range(3):
        keys.press("l")
    page.get_by_role("alert").get_by_text(WAITS).wait_for()
    served.start()
    page.get_by_role("alert").wait_for(state="hidden")
    for _ in range(2):
        keys.press("f")

    readings = served.wait_for_readings(8)
    assert len({one.image_id for one in readings}) == 8
    assert [one.label for one in readings] == ["frontal"] * 3 + ["lateral"] * 3 + ["frontal"] * 2


def test_a_login_that_ended_keeps_the_queue_until_one_is_in_again(serve, browser, hand):
    served = serve(12)
    context = browser()
    page = served.enter(context, "Ann")
    keys = hand(page)
    page.wait_for_timeout(300)
    context.clear_cookies()
    keys.press("f")
    keys.press("l")
    page.get_by_role("alert").get_by_text("You are signed out").wait_for()
    assert page.get_by_role("link", name="Sign in again").get_attribute("target") == "_blank"
    assert served.readings() == []

    served.enter(context, "Ann").close()
    page.bring_to_front()

    assert [one.label for one in served.wait_for_readings(2)] == ["frontal", "lateral"]
    page.get_by_role("alert").wait_for(state="hidden")


def test_a_page_left_open_takes_no_images_of_who_signs_in_next(serve, browser, hand, roles):
    served = serve(24, roles)
    context = browser()
    page = served.enter(context, "Ann")
    keys = hand(page)
    page.wait_for_load_state("networkidle")
    of_ann = [keys.showing]
    context.clear_cookies()
    bo = served.enter(context, "Bo", "/")
    page.bring_to_front()
    while not page.locator("#message").is_visible():
        page.keyboard.press("f")
        page.wait_for_timeout(200)
        of_ann.append(keys.showing)
    page.get_by_role("alert").get_by_text("Another reader has signed in").wait_for()
    assert page.get_by_role("link", name="Sign in again").is_visible()
    of_bo = {
        one["showing"]
        for one in bo.evaluate("fetch('/api/next?tab=x&count=60').then((it) => it.json())")["items"]
    }
    assert len(of_bo) == 24 and not of_bo & set(of_ann)

    context.clear_cookies()
    served.enter(context, "Ann", "/")
    page.get_by_role("alert").wait_for(state="hidden")
    page.locator("#message").wait_for(state="hidden")
    while "Thank you" not in page.locator("#message").text_content():
        keys.press("f")

    readings = served.wait_for_readings(24)
    assert {one.reader_id for one in readings} == {1}
    assert len({one.image_id for one in readings}) == 24


def test_nobody_sends_what_another_reader_left_behind(serve, browser, hand, roles):
    served = serve(12, roles)
    context = browser()
    page = served.enter(context, "Ann")
    keys = hand(page)
    page.wait_for_timeout(300)
    context.clear_cookies()
    keys.press("f")
    page.get_by_role("alert").get_by_text("1 reading is not sent yet").wait_for()
    others = served.enter(context, "Bo")
    hand(others).press("l")
    page.bring_to_front()
    page.get_by_role("alert").get_by_text("Another reader has signed in").wait_for()

    (reading,) = served.wait_for_readings(1)
    assert (reading.reader_id, reading.label) == (2, "lateral")
    assert served.readings(Action.UNDO) == []
