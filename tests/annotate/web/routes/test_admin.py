"""The manager's page: who sees it, links that are shown once, and a closing that is spelt out."""

import csv
import re

import pytest

from cxrview.terms import Role

ADA, BO, CY, EVA = "Ada Lovelace", "Bo Diddley", "Cy Twombly", "Eva Hesse"
PAGES = (
    "/admin",
    "/admin/readers/1/retire",
    "/admin/export/labels.csv",
    "/admin/closing",
    "/admin/labels.csv",
    "/admin/readings.csv",
)
FORMS = ("/admin/readers", "/admin/readers/1/link", "/admin/readers/1/retire", "/admin/closing")


def add_manager(served, name=EVA, roles=(Role.MANAGER,)):
    served.readers[name], served.secrets[name] = served.store.add_reader(name, roles)
    served.clock.move(seconds=2)
    return served.visit(name)


@pytest.fixture
def eva(served):
    return add_manager(served)


@pytest.mark.parametrize("name", [ADA, BO, CY])
@pytest.mark.parametrize("address", PAGES)
def test_only_a_manager_sees_it(served, name, address):
    assert served.visit(name).get(address).status_code == 403


@pytest.mark.parametrize("address", FORMS)
def test_only_a_manager_changes_anything_and_only_by_his_own_pages(served, eva, address):
    form = {"name": "x", "left": "16"}

    for name in (ADA, BO, CY):
        visitor = served.visit(name)
        assert visitor.send(address, csrf=visitor.csrf, **form).status_code == 403
    for csrf in ("", "guessed", served.visit(CY).csrf):
        assert eva.send(address, csrf=csrf, **form).status_code in (403, 422)
    answer = served.visit().send(address, csrf="x", **form)
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")
    assert served.store.log() == () and len(served.store.readers()) == 4


def test_it_shows_how_far_everybody_is(served, eva):
    ada = served.visit(ADA)
    ada.read(*map(served.act, ada.next(3)))

    page = eva.get("/admin").text

    row = re.search(r"<tr><th scope=\"row\">Ada Lovelace.*?</tr>", page, re.S)[0]
    assert re.findall(r'<td class="number"[^>]*>(\d+)</td>', row) == ["3", "5"]
    assert "<dt>awaiting</dt><dd>3</dd>" in page
    assert 'href="/admin/closing"' in page


def test_a_new_reader_gets_a_link_that_is_shown_once_and_lets_in(served, eva):
    page = eva.send("/admin/readers", csrf=eva.csrf, name="Flo", roles="reader").text

    secret = re.search(r"Flo: http://localhost:8765/enter#([\w.-]+)", page)[1]
    assert served.store.reader_by_link(secret).name == "Flo"
    assert secret not in eva.get("/admin").text
    refused = eva.send("/admin/readers", csrf=eva.csrf, name="flo", roles="reader")
    assert refused.status_code == 400 and "a reader Flo already exists" in refused.text


def test_a_new_link_ends_the_old_one(served, eva):
    number = served.readers[ADA].reader_id

    page = eva.send(f"/admin/readers/{number}/link", csrf=eva.csrf).text

    secret = re.search(r"enter#([\w.-]+)", page)[1]
    assert served.store.reader_by_link(secret).name == ADA
    assert served.store.reader_by_link(served.secrets[ADA]) is None


def test_a_reader_is_retired_withdrawn_and_restored(served, eva):
    number = served.readers[ADA].reader_id
    ada = served.visit(ADA)
    ada.read(*map(served.act, ada.next(3)))
    states = []
    for change in ("retire", "withdraw", "restore"):
        assert eva.send(f"/admin/readers/{number}/{change}", csrf=eva.csrf).status_code == 303
        one = served.store.readers()[0]
        states.append((one.is_retired, one.is_withdrawn, len(list(served.store.readings()))))

    assert states == [(True, False, 3), (True, True, 0), (False, False, 3)]
    assert eva.send(f"/admin/readers/{number}/restore", csrf=eva.csrf).status_code == 400
    assert eva.send(f"/admin/readers/{number}/delete", csrf=eva.csrf).status_code == 404
    assert eva.send("/admin/readers/99/retire", csrf=eva.csrf).status_code == 404


def words_of(page):
    """The visible words of a page."""
    return " ".join(re.sub(r"<[^>]+>", "", page).split())


def test_every_change_of_a_reader_is_a_page_that_asks_first(served, eva):
    number = served.readers[ADA].reader_id

    page = eva.get("/admin").text

    links = re.findall(rf'href="(/admin/readers/{number}/[a-z]+)"', page)
    assert [one.rpartition("/")[2] for one in links] == ["link", "retire", "withdraw"]
    assert re.findall(r'method="post" action="(/admin[^"]*)"', page) == ["/admin/readers"]
    for address in links:
        assert eva.get(address).status_code == 200
    assert served.store.log() == ()
    assert served.store.reader_by_link(served.secrets[ADA]) is not None


def test_a_change_says_how_many_readings_it_touches(served, eva):
    for name in (ADA, BO):
        visitor = served.visit(name)
        visitor.read(*map(served.act, visitor.next(5)))
    served.clock.move(seconds=2)
    number = served.readers[ADA].reader_id
    both = {reading.image_id for reading in served.store.readings() if reading.reader_id == number}
    both &= {reading.image_id for reading in served.store.readings() if reading.reader_id != number}

    retire = words_of(eva.get(f"/admin/readers/{number}/retire").text)
    withdraw = words_of(eva.get(f"/admin/readers/{number}/withdraw").text)
    eva.send(f"/admin/readers/{number}/withdraw", csrf=eva.csrf)
    restore = words_of(eva.get(f"/admin/readers/{number}/restore").text)

    assert "5 readings of Ada Lovelace count as before" in retire
    assert "3 readings left on Ada Lovelace’s list go to the other readers" in retire
    assert "5 readings of Ada Lovelace do not count any more" in withdraw
    assert re.search(rf"{len(both)} images? loses? (its|their) label", withdraw)
    assert "Only 1 reader is left, and an image needs 2" in withdraw
    assert "5 readings count again" in restore


def test_a_manager_who_reads_is_asked_before_an_export_that_reveals(served):
    both = add_manager(served, roles=(Role.MANAGER, Role.READER))
    served.read_all(EVA, lambda path: {"label": "frontal"})

    assert 'href="/admin/export/labels.csv"' in both.get("/admin").text
    asked = both.get("/admin/export/readings.csv").text

    assert 'action="/admin/readings.csv"' in asked and served.store.reveals() == ()
    assert both.get("/admin/readings.csv").status_code == 200
    (revealed,) = served.store.reveals()
    assert (revealed.image_id, revealed.images) == (None, 8)
    assert both.get("/admin/export/study.db").status_code == 422


def test_nobody_shuts_himself_out(served, eva):
    number = served.readers[EVA].reader_id

    for change in ("link", "retire", "withdraw"):
        assert eva.get(f"/admin/readers/{number}/{change}").status_code == 409
        answer = eva.send(f"/admin/readers/{number}/{change}", csrf=eva.csrf)
        assert answer.status_code == 409
    assert eva.get("/admin").status_code == 200


def test_the_closing_says_what_is_left_and_is_what_was_shown(served, eva):
    page = eva.get("/admin/closing").text
    assert "16 readings are left" in page and "leave 16 unread" in page
    assert "can never be opened again" in page
    ada = served.visit(ADA)
    ada.read(*map(served.act, ada.next(3)))

    refused = eva.send("/admin/closing", csrf=eva.csrf, left="16")

    assert refused.status_code == 409
    assert "It was not closed" in refused.text and "leave 13 unread" in refused.text
    assert served.store.blind_round_closed() is None
    assert eva.send("/admin/closing", csrf=eva.csrf, left="13").status_code == 303
    assert served.store.blind_round_closed() is not None
    assert "It is already closed" in eva.get("/admin/closing").text


def test_the_exports_are_those_of_the_shell(served, eva):
    for name in (ADA, BO):
        served.read_all(name, lambda path: {"label": "frontal"})

    labels, readings = (eva.get(f"/admin/{name}.csv") for name in ("labels", "readings"))

    assert len(list(csv.DictReader(labels.text.splitlines()))) == 8
    assert len(list(csv.DictReader(readings.text.splitlines()))) == 16
    assert "attachment" in labels.headers["content-disposition"]


def test_with_nothing_settled_there_is_nothing_to_export(served, eva):
    assert eva.get("/admin/labels.csv").status_code == 409


def test_a_manager_who_reads_sees_what_others_said_only_once_all_is_read(served):
    both = add_manager(served, roles=(Role.MANAGER, Role.READER))
    served.read_all(ADA, lambda path: {"label": "frontal"})

    assert both.get("/admin/readings.csv").status_code == 409
    assert "awaiting" not in both.get("/admin").text
    served.read_all(EVA, lambda path: {"label": "frontal"})

    assert both.get("/admin/readings.csv").status_code == 200


def test_a_manager_who_has_the_readings_of_others_reads_nothing_blind_after_that(served):
    both = add_manager(served, roles=(Role.MANAGER, Role.READER))
    late = served.act(both.next(1)[0])
    served.clock.move(seconds=1)
    left = both.post("/api/close-blind-round").json()["left"]
    both.post("/api/close-blind-round", {"even_so": True, "left": left})

    assert both.get("/admin/readings.csv").status_code == 200
    assert "other readers" in both.read(late)["refused"][0]["why"]
