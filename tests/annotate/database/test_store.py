"""A study outlives its program: what was appended is there, once, in order, and stays as it was."""

import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

pytest.importorskip("sqlalchemy", reason="needs the extra annotate: pip install '.[annotate]'")

from cxrview.annotate.database.store import ReadingStore, create_readings, open_readings
from cxrview.errors import UsageError
from cxrview.records.annotation import EXCLUSION_REASONS, AnnotationStudy, Reading, StudyImage
from cxrview.terms import Action, Method, ReadingRound, Role, View

NOON = datetime(2017, 4, 1, 12, tzinfo=UTC)


@pytest.fixture
def store(where: str, study: AnnotationStudy) -> Iterator[ReadingStore]:
    with closing(create_readings(where, study)) as store:
        store.add_images([an_image(number) for number in range(3)])
        store.add_reader("Ann", {Role.READER, Role.ADJUDICATOR})
        store.add_reader("Ben", {Role.READER})
        yield store


def an_image(number: int, **facts: Any) -> StudyImage:
    return StudyImage(image_id=f"{number:016x}", path=f"{number}.dcm", **facts)


def a_reading(**facts: Any) -> Reading:
    said = {
        "reader_id": 1,
        "image_id": f"{0:016x}",
        "round": ReadingRound.BLIND,
        "act": Action.LABEL,
    }
    return Reading(**{**said, "uid": uuid4().hex, "label": "frontal", "made": NOON, **facts})


def test_a_study_comes_back_as_it_was_made(where, study):
    images = (
        an_image(7, source="a", patient="p", study="s", content_id="c", stratum="review|a"),
        an_image(1, weight=12.5, model_view="lateral", model_decision="review", pfi=0.1),
        replace(an_image(2, header_view=View.LATERAL), path="no text \udcff.png"),
    )
    with closing(create_readings(where, study)) as store:
        store.add_images(images)

    with closing(open_readings(where)) as store:
        assert (store.study, store.images()) == (study, images)


def test_only_its_owner_may_read_a_file(tmp_path, study):
    with closing(create_readings(str(tmp_path / "study.sqlite"), study)):
        modes = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()}

    assert len(modes) == 3  # with the write-ahead log and its index
    assert set(modes.values()) == {0o600}


def test_no_study_is_made_over_another(store, where, study):
    with pytest.raises(UsageError, match="already"):
        create_readings(where, study)

    assert len(store.images()) == 3


@pytest.mark.parametrize("where", ["sqlite"], indirect=True)
def test_a_study_that_cannot_be_made_leaves_no_file(where, study, tmp_path):
    with pytest.raises(Exception, match="without a time zone"):
        create_readings(where, replace(study, created=datetime(2017, 4, 1)))

    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_not_there_is_told(tmp_path, study):
    with pytest.raises(UsageError, match="No such file"):
        create_readings(str(tmp_path / "none" / "study.sqlite"), study)


def test_a_file_that_is_no_study_is_refused_and_left_as_it_is(tmp_path):
    empty, text, other = (tmp_path / name for name in ("empty", "text", "other.sqlite"))
    empty.touch()
    text.write_text("file,view\n" * 1000)
    with closing(sqlite3.connect(other)) as database:
        database.execute("CREATE TABLE study (study_id TEXT)")
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}

    for path in (empty, text, other, tmp_path / "none"):
        with pytest.raises(UsageError, match=path.name):
            open_readings(str(path))

    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_an_empty_database_of_postgresql_is_no_study(postgresql):
    with pytest.raises(UsageError, match="holds no annotation study"):
        open_readings(postgresql())


@pytest.mark.parametrize(
    "url",
    ["postgresql+psycopg://ann:hidden@127.0.0.1:1/none", "mysql://ann:hidden@host/none", "://"],
)
def test_a_database_that_cannot_be_reached_is_told_without_its_password(url):
    with pytest.raises(UsageError) as caught:
        open_readings(url)

    assert "hidden" not in str(caught.value)


def test_images_whose_path_is_there_are_passed_over(store):
    twice = [an_image(2), an_image(3), replace(an_image(4), path="3.dcm"), an_image(5)]

    added = store.add_images(twice)

    assert added == 2
    assert [image.path for image in store.images()] == [f"{n}.dcm" for n in (0, 1, 2, 3, 5)]


def test_of_images_that_cannot_all_be_added_none_is(store):
    with pytest.raises(Exception, match=r"(?i)unique"):
        store.add_images([an_image(9), replace(an_image(0), path="another.dcm")])

    assert len(store.images()) == 3


def test_a_reading_sent_twice_is_written_once(store):
    first, second = a_reading(), a_reading(label="lateral")

    written = [store.add_readings(sent) for sent in ([first, first], [first, second], [second])]

    assert [[r.uid for r in readings] for readings in written] == [[first.uid], [second.uid], []]
    assert [(r.reading_id, r.uid) for r in store.readings()] == [(1, first.uid), (2, second.uid)]


def test_what_the_writer_is_told_is_what_is_read_back(store):
    sent = a_reading(note="zero \0, half \ud800", display={"zoom": float("nan"), "invert": True})

    written = store.add_readings([sent])

    assert written == tuple(store.readings())
    assert (written[0].note, written[0].display) == (
        "zero �, half \\ud800",
        {"zoom": None, "invert": True},
    )
    assert abs(written[0].received - datetime.now(UTC)) < timedelta(minutes=1)


@pytest.mark.parametrize(
    "wrong", [{"label": "oblique"}, {"reader_id": 3}, {"image_id": "f" * 16}], ids=str
)
def test_of_readings_that_the_study_does_not_know_none_is_written(store, wrong):
    with pytest.raises(ValueError, match="that is not in the study|who is not in the study"):
        store.add_readings([a_reading(), a_reading(**wrong)])

    assert not list(store.readings())


def test_a_moment_without_its_zone_is_refused(store):
    with pytest.raises(Exception, match="without a time zone"):
        store.add_readings([a_reading(made=datetime(2017, 4, 1))])


def test_reading_goes_on_after_any_number(store):
    store.add_readings([a_reading() for _ in range(5001)])  # more than are fetched at once

    assert [r.reading_id for r in store.readings()] == list(range(1, 5002))
    assert [r.reading_id for r in store.readings(after=4998)] == [4999, 5000, 5001]


def test_the_blind_round_is_closed_once(store):
    assert store.blind_round_closed() is None

    store.close_blind_round(NOON)
    store.close_blind_round(NOON + timedelta(days=1))

    assert store.blind_round_closed() == NOON


text = st.text(st.characters(), max_size=20)
moments = st.datetimes(
    min_value=datetime(1970, 1, 2),
    max_value=datetime(2200, 1, 1),
    timezones=st.sampled_from([UTC, timezone(timedelta(hours=-9))]),
)
displays = st.dictionaries(text, st.none() | st.booleans() | st.floats() | text, max_size=3)
acts = st.sampled_from(
    [
        *({"act": Action.LABEL, "label": label} for label in ("frontal", "lateral")),
        *({"act": Action.EXCLUDE, "reason": reason} for reason in EXCLUSION_REASONS),
        {"act": Action.UNDO, "undoes": "0" * 32},
        *({"act": act} for act in (Action.POSTPONE, Action.FLAG, Action.UNFLAG)),
    ]
)
readings = st.builds(
    lambda act, **facts: Reading(uid=uuid4().hex, image_id=f"{1:016x}", **act, **facts),
    act=acts,
    reader_id=st.sampled_from([1, 2]),
    round=st.sampled_from(ReadingRound),
    occasion=st.sampled_from([0, 1]),
    note=text,
    how=st.sampled_from(Method),
    shown=st.none() | moments,
    made=moments,
    milliseconds=st.none() | st.integers(0, 2**40),
    display=displays,
)


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(sent=st.lists(readings, max_size=4))
def test_any_reading_comes_back_as_it_was_written(store, sent):
    last = max((r.reading_id for r in store.readings()), default=0)

    written = store.add_readings(sent)

    assert tuple(store.readings(after=last)) == written
    assert [r.uid for r in written] == [r.uid for r in sent]
    numbers = [r.reading_id for r in written]
    assert numbers == list(range(last + 1, last + 1 + len(sent)))


def test_who_follows_while_others_write_misses_nothing(store, where):
    """Two openings stand for two processes; a number given too early would be passed over."""
    with closing(open_readings(where)) as other:
        writers = [(own, writer) for own in (store, other) for writer in range(2)]

        def write(own: ReadingStore, writer: int) -> list[str]:
            sent = [a_reading(reader_id=writer + 1) for _ in range(40)]
            for reading in sent:
                own.add_readings([reading])
            return [reading.uid for reading in sent]

        with ThreadPoolExecutor(len(writers)) as pool:
            jobs = [pool.submit(write, *writer) for writer in writers]
            seen = list(follow(other, lambda: all(job.done() for job in jobs)))
        sent = {uid for job in jobs for uid in job.result()}

    assert [r.reading_id for r in seen] == list(range(1, 161))
    assert {r.uid for r in seen} == sent


def follow(store: ReadingStore, is_over: Callable[[], bool]) -> Iterator[Reading]:
    last, was_over = 0, False
    while not was_over:
        was_over = is_over()
        for reading in store.readings(after=last):
            last = reading.reading_id
            yield reading


@pytest.mark.parametrize("where", ["sqlite"], indirect=True)
def test_the_one_file_is_the_whole_study_once_it_is_closed(store, where, tmp_path, study):
    store.add_readings([a_reading()])
    store.close()

    moved_to = Path(where).rename(tmp_path / "moved.sqlite")

    assert list(tmp_path.iterdir()) == [moved_to]
    with closing(open_readings(str(moved_to))) as moved:
        assert (moved.study, len(list(moved.readings()))) == (study, 1)
