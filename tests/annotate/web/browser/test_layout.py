"""Every page fits windows of all sizes: nothing is cut off, covered, or too small for a finger."""

import re

import pytest

pytestmark = pytest.mark.slow

SIZES = {
    "laptop": (1366, 768),
    "small laptop": (1280, 720),
    "laptop at 200 % zoom": (683, 384),
    "4K screen": (3840, 2160),
    "tablet upright": (820, 1180),
    "tablet on its side": (1180, 820),
    "telephone": (390, 844),
    "as narrow as WCAG asks": (320, 640),
}
SMALL = """
[...document.querySelectorAll("button, a, input:not([type=hidden])")].filter((one) => {
  if (!one.checkVisibility() || one.className === "skip") return false;
  const { width, height } = (one.closest("label") ?? one).getBoundingClientRect();
  return height < 43.5 || (one.tagName === "BUTTON" && width < 43.5);
}).map((one) => `${one.outerHTML.slice(0, 90)} ${one.getBoundingClientRect().height}`)
"""
# Each is moved into sight as a finger would move it, and must then be what a click there hits.
COVERED = """() => {
const places = "main button, main a, main input, header a, header button";
return [...document.querySelectorAll(places)].filter((one) => {
  if (one.type === "hidden" || !one.checkVisibility()) return false;
  one.scrollIntoView({ block: "nearest", inline: "nearest" });
  const box = one.getClientRects()[0];
  return [box.left + 4, (box.left + box.right) / 2, box.right - 4].some((x) => {
    const hit = document.elementFromPoint(x, (box.top + box.bottom) / 2);
    return !hit || !(one.contains(hit) || one.closest("label")?.contains(hit));
  });
}).map((one) => one.outerHTML.slice(0, 110));
}"""
WIDE = "document.documentElement.scrollWidth > innerWidth + 1"


def test_every_page_fits_every_window(visit_pages):
    wrong = {}
    for name, page in visit_pages():
        for size, (width, height) in SIZES.items():
            page.set_viewport_size({"width": width, "height": height})
            page.wait_for_timeout(60)
            if page.evaluate(WIDE):
                wrong[name, size] = "scrolls sideways"
            if covered := page.evaluate(COVERED):
                wrong[name, size, "covered"] = covered
            page.evaluate("scrollTo(0, 0)")

    assert not wrong, "\n".join(f"{where}: {what}" for where, what in wrong.items())


def test_what_a_finger_touches_is_44_pixels_high(visit_pages):
    small = {name: page.evaluate(SMALL) for name, page in visit_pages(has_touch=True)}

    assert {where: what for where, what in small.items() if what} == {}


def test_the_image_takes_most_of_the_window(serve, browser, hand, roles):
    served = serve(2, roles)
    page = served.enter(browser(), "Bo")
    hand(page)
    wrong = []
    for size, (width, height) in SIZES.items():
        page.set_viewport_size({"width": width, "height": height})
        page.goto(f"{served.address}/read")
        hand(page)
        wrong += [(size, "read", what) for what in _faults_of_reading(page, width, height)]
        page.goto(f"{served.address}/grid")
        hand(page)
        wrong += [(size, "grid", what) for what in _faults_of_grid(page, width)]
        page.goto(f"{served.address}/adjudicate")
        page.locator("#message").get_by_text(re.compile("No conflicts")).wait_for()
        if page.locator(".stage").bounding_box()["height"] < 0.4 * height:
            wrong.append((size, "adjudicate", "small stage"))

    assert wrong == []


def _faults_of_reading(page, width, height):
    stage = page.locator(".stage").bounding_box()
    if stage["height"] < (0.6 if width > 320 else 0.5) * height:
        yield f"small stage {stage}"
    if not page.locator(".account span").is_visible():
        yield "no name of the reader"


def _faults_of_grid(page, width):
    cell = page.locator(".cell").first.bounding_box()
    if cell["height"] < 80 or cell["width"] < 80:
        yield f"small cell {cell}"
    confirm = page.locator("[data-act=confirm]").bounding_box()
    if confirm["x"] + confirm["width"] > width:
        yield f"button out of sight {confirm}"
