"""Effective readings: the last verdict of each slot that was not undone."""

from collections.abc import Callable

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cxrview.annotate.effective import EffectiveReadings, effective_readings, slot_of
from cxrview.records.annotation import Reading
from cxrview.terms import Action, ReadingRound

SLOT = (1, "a", ReadingRound.BLIND, 0)


def test_the_last_word_of_a_reader_stands(say):
    readings = [say(1, "a", "frontal"), say(2, "a", "lateral"), say(1, "a", "duplicate")]

    found = effective_readings(readings)

    assert found == {SLOT: readings[2], (2, "a", ReadingRound.BLIND, 0): readings[1]}


def test_each_round_and_each_occasion_stands_for_itself(say):
    readings = [
        say(1, "a", "frontal"),
        say(1, "a", "lateral", occasion=1),
        say(1, "a", "lateral", round=ReadingRound.ADJUDICATION),
    ]

    assert list(effective_readings(readings).values()) == readings


def test_an_undo_brings_back_what_was_said_before(say):
    first, second = say(1, "a", "frontal"), say(1, "a", "lateral")
    undo_second = say(1, "a", Action.UNDO, undoes=second.uid)
    undo_first = say(1, "a", Action.UNDO, undoes=first.uid)

    assert effective_readings([first, second, undo_second]) == {SLOT: first}
    assert effective_readings([first, second, undo_second, undo_first]) == {}


def test_an_undo_counts_once_and_cannot_be_taken_back(say):
    first = say(1, "a", "frontal")
    undo, again = (say(1, "a", Action.UNDO, undoes=first.uid) for _ in range(2))
    undo_undo = say(1, "a", Action.UNDO, undoes=undo.uid)

    assert effective_readings([first, undo, again, undo_undo]) == {}


def test_an_undo_of_one_image_or_round_leaves_the_others_alone(say):
    """Who adjudicates has seen what others say, and must not take back a blind reading."""
    blind = say(1, "a", "frontal")
    later = say(1, "a", Action.UNDO, undoes=blind.uid, round=ReadingRound.ADJUDICATION)
    elsewhere = say(1, "b", Action.UNDO, undoes=blind.uid)

    assert effective_readings([blind, later, elsewhere]) == {SLOT: blind}
    assert effective_readings([later, elsewhere, blind]) == {SLOT: blind}


def test_nobody_takes_back_what_another_said(say):
    first = say(1, "a", "frontal")

    assert effective_readings([first, say(2, "a", Action.UNDO, undoes=first.uid)]) == {SLOT: first}


def test_an_undo_that_was_written_first_counts_all_the_same(say):
    """Two tabs that were offline may send in any order."""
    first = say(1, "a", "frontal")

    assert effective_readings([say(1, "a", Action.UNDO, undoes=first.uid), first]) == {}


def test_a_flag_stands_until_it_is_taken_off_or_back(say):
    flag, unflag = say(1, "a", Action.FLAG), say(1, "a", Action.UNFLAG)

    assert EffectiveReadings([flag, say(1, "a", "frontal")]).flags == {SLOT: flag}
    assert EffectiveReadings([flag, unflag]).flags == {}
    assert EffectiveReadings([flag, unflag, say(1, "a", Action.UNDO, undoes=unflag.uid)]).flags == {
        SLOT: flag
    }
    assert EffectiveReadings([flag, say(1, "a", Action.UNDO, undoes=flag.uid)]).flags == {}


def test_what_was_put_off_is_put_off_until_it_is_read(say):
    put_off, verdict = say(1, "a", Action.POSTPONE), say(1, "a", "frontal")

    assert EffectiveReadings([put_off]).postponed == {SLOT: put_off}
    assert EffectiveReadings([put_off, verdict]).postponed == {}
    undo = say(1, "a", Action.UNDO, undoes=verdict.uid)
    assert EffectiveReadings([put_off, verdict, undo]).postponed == {SLOT: put_off}
    assert (
        EffectiveReadings([put_off, say(1, "a", Action.UNDO, undoes=put_off.uid)]).postponed == {}
    )


def test_what_was_put_off_last_comes_last(say):
    order = [say(1, image, Action.POSTPONE) for image in "abca"]

    assert [
        slot[1] for slot in EffectiveReadings([*order, say(1, "b", Action.FLAG)]).postponed
    ] == ["b", "c", "a"]


def test_all_that_stands_of_one_image_is_found(say):
    readings = [say(2, "a", "frontal"), say(1, "a", "lateral"), say(1, "b", "lateral")]
    readings.append(say(2, "a", Action.UNDO, undoes=readings[0].uid))
    readings.append(say(2, "a", "duplicate", round=ReadingRound.ADJUDICATION))

    now = EffectiveReadings(readings)

    assert now.of_image("a") == (readings[1], readings[4])
    assert now.of_image("none") == ()


def readings_of(what: list[tuple[int, str, Action, int]], say: Callable[..., Reading]):
    """Readings of any kind; an undo takes back one of those before or after it."""
    readings = []
    for reader_id, image_id, act, undoes in what:
        facts = {"undoes": f"{undoes + 1}"} if act is Action.UNDO else {}
        said = {Action.LABEL: "frontal", Action.EXCLUDE: "duplicate"}.get(act, act)
        readings.append(say(reader_id, image_id, said, **facts))
    return readings


anything = st.lists(
    st.tuples(
        st.integers(1, 2), st.sampled_from("ab"), st.sampled_from(Action), st.integers(0, 12)
    ),
    max_size=12,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(what=anything)
def test_it_is_what_is_left_when_all_that_was_undone_is_struck_out(new_say, what):
    readings = readings_of(what, new_say())
    undone = {(slot_of(r), r.undoes) for r in readings if r.act is Action.UNDO}
    left = [r for r in readings if r.act is not Action.UNDO and (slot_of(r), r.uid) not in undone]
    verdicts, marks, waits = {}, {}, {}
    for r in left:
        slot = slot_of(r)
        if r.act in (Action.LABEL, Action.EXCLUDE):
            verdicts[slot] = r
        elif r.act is Action.POSTPONE:
            waits[slot] = r
        else:
            marks[slot] = r

    now = EffectiveReadings(readings)

    assert now.verdicts == verdicts
    assert now.flags == {slot: r for slot, r in marks.items() if r.act is Action.FLAG}
    assert now.postponed == {slot: r for slot, r in waits.items() if slot not in verdicts}
