"""Where an image stands, by what its readers and the adjudicator say."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cxrview.annotate.effective import EffectiveReadings
from cxrview.annotate.settle import settle
from cxrview.records.annotation import EXCLUSION_REASONS, Reader
from cxrview.terms import Action, LabelStatus, ReadingRound, Role


@pytest.fixture
def of_a(study, readers):
    """Where image a stands."""

    def settle_a(*readings, in_study=study, by=readers):
        return settle(in_study, ["a"], readings, by)["a"]

    return settle_a


def test_without_a_reading_it_is_unread(of_a):
    settled = of_a()

    assert (settled.how, settled.readings, settled.is_settled) == (LabelStatus.UNREAD, (), False)


def test_with_too_few_readings_it_waits_for_more(of_a, say):
    first = say(1, "a", "frontal")

    settled = of_a(first)

    assert (settled.how, settled.readings) == (LabelStatus.AWAITING, (first,))
    assert not settled.is_settled


def test_two_readers_who_say_the_same_settle_it(of_a, say):
    readings = [say(2, "a", "lateral"), say(1, "a", "lateral")]

    settled = of_a(*readings)

    assert (settled.how, settled.label, settled.reason) == (LabelStatus.AGREED, "lateral", "")
    assert settled.readings == (readings[1], readings[0])  # by reader id


@pytest.mark.parametrize("other", ["lateral", *EXCLUSION_REASONS])
def test_two_labels_and_a_label_and_an_exclusion_are_a_conflict(of_a, say, other):
    readings = (say(1, "a", "frontal"), say(2, "a", other))

    settled = of_a(*readings)

    assert (settled.how, settled.label, settled.reason) == (LabelStatus.CONFLICT, "", "")
    assert settled.readings == readings


def test_exclusions_agree_whatever_their_reason_and_the_first_readers_counts(of_a, say):
    settled = of_a(say(2, "a", "other"), say(1, "a", "duplicate"))

    assert (settled.how, settled.label, settled.reason) == (LabelStatus.AGREED, "", "duplicate")
    assert settled.is_settled


def test_of_more_exclusions_the_reason_of_most_counts(of_a, say, create_study, readers):
    third = Reader(reader_id=4, name="third", roles=frozenset({Role.READER}))
    said = [say(1, "a", "duplicate"), say(2, "a", "other"), say(4, "a", "other")]

    settled = of_a(*said, in_study=create_study(readings_per_image=3), by=[*readers, third])

    assert (settled.how, settled.reason) == (LabelStatus.AGREED, "other")


def test_a_reading_more_than_needed_is_not_passed_over(of_a, say, readers):
    third = Reader(reader_id=4, name="third", roles=frozenset({Role.READER}))
    said = [say(1, "a", "frontal"), say(2, "a", "frontal"), say(4, "a", "lateral")]

    assert of_a(*said, by=[*readers, third]).how is LabelStatus.CONFLICT


@pytest.mark.parametrize("ruling", ["frontal", "lateral", "uninterpretable"])
def test_the_adjudicator_settles_a_conflict_for_either_side_or_neither(of_a, say, ruling):
    said = (say(1, "a", "frontal"), say(2, "a", "lateral"))
    ruled = say(
        2, "a", ruling, round=ReadingRound.ADJUDICATION
    )  # who was a reader, as in the paper

    settled = of_a(*said, ruled)

    assert settled.how is LabelStatus.ADJUDICATED
    assert (settled.label or settled.reason) == ruling
    assert settled.readings == (*said, ruled)


def test_a_ruling_that_is_taken_back_opens_the_conflict_again(of_a, say):
    said = (say(1, "a", "frontal"), say(2, "a", "lateral"))
    ruled = say(3, "a", "frontal", round=ReadingRound.ADJUDICATION)
    undo = say(3, "a", Action.UNDO, undoes=ruled.uid, round=ReadingRound.ADJUDICATION)

    assert of_a(*said, ruled, undo).how is LabelStatus.CONFLICT


def test_of_two_adjudicators_the_last_one_counts(of_a, say):
    said = (say(1, "a", "frontal"), say(2, "a", "lateral"))
    rulings = [
        say(n, "a", x, round=ReadingRound.ADJUDICATION) for n, x in ((3, "frontal"), (2, "other"))
    ]

    assert of_a(*said, *rulings).reason == "other"


def test_a_ruling_is_not_needed_where_the_readers_have_come_to_agree(of_a, say):
    ruled = say(3, "a", "lateral", round=ReadingRound.ADJUDICATION)

    settled = of_a(say(1, "a", "lateral"), say(2, "a", "frontal"), ruled, say(1, "a", "frontal"))

    assert (settled.how, settled.label) == (LabelStatus.AGREED, "frontal")
    assert ruled not in settled.readings


def test_a_second_look_that_changes_a_label_is_told_as_such(of_a, say):
    said = (say(1, "a", "frontal"), say(2, "a", "frontal"))
    look = say(3, "a", "lateral", round=ReadingRound.SECOND_LOOK)

    settled = of_a(*said, look)

    assert (settled.how, settled.label) == (LabelStatus.SECOND_LOOK, "lateral")
    assert settled.readings == (*said, look)


def test_a_second_look_that_confirms_leaves_how_it_was_settled(of_a, say):
    said = (say(1, "a", "duplicate"), say(2, "a", "duplicate"))
    look = say(3, "a", "duplicate", round=ReadingRound.SECOND_LOOK)

    settled = of_a(*said, look)

    assert (settled.how, settled.reason) == (LabelStatus.AGREED, "duplicate")
    assert settled.readings == (*said, look)


@pytest.mark.parametrize("said", [["frontal"], ["frontal", "lateral"]])
def test_a_second_look_settles_nothing_that_was_open(of_a, say, said):
    readings = [say(n, "a", label) for n, label in enumerate(said, start=1)]

    settled = of_a(*readings, say(3, "a", "frontal", round=ReadingRound.SECOND_LOOK))

    assert not settled.is_settled


def test_hidden_repeats_other_images_and_wrong_roles_do_not_count(of_a, say):
    conflict = (say(1, "a", "frontal"), say(2, "a", "lateral"))
    beside = (
        say(1, "a", "lateral", occasion=1),
        say(1, "b", "lateral"),
        say(3, "a", "other"),  # adjudicates only
        say(9, "a", "other"),  # nobody
        say(1, "a", "lateral", round=ReadingRound.ADJUDICATION),  # reads only
        say(1, "a", "lateral", round=ReadingRound.SECOND_LOOK),
    )

    settled = of_a(*conflict, *beside)

    assert (settled.how, settled.readings) == (LabelStatus.CONFLICT, conflict)


acts = st.lists(
    st.tuples(
        st.integers(1, 3),
        st.sampled_from("abc"),
        st.sampled_from(["frontal", "lateral", "other", Action.POSTPONE, Action.UNDO]),
        st.sampled_from(ReadingRound),
        st.integers(1, 20),
    ),
    max_size=20,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(what=acts)
def test_it_is_all_the_same_whether_all_readings_or_what_stands_are_given(
    study, readers, new_say, what
):
    """The server settles one image at a time, by what stands."""
    say = new_say()
    readings = [
        say(n, i, said, round=r, **({"undoes": f"{undoes}"} if said is Action.UNDO else {}))
        for n, i, said, r, undoes in what
    ]
    now = EffectiveReadings(readings)

    at_once = settle(study, "abc", readings, readers)

    for image_id in "abc":
        one = settle(study, [image_id], now.of_image(image_id), readers)
        assert one == {image_id: at_once[image_id]}
        assert not (at_once[image_id].label and at_once[image_id].reason)
        assert at_once[image_id].is_settled == (
            at_once[image_id].how
            in (LabelStatus.AGREED, LabelStatus.ADJUDICATED, LabelStatus.SECOND_LOOK)
        )
