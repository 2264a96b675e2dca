"""Who reads without a mouse, with a screen reader, at 200 % zoom or on a tablet."""

from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

PAGE_COUNT = 37
"""Of `visit_pages`: none is left out without a word."""
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@pytest.fixture(scope="module")
def axe() -> str:
    """The rules of axe-core, as its wheel brings them."""
    package = pytest.importorskip("axe_playwright_python", reason="needs axe-playwright-python")
    return (Path(package.__file__).parent / "axe.min.js").read_text()


def faults(page, axe):
    page.evaluate(axe)
    found = page.evaluate("tags => axe.run({ runOnly: tags })", TAGS)
    return [
        f"{one['id']}: {node['html'][:120]}" for one in found["violations"] for node in one["nodes"]
    ]


def test_axe_finds_nothing_on_any_page(visit_pages, axe):
    found = {}
    for name, page in visit_pages():
        found[name] = faults(page, axe)

    assert {where: what for where, what in found.items() if what} == {}
    assert len(found) == PAGE_COUNT


def test_axe_finds_nothing_in_dialogs(serve, browser, hand, roles, axe):
    served = serve(6, roles)
    page = served.enter(browser(), "Bo", "/grid")
    found = {}
    hand(page)
    for name, key in (("a marked grid", "f"), ("the preview", "Space")):
        page.keyboard.press(key)
        page.wait_for_timeout(300)
        found[name] = faults(page, axe)
    page.goto(f"{served.address}/read")
    hand(page)
    for name, key in (("the reasons", "x"), ("the note", "n"), ("the keys", "?")):
        page.keyboard.press(key)
        page.wait_for_timeout(100)
        found[name] = faults(page, axe)
        page.keyboard.press("Escape")
    page.goto(served.address)
    page.get_by_role("button", name="Close the blind round").click()
    found["the closing"] = faults(page, axe)

    assert {where: what for where, what in found.items() if what} == {}


def test_the_grid_is_read_by_keyboard_alone(serve, browser, hand):
    served = serve(6)
    page = served.enter(browser(), "Ann", "/grid")
    hand(page)
    focused = page.evaluate("document.activeElement.getAttribute('aria-activedescendant')")
    assert focused == "cell-0"
    for key in ("f", "ArrowRight", "l"):
        page.keyboard.press(key)
    name = page.locator("#cell-1").get_attribute("aria-label")
    assert name == "Image 2: lateral, exception"
    page.keyboard.press("Tab")
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")

    assert len(served.wait_for_readings(6)) == 6


def test_what_a_screen_reader_is_told(serve, browser, hand):
    served = serve(1)
    page = served.enter(browser(), "Ann")
    keys = hand(page)
    button = page.get_by_role("button", name="frontal", exact=True)
    assert button.get_attribute("aria-keyshortcuts") == "F"
    keys.press("f")

    page.get_by_role("status").get_by_text("You have read everything").wait_for()
    assert page.locator("[role=toolbar]").count() == 0


def test_enter_that_is_held_on_a_button_labels_one_image(serve, browser, hand):
    served = serve(12)
    page = served.enter(browser(), "Ann")
    hand(page)
    page.wait_for_load_state("networkidle")
    page.get_by_role("button", name="frontal").focus()
    for _ in range(6):
        page.keyboard.down("Enter")
        page.wait_for_timeout(100)
    page.keyboard.up("Enter")
    page.wait_for_timeout(500)

    assert len(served.wait_for_readings(1)) == 1
