"""The image under zoom and the automatic window: it stays on the screen, and as sharp as it was."""

import io
import re

import pytest
from PIL import Image

from fixtures.browsers import wait_until

pytestmark = pytest.mark.slow

BRIGHT = """canvas => {
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  let sum = 0;
  for (let i = 0; i < data.length; i += 4) sum += data[i] > 40;
  return sum;
}"""


def bright_pixels(page):
    return page.locator("#picture").evaluate(BRIGHT)


@pytest.fixture
def holding(serve, browser, hand):
    """Open an image, then hold back requests whose address has some text."""

    def hold(text):
        context = browser(intercepts=True)
        page = serve(2).enter(context, "Ann")
        hand(page)
        page.wait_for_load_state("networkidle")
        held = []
        context.route(re.compile(text), lambda route: held.append(route))
        return page, held

    return hold


def test_an_image_can_be_zoomed_while_it_is_fetched_with_another_window(holding):
    page, held = holding("window=auto")
    page.keyboard.press("w")
    page.keyboard.press("+")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("-")

    assert bright_pixels(page) > 1000
    for route in held:
        route.continue_()
    page.wait_for_load_state("networkidle")
    page.keyboard.press("+")
    assert bright_pixels(page) > 1000
    assert page.locator("#fault").is_hidden()


def test_the_automatic_window_on_and_off_at_once_leaves_the_image(holding):
    page, _ = holding("/api/picture")
    page.keyboard.press("w")
    page.keyboard.press("w")
    page.keyboard.press("+")

    assert bright_pixels(page) > 1000
    assert page.locator("#fault").is_hidden()


def answer_with_large_images(context):
    """Answer as for radiographs of 3000 pixels, made smaller to the edge that was asked for."""

    def answer(route):
        asked = re.search("edge=(\\w+)", route.request.url)[1]
        edge = 3000 if asked == "full" else int(asked)
        file = io.BytesIO()
        Image.new("L", (edge, edge), 200).save(file, "PNG")
        route.fulfill(body=file.getvalue(), content_type="image/png")

    context.route("**/api/picture/**", answer)


def test_an_image_opened_in_a_small_window_is_sharp_in_a_larger_one(serve, browser, hand):
    served = serve(2)
    context = browser(intercepts=True, viewport={"width": 700, "height": 500})
    answer_with_large_images(context)
    page = served.enter(context, "Ann")
    hand(page)

    with page.expect_response(re.compile("edge=2048$")):
        page.set_viewport_size({"width": 1900, "height": 1900})
    wait_until(lambda: bright_pixels(page) > 1_500_000, lambda: bright_pixels(page))


def test_an_image_of_few_pixels_is_fetched_once_however_large_it_is_shown(serve, browser, hand):
    served = serve(1)
    page = served.enter(browser(), "Ann")
    hand(page)
    page.wait_for_load_state("networkidle")
    pictures = []
    page.on("request", lambda sent: "/api/picture" in sent.url and pictures.append(sent.url))
    for _ in range(11):
        page.keyboard.press("+")
    page.wait_for_timeout(600)

    assert pictures == []


def test_a_zoomed_image_is_as_sharp_in_the_other_window(serve, browser, hand):
    served = serve(2)
    context = browser(intercepts=True)
    answer_with_large_images(context)
    page = served.enter(context, "Ann")
    hand(page)
    with page.expect_response(re.compile("edge=full$")):
        for _ in range(11):
            page.keyboard.press("+")
    page.wait_for_timeout(300)

    with page.expect_response(re.compile("edge=full&window=auto$")):
        page.keyboard.press("w")
    page.wait_for_timeout(1000)
    assert bright_pixels(page) > 1000


def test_a_grid_shows_the_window_that_was_chosen_last(serve, browser, hand):
    """The first thumbnail, too, which the cache keeps in both windows."""
    served = serve(4)
    context = browser(intercepts=True)
    page = served.enter(context, "Ann", "/grid")
    hand(page)
    tiny = io.BytesIO()
    Image.new("L", (7, 7), 90).save(tiny, "PNG")
    context.route(
        re.compile("window=auto"),
        lambda route: route.fulfill(body=tiny.getvalue(), content_type="image/png"),
    )

    def widths():
        return page.locator(".cell canvas").evaluate_all("all => all.map((one) => one.width)")

    page.keyboard.press("w")
    wait_until(lambda: set(widths()) == {7}, widths)
    page.keyboard.press("w")
    wait_until(lambda: 7 not in widths(), widths)
