"""What a tab says of itself: who is in, what it holds, that it goes on from here."""

from datetime import datetime

ADA, BO, CY = "Ada Lovelace", "Bo Diddley", "Cy Twombly"


def test_a_script_learns_who_is_in_and_what_time_it_is(served):
    visitor = served.visit(ADA)
    told = visitor.get("/api/session").json()

    assert set(told) == {"csrf", "queue", "reader", "now", "seconds_left"}
    assert (told["csrf"], told["reader"]) == (visitor.csrf, ADA)
    assert datetime.fromisoformat(told["now"]) == served.clock()
    assert f'name="queue" content="{told["queue"]}"' in visitor.get("/").text
    assert told["queue"] != served.visit(BO).get("/api/session").json()["queue"]


def test_a_token_of_an_earlier_login_is_told_from_other_refusals(served):
    visitor = served.visit(ADA)
    stale = visitor.post("/api/readings", {"readings": []}, **{"X-CSRF-Token": "old"})
    foreign = visitor.post("/api/close-blind-round", {})

    assert (stale.status_code, foreign.status_code) == (403, 403)
    assert "x-stale-page" in stale.headers and "x-stale-page" not in foreign.headers


def test_a_page_of_one_reader_is_refused_in_the_login_of_another(served):
    ada, bo = served.visit(ADA), served.visit(BO)
    of_ada = {"X-Page-Of": ada.get("/api/session").json()["queue"]}
    (showing,) = bo.next(1, tab="own")
    asked = ("/api/next?tab=one", "/api/session", f"/api/picture/{showing}", "/api/recent")

    for address in asked:
        refused = bo.ask("GET", address, headers=of_ada)
        assert refused.status_code == 403 and "x-different-reader" in refused.headers
        assert "Another reader" in refused.json()["why"]
    posted = bo.post("/api/readings", {"readings": [served.act(showing)]}, **of_ada)
    assert "x-different-reader" in posted.headers
    assert bo.get("/api/session").json()["reader"] == BO
    assert ada.ask("GET", asked[0], headers=of_ada).status_code == 200


def test_a_closed_tab_leaves_its_images_and_keeps_what_it_has_not_sent(served):
    visitor = served.visit(ADA)
    held = visitor.next(8, tab="one")
    answer = visitor.post("/api/hold", {"tab": "one", "held": held[:2], "only": True})

    assert answer.json() == {"lost": []}
    assert visitor.next(8, tab="two") == held[2:]


def test_what_a_tab_has_read_or_postponed_can_be_opened_in_another(served):
    visitor = served.visit(ADA)
    held = read, later, shown = visitor.next(3, tab="one")
    visitor.read(served.act(read), served.act(later, "postpone"))
    for showing in held:
        assert visitor.get(f"/api/reading/{showing}", tab="two").status_code == 200
    lost = {
        tab: visitor.post("/api/hold", {"tab": tab, "held": held}).json()["lost"]
        for tab in ("one", "two")
    }

    assert lost == {"one": [read, later], "two": [shown]}


def test_a_tab_that_is_heard_of_goes_on_holding(served):
    visitor = served.visit(ADA)
    held = visitor.next(8, tab="one")
    served.clock.move(seconds=100)
    visitor.post("/api/hold", {"tab": "one", "held": held})
    served.clock.move(seconds=100)

    assert visitor.next(8, tab="two") == []


def test_a_tab_is_told_what_another_has_taken_over(served):
    visitor = served.visit(ADA)
    held = visitor.next(4, tab="one")
    visitor.post("/api/take-over", {"tab": "two"})

    assert visitor.next(4, tab="two") == held
    assert visitor.post("/api/hold", {"tab": "one", "held": held}).json() == {"lost": held}
    answer = visitor.get("/api/next", tab="one", held=",".join(held)).json()
    assert answer["lost"] == sorted(held)
    assert not {item["showing"] for item in answer["items"]} & set(held)


def test_nobody_takes_over_from_another_reader(served):
    ada, bo = served.visit(ADA), served.visit(BO)
    held = ada.next(8, tab="one")
    bo.post("/api/take-over", {"tab": "two"})
    bo.post("/api/hold", {"tab": "one", "held": held, "only": True})

    assert ada.next(8, tab="two") == []


def test_a_conflict_that_one_looks_at_for_long_is_given_to_nobody_else(served):
    served.read_all(ADA, lambda path: {"label": "frontal"})
    served.read_all(BO, lambda path: {"label": "lateral" if "_3." in path else "frontal"})
    cy, bo = served.visit(CY), served.visit(BO)
    showing = cy.get("/api/conflict", tab="one").json()["item"]["showing"]
    for _ in range(3):
        served.clock.move(seconds=100)
        assert cy.post("/api/hold", {"tab": "one", "held": [showing]}).json() == {"lost": []}
        assert bo.get("/api/conflict", tab="one").json() == {"item": None, "left": 1}
    cy.post("/api/hold", {"tab": "one", "held": [], "only": True})

    assert bo.get("/api/conflict", tab="one").json()["item"] is not None


def test_what_is_no_tab_or_no_showing_is_refused(served):
    visitor = served.visit(ADA)
    for body in ({}, {"tab": "a/b"}, {"tab": "a", "held": ["x"]}, {"tab": "", "held": []}):
        assert visitor.post("/api/hold", body).status_code == 422
    unknown = {"tab": "a", "held": ["0" * 16], "only": True}
    assert visitor.post("/api/hold", unknown).json() == {"lost": []}
