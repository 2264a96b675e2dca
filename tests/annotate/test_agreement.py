"""Kappa between readers and within one: of the blind round, exclusions as a class of their own."""

import pytest

from cxrview.annotate.agreement import between_readers, within_readers
from cxrview.records.annotation import Reader
from cxrview.terms import Action, ReadingRound, Role

ANN = ["frontal", "frontal", "lateral", "lateral", "frontal", "duplicate", "other", "lateral"]
BEN = ["frontal", "frontal", "lateral", "frontal", "lateral", "uninterpretable", "frontal", ""]


@pytest.fixture
def said(say):
    """What the two say of the images 0 to 7; Ben has not read the last one."""
    both = [[say(n, f"{i}", x) for i, x in enumerate(xs) if x] for n, xs in ((1, ANN), (2, BEN))]
    return [*both[0], *both[1]]


def test_kappa_of_two_readers_is_scikit_learns(study, readers, said):
    from sklearn.metrics import cohen_kappa_score, confusion_matrix

    ann, ben = (
        [x if x in ("frontal", "lateral") else "excluded" for x in xs[:7]] for xs in (ANN, BEN)
    )
    labels = ["frontal", "lateral", "excluded"]

    found = between_readers(study, said, readers)

    assert list(found) == [(1, 2)]
    kappa = found[1, 2]
    assert kappa.kappa == pytest.approx(cohen_kappa_score(ann, ben))
    assert kappa.labels == tuple(labels)
    assert kappa.table == tuple(map(tuple, confusion_matrix(ann, ben, labels=labels).tolist()))
    assert (kappa.images, kappa.agreed) == (7, 4)  # two exclusions agree, whatever their reason


def test_only_what_readers_said_blind_and_first_is_compared(study, readers, said, say):
    beside = [
        say(1, "0", "lateral", occasion=1),
        say(2, "0", "lateral", round=ReadingRound.ADJUDICATION),
        say(2, "0", "lateral", round=ReadingRound.SECOND_LOOK),
        say(3, "0", "lateral"),  # adjudicates only
        say(1, "1", Action.FLAG),
    ]

    assert between_readers(study, said + beside, readers) == between_readers(study, said, readers)


def test_what_was_taken_back_is_not_compared(study, readers, said, say):
    undo = say(2, "6", Action.UNDO, undoes=next(r.uid for r in said[8:] if r.image_id == "6"))

    assert between_readers(study, [*said, undo], readers)[1, 2].images == 6


def test_two_without_an_image_in_common_are_left_out(study, readers, say):
    third = Reader(reader_id=4, name="third", roles=frozenset({Role.READER}))
    said = [say(1, "a", "frontal"), say(2, "b", "frontal"), say(4, "b", "frontal")]

    assert list(between_readers(study, said, [*readers, third])) == [(2, 4)]


def test_a_reader_is_measured_against_himself_on_the_hidden_repeats(study, readers, said, say):
    again = [say(1, f"{i}", x, occasion=1) for i, x in ((0, "frontal"), (2, "frontal"))]
    without_a_first = say(2, "9", "frontal", occasion=1)

    found = within_readers(study, [*said, *again, without_a_first], readers)

    assert list(found) == [1]
    assert found[1].table == ((1, 0, 0), (1, 0, 0), (0, 0, 0))  # rows: the first time


def test_a_label_of_the_study_may_itself_be_called_excluded(create_study, readers, say):
    study = create_study("frontal", "excluded")

    found = between_readers(study, [say(1, "a", "excluded"), say(2, "a", "excluded")], readers)

    assert found[1, 2].labels == ("frontal", "excluded")
