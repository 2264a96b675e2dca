"""Conflicts, the end of the blind round and what comes after it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cxrview.annotate.web.state import StudyState
from cxrview.terms import LabelStatus, ReadingRound

ADA, BO, CY = "Ada Lovelace", "Bo Diddley", "Cy Twombly"


def say_all(label):
    return lambda path: {"label": label}


def differ_on(*numbers):
    """Lateral for these files, else frontal."""
    return lambda path: {"label": "lateral" if path[9:-4] in map(str, numbers) else "frontal"}


@pytest.fixture
def differing(served):
    """Both readers have read everything and differ about files 2 and 5."""
    served.read_all(ADA, say_all("frontal"))
    served.read_all(BO, differ_on(2, 5))
    return served


def close_even_so(visitor):
    """Close the blind round as the page does: ask, be told what is left, and confirm that."""
    left = visitor.post("/api/close-blind-round").json()["left"]
    assert visitor.post("/api/close-blind-round", {"even_so": True, "left": left}).json() == {
        "closed": True
    }


def settlements(served):
    return {one.how for one in served.app.state.study_state.label_statuses.all().values()}


def test_there_is_no_conflict_before_both_have_read(served):
    served.read_all(ADA, say_all("frontal"))

    assert served.visit(CY).get("/api/conflict", tab="one").json() == {"item": None, "left": 0}


def test_the_adjudicator_sees_both_sides_and_not_whose_they_are(differing):
    answer = differing.visit(CY).get("/api/conflict", tab="one")
    item = answer.json()["item"]

    assert answer.json()["left"] == 2
    assert set(item) == {"showing", "sides"}
    assert sorted(side["verdict"] for side in item["sides"]) == ["frontal", "lateral"]
    assert {frozenset(side) for side in item["sides"]} == {frozenset({"verdict", "note"})}


def test_the_order_of_the_sides_does_not_follow_the_readers(make_served):
    served = make_served(images=40)
    served.read_all(ADA, say_all("frontal"))
    served.read_all(BO, say_all("lateral"))
    cy, firsts = served.visit(CY), []
    while item := cy.get("/api/conflict", tab="one").json()["item"]:
        firsts.append(item["sides"][0]["verdict"])
        cy.read(served.act(item["showing"]))

    assert 8 < firsts.count("frontal") < 32
    assert len(firsts) == 40


def test_a_label_against_an_exclusion_is_a_conflict(served):
    served.read_all(ADA, say_all("frontal"))
    reason = {"act": "exclude", "reason": "uninterpretable", "note": "all white"}
    served.read_all(BO, lambda path: reason if "_3." in path else {"label": "frontal"})
    item = served.visit(CY).get("/api/conflict", tab="one").json()["item"]

    assert {"verdict": "excluded: uninterpretable", "note": "all white"} in item["sides"]


def test_what_the_adjudicator_says_settles_it(differing):
    cy = differing.visit(CY)
    for _ in range(2):
        item = cy.get("/api/conflict", tab="one").json()["item"]
        cy.read(differing.act(item["showing"], label="lateral"))

    assert cy.get("/api/conflict", tab="one").json() == {"item": None, "left": 0}
    assert settlements(differing) == {LabelStatus.AGREED, LabelStatus.ADJUDICATED}
    rounds = [reading.round for reading in differing.store.readings()]
    assert rounds.count(ReadingRound.ADJUDICATION) == 2


def test_an_undo_brings_the_conflict_back(differing):
    cy = differing.visit(CY)
    showing = cy.get("/api/conflict", tab="one").json()["item"]["showing"]
    act = differing.act(showing)
    cy.read(act)
    cy.read(differing.act(showing, "undo", undoes=act["uid"]))

    assert cy.get("/api/conflict", tab="one").json()["item"]["showing"] == showing
    assert cy.get(f"/api/picture/{showing}").status_code == 200


def test_two_adjudicators_at_once_settle_different_conflicts(differing):
    cy, bo = differing.visit(CY), differing.visit(BO)
    both = [who.get("/api/conflict", tab="one").json()["item"] for who in (cy, bo)]
    cy.read(differing.act(both[0]["showing"]))
    bo.read(differing.act(both[1]["showing"]))

    assert cy.get("/api/conflict", tab="one").json()["left"] == 0


def test_an_adjudicator_does_not_see_a_conflict_that_he_reads_blind_himself(make_served):
    """His hidden repeat of it is still to come."""
    served = make_served(images=4, repeat_share=1.0)
    served.read_all(ADA, say_all("frontal"))
    bo = served.visit(BO)
    first = bo.next(4)
    bo.read(*(served.act(one, label="lateral") for one in first))

    assert bo.get("/api/conflict", tab="one").json()["left"] == 0
    assert served.visit(CY).get("/api/conflict", tab="one").json()["left"] == 4

    served.read_all(BO, say_all("lateral"))

    assert bo.get("/api/conflict", tab="one").json()["left"] == 4


def test_the_picture_of_a_conflict_opens_to_adjudicators_only_while_it_is_one(served):
    state = served.app.state.study_state
    image_id = served.store.images()[0].image_id
    showing = state.showing_of(served.readers[CY], (image_id, ReadingRound.ADJUDICATION, 0))

    assert served.visit(CY).get(f"/api/picture/{showing}").status_code == 404


def test_nothing_of_the_model_before_the_blind_round_is_closed(differing):
    cy = differing.visit(CY)
    image_id = differing.store.images()[0].image_id
    state = differing.app.state.study_state
    early = state.showing_of(differing.readers[CY], (image_id, ReadingRound.SECOND_LOOK, 0))

    assert cy.get("/second-look").status_code == 409
    assert cy.get("/api/second-look", tab="one").status_code == 409
    assert "not closed" in cy.read(differing.act(early))["refused"][0]["why"]
    assert cy.get(f"/api/picture/{early}").status_code == 404

    cy.post("/api/close-blind-round")

    assert cy.get("/second-look").status_code == 200
    item = cy.get("/api/second-look", tab="one").json()["item"]
    assert (item["verdict"], item["model_view"], item["pfi"]) == ("frontal", "lateral", 13.579)


def test_a_second_look_is_written_down_as_one_and_done_with(differing):
    cy = differing.visit(CY)
    cy.post("/api/close-blind-round")
    left = cy.get("/api/second-look", tab="one").json()["left"]
    labels = ["frontal", "lateral"]
    for label in labels:
        item = cy.get("/api/second-look", tab="one").json()["item"]
        assert cy.get(f"/api/picture/{item['showing']}").status_code == 200
        cy.read(differing.act(item["showing"], label=label))

    assert cy.get("/api/second-look", tab="one").json()["left"] == left - 2
    assert LabelStatus.SECOND_LOOK in settlements(differing)


def test_after_the_closing_nothing_is_read_blind(served):
    ada = served.visit(ADA)
    waiting, late = ada.next(2)
    in_time = served.act(waiting)
    served.clock.move(seconds=10)
    close_even_so(served.visit(BO))
    served.clock.move(seconds=10)
    answer = ada.read(in_time, served.act(late))

    assert ada.next() == []
    assert answer["written"] == [in_time["uid"]]
    assert "closed" in answer["refused"][0]["why"]


def test_the_closing_by_the_shell_is_seen(served):
    ada = served.visit(ADA)
    served.store.close_blind_round(served.clock())
    served.clock.move(seconds=2)

    assert ada.next() == []


def test_it_closes_once(served):
    bo = served.visit(BO)
    close_even_so(bo)
    first = served.store.blind_round_closed()
    served.clock.move(hours=1)
    bo.post("/api/close-blind-round")

    assert served.store.blind_round_closed() == first


def test_agreement_between_readers_waits_until_one_has_read_all(served):
    served.read_all(ADA, say_all("frontal"))
    bo = served.visit(BO)
    bo.read(*(served.act(one, label="lateral") for one in bo.next(7)))

    assert "κ" not in bo.get("/agreement").text
    assert "<dt>" not in bo.get("/").text

    served.read_all(BO, say_all("lateral"))

    assert "κ" in bo.get("/agreement").text
    assert "<dt>conflict</dt><dd>8</dd>" in bo.get("/").text


def test_the_agreement_page_names_nobody_while_conflicts_may_come(differing):
    """Row and column of a confusion table would tell whose the side of a conflict is."""
    cy = differing.visit(CY)
    page = cy.get("/agreement").text

    assert "Reader 1" in page and "Ada" not in page and "Diddley" not in page
    assert "Readers are anonymised until" in page

    for _ in range(2):
        cy.read(differing.act(cy.get("/api/conflict", tab="one").json()["item"]["showing"]))
    cy.post("/api/close-blind-round")

    page = cy.get("/agreement").text
    assert "Ada Lovelace" in page and "anonymised" not in page


@given(st.data())
def test_settling_image_by_image_is_settling_all(data):
    """The queue of conflicts is kept up to date, not made anew at each look."""
    from datetime import UTC, datetime

    from cxrview.annotate.effective import EffectiveReadings
    from cxrview.annotate.settle import settle
    from cxrview.annotate.web.label_statuses import LabelStatuses
    from cxrview.records.annotation import AnnotationStudy, Reader, Reading
    from cxrview.terms import Action, Role

    when = datetime(2026, 1, 1, tzinfo=UTC)
    study = AnnotationStudy(study_id="0" * 32, name="s", created=when)
    readers = [
        Reader(reader_id=n, name=str(n), roles=frozenset({Role.READER, Role.ADJUDICATOR}))
        for n in (1, 2)
    ]
    effective = EffectiveReadings()
    settlements = LabelStatuses(study, effective)
    settlements.set_up(["a", "b"], readers)
    readings = []
    for number in range(1, data.draw(st.integers(1, 12)) + 1):
        undone = data.draw(st.sampled_from([None, *readings]))
        reading = Reading(
            reading_id=number,
            uid=str(number),
            reader_id=undone.reader_id if undone else data.draw(st.sampled_from([1, 2])),
            image_id=undone.image_id if undone else data.draw(st.sampled_from("ab")),
            round=data.draw(st.sampled_from([ReadingRound.BLIND, ReadingRound.ADJUDICATION])),
            act=Action.UNDO if undone else Action.LABEL,
            label="" if undone else data.draw(st.sampled_from(["frontal", "lateral"])),
            undoes=undone.uid if undone else "",
            made=when,
        )
        readings.append(reading)
        effective.add(reading)
        settlements.touch(reading.image_id)
        expected = settle(study, ["a", "b"], readings, readers)

        assert settlements.all() == expected
        conflicts = {i for i, one in expected.items() if one.how is LabelStatus.CONFLICT}
        assert settlements.conflicts() == conflicts


def test_a_restarted_server_still_knows_what_was_revealed(differing):
    """Bo, who reads and settles, must not change own readings after having seen Ada's."""
    bo = differing.visit(BO)
    item = bo.get("/api/conflict", tab="one").json()["item"]
    for _ in range(2):
        assert bo.get("/api/conflict", tab="one").json()["item"] == item
    reveals = differing.store.reveals()

    state = StudyState(differing.store, differing.app.state.settings)
    known = [state.was_revealed(differing.readers[BO], one) for one in state.images]
    others = [state.was_revealed(differing.readers[ADA], one) for one in state.images]

    assert len(reveals) == 1 and reveals[0].reader_id == differing.readers[BO].reader_id
    assert known.count(True) == 1 and not any(others)


def test_what_was_settled_is_told_again_with_what_it_was_judged_by(differing):
    """Else an undo after a reload would show an image without the readings, or the label."""
    cy = differing.visit(CY)
    item = cy.get("/api/conflict", tab="one").json()["item"]
    cy.read(differing.act(item["showing"], note="of Cy", label="lateral"))
    (told,) = cy.get("/api/recent", round="adjudication").json()["items"]

    assert {name: told[name] for name in item} == item
    assert (told["said"], told["note"]) == ("lateral", "of Cy")

    cy.post("/api/close-blind-round", {"even_so": True, "left": 0})
    item = cy.get("/api/second-look", tab="one").json()["item"]
    other = "frontal" if item["verdict"] == "lateral" else "lateral"
    cy.read(differing.act(item["showing"], label=other))
    (told,) = cy.get("/api/recent", round="second look").json()["items"]

    assert {name: told[name] for name in item} == item
    assert told["said"] == other
