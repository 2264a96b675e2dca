"""What is done to a study can be taken back, and nothing of it is ever lost from the log."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

pytest.importorskip("sqlalchemy", reason="needs the extra annotate")

from cxrview.annotate.database.store import ReadingStore, create_readings, open_readings
from cxrview.errors import UsageError
from cxrview.records.annotation import AnnotationStudy, Reading, StudyImage
from cxrview.terms import Action, Method, ReadingRound, Role, StudyEvent

NOON = datetime(2017, 4, 1, 12, tzinfo=UTC)
ANN, BEN = 1, 2


@pytest.fixture
def store(where: str, study: AnnotationStudy) -> Iterator[ReadingStore]:
    with closing(create_readings(where, study)) as store:
        store.add_images([StudyImage(image_id=f"{n:016x}", path=f"{n}.dcm") for n in range(3)])
        store.add_reader("Ann", {Role.READER, Role.ADJUDICATOR}, password="secret of Ann")
        store.add_reader("Ben", {Role.READER})
        yield store


def a_reading(reader_id: int = ANN, **facts: Any) -> Reading:
    said = {
        "image_id": f"{0:016x}",
        "round": ReadingRound.BLIND,
        "act": Action.LABEL,
        "label": "frontal",
    }
    return Reading(**{**said, "uid": uuid4().hex, "reader_id": reader_id, "made": NOON, **facts})


def uids(store: ReadingStore) -> list[str]:
    return [reading.uid for reading in store.readings()]


def test_an_import_that_is_undone_counts_no_more_and_stays_in_the_log(store, where):
    before = a_reading()
    store.add_readings([before])
    wrong = store.add_readings(
        [a_reading(BEN, how=Method.IMPORT) for _ in range(3)], imported_from="wrong.csv"
    )
    after = a_reading()
    store.add_readings([after])

    store.undo_import(1)

    assert uids(store) == [before.uid, after.uid]
    assert len(list(store.every_reading())) == 5
    with closing(open_readings(where)) as again:
        (one,) = again.imports()
        assert (one.file, one.readings, one.first) == ("wrong.csv", 3, wrong[0].reading_id)
        assert one.undone is not None
        assert uids(again) == [before.uid, after.uid]


@pytest.mark.parametrize("times", [0, 2])
def test_only_an_import_that_counts_can_be_undone(store, times):
    if times:
        store.add_readings([a_reading(how=Method.IMPORT)], imported_from="a.csv")
        store.undo_import(1)

    with pytest.raises(UsageError, match="no import 1|already undone"):
        store.undo_import(1)


def test_an_import_of_nothing_new_is_none(store):
    same = a_reading(how=Method.IMPORT)
    for _ in range(2):
        store.add_readings([same], imported_from="a.csv")

    assert [one.number for one in store.imports()] == [1]


def test_a_renamed_reader_keeps_readings_and_password(store):
    store.add_readings([a_reading()])

    store.rename_reader(ANN, "Dora")

    assert [reader.name for reader in store.readers()] == ["Dora", "Ben"]
    assert store.check_password("dora", "secret of Ann").reader_id == ANN
    assert store.former_names() == {"Ann": "Dora"}
    (entry,) = store.log()
    assert (entry.what, entry.reader_id) == (StudyEvent.READER_RENAMED, ANN)
    assert dict(entry.facts) == {"old": "Ann", "new": "Dora"}


@pytest.mark.parametrize("name", ["Ben", "BEN", " ben ", "", "a\nb"])
def test_no_name_is_taken_twice_nor_is_it_unprintable(store, name):
    with pytest.raises(UsageError, match="already|printable"):
        store.rename_reader(ANN, name)
    with pytest.raises(UsageError, match="already|printable"):
        store.add_reader(name, {Role.READER})


def test_a_name_is_signed_in_by_in_any_letters(store):
    assert store.check_password("aNN", "secret of Ann").name == "Ann"
    assert store.check_password("aNN", "secret of Ben") is None


def test_a_retired_reader_is_let_in_no_more_and_the_readings_count(store):
    secret = store.new_link(ANN)
    store.open_login(ANN, "token", "csrf", NOON + timedelta(days=36500), store.credentials()[ANN])
    store.add_readings([a_reading()])

    store.retire_reader(ANN)

    assert store.find_login("token", NOON) is None
    assert store.reader_by_link(secret) is None
    assert store.check_password("Ann", "secret of Ann") is None
    assert len(uids(store)) == 1
    assert [(r.is_retired, r.is_withdrawn) for r in store.readers()] == [
        (True, False),
        (False, False),
    ]
    with pytest.raises(UsageError, match="already retired"):
        store.retire_reader(ANN)


def test_a_withdrawn_readers_readings_count_no_more_until_the_reader_is_restored(store):
    mine, other = a_reading(ANN), a_reading(BEN)
    store.add_readings([mine, other])
    store.retire_reader(ANN)

    store.retire_reader(ANN, withdraw=True)
    withdrawn = uids(store)
    store.restore_reader(ANN)

    assert withdrawn == [other.uid]
    assert uids(store) == [mine.uid, other.uid]
    assert [entry.what for entry in store.log()] == [
        StudyEvent.READER_RETIRED,
        StudyEvent.READINGS_WITHDRAWN,
        StudyEvent.READER_RESTORED,
    ]
    with pytest.raises(UsageError, match="not retired"):
        store.restore_reader(ANN)


def test_the_closing_says_how_late_a_reading_may_come_and_what_was_left(store):
    usual = store.late_limit()

    store.close_blind_round(NOON, late_seconds=60, left=396)
    store.close_blind_round(NOON, late_seconds=9999)

    assert usual == timedelta(minutes=30)
    assert store.late_limit() == timedelta(minutes=1)
    (entry,) = store.log()
    assert dict(entry.facts) == {"late_seconds": 60, "left": 396}


def test_who_was_shown_the_opinion_of_others_is_written_down_once(store):
    for minutes in range(3):
        store.note_opinion_shown(BEN, NOON + timedelta(minutes=minutes))

    assert store.readers_shown_opinion() == {BEN: NOON}
    assert store.last_entry() == 1


def test_reveals_are_recorded_image_by_image_or_for_all(store):
    store.record_reveals(BEN, ["a", "b"], ReadingRound.ADJUDICATION, NOON)
    first = store.last_entry()
    store.record_reveal_of_all(ANN, 3, NOON)

    told = [(one.reader_id, one.image_id, one.images) for one in store.reveals()]
    assert told == [(BEN, "a", 1), (BEN, "b", 1), (ANN, None, 3)]
    assert [one.reader_id for one in store.reveals(after=first)] == [ANN]
    assert store.log()[0].facts["round"] == "adjudication"


def test_known_uids_are_found_whether_they_count_or_not(store):
    one = a_reading(how=Method.IMPORT)
    store.add_readings([one], imported_from="a.csv")
    store.undo_import(1)

    assert list(store.known_uids([one.uid, "f" * 32])) == [one.uid]
