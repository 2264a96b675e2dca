"""What the server does not write down, and that one bad reading holds up no other."""

import uuid

import pytest

ADA, BO = "Ada Lovelace", "Bo Diddley"


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"label": "oblique"}, "no such label"),
        ({"label": ""}, "no such label"),
        ({"act": "exclude", "reason": "boredom"}, "exclusion reasons"),
        ({"act": "undo"}, "undoes"),
        ({"act": "delete"}, "act"),
        ({"uid": "x"}, "uid"),
        ({"uid": None}, "uid"),
        ({"undoes": "x"}, "undoes"),
        ({"showing": "0" * 16}, "not shown"),
        ({"showing": "../../etc/passwd"}, "showing"),
        ({"how": "import"}, "how"),
        ({"made": "yesterday"}, "made"),
        ({"made": "2026-05-04T12:00:00"}, "made"),
        ({"made": "1970-01-01T00:00:00Z"}, "wrong by many years"),
        ({"shown": "9999-12-31T23:59:59-12:00"}, "wrong by many years"),
        ({"milliseconds": -1}, "milliseconds"),
        ({"note": "x" * 5000}, "note"),
        ({"display": {"zoom": [1]}}, "display"),
        ({"display": {str(k): "x" * 60 for k in range(99)}}, "too long"),
    ],
)
def test_one_that_makes_no_sense_is_refused_and_the_others_are_written(served, changed, why):
    """A page sends a batch again until it is settled: one bad one must not block it for ever."""
    visitor = served.visit(ADA)
    one, two, three = visitor.next(3)
    bad = served.act(two) | changed
    answer = visitor.read(served.act(one), bad, served.act(three))

    assert len(answer["written"]) == 2
    assert [refusal["uid"] for refusal in answer["refused"]] == [str(bad["uid"])]
    assert why in answer["refused"][0]["why"]
    assert len(list(served.store.readings())) == 2


@pytest.mark.parametrize("body", [None, [], {}, {"readings": None}, {"readings": ["x"]}])
def test_what_is_no_batch_is_refused_whole(served, body):
    assert served.visit(ADA).post("/api/readings", body).status_code == 422


def test_nothing_that_was_sent_comes_back_in_a_refusal(served):
    visitor = served.visit(ADA)
    act = served.act(visitor.next(1)[0], how="<script>")

    assert "script" not in str(visitor.read(act)["refused"])


def test_no_one_reads_for_another(served):
    ada, bo = served.visit(ADA), served.visit(BO)
    showing = ada.next(1)[0]

    assert "not shown" in bo.read(served.act(showing))["refused"][0]["why"]
    assert not list(served.store.readings())


def test_no_one_writes_under_the_number_of_anothers_reading(served):
    ada, bo = served.visit(ADA), served.visit(BO)
    act = served.act(ada.next(1)[0])
    ada.read(act)
    stolen = served.act(bo.next(1)[0]) | {"uid": act["uid"]}

    assert "already used" in bo.read(stolen)["refused"][0]["why"]
    assert len(list(served.store.readings())) == 1


def test_no_one_takes_back_what_another_read(served):
    ada, bo = served.visit(ADA), served.visit(BO)
    act = served.act(ada.next(1)[0])
    ada.read(act)
    bo.read(served.act(bo.next(1)[0], "undo", undoes=act["uid"]))

    assert ada.get("/api/next", tab="one").json()["done"] == 1


def test_no_one_takes_back_a_reading_by_another_image(served):
    """A script of a reader's own could otherwise name an image for which no rule holds."""
    ada = served.visit(ADA)
    first, second = ada.next(2)
    act = served.act(first)
    ada.read(act)

    answer = ada.read(served.act(second, "undo", undoes=act["uid"]))

    assert "another image or round" in answer["refused"][0]["why"]
    assert ada.get("/api/next", tab="one").json()["done"] == 1


def test_what_a_browser_may_put_into_a_note_does_not_stop_the_queue(served):
    visitor = served.visit(ADA)
    act = served.act(visitor.next(1)[0], note="\0 é 😀")
    body = {"readings": [act]}

    assert visitor.post("/api/readings", body).json()["written"] == [act["uid"]]


def test_an_image_that_went_to_another_reader_meanwhile_is_still_written(make_served):
    """The reading waited in a browser while a third reader was added."""
    served = make_served(images=30, readings_per_image=1)
    ada = served.visit(ADA)
    had = set(ada.next(99))
    for name in ("Di", "Ed", "Flo"):
        served.store.add_reader(name, {"reader"})
    served.clock.move(seconds=2)
    lost = had - set(ada.next(99))
    answer = ada.read(*map(served.act, lost))

    assert lost
    assert len(answer["written"]) == len(lost)


def test_a_thousand_at_once_are_taken_and_no_more(served):
    visitor = served.visit(ADA)
    showing = visitor.next(1)[0]
    many = [served.act(showing) | {"uid": uuid.uuid4().hex} for _ in range(1001)]

    assert visitor.post("/api/readings", {"readings": many}).status_code == 422
    assert len(visitor.read(*many[:1000])["written"]) == 1000
