"""What is blind is decided by the server's clock, and the round is closed by nobody unawares."""

import uuid
from datetime import timedelta

import pytest

ADA, BO, CY = "Ada Lovelace", "Bo Diddley", "Cy Twombly"


def close(served, name=CY, **said):
    return served.visit(name).post("/api/close-blind-round", said or None)


def close_even_so(served, **said):
    left = close(served).json()["left"]
    assert close(served, even_so=True, left=left, **said).status_code == 200


def test_with_readings_left_it_is_refused_and_names_nobody(served):
    ada = served.visit(ADA)
    ada.read(*map(served.act, ada.next(3)))

    answer = close(served)

    assert answer.status_code == 409
    assert answer.json()["left"] == 13
    assert answer.json()["readers"] == 2
    assert not any(name in answer.text for name in (ADA, BO))
    assert served.store.blind_round_closed() is None


@pytest.mark.parametrize(
    "said", [{"even_so": True}, {"left": 16}, {"even_so": True, "left": 15}, {"even_so": False}]
)
def test_only_what_was_shown_is_confirmed(served, said):
    assert close(served, **said).status_code == 409
    assert served.store.blind_round_closed() is None


def test_what_was_read_meanwhile_asks_again(served):
    left = close(served).json()["left"]
    ada = served.visit(ADA)
    ada.read(*map(served.act, ada.next(3)))

    again = close(served, even_so=True, left=left)

    assert (again.status_code, again.json()["left"]) == (409, left - 3)
    assert close(served, even_so=True, left=left - 3).json() == {"closed": True}


def test_with_nothing_left_it_is_closed_at_once(served):
    for name in (ADA, BO):
        served.read_all(name, lambda path: {"label": "frontal"})

    assert close(served).json() == {"closed": True}


def test_what_the_closing_left_unread_is_in_the_log(served):
    close_even_so(served, late_minutes=5)

    (entry,) = served.store.log()
    assert dict(entry.facts) == {"late_seconds": 300, "left": 16}


def waiting(served, **said):
    """A reading that waits in Ada's browser when the round is closed."""
    ada = served.visit(ADA)
    act = served.act(ada.next(1)[0], **said)
    served.clock.move(seconds=1)
    return ada, act


def test_what_waited_in_the_browser_is_taken_and_can_be_told_by_its_arrival(served):
    ada, act = waiting(served, skew_seconds=-600.5)
    close_even_so(served)
    served.clock.move(minutes=29)

    assert ada.read(act)["written"] == [act["uid"]]
    (reading,) = served.store.readings()
    assert reading.skew_seconds == -600.5
    assert reading.received > served.store.blind_round_closed() - timedelta(minutes=1)


def test_it_is_not_taken_for_ever(served):
    ada, act = waiting(served)
    close_even_so(served, late_minutes=10)
    served.clock.move(minutes=10, seconds=1)

    assert "more than 10 minutes after" in ada.read(act)["refused"][0]["why"]
    assert not list(served.store.readings())


def test_a_backdated_reading_is_not_blind_once_the_opinion_was_shown(served):
    """A reader and adjudicator, who has seen what the model says, sends one made before that."""
    for name in (ADA, BO):
        served.read_all(name, lambda path: {"label": "frontal"})
    bo = served.visit(BO)
    place_of = served.app.state.study_state.place_of
    own = bo.get("/api/recent").json()["items"]
    made = (served.clock() - timedelta(minutes=1)).isoformat()
    served.clock.move(seconds=1)
    close(served)
    item = bo.get("/api/second-look", tab="one").json()["item"]
    assert item["model_view"] == "lateral"
    revealed = place_of(served.readers[BO], item["showing"])[0]
    other = next(
        one["showing"] for one in own if place_of(served.readers[BO], one["showing"])[0] != revealed
    )

    said = bo.read(served.act(other, label="lateral") | {"made": made})

    assert "shown what the model" in said["refused"][0]["why"]
    assert served.store.readers_shown_opinion().keys() == {served.readers[BO].reader_id}


def test_nor_once_the_other_sides_were_shown(served):
    served.read_all(ADA, lambda path: {"label": "frontal"})
    served.read_all(BO, lambda path: {"label": "lateral"})
    bo = served.visit(BO)
    late = served.act(bo.get("/api/recent").json()["items"][0]["showing"])
    served.clock.move(seconds=1)
    close(served)
    assert bo.get("/api/conflict", tab="one").json()["item"]["sides"]

    assert "other readers" in bo.read(late)["refused"][0]["why"]


@pytest.mark.parametrize("act", ["label", "undo"])
def test_an_open_round_changes_no_reading_after_the_other_sides_were_shown(served, act):
    served.read_all(ADA, lambda path: {"label": "frontal"})
    served.read_all(BO, lambda path: {"label": "lateral"})
    bo = served.visit(BO)
    state = served.app.state.study_state
    shown = bo.get("/api/conflict", tab="one").json()["item"]["showing"]
    image = state.place_of(served.readers[BO], shown)[0]
    own = bo.get("/api/recent").json()["items"]
    of_image = {state.place_of(served.readers[BO], one["showing"])[0]: one for one in own}
    seen = of_image.pop(image)
    other = next(iter(of_image.values()))

    said = bo.read(
        *(
            served.act(one["showing"], act, undoes=one["uid"] if act == "undo" else "")
            for one in (seen, other)
        )
    )

    assert [one["why"] for one in said["refused"]] == [
        "you have seen what other readers say of this image"
    ]
    assert len(said["written"]) == 1


def test_a_clock_that_is_ahead_makes_nothing_tomorrow(served):
    ada = served.visit(ADA)
    act = served.act(ada.next(1)[0])
    act["made"] = (served.clock() + timedelta(days=1)).isoformat()

    ada.read(act)

    (reading,) = served.store.readings()
    assert reading.made == served.clock()


@pytest.mark.parametrize("skew", ["x", float("inf"), [1]])
def test_a_skew_that_is_no_number_is_refused(served, skew):
    import json

    ada = served.visit(ADA)
    act = served.act(ada.next(1)[0], skew_seconds=skew)
    body = json.dumps({"readings": [act]})
    headers = {"X-CSRF-Token": ada.csrf, "Content-Type": "application/json"}
    answer = ada.ask("POST", "/api/readings", content=body, headers=headers)

    assert "skew_seconds" in answer.json()["refused"][0]["why"]


def test_an_import_that_is_undone_while_it_is_served_is_seen(served):
    from cxrview.records.annotation import Reading
    from cxrview.terms import Action, Method, ReadingRound

    def imported(image):
        return Reading(
            uid=uuid.uuid4().hex,
            reader_id=served.readers[ADA].reader_id,
            image_id=image.image_id,
            round=ReadingRound.BLIND,
            act=Action.LABEL,
            label="lateral",
            how=Method.IMPORT,
            made=served.clock(),
        )

    ada = served.visit(ADA)
    own = served.act(ada.next(1)[0])
    ada.read(own)
    served.store.add_readings(map(imported, served.store.images()), imported_from="wrong.csv")
    served.clock.move(seconds=2)
    with_import = ada.get("/api/next", tab="one").json()["left"]

    served.store.undo_import(1)
    served.clock.move(seconds=2)

    assert with_import == 0
    assert ada.get("/api/next", tab="one").json()["left"] == 7
    assert [item["uid"] for item in ada.get("/api/recent").json()["items"]] == [own["uid"]]


def test_a_retired_readers_share_goes_to_the_others_while_it_is_served(make_served):
    served = make_served(images=30, readings_per_image=1)
    ada, bo = served.visit(ADA), served.visit(BO)
    mine = ada.next(99)
    ada.read(*map(served.act, mine[:2]))
    before = bo.get("/api/next", tab="one").json()["left"]

    served.store.retire_reader(served.readers[ADA].reader_id)
    served.clock.move(seconds=2)

    assert ada.get("/api/next", tab="one").status_code == 401
    assert (before, bo.get("/api/next", tab="one").json()["left"]) == (30 - len(mine), 28)
