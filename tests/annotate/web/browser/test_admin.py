"""The manager's page asks before it changes a reader, and neither haste nor a held key answers."""

from contextlib import closing

import pytest

from cxrview.terms import Role, StudyEvent

pytestmark = pytest.mark.slow

ENABLED = "main button:enabled"
"""The button that confirms: it is disabled for a moment after the page was loaded."""


@pytest.fixture
def managed(serve, browser, roles):
    """A study of two readers, and the page of its manager."""
    served = serve(4, {**roles, "Eva": frozenset({Role.MANAGER})})
    return served, served.enter(browser(), "Eva", "/admin")


def log_of(served):
    from cxrview.annotate.database.store import open_readings

    with closing(open_readings(str(served.where))) as store:
        return [(entry.what, entry.reader_id) for entry in store.log()]


def readers_of(served):
    from cxrview.annotate.database.store import open_readings

    with closing(open_readings(str(served.where))) as store:
        return [reader.name for reader in store.readers()]


def test_a_reader_is_retired_and_restored_by_keyboard_alone(managed):
    served, page = managed
    for name, button in (("Retire", "Retire"), ("Restore", "Restore")):
        page.get_by_role("link", name=f"{name}: Ann …").focus()
        page.keyboard.press("Enter")
        page.get_by_role("heading", name=f"{name} Ann?").wait_for()
        assert page.evaluate("document.activeElement.textContent") == "Cancel"
        page.locator(ENABLED).wait_for()
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.textContent") == button
        page.keyboard.press("Enter")
        page.wait_for_url(f"{served.address}/admin")

    assert log_of(served) == [(StudyEvent.READER_RETIRED, 1), (StudyEvent.READER_RESTORED, 1)]


@pytest.mark.parametrize("name", ["Retire", "Withdraw readings", "New link"])
def test_a_double_click_only_opens_the_question(managed, name):
    served, page = managed
    page.get_by_role("link", name=f"{name}: Ann …").dblclick()
    page.get_by_role("link", name="Cancel").click()
    page.wait_for_url(f"{served.address}/admin")

    assert log_of(served) == []
    assert page.get_by_role("link", name="Retire: Ann …").is_visible()


def test_a_held_enter_confirms_nothing(managed):
    served, page = managed
    page.get_by_role("link", name="Withdraw readings: Ann …").focus()
    page.keyboard.down("Enter")
    page.locator(ENABLED).focus()
    for _ in range(40):
        page.keyboard.down("Enter")
        page.wait_for_timeout(30)
    page.keyboard.up("Enter")

    assert log_of(served) == []
    assert page.get_by_role("heading", name="Withdraw the readings of Ann?").is_visible()


def test_a_question_is_not_confirmed_as_soon_as_it_is_shown(managed):
    served, page = managed
    page.get_by_role("link", name="Retire: Ann …").click()
    page.get_by_role("button", name="Retire").click(force=True)
    page.wait_for_timeout(200)

    assert log_of(served) == []


def test_a_double_click_on_the_answer_is_one_answer(managed):
    served, page = managed
    page.get_by_role("link", name="Retire: Ann …").click()
    page.get_by_role("button", name="Retire").dblclick()
    page.wait_for_url(f"{served.address}/admin")

    assert log_of(served) == [(StudyEvent.READER_RETIRED, 1)]
    assert page.get_by_role("alert").filter(visible=True).count() == 0


def test_a_double_click_adds_one_reader_and_shows_the_link(managed):
    served, page = managed
    page.get_by_label("Name").fill("Flo")
    page.get_by_role("button", name="Add a reader").dblclick()

    page.get_by_role("status").get_by_text("/enter#").wait_for()
    assert readers_of(served) == ["Ann", "Bo", "Eva", "Flo"]
