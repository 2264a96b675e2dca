"""Sixty at once: one label for the page, exceptions by key and click, one reading for each cell."""

import secrets
from collections import Counter

import pytest

from cxrview.records.annotation import StudyImage
from cxrview.terms import Action, Method

pytestmark = pytest.mark.slow
# Between these keys the page gets no turn, so that no dialog can tell yet that it was closed.
PRESS_AT_ONCE = """async (keys) => {
  for (const key of keys) {
    const target = document.querySelector("dialog[open]") ?? document.body;
    target.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
    for (let i = 0; i < 10; i += 1) await null;
  }
}"""


def test_a_page_is_confirmed_with_its_exceptions(serve, browser, hand):
    served = serve(40)
    page = served.enter(browser(), "Ann", "/grid")
    hand(page)
    assert page.locator(".cell").count() == 40
    page.keyboard.press("Enter")
    page.keyboard.press("f")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("l")
    page.locator(".cell").nth(5).click()
    page.locator(".cell").nth(7).click()
    page.locator(".cell").nth(7).click()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("x")
    page.keyboard.press("1")
    page.get_by_text("37 frontal · 2 lateral · 1 excluded: uninterpretable").wait_for()
    page.keyboard.press("Enter")

    readings = served.wait_for_readings(40)
    assert len({one.image_id for one in readings}) == 40
    assert Counter((one.act, one.label or one.reason, one.how) for one in readings) == {
        (Action.LABEL, "frontal", Method.GRID): 37,
        (Action.LABEL, "lateral", Method.GRID_EXCEPTION): 2,
        (Action.EXCLUDE, "uninterpretable", Method.GRID_EXCEPTION): 1,
    }
    spent = (readings[0].made - readings[0].shown).total_seconds() * 1000
    assert [one.milliseconds for one in readings] == pytest.approx([spent / 40] * 40, abs=2)
    page.get_by_text("You have read everything").wait_for()


def test_a_page_of_exceptions_alone_needs_no_label_of_its_own(serve, browser, hand):
    """As one on which no picture can be drawn."""
    gone = [StudyImage(image_id=secrets.token_hex(8), path=f"nowhere/{k}.dcm") for k in range(2)]
    served = serve(2, images=gone)
    page = served.enter(browser(), "Ann", "/grid")
    hand(page)
    assert page.locator(".cell.unreadable").count() == 2
    for key in ("Enter", "x", "1", "ArrowRight", "x", "1", "Enter"):
        page.keyboard.press(key)

    readings = served.wait_for_readings(2)
    assert {(one.act, one.how) for one in readings} == {(Action.EXCLUDE, Method.GRID_EXCEPTION)}


def test_two_are_excluded_in_a_breath(serve, browser, hand):
    served = serve(2)
    page = served.enter(browser(), "Ann", "/grid")
    hand(page)
    assert page.locator(".cell").count() == 2
    page.evaluate(PRESS_AT_ONCE, ["x", "1", "ArrowRight", "x"])
    page.evaluate(PRESS_AT_ONCE, ["2", "Enter"])

    readings = served.wait_for_readings(2)
    assert {one.act for one in readings} == {Action.EXCLUDE}
    assert len({one.reason for one in readings}) == 2


def test_a_confirmed_page_is_taken_back_as_a_whole(serve, browser, hand):
    served = serve(40)
    page = served.enter(browser(), "Ann", "/grid")
    hand(page)
    assert page.locator(".cell").count() == 40
    for key in ("l", "ArrowDown", "f", "Enter"):
        page.keyboard.press(key)
    served.wait_for_readings(40)
    page.keyboard.press("u")
    page.get_by_text("39 lateral · 1 frontal").wait_for()

    undone = served.wait_for_readings(80)[40:]
    assert {one.act for one in undone} == {Action.UNDO}
    assert len({one.undoes for one in undone}) == 40
    page.locator("[data-act=confirm]:enabled").wait_for()
    page.keyboard.press("Enter")
    served.wait_for_readings(120)


def test_a_page_whose_images_another_tab_took_over_gets_no_others(
    serve, browser, hand, small_pages
):
    """One that slid in would be labelled with the page, perhaps without having been looked at."""
    served = serve(24)
    context = browser(intercepts=True)
    small_pages(context)
    page = served.enter(context, "Ann", "/grid")
    hand(page)
    page.wait_for_load_state("networkidle")
    showings = "all => all.map((one) => one.dataset.showing)"
    shown = page.locator(".cell").evaluate_all(showings)
    page.keyboard.press("f")

    def lose(lost, left):
        context.route("**/api/hold", lambda route: route.fulfill(json={"lost": lost}))
        page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
        page.locator(f".cell[data-showing='{lost[-1]}']").wait_for(state="detached")
        context.unroute("**/api/hold")
        assert page.locator(".cell").evaluate_all(showings)[: len(left)] == left

    lose([shown[3], shown[5]], [one for n, one in enumerate(shown) if n not in (3, 5)])
    assert page.locator(".cell").count() == 6
    lose([one for n, one in enumerate(shown) if n not in (3, 5)], [])
    page.locator(".cell canvas").nth(7).wait_for()
    page.locator("#tally").get_by_text("Choose the default label").wait_for()
