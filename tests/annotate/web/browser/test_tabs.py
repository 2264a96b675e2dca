"""Tabs that are closed, killed, duplicated and taken over; back and forward."""

import re
from contextlib import suppress

import pytest

from cxrview.terms import Role

pytestmark = pytest.mark.slow
ELSEWHERE = "open in another of your tabs"


def test_a_closed_grid_leaves_its_images_to_the_next_tab_at_once(serve, browser, hand):
    """All images of a small study lie in one grid."""
    served = serve(12)
    context = browser()
    page = served.enter(context, "Ann", "/grid")
    hand(page)
    assert page.locator(".cell").count() == 12
    page.close()
    other = context.new_page()
    other.goto(f"{served.address}/read")
    hand(other)

    assert other.locator("#message").is_hidden()
    assert other.evaluate("performance.now()") < 20_000


def test_a_killed_tab_leaves_its_images_to_the_next_one(serve, browser, hand):
    served = serve(12)
    context = browser()
    page = served.enter(context, "Ann", "/grid")
    hand(page)
    with page.expect_event("crash"), suppress(Exception):
        page.goto("chrome://crash", timeout=2000)
    other = context.new_page()
    other.goto(f"{served.address}/read")
    hand(other)

    assert other.locator("#message").is_hidden()


def test_what_another_computer_holds_is_taken_over_by_a_button(serve, browser, hand):
    served = serve(6)
    far = served.enter(browser(), "Ann", "/grid")
    hand(far)
    near = served.enter(browser(), "Ann", "/read")
    near.get_by_text(ELSEWHERE).wait_for()
    near.get_by_role("button", name="Continue here").click()
    keys = hand(near)
    near.locator("#message").wait_for(state="hidden")
    said = [keys.press("f") for _ in range(6)]

    assert len({one.image_id for one in served.wait_for_readings(6)}) == len(set(said)) == 6
    far.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    far.get_by_text("You have read everything").wait_for()


def test_a_duplicated_tab_shows_other_images(serve, browser, hand):
    served = serve(24)
    context = browser()
    page = served.enter(context, "Ann")
    one = hand(page)
    kept = page.evaluate("({...sessionStorage})")
    copy = context.new_page()
    copy.add_init_script(f"if (!sessionStorage.length) Object.assign(sessionStorage, {kept!r})")
    copy.goto(f"{served.address}/read")
    two = hand(copy)
    shown = [tab.press("f") for _ in range(5) for tab in (one, two)]

    assert len(set(shown)) == 10
    assert len({one.image_id for one in served.wait_for_readings(10)}) == 10


def test_back_and_forward_show_nothing_that_was_read_since(serve, browser, hand):
    served = serve(12)
    page = served.enter(browser(), "Ann")
    keys = hand(page)
    said = [keys.press("f") for _ in range(3)]
    served.wait_for_readings(3)
    page.goto(f"{served.address}/keys")
    page.go_back()
    page.wait_for_load_state("networkidle")  # a page from the browser's cache loads itself again
    said.append(hand(page).press("f"))
    served.wait_for_readings(4)
    page.go_forward()
    page.go_back()
    page.wait_for_load_state("networkidle")
    said.append(hand(page).press("f"))

    assert len(set(said)) == 5
    assert len({one.image_id for one in served.wait_for_readings(5)}) == 5


def test_a_tab_says_that_it_still_holds_its_images(serve, browser, hand):
    served = serve(4)
    context = browser()
    page = context.new_page()
    page.clock.install()
    page.goto(f"{served.address}/enter#{served.links['Ann']}")
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"{served.address}/")
    page.goto(f"{served.address}/read")
    page.clock.run_for(2000)
    page.locator("#message").wait_for(state="hidden")
    with page.expect_request("**/api/hold") as said:
        page.clock.run_for(46_000)

    assert len(said.value.post_data_json["held"]) == 4
    assert said.value.post_data_json["only"] is False


def test_an_empty_page_of_conflicts_asks_again(serve, browser, hand, roles):
    served = serve(2, roles)
    ann, bo = (served.enter(browser(), name) for name in roles)
    keys = hand(bo)
    keys.press("l")
    keys.press("l")
    served.wait_for_readings(2)
    bo.goto(f"{served.address}/adjudicate")
    bo.get_by_text("No conflicts left").wait_for()
    keys = hand(ann)
    keys.press("f")
    keys.press("f")
    served.wait_for_readings(4)

    bo.locator("#sides li").first.wait_for()


def test_four_readers_at_once_lose_and_double_nothing(serve, browser, hand):
    readers = dict.fromkeys(["Ann", "Bea", "Cid", "Dan"], frozenset({Role.READER}))
    served = serve(8, readers, readings_per_image=4)
    hands = {name: hand(served.enter(browser(), name)) for name in readers}
    for number in range(8):
        for keys in hands.values():
            if number == 4:
                keys.page.reload()
                keys.wait_for_picture()
            keys.press("fl"[number % 2])

    readings = served.wait_for_readings(32)
    assert len({(one.reader_id, one.image_id) for one in readings}) == 32


def test_a_request_that_the_page_was_left_with_is_given_up(serve, browser, hand):
    """Its answer would lease images to a closed tab."""
    served = serve(12)
    context = browser()
    page = served.enter(context, "Ann", "/")
    held = []
    context.route(re.compile("/api/next"), lambda route: held.append(route))
    page.goto(f"{served.address}/read")
    page.wait_for_timeout(500)
    with page.expect_event("requestfailed", lambda request: "/api/next" in request.url):
        page.goto(f"{served.address}/keys")

    assert held


def test_a_reading_is_opened_again_in_a_new_tab_while_its_own_is_open(serve, browser, hand):
    served = serve(6)
    context = browser()
    page = served.enter(context, "Ann")
    keys = hand(page)
    wrong = keys.press("l")
    served.wait_for_readings(1)
    other = context.new_page()
    other.goto(f"{served.address}/my-readings")
    other.get_by_role("link", name=re.compile("^Open: lateral")).click()
    again = hand(other)
    other.wait_for_load_state("networkidle")

    assert again.showing == wrong
    again.press("f")
    assert served.wait_for_readings(2)[-1].label == "frontal"
