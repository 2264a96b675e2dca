"""Reading one by one: every key does what it says, and is written down as it was meant."""

import re
import secrets

import pytest

from cxrview.records.annotation import StudyImage
from cxrview.terms import Action, Method, ReadingRound
from fixtures.browsers import wait_for_text

pytestmark = pytest.mark.slow

NAMELESS = """
[...document.querySelectorAll("button, input:not([type=hidden]), textarea, a, dialog")]
  .filter((one) => !one.textContent.trim() && !one.ariaLabel && !one.ariaLabelledByElements)
  .map((one) => one.outerHTML)
"""


def test_a_key_for_each_picture_reads_the_study(serve, browser, hand):
    served = serve(12)
    page = served.enter(browser(), "Ann")
    keys = hand(page)
    said = {keys.press(key): key for key in "flflflflflff"}

    readings = served.wait_for_readings(12)
    assert len(said) == 12
    assert [one.label[0] for one in readings] == list(said.values())
    assert len({one.image_id for one in readings}) == 12
    for one in readings:
        assert (one.act, one.round, one.how) == (Action.LABEL, ReadingRound.BLIND, Method.SINGLE)
        assert one.shown is not None and one.shown <= one.made
        assert one.milliseconds == pytest.approx(
            (one.made - one.shown).total_seconds() * 1000, abs=3
        )
        assert one.display == {
            "window": 100, "level": 50, "invert": False, "zoom": 1, "rotation": 0,
        }  # fmt: skip
    wait_for_text(page, "#message", "You have read everything. Thank you.")
    wait_for_text(page, "#count", "12 of 12")


def test_undo_goes_back_to_that_picture_and_takes_the_reading_back(serve, browser, hand):
    served = serve(6)
    page = served.enter(browser(), "Ann")
    keys = hand(page)
    first, second = keys.press("f"), keys.press("f")
    keys.press("Backspace")
    assert keys.showing == second
    keys.press("u")
    assert keys.showing == first
    keys.press("l")

    written = served.wait_for_readings(5)
    assert [one.act for one in written] == [
        Action.LABEL, Action.LABEL, Action.UNDO, Action.UNDO, Action.LABEL,
    ]  # fmt: skip
    assert [one.undoes for one in written[2:4]] == [written[1].uid, written[0].uid]
    assert written[4].image_id == written[0].image_id
    wait_for_text(page, "#count", "1 of 6")


def test_what_was_read_before_a_reload_can_be_undone(serve, browser, hand):
    served = serve(6)
    page = served.enter(browser(), "Ann")
    showing = hand(page).press("f")
    served.wait_for_readings(1)
    with page.expect_response(re.compile("/api/recent")):
        page.reload()
    keys = hand(page)
    keys.press("u")

    assert keys.showing == showing
    label, undo = served.wait_for_readings(2)
    assert undo.undoes == label.uid


def test_an_exclusion_has_a_reason_a_note_and_a_mark_are_kept(serve, browser, hand):
    served = serve(6)
    page = served.enter(browser(), "Ann")
    keys = hand(page)
    page.keyboard.press("n")
    page.keyboard.type("cut off at the top")
    page.keyboard.press("Enter")
    page.keyboard.press("m")
    page.keyboard.press("x")
    keys.press("2")
    page.keyboard.press("x")
    page.keyboard.press("Escape")
    keys.press("f")

    flag, exclusion, label = served.wait_for_readings(3)
    assert (flag.act, exclusion.act) == (Action.FLAG, Action.EXCLUDE)
    assert (exclusion.reason, exclusion.note) == ("not a chest radiograph", "cut off at the top")
    assert (label.act, label.note) == (Action.LABEL, "")


def test_what_is_postponed_comes_again_at_the_end(serve, browser, hand):
    served = serve(4)
    page = served.enter(browser(), "Ann")
    keys = hand(page)
    put_off = keys.press("p")
    others = [keys.press("f") for _ in range(3)]

    assert put_off not in others
    served.wait_for_readings(4)
    page.locator("#message").wait_for(state="hidden")
    assert keys.showing == put_off
    keys.press("l")
    assert len(served.wait_for_readings(4, Action.LABEL)) == 4


def test_a_labels_key_wins_and_its_act_moves_to_shift(serve, browser, hand):
    served = serve(6, choices="PA:p,AP:a,lateral:u,unclear:0")
    page = served.enter(browser(), "Ann")
    keys = hand(page)
    for key in ("p", "u", "0", "Shift+P", "Shift+U"):
        keys.press(key)

    written = served.wait_for_readings(5)
    assert [one.label for one in written[:3]] == ["PA", "lateral", "unclear"]
    assert [one.act for one in written[3:]] == [Action.POSTPONE, Action.UNDO]
    assert page.locator("[data-act=postpone] kbd").text_content() == "⇧P"


def test_a_key_that_is_held_down_labels_one_picture(serve, browser, hand):
    served = serve(6)
    page = served.enter(browser(), "Ann")
    hand(page)
    for _ in range(5):
        page.keyboard.down("f")
    page.keyboard.up("f")
    page.wait_for_timeout(300)

    assert len(served.wait_for_readings(1)) == 1


def test_how_the_picture_was_looked_at_is_written_down(serve, browser, hand):
    served = serve(6)
    page = served.enter(browser(), "Ann")
    keys = hand(page)
    page.mouse.move(600, 300)
    page.mouse.down()
    page.mouse.move(700, 350)
    page.mouse.up()
    for key in ("i", "r", "+", "ArrowLeft"):
        page.keyboard.press(key)
    page.mouse.wheel(0, -100)
    seen = page.locator("#shown-as").text_content()
    keys.press("f")
    keys.press("l")

    first, second = served.wait_for_readings(2)
    assert first.display == {
        "window": 120, "level": 60, "invert": True, "zoom": 1.44, "rotation": 90,
    }  # fmt: skip
    assert seen == "window 120 level 60 · inverted · × 1.4 · 90°"
    assert second.display["invert"] is False


def test_a_window_and_its_inversion_change_the_pixels_as_they_say(serve, browser, hand):
    """Grey v of 0 to 1 becomes (v - level) / window + 1/2, and 1 minus that when inverted."""
    served = serve(2)
    page = served.enter(browser(), "Ann")
    hand(page)
    plain = middle_of(page)
    page.keyboard.press("i")
    inverted = middle_of(page)

    assert 20 < plain < 235
    assert inverted == pytest.approx(255 - plain, abs=2)


def middle_of(page) -> float:
    """Grey in the middle of the canvas, as it is seen."""
    from io import BytesIO

    from PIL import Image

    page.wait_for_timeout(100)
    box = page.locator("#picture").bounding_box()
    clip = {
        "x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2,
        "width": 8, "height": 8,
    }  # fmt: skip
    seen = Image.open(BytesIO(page.screenshot(clip=clip))).convert("L")
    return sum(seen.tobytes()) / 64


def test_a_picture_that_cannot_be_drawn_can_only_be_excluded_or_put_off(serve, browser, phantoms):
    broken = StudyImage(image_id=secrets.token_hex(8), path="nowhere/at-all.dcm")
    served = serve(1, images=[broken])
    page = served.enter(browser(), "Ann")
    page.get_by_text("This image cannot be displayed").wait_for()
    page.get_by_text("tell the study's administrator").wait_for()
    page.keyboard.press("f")
    page.keyboard.press("x")
    page.keyboard.press("1")

    (exclusion,) = served.wait_for_readings(1)
    assert exclusion.reason == "uninterpretable"
    assert "nowhere" not in (page.content())


def test_buttons_do_what_keys_do_and_say_so_to_a_screen_reader(serve, browser, hand):
    served = serve(4)
    page = served.enter(browser(), "Ann")
    keys = hand(page)
    first = keys.showing
    page.get_by_role("button", name="lateral").click()
    page.get_by_role("status").get_by_text("lateral", exact=True).wait_for()
    while keys.showing == first:  # before it is painted, nobody has seen what is to be excluded
        page.wait_for_timeout(10)
    page.get_by_role("button", name="Exclude").click()
    page.get_by_role("dialog").get_by_role("button", name="duplicate").click()
    page.get_by_role("status").get_by_text("excluded: duplicate").wait_for()

    label, exclusion = served.wait_for_readings(2)
    assert (label.label, exclusion.reason) == ("lateral", "duplicate")
    assert page.evaluate(NAMELESS) == []
