"""Who may enter: by link or password, until it expires; and that the database tells no secret."""

import hashlib
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

pytest.importorskip("sqlalchemy", reason="needs the extra annotate: pip install '.[annotate]'")

from sqlalchemy import select

from cxrview.annotate.database.schema import METADATA
from cxrview.annotate.database.store import ReadingStore, create_readings
from cxrview.errors import UsageError
from cxrview.records.annotation import AnnotationStudy, Reader
from cxrview.terms import Role

HOUR = timedelta(hours=1)


@pytest.fixture
def store(where: str, study: AnnotationStudy) -> Iterator[ReadingStore]:
    with closing(create_readings(where, study)) as store:
        yield store


def test_a_reader_enters_by_the_link_that_was_shown_once(store):
    ann, secret = store.add_reader("Ann", {Role.READER})
    ben, other = store.add_reader(" Ben ", {Role.READER, Role.ADJUDICATOR})

    assert ben == Reader(reader_id=2, name="Ben", roles=frozenset({Role.READER, Role.ADJUDICATOR}))
    assert store.readers() == (ann, ben)
    assert (store.reader_by_link(secret), store.reader_by_link(other)) == (ann, ben)
    assert store.reader_by_link(secret[:-1]) is None


def test_a_password_lets_its_reader_in_and_nobody_else(store):
    ann, _ = store.add_reader("Ann", {Role.READER}, password="über den Lungen")
    store.add_reader("Ben", {Role.READER})

    assert store.check_password("Ann", "über den Lungen") == ann
    assert store.check_password("Ann", "u\u0308ber den Lungen") == ann  # typed in two strokes
    for name, password in [("Ann", "wrong"), ("Ben", ""), ("Ben", "wrong"), ("Eve", "wrong")]:
        assert store.check_password(name, password) is None


def test_a_new_password_or_link_ends_the_old_one_and_every_login(store):
    ann, old = store.add_reader("Ann", {Role.READER}, password="first password")
    now = datetime.now(UTC)
    store.open_login(1, "token", "csrf", now + HOUR, store.credentials()[1])

    store.set_password(1, "second password")
    assert store.find_login("token", now) is None
    store.open_login(1, "token", "csrf", now + HOUR, store.credentials()[1])
    new = store.new_link(1)

    assert store.find_login("token", now) is None
    assert store.check_password("Ann", "first password") is None
    assert store.check_password("Ann", "second password") == ann
    assert (store.reader_by_link(old), store.reader_by_link(new)) == (None, ann)
    store.set_password(1, None)
    assert store.check_password("Ann", "second password") is None


@pytest.mark.parametrize("change", ["link", "password", "retired"])
def test_no_login_is_opened_by_what_was_replaced_while_it_was_checked(store, change):
    """All logins were ended when it was replaced, and this one would come after that."""
    store.add_reader("Ann", {Role.READER}, password="first password")
    checked, now = store.credentials()[1], datetime.now(UTC)
    changes = {
        "link": lambda: store.new_link(1),
        "password": lambda: store.set_password(1, "second password"),
        "retired": lambda: store.retire_reader(1),
    }

    changes[change]()

    assert not store.open_login(1, "token", "csrf", now + HOUR, checked)
    assert store.find_login("token", now) is None


def test_a_login_ends_when_it_expires_or_is_ended(store):
    ann, _ = store.add_reader("Ann", {Role.READER})
    now = datetime.now(UTC)
    for token in ("a", "b", "c"):
        store.open_login(1, token, f"csrf {token}", now + HOUR, store.credentials()[1])

    found = store.find_login("a", now)
    assert found is not None
    assert (found.reader, found.csrf, found.expires) == (ann, "csrf a", now + HOUR)
    assert store.find_login("a", now + HOUR) is None
    store.end_login("a")
    assert [store.find_login(token, now) is not None for token in "abc"] == [False, True, True]
    store.end_logins_of(1)
    assert not any(store.find_login(token, now) for token in "abc")


def test_logins_that_expired_are_forgotten(store, where):
    store.add_reader("Ann", {Role.READER})
    now = datetime.now(UTC)
    store.open_login(1, "old", "csrf", now - HOUR, store.credentials()[1])

    store.open_login(1, "new", "csrf", now + HOUR, store.credentials()[1])

    assert [row["token_sha256"] for row in rows_of(store, "login")] == ["new"]


def test_the_database_holds_no_secret_in_clear(store):
    _, secret = store.add_reader("Ann", {Role.READER}, password="über den Lungen")

    (row,) = rows_of(store, "reader")

    assert row["link_sha256"] == hashlib.sha256(secret.encode()).hexdigest()
    assert row["password_hash"].startswith("$argon2id$")
    assert "Lungen" not in str(row)


@pytest.mark.parametrize(
    ("name", "roles", "password", "told"),
    [
        ("Ann", {Role.READER}, None, "Ann already"),
        ("", {Role.READER}, None, "printable"),
        ("A\nB", {Role.READER}, None, "printable"),
        ("Ben", set(), None, "at least one role"),
        ("Ben", {Role.READER}, "short", "at least 8"),
    ],
)
def test_a_reader_without_what_it_needs_is_refused(store, name, roles, password, told):
    store.add_reader("Ann", {Role.READER})

    with pytest.raises(UsageError, match=told):
        store.add_reader(name, roles, password=password)

    assert len(store.readers()) == 1


def test_nobody_gets_a_password_or_a_link_that_is_not_there(store):
    for change in (lambda: store.set_password(7, "long enough"), lambda: store.new_link(7)):
        with pytest.raises(UsageError, match="no reader 7"):
            change()


def rows_of(store: ReadingStore, table: str) -> list[dict[str, Any]]:
    with store._database.reading() as db:
        return [row._asdict() for row in db.execute(select(METADATA.tables[table]))]
