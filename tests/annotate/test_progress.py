"""What is done and what is left, of each reader and of the study."""

from cxrview.annotate.effective import EffectiveReadings
from cxrview.annotate.progress import ReaderProgress, has_read, progress
from cxrview.records.annotation import Reader, StudyImage
from cxrview.terms import Action, LabelStatus, ReadingRound, Role

IMAGES = tuple(StudyImage(image_id=i, path=i) for i in "abcde")


def test_each_reader_and_each_settlement_is_counted(study, readers, say):
    readings = [
        *(say(1, i, "frontal") for i in "abcd"),
        say(2, "a", "frontal"),
        say(2, "b", "lateral"),
        say(2, "c", "lateral"),
        say(3, "c", "frontal", round=ReadingRound.ADJUDICATION),
        say(1, "a", Action.FLAG),
        say(1, "e", Action.POSTPONE),
    ]

    found = progress(study, IMAGES, readings, readers)

    assert found.images == 5
    assert found.readers == (
        ReaderProgress(reader_id=1, done=4, all=5, flagged=1),
        ReaderProgress(reader_id=2, done=3, all=5, flagged=0),
    )
    assert [reader.left for reader in found.readers] == [1, 2]
    assert found.statuses == {
        LabelStatus.UNREAD: 1,
        LabelStatus.AWAITING: 1,
        LabelStatus.AGREED: 1,
        LabelStatus.CONFLICT: 1,
        LabelStatus.ADJUDICATED: 1,
        LabelStatus.SECOND_LOOK: 0,
    }


def test_what_was_taken_back_is_left_again(study, readers, say):
    first = say(1, "a", "frontal")

    found = progress(study, IMAGES, [first, say(1, "a", Action.UNDO, undoes=first.uid)], readers)

    assert found.readers[0].done == 0


def test_hidden_repeats_are_work_too(create_study, readers, say):
    study = create_study(repeat_share=1.0)
    readings = [say(1, "a", "frontal"), say(1, "a", "frontal", occasion=1)]

    found = progress(study, IMAGES, readings, readers)

    assert (found.readers[0].done, found.readers[0].all) == (2, 10)


def test_who_has_read_keeps_the_image_when_a_reader_comes(study, readers, say):
    third = Reader(reader_id=4, name="third", roles=frozenset({Role.READER}))
    readings = [say(n, i, "frontal") for n in (1, 2) for i in "abcde"]

    found = progress(study, IMAGES, readings, [*readers, third])

    assert [(r.done, r.all) for r in found.readers] == [(5, 5), (5, 5), (0, 0)]


def test_only_first_blind_readings_that_stand_count_as_read(say):
    now = EffectiveReadings(
        [
            say(1, "a", "frontal"),
            say(2, "a", "other"),
            say(3, "a", "frontal", round=ReadingRound.ADJUDICATION),
            say(1, "b", "frontal", occasion=1),
            say(1, "c", Action.POSTPONE),
        ]
    )

    assert has_read(now) == {"a": {1, 2}}


def test_images_that_nobody_can_read_blind_are_counted(study, readers, say):
    """Reader 1 has seen what was said of `a` and `b`, and has read `b` before."""
    readings = [say(1, "b", "frontal")]

    found = progress(study, IMAGES, readings, readers, has_seen={"a": {1, 3}, "b": {1}})

    assert found.without_reader == 1
    assert [reader.left for reader in found.readers] == [3, 5]


def test_no_image_lacks_a_reader_while_others_can_read_it(study, readers, say):
    fourth = Reader(reader_id=4, name="fourth", roles=frozenset({Role.READER}))

    found = progress(study, IMAGES, [], [*readers, fourth], has_seen={"a": {1, 3}})

    assert found.without_reader == 0
