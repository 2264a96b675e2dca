"""The database refuses to forget: its triggers, its steps from older tables, a writer killed."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

pytest.importorskip("sqlalchemy", reason="needs the extra annotate: pip install '.[annotate]'")

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from sqlalchemy import insert, text
from sqlalchemy.exc import DBAPIError

from cxrview.annotate.database.connect import Database
from cxrview.annotate.database.rows import study_row
from cxrview.annotate.database.schema import METADATA, STUDY
from cxrview.annotate.database.store import ReadingStore, create_readings, open_readings
from cxrview.errors import CannotWrite, UsageError
from cxrview.records.annotation import AnnotationStudy, Reading, StudyImage
from cxrview.terms import Action, ReadingRound, Role

NOON = datetime(2017, 4, 1, 12, tzinfo=UTC)
IMAGE_ID = "0" * 16


@pytest.fixture
def store(where: str, study: AnnotationStudy) -> Iterator[ReadingStore]:
    with closing(create_readings(where, study)) as store:
        fill(store)
        yield store


def fill(store: ReadingStore) -> None:
    store.add_images([StudyImage(image_id=IMAGE_ID, path="a.dcm")])
    store.add_reader("Ann", {Role.READER})
    store.add_readings([a_reading("first"), a_reading("second")])
    store.close_blind_round(NOON)


def a_reading(uid: str) -> Reading:
    said = {"reader_id": 1, "image_id": IMAGE_ID, "round": ReadingRound.BLIND, "act": Action.LABEL}
    return Reading(uid=uid, label="frontal", made=NOON, **said)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE reading SET label = 'lateral' WHERE reading_id = 1",
        "UPDATE reading SET label = label",
        "DELETE FROM reading",
        "DELETE FROM reading WHERE uid = 'second'",
        "UPDATE event SET happened = '2030-01-01'",
        "DELETE FROM event",
        "UPDATE study_log SET what = 'imported'",
        "DELETE FROM study_log",
    ],
)
def test_the_database_refuses_to_change_what_was_written(store, statement):
    before = list(store.readings())

    with pytest.raises(DBAPIError, match="is never (changed|deleted)"):
        run(store, statement)

    assert (list(store.readings()), store.blind_round_closed()) == (before, NOON)


BYWAYS = {
    "sqlite": (
        "REPLACE INTO reading SELECT * FROM reading WHERE reading_id = 1",
        "INSERT OR REPLACE INTO event VALUES ('blind round closed', '2030-01-01')",
        "REPLACE INTO study_log SELECT * FROM study_log WHERE entry_id = 1",
    ),
    "postgresql": (
        "TRUNCATE reading",
        "TRUNCATE study_log",
        "TRUNCATE reader CASCADE",
        "INSERT INTO event VALUES ('blind round closed', '2030-01-01')"
        " ON CONFLICT (what) DO UPDATE SET happened = '2030-01-01'",
    ),
}


@pytest.mark.parametrize(
    ("where", "statement"),
    [(database, words) for database, all_words in BYWAYS.items() for words in all_words],
    indirect=["where"],
)
def test_nor_does_it_by_any_byway(store, statement):
    before = list(store.readings())

    with pytest.raises(DBAPIError, match="is never"):
        run(store, statement)

    assert (list(store.readings()), store.blind_round_closed()) == (before, NOON)


def run(store: ReadingStore, statement: str) -> None:
    with store._database.reading() as db:
        db.execute(text(statement))


def test_alembics_steps_lead_to_the_tables_that_the_program_knows(store):
    with store._database.reading() as db:
        found = MigrationContext.configure(db, opts={"compare_type": True})

        assert compare_metadata(found, METADATA) == []


def test_a_study_of_an_older_cxrview_is_brought_up_to_date(where, study):
    """Before the second step nothing but the program kept readings from being changed."""
    make_old(where, study, "0001")
    with closing(open_readings(where)) as store:
        fill(store)

        assert store.study == study
        with pytest.raises(DBAPIError, match="is never deleted|is never changed"):
            run(store, "DELETE FROM reading")


def test_imports_of_an_older_cxrview_are_numbered_so_that_they_can_be_undone(where, study):
    """Each was one transaction: its readings have one moment of arrival."""
    make_old(where, study, "0002")
    old = {"reader": 1, "image": IMAGE_ID, "made": "2017-04-01 12:00:00"}
    rows = [("a", "import", "10:00"), ("b", "import", "10:00"), ("c", "single", "10:30")]
    rows += [("d", "import", "11:00")]
    with closing(Database(where)) as database, database.writing() as db:
        db.execute(text(OLD_READER), {"roles": '["reader"]'})
        db.execute(text(OLD_IMAGE), {"image": IMAGE_ID, "path": b"a.dcm"})
        for number, (uid, how, clock) in enumerate(rows, start=1):
            moment = f"2017-04-01 {clock}:00"
            said = {"id": number, "uid": uid, "how": how, "received": moment, "display": "{}"}
            db.execute(text(OLD_READING), old | said)

    with closing(open_readings(where)) as store:
        assert [(one.number, one.first, one.last) for one in store.imports()] == [
            (1, 1, 2),
            (2, 4, 4),
        ]
        store.undo_import(1)

        assert [reading.uid for reading in store.readings()] == ["c", "d"]
        assert [reading.uid for reading in store.every_reading()] == ["a", "b", "c", "d"]


OLD_READER = (
    "INSERT INTO reader (reader_id, name, roles, added, link_sha256) "
    "VALUES (1, 'Ann', :roles, '2017-04-01 09:00:00', 'x')"
)
OLD_IMAGE = (
    "INSERT INTO image (image_id, ordinal, path, source, patient, study, content_id, stratum, "
    "weight, model_view, model_decision) VALUES (:image, 1, :path, '', '', '', '', '', 1, '', '')"
)
OLD_READING = (
    "INSERT INTO reading (reading_id, uid, reader_id, image_id, round, occasion, act, label, "
    "reason, note, undoes, how, made, received, display) VALUES (:id, :uid, :reader, :image, "
    "'blind', 0, 'label', 'frontal', '', '', '', :how, :made, :received, :display)"
)


def make_old(where: str, study: AnnotationStudy, revision: str) -> None:
    if "://" not in where:
        Path(where).touch()
    with closing(Database(where)) as database, database._lock() as connection:
        config = Config()
        config.set_main_option("script_location", "cxrview.annotate.database:migrations")
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
        connection.execute(insert(STUDY).values(**study_row(study)))


def test_a_study_of_a_newer_cxrview_is_refused(store, where):
    with store._database.writing() as db:
        db.execute(text("UPDATE alembic_version SET version_num = '9999'"))

    with pytest.raises(UsageError, match="newer version"):
        open_readings(where)


def test_a_study_whose_making_was_stopped_is_told(where, study):
    if "://" not in where:
        Path(where).touch()
    with closing(Database(where)) as database:
        database.migrate(from_nothing=True)

    with pytest.raises(UsageError, match="incomplete study"):
        open_readings(where)


@pytest.mark.parametrize("where", ["sqlite"], indirect=True)
def test_a_commit_to_a_file_waits_for_the_disk(store):
    with store._database.writing() as db:
        assert db.scalar(text("PRAGMA synchronous")) == 2  # FULL
        assert db.scalar(text("PRAGMA journal_mode")) == "wal"
        assert db.scalar(text("PRAGMA foreign_keys")) == 1


@pytest.mark.parametrize("where", ["postgresql"], indirect=True)
def test_a_commit_to_a_server_waits_for_the_disk_though_the_server_is_set_not_to(where, study):
    settings = {"synchronous_commit": "off", "default_transaction_isolation": "serializable"}
    careless = where + "".join(f"%20-c{name}%3D{value}" for name, value in settings.items())

    with closing(create_readings(careless, study)) as store, store._database.writing() as db:
        assert db.scalar(text("SHOW synchronous_commit")) == "on"
        assert db.scalar(text("SHOW transaction_isolation")) == "read committed"


@pytest.mark.parametrize("where", ["sqlite"], indirect=True)
def test_a_full_disk_is_told_and_nothing_of_it_is_written(where, study):
    """Here a file that may have no more pages than it has."""
    with closing(create_readings(where, study)) as store:
        fill(store)
        with store._database.reading() as db:
            pages = db.scalar(text("PRAGMA page_count"))
        with store._database._engine.connect() as connection:  # the pool gives it again
            connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")

        with pytest.raises(CannotWrite, match="full"):
            store.add_readings([a_reading(f"{n}") for n in range(1000)])

        assert len(list(store.readings())) == 2


WRITER = """
import sys
from datetime import UTC, datetime
from itertools import count
from cxrview.records.annotation import Reading
from cxrview.annotate.database.store import open_readings
from cxrview.terms import Action, ReadingRound

store = open_readings(sys.argv[1])
for n in count():
    uids = [f"{n}-{part}" for part in range(3)]
    store.add_readings(
        Reading(uid=uid, reader_id=1, image_id="0" * 16, round=ReadingRound.BLIND, act=Action.LABEL,
                label="frontal", made=datetime.now(UTC)) for uid in uids)
    print(*uids, flush=True)
"""


@pytest.mark.slow
@pytest.mark.parametrize("after", [1, 20, 57])
def test_what_a_killed_writer_has_appended_is_there(store, where, after):
    """And of what it was about to append, all or nothing."""
    command = [sys.executable, "-c", WRITER, where]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        told = [uid for _ in range(after) for uid in writer.stdout.readline().split()]
        os.kill(writer.pid, signal.SIGKILL)
        told += writer.stdout.read().split()

    there = [r.uid for r in store.readings(after=2)]
    assert len(told) >= 3 * after
    assert there[: len(told)] == told
    assert len(there) % 3 == 0
    store.add_readings([a_reading("third")])  # the dead one's lock is gone
    assert [r.reading_id for r in store.readings()] == list(range(1, len(there) + 4))
