"""What comes next, for a reader with one tab, with two, after an undo and on pages of sixty."""

from datetime import timedelta, timezone

import pytest

from cxrview.annotate.worklist import worklist
from cxrview.terms import Action, Method, ReadingRound

ADA = "Ada Lovelace"


def own_list(served, name=ADA):
    """The reader's list, from the store alone."""
    store = served.store
    showings = worklist(store.study, store.images(), store.readers(), served.readers[name])
    return [one.showing_id for one in showings]


def test_images_come_in_the_readers_own_order(served):
    assert served.visit(ADA).next(99) == own_list(served)
    assert served.visit("Bo Diddley").next(99) == own_list(served, "Bo Diddley")


def test_what_is_read_does_not_come_again(served):
    visitor = served.visit(ADA)
    first, second = visitor.next(2)
    answer = visitor.read(served.act(first), served.act(second, "exclude", reason="other"))

    assert len(answer["written"]) == 2
    assert (answer["done"], answer["left"], answer["all"]) == (2, 6, 8)
    assert visitor.next(99) == own_list(served)[2:]


def test_a_reading_says_all_that_was_sent_and_whose_it_is(served):
    visitor = served.visit(ADA)
    two_seconds_ago = served.clock() - timedelta(seconds=2)
    said = {
        "note": "rotated",
        "how": "grid exception",
        "shown": two_seconds_ago.astimezone(timezone(timedelta(hours=2))).isoformat(),
        "milliseconds": 640,
        "display": {"window": 200, "invert": True, "zoom": 1.5},
    }
    act = served.act(visitor.next(1)[0], **said)
    visitor.read(act)
    (reading,) = served.store.readings()

    assert reading.uid == act["uid"]
    assert reading.reader_id == served.readers[ADA].reader_id
    assert (reading.act, reading.label, reading.round) == (
        Action.LABEL,
        "frontal",
        ReadingRound.BLIND,
    )
    assert (reading.note, reading.how) == ("rotated", Method.GRID_EXCEPTION)
    assert (reading.milliseconds, dict(reading.display)) == (640, said["display"])
    assert reading.made == served.clock()
    assert reading.shown == two_seconds_ago


def test_sent_twice_is_written_once(served):
    """The answer to the first may have been lost on its way."""
    visitor = served.visit(ADA)
    act = served.act(visitor.next(1)[0])
    first, again = visitor.read(act), visitor.read(act, act)

    assert first["written"] == [act["uid"]]
    assert set(again["written"]) == {act["uid"]}
    assert len(list(served.store.readings())) == 1
    assert again["done"] == 1


def test_an_undo_brings_the_image_back_as_the_next(served):
    visitor = served.visit(ADA)
    showing = visitor.next(1)[0]
    act = served.act(showing)
    visitor.read(act)
    answer = visitor.read(served.act(showing, "undo", undoes=act["uid"]))

    assert answer["done"] == 0
    assert visitor.next(1) == [showing]
    assert len(list(served.store.readings())) == 2


def test_a_reading_and_its_undo_may_come_together_and_in_any_order(served):
    """After an outage two tabs may send what they hold in the wrong order."""
    visitor = served.visit(ADA)
    one, other = visitor.next(2)
    first, second = served.act(one), served.act(other)
    undo_first = served.act(one, "undo", undoes=first["uid"])
    undo_second = served.act(other, "undo", undoes=second["uid"])

    assert not visitor.read(first, undo_first, undo_second)["refused"]
    assert visitor.read(second)["done"] == 0


def test_what_is_postponed_comes_at_the_end(served):
    visitor = served.visit(ADA)
    first = visitor.next(1)[0]
    answer = visitor.read(served.act(first, "postpone"))

    assert answer["left"] == 8
    assert visitor.next(99) == [*own_list(served)[1:], first]


def test_a_flag_leaves_the_image_to_be_read(served):
    visitor = served.visit(ADA)
    first = visitor.next(1)[0]
    visitor.read(served.act(first, "flag"))

    assert visitor.next(1) == [first]


def test_two_tabs_of_one_reader_show_different_images(served):
    visitor = served.visit(ADA)
    one, two = visitor.next(3, tab="one"), visitor.next(3, tab="two")

    assert one + two == own_list(served)[:6]


def test_a_tab_that_is_gone_leaves_its_images_to_the_others(served):
    visitor = served.visit(ADA)
    one = visitor.next(3, tab="one")
    served.clock.move(seconds=119)

    assert not set(one) & set(visitor.next(3, tab="two"))

    served.clock.move(seconds=2)

    assert visitor.next(3, tab="two") == one


def test_a_tab_goes_on_with_what_it_held_after_it_was_loaded_anew(served):
    visitor = served.visit(ADA)

    assert visitor.next(3) == visitor.next(3)


def test_a_tab_that_says_what_it_holds_gets_the_following(served):
    visitor = served.visit(ADA)
    held = visitor.next(3)

    assert visitor.next(2, held=",".join(held)) == own_list(served)[3:5]


def test_two_tabs_that_read_all_of_it_read_each_image_once(served):
    visitor = served.visit(ADA)
    for tab in ("one", "two") * 4:
        for showing in visitor.next(1, tab=tab):
            visitor.read(served.act(showing))
    readings = list(served.store.readings())

    assert len({reading.image_id for reading in readings}) == len(readings) == 8


def test_a_page_of_thumbnails_is_the_same_list(served):
    visitor = served.visit(ADA)
    answer = visitor.get("/api/grid", count=5, tab="one").json()

    assert [item["showing"] for item in answer["items"]] == own_list(served)[:5]
    assert (answer["left"], answer["done"], answer["all"]) == (8, 0, 8)


@pytest.mark.parametrize("way", ["/api/next", "/api/grid"])
def test_a_page_is_told_that_the_blind_round_is_closed(served, way):
    """Else it would say that the rest is open in another tab, and ask for ever."""
    visitor = served.visit(ADA)
    assert "closed" not in visitor.get(way, tab="one").json()
    served.store.close_blind_round(served.clock())
    served.clock.move(seconds=2)
    answer = visitor.get(way, tab="one").json()

    assert (answer["items"], answer["closed"], answer["left"]) == ([], True, 8)


def test_no_page_shows_an_image_and_its_hidden_repeat(make_served):
    served = make_served(images=20, repeat_share=1.0)
    visitor = served.visit(ADA)
    page = visitor.get("/api/grid", count=60, tab="one").json()

    assert (len(page["items"]), page["all"]) == (20, 40)

    visitor.read(*(served.act(item["showing"]) for item in page["items"]))

    assert len(visitor.next(60)) == 20


def test_the_last_readings_are_told_for_an_undo(served):
    visitor = served.visit(ADA)
    one, two, three = visitor.next(3)
    acts = [
        served.act(one, note="rib", how="grid"),
        served.act(two, "exclude", reason="duplicate"),
        served.act(three),
    ]
    visitor.read(*acts, served.act(two, "flag"))
    visitor.read(served.act(three, "undo", undoes=acts[2]["uid"]))
    items = visitor.get("/api/recent").json()["items"]

    made = served.clock().isoformat()
    assert items == [
        {
            "showing": two, "uid": acts[1]["uid"], "act": "exclude", "said": "excluded: duplicate",
            "note": "", "how": "single", "made": made, "flagged": True,
        },
        {
            "showing": one, "uid": acts[0]["uid"], "act": "label", "said": "frontal",
            "note": "rib", "how": "grid", "made": made, "flagged": False,
        },
    ]  # fmt: skip
    assert visitor.get("/api/recent", round="adjudication").json() == {"items": []}
    assert served.visit("Bo Diddley").get("/api/recent").json() == {"items": []}


def test_an_import_beside_the_server_is_seen(served):
    """`annotate import` writes to the store while the server runs."""
    visitor = served.visit(ADA)
    visitor.read(served.act(visitor.next(1)[0]))
    (reading,) = served.store.readings()
    by_hand = served.store.images()[0].image_id
    other = next(i.image_id for i in served.store.images() if i.image_id != reading.image_id)
    from dataclasses import replace

    served.store.add_readings([replace(reading, uid="f" * 32, image_id=other)])
    served.clock.move(seconds=2)

    assert visitor.get("/api/next", tab="one").json()["done"] == 2
    assert by_hand


def test_more_images_and_readers_are_seen(served):
    visitor = served.visit(ADA)
    before = visitor.next(99)
    from cxrview.records.annotation import StudyImage

    served.store.add_images([StudyImage(image_id="0" * 16, path="late.png")])
    served.clock.move(seconds=2)
    after = visitor.next(99)

    assert len(after) == len(before) + 1
    assert [one for one in after if one in before] == before


@pytest.mark.parametrize(
    "query",
    [
        "",
        "?tab=",
        "?tab=a/b",
        "?tab=a&count=0",
        "?tab=a&count=1000",
        "?tab=a&held=x",
        "?tab=" + "a" * 65,
    ],
)
def test_what_makes_no_sense_is_refused(served, query):
    answer = served.visit(ADA).get(f"/api/next{query}")

    assert answer.status_code == 422
    assert set(answer.json()) == {"why"}


def test_thumbnails_are_made_ahead_in_the_window_that_the_reader_has_chosen(served):
    visitor = served.visit(ADA)
    first = visitor.next(1)[0]
    visitor.get(f"/api/picture/{first}", edge="256", window="auto")
    made: list[tuple[int, str]] = []
    served.app.state.pictures.prefetch = lambda paths, *how: made.append(how)

    visitor.get("/api/grid", tab="one", count=2)

    assert made == [(256, "auto")]
