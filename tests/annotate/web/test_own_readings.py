"""A reader's own readings: listed, opened again, and nobody else's."""

import re

ADA, BO = "Ada Lovelace", "Bo Diddley"


def shown(visitor, **query):
    page = visitor.get("/my-readings", **query).text
    return re.findall(r'/read\?open=([0-9a-f]{16})"', page), page


def test_ones_own_readings_are_listed_the_last_first(served):
    ada = served.visit(ADA)
    one, two, three = ada.next(3)
    ada.read(served.act(one), served.act(two, "exclude", reason="other", note="of the hand"))
    ada.read(served.act(three, "postpone"), served.act(one, "flag"))
    served.visit(BO).read(served.act(served.visit(BO).next(1)[0]))

    assert shown(ada)[0] == [two, one]
    assert "excluded: other" in shown(ada)[1] and "of the hand" in shown(ada)[1]
    assert shown(ada, show="postponed")[0] == [three]
    assert shown(ada, show="flagged")[0] == [one]
    assert shown(ada, after=100)[0] == []


def test_one_is_opened_again_with_what_was_said_of_it(served):
    ada = served.visit(ADA)
    one, two = ada.next(2)
    ada.read(served.act(one, note="rib"), served.act(one, "flag"))

    assert ada.get(f"/api/reading/{one}", tab="one").json() == {
        "showing": one, "note": "rib", "flagged": True, "said": "frontal",
    }  # fmt: skip
    assert ada.get(f"/api/reading/{two}", tab="one").json() == {
        "showing": two,
        "note": "",
        "flagged": False,
    }
    assert served.visit(BO).get(f"/api/reading/{one}", tab="one").status_code == 404

    ada.read(served.act(one, label="lateral"))
    assert ada.get(f"/api/reading/{one}", tab="one").json()["said"] == "lateral"
    assert shown(ada)[0] == [one]


def test_after_the_closing_nothing_is_opened_again(served):
    ada = served.visit(ADA)
    (one,) = ada.next(1)
    ada.read(served.act(one))
    served.store.close_blind_round(served.clock())
    served.clock.move(seconds=2)

    assert ada.get(f"/api/reading/{one}", tab="one").status_code == 409
    assert shown(ada)[0] == []
    assert "can no longer be changed" in shown(ada)[1]


def test_a_note_on_what_was_postponed_comes_with_it(served):
    ada = served.visit(ADA)
    (one,) = ada.next(1)
    ada.read(served.act(one, "postpone", note="ask Bo"))
    items = ada.get("/api/next", tab="one", count=8).json()["items"]

    assert items[-1] == {"showing": one, "note": "ask Bo", "flagged": False}
