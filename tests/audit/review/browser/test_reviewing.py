"""A person accepts and rejects in Chromium, by keyboard."""

import json
import signal
from pathlib import Path

import pytest

from fixtures.browsers import wait_for_text, wait_until

pytestmark = pytest.mark.slow

TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
SIZES = [(1280, 720), (683, 384), (3840, 2160), (820, 1180), (390, 844), (320, 640)]


def count(page):
    return page.locator("#count").text_content()


def is_saved(page):
    return page.evaluate("!Object.keys(localStorage).some((one) => one.startsWith('cxrview/'))")


def test_a_person_decides_by_keys_and_finds_the_decisions_in_the_csv(serve, browser, hand):
    served = serve()
    page = served.open(browser())
    keys = hand(page)
    assert "token" not in page.url
    wait_for_text(page, "#header", "PA (frontal)")
    wait_for_text(page, "#proposed", "lateral")
    wait_for_text(page, "#pfi", "10.0 %")
    wait_for_text(page, "#path", str(served.table.with_name("0.dcm")))
    wait_for_text(page, "#accepted", "lateral")
    for key in ("a", "r", "x", "1", "4", "s", "Enter"):
        keys.press(key)
    keys.press("u")  # the last one, once more
    keys.press("r")
    keys.press("a")
    wait_until(
        lambda: is_saved(page) and count(page) == "7 of 8",
        lambda: f"{count(page)}, {page.locator('#message').text_content()!r}",
    )
    assert "1 that you skipped" in page.locator("#message").text_content()
    printed = served.end()

    assert "7 of 8 images decided" in printed
    assert served.decisions == [
        ("0.dcm", "accept"),
        ("1.dcm", "reject"),
        ("2.dcm", "unreadable"),
        ("3.dcm", "reject"),
        ("4.dcm", "accept"),
        ("6.dcm", "reject"),
        ("7.dcm", "accept"),
    ]


def test_a_killed_server_loses_nothing_and_the_page_continues(serve, browser, hand):
    """The next images are in the browser already, and decisions wait there."""
    served = serve()
    context = browser()
    asked: list[str] = []
    got: list[str] = []
    context.on("request", lambda one: "/picture/" in one.url and asked.append(one.url))
    context.on("requestfinished", lambda one: "/picture/" in one.url and got.append(one.url))
    page = served.open(context)
    keys = hand(page)
    keys.press("a")
    # They do not arrive in their order: the next one may still be on its way when others are there.
    wait_until(lambda: is_saved(page) and len(got) >= 4 and len(got) == len(asked))
    served.end(signal.SIGKILL)
    keys.press("r")
    keys.press("a")
    page.locator("#banner").wait_for(state="visible")
    assert "not saved yet" in page.locator("#banner").text_content()
    served.start()
    page.goto(served.address)
    wait_until(lambda: is_saved(page) and count(page) == "3 of 8")
    keys = hand(page)
    page.keyboard.press("u")
    wait_until(lambda: is_saved(page) and count(page) == "2 of 8")
    served.end(signal.SIGTERM)

    assert served.decisions == [("0.dcm", "accept"), ("1.dcm", "reject")]


def test_two_browsers_share_the_list(serve, browser, hand):
    served = serve()
    pages = [served.open(browser()) for _ in range(2)]
    first = hand(pages[0])
    pages[0].wait_for_function("performance.getEntriesByType('resource').length > 10")
    for _ in range(6):
        first.press("a")
    second = hand(pages[1])
    for _ in range(2):
        second.press("r")
    wait_until(lambda: is_saved(pages[0]) and is_saved(pages[1]))
    served.end()
    decided = served.decisions

    assert sorted(name for name, _ in decided) == [f"{n}.dcm" for n in range(8)]
    assert sum(decision == "reject" for _, decision in decided) == 2


def test_a_file_that_cannot_be_read_shows_why_and_can_be_skipped(serve, browser, hand, tmp_path):
    served = serve(3)
    (tmp_path / "0.dcm").unlink()
    page = served.open(browser())
    keys = hand(page)
    assert "cannot_open" in page.locator("#message").text_content()
    page.keyboard.press("a")
    assert "cannot be displayed" in page.locator("#said").text_content()
    keys.press("s")
    keys.press("a")
    keys.press("a")
    page.locator("#again:focus").wait_for()  # without a mouse
    page.keyboard.press("Enter")
    wait_until(lambda: "cannot_open" in page.locator("#message").text_content())
    keys.press("x")
    wait_until(lambda: is_saved(page) and count(page) == "3 of 3")
    served.end()

    assert served.decisions == [
        ("1.dcm", "accept"), ("2.dcm", "accept"), ("0.dcm", "unreadable")
    ]  # fmt: skip


def test_letters_can_be_switched_off_as_keys(serve, browser, hand):
    """Speech input writes letters that nobody means as keys (WCAG 2.1.4)."""
    served = serve(3)
    page = served.open(browser())
    hand(page)
    page.keyboard.press("?")
    with page.expect_navigation():
        page.get_by_label("Switch single letters and digits off").click()
    keys = hand(page)
    page.keyboard.press("a")
    page.keyboard.press("1")
    assert count(page) == "0 of 3" and page.locator("#last").text_content() == ""
    keys.press("Enter")
    wait_until(lambda: is_saved(page) and count(page) == "1 of 3")


def test_the_csv_is_downloaded(serve, browser, hand):
    served = serve(2)
    page = served.open(browser())
    hand(page).press("a")
    with page.expect_download() as started:
        page.get_by_role("button", name="Save decisions as CSV").click()
    content = Path(started.value.path()).read_text()
    log = served.table.with_suffix(".decisions.jsonl").read_text().splitlines()

    assert content == served.table.with_suffix(".decisions.csv").read_text()
    assert json.loads(log[-1])["act"] == "exported"


def test_the_page_is_accessible_and_fits_every_window(serve, browser, hand):
    package = pytest.importorskip("axe_playwright_python", reason="needs axe-playwright-python")
    axe = (Path(package.__file__).parent / "axe.min.js").read_text()
    served = serve(1, "--mask-border")
    page = served.open(browser())
    keys = hand(page)
    found = {}

    def check(state):
        page.evaluate(axe)
        violations = page.evaluate("tags => axe.run({ runOnly: tags })", TAGS)["violations"]
        found[state] = [f"{one['id']}: {one['nodes'][0]['html'][:120]}" for one in violations]

    for width, height in SIZES:
        page.set_viewport_size({"width": width, "height": height})
        assert not page.evaluate("document.documentElement.scrollWidth > innerWidth + 1"), width
        stage = page.locator(".stage").bounding_box()
        assert stage["height"] > 0.3 * height and stage["width"] > 0.5 * width, (width, height)
        accept = page.locator('[data-act="accept"]').bounding_box()
        assert accept["y"] + accept["height"] <= height and accept["height"] > 40
    check("image")
    page.keyboard.press("?")
    check("keys")
    page.keyboard.press("Escape")
    keys.press("s")
    check("skipped")
    page.context.clear_cookies()
    page.goto(served.address.split("?")[0])
    check("refused")

    assert found == {"image": [], "keys": [], "skipped": [], "refused": []}
