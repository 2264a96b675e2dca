"""The grid on bad networks and under clumsy hands: slow, failing and aborted answers, undo while a
page is on its way, signed out, offline, a reload in the middle.
"""

import re
import secrets
from collections import Counter

import pytest

from cxrview.records.annotation import StudyImage
from cxrview.terms import Action, Method

pytestmark = pytest.mark.slow
ELSEWHERE = "open in another of your tabs"


def grid(served, context, hand):
    page = served.enter(context, "Ann", "/grid")
    hand(page)
    return page


def cells(page):
    return page.locator(".cell").evaluate_all("cells => cells.map((one) => one.dataset.showing)")


def verdicts(page):
    return Counter(page.locator(".cell .verdict").all_text_contents())


def test_look_closer_never_shows_another_image(serve, browser, hand):
    served = serve(4)
    context = browser(intercepts=True)
    page = grid(served, context, hand)
    first, second = cells(page)[:2]
    page.keyboard.press("Space")
    page.locator(f"#preview canvas[data-showing='{first}']").wait_for()
    page.keyboard.press("Space")
    held = []
    context.route(re.compile("edge=1536"), lambda route: held.append(route))
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Space")
    page.locator("#preview").get_by_text("Loading the image").wait_for()
    page.wait_for_timeout(500)

    assert page.locator("#preview canvas").count() == 0

    held[0].continue_()
    page.locator(f"#preview canvas[data-showing='{second}']").wait_for()
    # A busy browser reports the end of the first preview as late as this.
    page.locator("#preview").evaluate("dialog => dialog.dispatchEvent(new Event('close'))")

    assert page.locator(f"#preview canvas[data-showing='{second}']").count() == 1


def test_look_closer_says_that_the_server_is_gone_and_tries_again(serve, browser, hand):
    served = serve(2)
    context = browser(intercepts=True)
    page = grid(served, context, hand)
    context.route(re.compile("edge=1536"), lambda route: route.abort())
    page.keyboard.press("Space")
    page.locator("#preview").get_by_text("The server cannot be reached").wait_for()
    context.unroute(re.compile("edge=1536"))

    page.locator("#preview canvas").wait_for()


def test_look_closer_tries_again_after_a_fault_of_the_server(serve, browser, hand):
    served = serve(2)
    context = browser(intercepts=True)
    page = grid(served, context, hand)
    context.route(re.compile("edge=1536"), lambda route: route.fulfill(status=500, body="{}"))
    page.keyboard.press("Space")
    page.locator("#preview").get_by_text("the server answered 500. Trying again").wait_for()
    context.unroute(re.compile("edge=1536"))

    page.locator("#preview canvas").wait_for()


def test_a_label_given_while_looking_closer_is_that_images(serve, browser, hand):
    served = serve(4)
    page = grid(served, browser(), hand)
    page.keyboard.press("f")
    page.locator(".cell").nth(2).click(button="right")
    page.locator("#preview canvas").wait_for()
    assert verdicts(page) == {"frontal": 4}
    page.keyboard.press("l")

    page.locator("#preview").wait_for(state="hidden")
    assert page.locator(".cell .verdict").all_text_contents()[2] == "lateral"


def test_a_long_press_looks_closer_and_changes_nothing(serve, browser, hand):
    served = serve(4)
    page = grid(served, browser(), hand)
    page.keyboard.press("f")
    page.locator(".cell").nth(1).click(delay=800)
    page.locator("#preview canvas").wait_for()

    assert verdicts(page) == {"frontal": 4}


def test_aborted_thumbnails_are_fetched_again(serve, browser, hand):
    served = serve(8)
    context = browser()
    aborted = []

    def abort_three(route):
        if len(aborted) < 3:
            aborted.append(route.request.url)
            route.abort()
        else:
            route.continue_()

    context.route(re.compile("edge=256"), abort_three)
    page = grid(served, context, hand)

    assert len(aborted) == 3
    assert page.locator(".cell canvas").count() == 8
    assert page.locator(".cell.unreadable").count() == 0


def test_a_failing_server_makes_no_image_unreadable(serve, browser, hand):
    served = serve(4)
    context = browser()
    answers = iter([401, 500, 503, 502])

    def fail(route):
        status = next(answers, None)
        if status:
            route.fulfill(status=status, json={"why": "no"})
        else:
            route.continue_()

    context.route(re.compile("edge=256"), fail)
    page = grid(served, context, hand)

    assert page.locator(".cell canvas").count() == 4


def test_slow_answers_show_no_image_twice(serve, browser, hand, small_pages, slow_down):
    served = serve(40)
    context = browser()
    small_pages(context)
    slow_down(context, "/api/grid", 1500)
    page = grid(served, context, hand)
    seen = []
    for _ in range(5):
        page.locator(".cell").first.wait_for()
        seen += cells(page)
        page.keyboard.press("f")
        page.locator("[data-act=confirm]:enabled").wait_for()
        page.keyboard.press("Enter")
    readings = served.wait_for_readings(40)

    assert len(set(seen)) == len(seen) == 40
    assert len({one.image_id for one in readings}) == 40
    page.get_by_text("You have read everything").wait_for()


@pytest.mark.parametrize("pause", [0, 600, 1800])
def test_an_undo_while_the_next_page_is_on_its_way_keeps_the_page(
    serve, browser, hand, small_pages, slow_down, pause
):
    served = serve(8)
    context = browser()
    small_pages(context)
    slow_down(context, "/api/grid", 1200)
    page = grid(served, context, hand)
    before = cells(page)
    for key in ("f", "ArrowRight", "l"):
        page.keyboard.press(key)
    page.locator("[data-act=confirm]:enabled").wait_for()
    page.keyboard.press("Enter")
    page.wait_for_timeout(pause)
    page.keyboard.press("u")
    page.wait_for_timeout(4000)

    assert cells(page) == before
    assert verdicts(page) == {"frontal": 7, "lateral": 1}
    assert page.locator("#message").is_hidden()


def test_an_undo_leaves_the_marks_of_the_page_that_lay_there(serve, browser, hand, small_pages):
    served = serve(16)
    context = browser()
    small_pages(context)
    page = grid(served, context, hand)
    first = cells(page)
    for key in ("f", "Enter"):
        page.keyboard.press(key)
        page.wait_for_timeout(200)
    page.locator(".cell canvas").nth(7).wait_for()
    second = cells(page)
    for key in ("l", "ArrowRight", "f", "u"):
        page.keyboard.press(key)
    assert cells(page) == first
    page.locator("[data-act=confirm]:enabled").wait_for()
    page.keyboard.press("Enter")

    assert cells(page) == second
    assert verdicts(page) == {"lateral": 7, "frontal": 1}


def test_a_button_of_the_page_keeps_the_exceptions(serve, browser, hand):
    served = serve(8)
    page = grid(served, browser(), hand)
    button = page.locator(".toolbar .choices").get_by_role
    button("button", name="frontal").click()
    for number in (1, 2, 5):
        page.locator(".cell").nth(number).click()
    button("button", name="lateral").click()
    assert verdicts(page) == {"lateral": 8}
    button("button", name="frontal").click()

    assert verdicts(page) == {"frontal": 5, "lateral": 3}


def test_a_key_corrects_the_pages_label_until_an_image_is_chosen(serve, browser, hand):
    served = serve(4)
    page = grid(served, browser(), hand)
    page.keyboard.press("f")
    page.keyboard.press("l")
    assert verdicts(page) == {"lateral": 4}
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("f")

    assert page.locator(".cell .verdict").all_text_contents() == ["frontal", *["lateral"] * 3]


def test_who_is_signed_out_is_told_and_goes_on_after_signing_in(serve, browser, hand):
    served = serve(8)
    context = browser()
    page = served.enter(context, "Ann", "/")
    page.goto(f"{served.address}/grid")
    hand(page)
    context.clear_cookies()
    page.keyboard.press("f")
    page.locator("[data-act=confirm]:enabled").wait_for()
    page.keyboard.press("Enter")
    alert = page.get_by_role("alert")
    alert.get_by_text("You are signed out. 8 readings are not sent yet").wait_for()
    assert page.get_by_role("link", name="Sign in again").get_attribute("href") == "/sign-in"

    served.enter(context, "Ann").close()
    page.bring_to_front()

    assert len({one.image_id for one in served.wait_for_readings(8)}) == 8


def test_who_opens_the_grid_signed_out_in_the_middle_is_told(serve, browser, hand, small_pages):
    served = serve(24)
    context = browser()
    small_pages(context)
    context.route("**/api/grid*", lambda route: route.fulfill(status=401, json={"why": "no"}))
    page = served.enter(context, "Ann", "/grid")

    page.get_by_role("alert").get_by_text("You are signed out.").wait_for()


def test_the_end_of_the_list_is_never_said_to_be_elsewhere(serve, browser, hand):
    served = serve(40)
    page = grid(served, browser(), hand)
    page.evaluate("""() => {
      window.told = [];
      new MutationObserver(() => window.told.push(document.querySelector("#message").textContent))
        .observe(document.querySelector("#message"), { childList: true, characterData: true });
    }""")
    page.keyboard.press("f")
    page.keyboard.press("Enter")
    served.wait_for_readings(40)
    page.get_by_text("You have read everything").wait_for()
    page.wait_for_timeout(3500)

    assert not [words for words in page.evaluate("window.told") if ELSEWHERE in words]


def test_a_confirmed_page_is_undone_after_a_reload_as_it_was(serve, browser, hand):
    served = serve(12)
    context = browser()
    page = grid(served, context, hand)
    for key in ("f", "ArrowRight", "l", "ArrowRight", "x", "2"):
        page.keyboard.press(key)
    page.keyboard.press("Enter")
    before = served.wait_for_readings(12)
    page.close()
    page = context.new_page()
    with page.expect_response(re.compile("/api/recent")):
        page.goto(f"{served.address}/grid")
    page.get_by_text("You have read everything").wait_for()
    page.wait_for_timeout(200)
    page.keyboard.press("u")
    page.locator(".cell canvas").nth(11).wait_for()

    assert verdicts(page) == {"frontal": 10, "lateral": 1, "not a chest radiograph": 1}
    undone = served.wait_for_readings(12, Action.UNDO)
    assert {one.undoes for one in undone} == {one.uid for one in before}


def test_marks_that_are_not_confirmed_outlive_a_reload(serve, browser, hand):
    served = serve(12)
    page = grid(served, browser(), hand)
    for key in ("f", "ArrowRight", "l"):
        page.keyboard.press(key)
    before = page.locator(".cell .verdict").all_text_contents()
    page.reload()
    hand(page)

    assert page.locator(".cell .verdict").all_text_contents() == before
    page.keyboard.press("Enter")
    readings = served.wait_for_readings(12)
    assert Counter(one.how for one in readings) == {Method.GRID: 11, Method.GRID_EXCEPTION: 1}


def test_a_page_on_which_nothing_can_be_displayed_is_not_confirmed_by_a_label(serve, browser, hand):
    gone = [StudyImage(image_id=secrets.token_hex(8), path=f"nowhere/{k}.dcm") for k in range(2)]
    served = serve(2, images=gone)
    page = grid(served, browser(), hand)
    page.keyboard.press("f")
    page.keyboard.press("Enter")
    page.locator("#said.shown").get_by_text("None of these images can be displayed").wait_for()

    assert cells(page)
    page.keyboard.press("u")
    page.locator("#said.shown").get_by_text("Nothing to undo").wait_for()
    assert served.readings() == []


def test_offline_pages_are_confirmed_and_all_is_sent_once(serve, browser, hand, small_pages):
    served = serve(24)
    context = browser()
    small_pages(context)
    page = grid(served, context, hand)
    page.wait_for_load_state("networkidle")
    context.set_offline(True)
    for _ in range(2):
        page.keyboard.press("f")
        page.locator("[data-act=confirm]:enabled").wait_for()
        page.keyboard.press("Enter")
    page.get_by_role("alert").get_by_text("16 readings are not sent yet").wait_for()
    assert served.readings() == []
    context.set_offline(False)
    page.locator(".cell canvas").nth(7).wait_for()
    page.keyboard.press("f")
    page.locator("[data-act=confirm]:enabled").wait_for()
    page.keyboard.press("Enter")

    assert len({one.image_id for one in served.wait_for_readings(24)}) == 24


def test_hints_are_seen(serve, browser, hand):
    served = serve(4)
    page = grid(served, browser(), hand)
    shown = page.locator("#said.shown")
    page.keyboard.press("u")
    shown.get_by_text("Nothing to undo").wait_for()
    page.locator(".cell").first.click()
    shown.get_by_text("Choose the default label for this page").wait_for()
    page.keyboard.press("f")
    page.keyboard.press("Enter")
    shown.get_by_text("4 recorded").wait_for()
    page.keyboard.press("Enter")
    shown.get_by_text("You have read everything").wait_for()
    page.keyboard.press("u")
    shown.get_by_text("Page undone").wait_for()


def test_the_automatic_window_is_asked_for_in_grid_and_preview(serve, browser, hand):
    served = serve(2)
    page = grid(served, browser(), hand)
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.keyboard.press("w")
    page.wait_for_load_state("networkidle")
    page.keyboard.press("Space")
    page.locator("#preview canvas").wait_for()

    pictures = [url.split("?")[1] for url in asked if "/api/picture/" in url]
    assert Counter(pictures) == {"edge=256&window=auto": 2, "edge=1536&window=auto": 1}
    assert page.locator("[data-act=autoWindow]").get_attribute("aria-pressed") == "true"


def test_the_automatic_window_is_written_down_with_readings_of_the_grid(serve, browser, hand):
    served = serve(2)
    page = grid(served, browser(), hand)
    with page.expect_response(re.compile("window=auto")):
        page.keyboard.press("w")
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(300)
    page.keyboard.press("f")
    page.keyboard.press("Enter")

    assert [one.display for one in served.wait_for_readings(2)] == [{"auto_window": True}] * 2
