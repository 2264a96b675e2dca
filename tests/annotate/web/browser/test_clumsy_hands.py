"""Double clicks, held keys, sign-outs and reloads in the wrong moment; what a refusal says."""

import re
import secrets
from datetime import UTC, datetime

import pytest

from cxrview.records.annotation import StudyImage
from cxrview.terms import Action, ReadingRound
from fixtures.browsers import wait_for_text

pytestmark = pytest.mark.slow


def test_no_double_click_and_no_held_key_closes_the_blind_round(serve, browser, hand, roles):
    served = serve(4, roles)
    page = served.enter(browser(), "Bo", "/")
    opener = page.get_by_role("button", name="Close the blind round")
    dialog = page.get_by_role("dialog")
    opener.dblclick()
    dialog.get_by_text("8 readings are still to be made, by 2 readers").wait_for()
    confirm = dialog.get_by_role("button", name="Close permanently")
    assert confirm.is_disabled()
    page.keyboard.press("Escape")
    opener.focus()
    for _ in range(20):
        page.keyboard.down("Enter")
    page.keyboard.up("Enter")
    page.keyboard.press("Escape")
    opener.click()
    assert dialog.get_by_role("button", name="Cancel").evaluate(
        "it => it === document.activeElement"
    )
    dialog.get_by_label("Close although 8 readings are missing").check()
    page.wait_for_timeout(700)
    assert closed(served) is None
    confirm.click()
    page.get_by_role("link", name="Second look").first.wait_for()
    assert closed(served) is not None


def closed(served):
    from contextlib import closing

    from cxrview.annotate.database.store import open_readings

    with closing(open_readings(str(served.where))) as store:
        return store.blind_round_closed()


def test_who_signs_out_past_readings_that_wait_is_asked(serve, browser, hand):
    served = serve(6)
    context = browser(intercepts=True)
    page = served.enter(context, "Ann")
    keys = hand(page)
    page.wait_for_load_state("networkidle")
    context.route("**/api/readings", lambda route: route.abort())
    keys.press("f")
    keys.press("l")
    # The second click comes while the readings are tried once more, before the dialog.
    page.get_by_role("button", name="Sign out").evaluate("b => { b.click(); b.click(); }")
    page.get_by_role("dialog").get_by_text("2 readings are not sent yet").wait_for()
    page.wait_for_timeout(300)
    assert page.locator("dialog[open]").count() == 1
    page.get_by_role("button", name="Stay signed in").click()
    context.unroute("**/api/readings")
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/sign-in")

    assert len(served.wait_for_readings(2)) == 2


def test_a_note_outlives_an_undo_a_reload_and_a_postponement(serve, browser, hand):
    served = serve(3)
    page = served.enter(browser(), "Ann")
    keys = hand(page)
    keys.press("f")
    write_note(page, "of the second")
    keys.press("u")
    keys.press("f")
    assert note_of(page) == "of the second"
    page.reload()
    keys = hand(page)
    assert note_of(page) == "of the second"
    keys.press("p")
    write_note(page, "of the third")
    keys.press("l")
    page.evaluate(
        "sessionStorage.removeItem(Object.keys(sessionStorage).find(k => /notes/.test(k)))"
    )
    with page.expect_response(re.compile("/api/recent")):
        page.reload()
    keys = hand(page)
    page.wait_for_timeout(200)
    assert note_of(page) == "of the second"
    keys.press("u")
    assert note_of(page) == "of the third"
    keys.press("f")
    keys.press("f")

    last = served.wait_for_readings(5, Action.LABEL)[-2:]
    assert [one.note for one in last] == ["of the third", "of the second"]


def write_note(page, words):
    page.keyboard.press("n")
    page.keyboard.type(words)
    page.keyboard.press("Enter")


def note_of(page):
    return page.locator("#noted").get_attribute("title")


def test_a_flag_is_known_after_a_reload(serve, browser, hand):
    served = serve(3)
    page = served.enter(browser(), "Ann")
    hand(page)
    page.keyboard.press("m")
    served.wait_for_readings(1)
    page.reload()
    hand(page)
    page.locator("#marked").wait_for()
    page.keyboard.press("m")

    assert [one.act for one in served.wait_for_readings(2)] == [Action.FLAG, Action.UNFLAG]


def test_keys_on_an_empty_page_say_why_nothing_happens(serve, browser, hand, roles):
    served = serve(2, roles)
    page = served.enter(browser(), "Bo", "/adjudicate")
    page.get_by_text("No conflicts left.").first.wait_for()
    for key in "xfn":
        page.keyboard.press(key)
        page.locator("#said.shown").get_by_text("No conflicts left.").wait_for()
        assert page.locator("dialog[open]").count() == 0
    assert page.locator("[data-label]").first.is_disabled()
    page.keyboard.press("u")
    page.locator("#said.shown").get_by_text("Nothing to undo").wait_for()


def test_an_undo_after_a_reload_shows_what_is_judged(
    serve, browser, hand, roles, phantoms, study_of
):
    from dataclasses import replace

    images = [replace(one, model_view="lateral", pfi=2.5) for one in study_of(phantoms)[:2]]
    served = serve(2, roles, images=images)
    for name, key in (("Ann", "f"), ("Bo", "l")):
        page = served.enter(browser(), name)
        keys = hand(page)
        if name == "Ann":
            write_note(page, "spine seen")
        keys.press(key)
        keys.press(key)
    served.wait_for_readings(4)
    page.goto(f"{served.address}/adjudicate")
    keys = hand(page)
    keys.press("f")
    keys.press("f")
    served.wait_for_readings(6)
    reload(page)
    keys = hand(page)
    keys.press("u")
    assert sorted(page.locator("#sides strong").all_text_contents()) == ["frontal", "lateral"]
    keys.press("f")
    served.wait_for_readings(8)

    close_blind_round(page, served)
    page.goto(f"{served.address}/second-look")
    keys = hand(page)
    keys.press("l")
    served.wait_for_readings(9)
    reload(page)
    keys = hand(page)
    keys.press("u")
    opinion = [page.locator(f"#{name}").text_content() for name in ("verdict", "model-view", "pfi")]
    assert opinion == ["frontal", "lateral", "2.5 %"]
    keys.press("k")

    last = served.wait_for_readings(11)[-1]
    assert (last.round, last.label) == (ReadingRound.SECOND_LOOK, "frontal")


def reload(page):
    with page.expect_response(re.compile("/api/recent")):
        page.reload()
    page.wait_for_timeout(300)


def close_blind_round(page, served):
    page.goto(served.address)
    page.get_by_role("button", name="Close the blind round").click()
    page.wait_for_timeout(700)
    page.get_by_role("dialog").get_by_role("button", name="Close permanently").click()
    page.get_by_role("link", name="Second look").first.wait_for()


def test_refused_readings_are_all_counted_and_the_page_stops(serve, browser, hand, roles):
    served = serve(12, roles)
    context = browser(intercepts=True)
    page = served.enter(context, "Ann")
    keys = hand(page)
    page.wait_for_load_state("networkidle")
    answers = []

    def refuse(route):
        uids = [one["uid"] for one in route.request.post_data_json["readings"]]
        answers.append(len(uids))
        route.fulfill(
            json={
                "written": [], "closed": len(answers) > 1, "left": 12, "done": 0, "all": 12,
                "refused": [{"uid": uid, "why": "the blind round was closed"} for uid in uids],
            }
        )  # fmt: skip

    context.route("**/api/readings", refuse)
    keys.press("f")
    page.get_by_role("alert").get_by_text("did not accept 1 of your readings").wait_for()
    keys.press("f")
    page.get_by_role("alert").get_by_text("did not accept 2 of your readings").wait_for()
    page.locator("#message").get_by_text("The blind round is closed").wait_for()
    page.keyboard.press("f")
    page.wait_for_timeout(300)

    assert sum(answers) == 2
    kept = page.evaluate("Object.keys(localStorage).filter(k => k.startsWith('cxrview-refused/'))")
    assert len(kept) == 2


def test_an_entry_that_cannot_be_read_holds_nothing_up(serve, browser, hand):
    served = serve(4)
    page = served.enter(browser(), "Ann")
    hand(page)
    page.evaluate("""() => {
      const queue = document.querySelector("meta[name=queue]").content;
      localStorage.setItem(`cxrview/${queue}/gone/1-0001`, "{half");
    }""")
    page.reload()
    keys = hand(page)
    keys.press("f")

    assert len(served.wait_for_readings(1)) == 1
    page.get_by_role("alert").get_by_text("cannot be read any more").wait_for()


def test_a_reading_is_opened_again_from_ones_own_list(serve, browser, hand):
    served = serve(4)
    page = served.enter(browser(), "Ann")
    keys = hand(page)
    page.keyboard.press("m")
    wrong = keys.press("l")
    keys.press("p")
    served.wait_for_readings(3)
    page.goto(f"{served.address}/")
    page.get_by_role("link", name="1 flagged for discussion").click()
    page.get_by_role("link", name=re.compile("^Open: lateral")).click()
    keys = hand(page)
    assert keys.showing == wrong
    wait_for_text(page, "#said-before", "your reading: lateral")
    assert page.url == f"{served.address}/read"
    keys.press("f")
    said = {one.image_id: one.label for one in served.wait_for_readings(2, Action.LABEL)}

    assert list(said.values()) == ["frontal"]
    page.goto(f"{served.address}/my-readings?show=postponed")
    assert page.get_by_role("link", name=re.compile("^Open: postponed")).count() == 1


def test_letters_are_no_keys_where_a_reader_has_switched_them_off(serve, browser, hand):
    served = serve(4)
    page = served.enter(browser(), "Ann", "/keys")
    page.get_by_label("Switch single letters and digits off").check()
    page.goto(f"{served.address}/read")
    hand(page)
    for key in ("f", "l", "Shift+F", "0", "ArrowLeft"):
        page.keyboard.press(key)
    page.get_by_role("button", name="lateral").click()

    (reading,) = served.wait_for_readings(1)
    assert reading.label == "lateral"


def test_digits_work_on_a_keyboard_that_writes_them_with_shift(serve, browser, hand):
    """AZERTY: the key of 2 gives é."""
    served = serve(2)
    page = served.enter(browser(), "Ann")
    hand(page)
    page.keyboard.press("x")
    page.evaluate("""() => document.querySelector("#exclude").dispatchEvent(
      new KeyboardEvent("keydown", { key: "é", code: "Digit2", bubbles: true }))""")

    (exclusion,) = served.wait_for_readings(1)
    assert exclusion.reason == "not a chest radiograph"


def test_the_automatic_window_is_asked_for_and_written_down(serve, browser, hand):
    served = serve(3)
    page = served.enter(browser(), "Ann")
    keys = hand(page)
    with page.expect_response(re.compile("window=auto")):
        page.keyboard.press("w")
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(300)
    keys.press("f")
    with page.expect_response(lambda answer: "/api/picture/" in answer.url):
        page.keyboard.press("w")
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(300)
    keys.press("f")

    auto, plain = served.wait_for_readings(2)
    assert auto.display["auto_window"] is True
    assert "auto_window" not in plain.display


def test_times_are_the_servers(serve, browser, hand):
    """A browser's clock is ten minutes slow."""
    from datetime import UTC, datetime, timedelta

    served = serve(2)
    context = browser()
    context.add_init_script("const now = Date.now; Date.now = () => now.call(Date) - 600_000;")
    page = served.enter(context, "Ann")
    hand(page).press("f")

    (reading,) = served.wait_for_readings(1)
    assert abs(reading.made - datetime.now(UTC)) < timedelta(seconds=60)
    assert reading.shown < reading.made


QUEUE_KEY = "document.querySelector('meta[name=queue]').content"


def test_a_page_that_fails_says_so(serve, browser):
    served = serve(2)
    context = browser()
    context.route("**/static/viewer.js", lambda route: route.fulfill(status=404))
    page = served.enter(context, "Ann")

    page.get_by_text("This page has a fault").wait_for()


def test_a_missing_file_is_warned_of_before_it_is_excluded(serve, browser):
    gone = StudyImage(image_id=secrets.token_hex(8), path="nowhere/at-all.dcm")
    served = serve(1, images=[gone])
    page = served.enter(browser(), "Ann")
    page.get_by_text("This image cannot be displayed").wait_for()
    page.keyboard.press("x")

    page.get_by_role("dialog").get_by_text("Do not exclude the image for that").wait_for()


def test_a_reader_is_warned_before_the_login_ends_until_it_is_renewed(serve, browser):
    served = serve(2, login_hours=0.2)
    context = browser()
    page = served.enter(context, "Ann")
    page.get_by_role("alert").get_by_text(re.compile("Your login ends in 1[12] minutes")).wait_for()
    assert page.get_by_role("link", name="Sign in again").is_visible()
    later = {"csrf": "x", "reader": "Ann", "now": datetime.now(UTC).isoformat()}
    later |= {"queue": page.evaluate(QUEUE_KEY), "seconds_left": 40_000}
    context.route("**/api/session", lambda route: route.fulfill(json=later))
    page.clock.install()
    page.reload()
    page.clock.run_for(31_000)

    page.locator("#banner").wait_for(state="hidden")


def test_with_hours_left_nothing_is_said_of_the_login(serve, browser, hand):
    served = serve(2)
    page = served.enter(browser(), "Ann")
    hand(page)

    assert page.locator("#banner").is_hidden()


def test_the_secret_of_a_link_stays_in_no_address(serve, browser):
    served = serve(2)
    page = browser().new_page()
    page.goto(f"{served.address}/enter#{served.links['Ann']}")
    page.locator("#enter:enabled").wait_for()

    assert page.url == f"{served.address}/enter"
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"{served.address}/")
    page.go_back()
    assert served.links["Ann"] not in page.url


def test_a_browser_that_keeps_nothing_asks_before_it_leaves_with_unsent_readings(
    serve, browser, hand
):
    served = serve(4)
    context = browser(intercepts=True)
    context.add_init_script("Storage.prototype.setItem = () => { throw new Error('full'); };")
    page = served.enter(context, "Ann")
    keys = hand(page)
    page.wait_for_load_state("networkidle")
    context.route("**/api/readings", lambda route: route.abort())
    page.mouse.click(600, 300)  # browsers ask nobody who has touched nothing
    keys.press("f")
    page.get_by_role("alert").get_by_text("kept in this tab only").wait_for()
    asked = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.dismiss()))
    page.close(run_before_unload=True)
    page.wait_for_timeout(1000)

    assert asked == ["beforeunload"]
