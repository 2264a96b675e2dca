"""The readers of a study with their sign-in links, passwords and logins.

Only the SHA-256 of a link or login is stored (both have 32 random bytes), and only the argon2 hash
of a password. So access to the database is not enough to sign in.
"""

import hashlib
import secrets
import unicodedata
from collections.abc import Iterable
from datetime import UTC, datetime

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import Connection, delete, func, insert, select, update

from cxrview.annotate.database.connect import Database
from cxrview.annotate.database.rows import row_reader
from cxrview.annotate.database.schema import LOGIN, READER
from cxrview.annotate.database.sign_in_links import has_ended, new_link_secret
from cxrview.errors import UsageError
from cxrview.records.annotation import Login, Reader
from cxrview.terms import Role

MIN_PASSWORD_LETTERS = 8
_HASHER = PasswordHasher()
# Checked if the name is unknown, so that it takes as long as a wrong password.
_NOBODYS = _HASHER.hash(secrets.token_urlsafe())


class Logins:
    """Readers of one study and their credentials."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def readers(self) -> tuple[Reader, ...]:
        """Return all readers, in the order in which they were added."""
        with self._database.reading() as db:
            return tuple(map(row_reader, db.execute(select(READER).order_by(READER.c.reader_id))))

    def add_reader(
        self, name: str, roles: Iterable[Role], *, password: str | None = None
    ) -> tuple[Reader, str]:
        """Add a reader, and return the secret of their sign-in link, which is not stored.

        Raises:
            UsageError: the name is empty, unprintable or taken, no role was given, or the password
                is too short.
        """
        name, held = name.strip(), frozenset(roles)
        if not name.isprintable() or not name or not held:
            raise UsageError("a reader has a name in printable letters and at least one role")
        kept = None if password is None else _hash(password)
        secret = new_link_secret(datetime.now(UTC))
        with self._database.writing() as db:
            check_name_is_free(db, name)
            last = db.scalar(select(func.coalesce(func.max(READER.c.reader_id), 0))) or 0
            reader = Reader(reader_id=last + 1, name=name, roles=held)
            db.execute(
                insert(READER).values(
                    reader_id=reader.reader_id,
                    name=name,
                    roles=sorted(held),
                    added=datetime.now(UTC),
                    link_sha256=_sha256(secret),
                    password_hash=kept,
                )
            )
        return reader, secret

    def add_roles(self, reader_id: int, roles: Iterable[Role]) -> None:
        """Give a reader more roles; all their logins end.

        Roles cannot be removed, because readings made with them would no longer count.

        Raises:
            UsageError: no reader has that id.
        """
        with self._database.writing() as db:
            held = db.scalar(select(READER.c.roles).where(READER.c.reader_id == reader_id)) or ()
            _change(db, reader_id, roles=sorted({*held, *roles}))

    def set_password(self, reader_id: int, password: str | None) -> None:
        """Set a password, or remove it with None; all logins of the reader end.

        Raises:
            UsageError: no reader has that id, or the password is too short.
        """
        kept = None if password is None else _hash(password)
        with self._database.writing() as db:
            _change(db, reader_id, password_hash=kept)

    def new_link(self, reader_id: int) -> str:
        """Return the secret of a new link; the old link and all logins of the reader end.

        Raises:
            UsageError: no reader has that id.
        """
        secret = new_link_secret(datetime.now(UTC))
        with self._database.writing() as db:
            _change(db, reader_id, link_sha256=_sha256(secret))
        return secret

    def check_password(self, name: str, password: str) -> Reader | None:
        """Return the reader; None if name or password is wrong, after the same time.

        Capital letters in the name do not matter, unless two readers differ only in them. A retired
        reader cannot sign in.
        """
        with self._database.reading() as db:
            active = db.execute(select(READER).where(READER.c.retired.is_(None))).all()
        same = [row for row in active if row.name == name.strip()]
        like = [row for row in active if row.name.casefold() == name.strip().casefold()]
        row = same[0] if same else like[0] if len(like) == 1 else None
        kept = row.password_hash if row is not None else None
        is_right = _is_right(kept or _NOBODYS, password)
        return row_reader(row) if row is not None and kept and is_right else None

    def reader_by_link(self, secret: str) -> Reader | None:
        """Return the reader of a link; None if it is unknown or expired, or the reader retired."""
        if has_ended(secret, datetime.now(UTC)):
            return None
        with self._database.reading() as db:
            found = select(READER).where(READER.c.link_sha256 == _sha256(secret))
            row = db.execute(found.where(READER.c.retired.is_(None))).one_or_none()
        return None if row is None else row_reader(row)

    def credentials(self) -> dict[int, tuple[str | None, ...]]:
        """Return the hashes of link and password of each reader who may sign in, for `open_login`.

        Taken before they are checked.
        """
        with self._database.reading() as db:
            rows = db.execute(select(READER).where(READER.c.retired.is_(None))).all()
        return {row.reader_id: (row.link_sha256, row.password_hash) for row in rows}

    def open_login(
        self,
        reader_id: int,
        token_sha256: str,
        csrf: str,
        expires: datetime,
        credentials: tuple[str | None, ...],
    ) -> bool:
        """Store a login that ends at `expires`; delete logins that have expired.

        Returns:
            False if there is none, since the reader was retired or got another link or password
            after `credentials` was taken: their logins have been ended, and this one came later.
        """
        with self._database.writing() as db:
            db.execute(delete(LOGIN).where(LOGIN.c.expires <= datetime.now(UTC)))
            found = select(READER).where(READER.c.reader_id == reader_id)
            row = db.execute(found.where(READER.c.retired.is_(None))).one_or_none()
            if row is None or (row.link_sha256, row.password_hash) != credentials:
                return False
            db.execute(
                insert(LOGIN).values(
                    token_sha256=token_sha256, reader_id=reader_id, csrf=csrf, expires=expires
                )
            )
        return True

    def find_login(self, token_sha256: str, now: datetime) -> Login | None:
        """Return the login of a token; None if it is unknown or has expired."""
        found = select(READER, LOGIN.c.csrf, LOGIN.c.expires).join_from(LOGIN, READER)
        with self._database.reading() as db:
            row = db.execute(
                found.where(
                    LOGIN.c.token_sha256 == token_sha256,
                    LOGIN.c.expires > now,
                    READER.c.retired.is_(None),
                )
            ).one_or_none()
        if row is None:
            return None
        return Login(reader=row_reader(row), csrf=row.csrf, expires=row.expires)

    def end_login(self, token_sha256: str) -> None:
        """End a login."""
        with self._database.writing() as db:
            db.execute(delete(LOGIN).where(LOGIN.c.token_sha256 == token_sha256))

    def end_logins_of(self, reader_id: int) -> None:
        """End all logins of a reader."""
        with self._database.writing() as db:
            end_logins(db, reader_id)


def end_logins(db: Connection, reader_id: int) -> None:
    """End all logins of a reader, inside a write transaction."""
    db.execute(delete(LOGIN).where(LOGIN.c.reader_id == reader_id))


def check_name_is_free(db: Connection, name: str, *, except_of: int | None = None) -> None:
    """Check that a name is valid for a reader and not taken.

    Names that differ in capital letters only are the same: a reader may type either to sign in.

    Raises:
        UsageError: the name is taken, empty or not printable.
    """
    if not name or not name.isprintable():
        raise UsageError("a reader has a name in printable letters")
    for row in db.execute(select(READER.c.reader_id, READER.c.name)):
        if row.name.casefold() == name.casefold() and row.reader_id != except_of:
            raise UsageError(f"a reader {row.name} already exists", "Choose another name")


def _change(db: Connection, reader_id: int, **values: str | list[str] | None) -> None:
    changed = db.execute(update(READER).where(READER.c.reader_id == reader_id).values(**values))
    if not changed.rowcount:
        raise UsageError(f"the study has no reader {reader_id}")
    end_logins(db, reader_id)


def _hash(password: str) -> str:
    if len(password) < MIN_PASSWORD_LETTERS:
        raise UsageError(f"a password has at least {MIN_PASSWORD_LETTERS} letters")
    return _HASHER.hash(_composed(password))


def _is_right(kept: str, password: str) -> bool:
    try:
        return _HASHER.verify(kept, _composed(password))
    except (VerificationError, InvalidHashError):
        return False


def _composed(password: str) -> bytes:
    """Normalise Unicode, so that the same letters give the same bytes from any keyboard."""
    return unicodedata.normalize("NFKC", password).encode("utf-8", "surrogatepass")


def _sha256(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
