"""Sign-in links that are opened one after another in the same tab."""

import pytest

pytestmark = pytest.mark.slow


def test_the_link_that_was_opened_last_signs_in(serve, browser, roles):
    """A browser loads no page again for an address that differs behind the # only."""
    served = serve(2, roles)
    page = browser().new_page()
    for name in ("Ann", "Bo"):
        page.goto(f"{served.address}/enter#{served.links[name]}")
        page.locator("#enter:enabled").wait_for()
        page.wait_for_timeout(200)
    assert page.url == f"{served.address}/enter"
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"{served.address}/")

    assert page.locator("form.account").get_by_text("Bo").is_visible()


def test_a_new_link_works_in_the_tab_of_one_that_was_refused(serve, browser):
    served = serve(2)
    page = browser().new_page()
    page.goto(f"{served.address}/enter#not-a-link")
    page.get_by_role("button", name="Sign in").click()
    page.get_by_text("This link is not valid").wait_for()
    page.goto(f"{served.address}/enter#{served.links['Ann']}")
    page.get_by_text("This link is not valid").wait_for(state="hidden")
    page.get_by_role("button", name="Sign in").click()

    page.wait_for_url(f"{served.address}/")
