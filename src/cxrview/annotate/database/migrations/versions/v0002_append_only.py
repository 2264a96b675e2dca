"""Triggers by which the database refuses to change or delete readings and events."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

# The third is needed since INSERT OR REPLACE deletes rows without running triggers on DELETE.
_SQLITE = """
CREATE TRIGGER {table}_is_not_changed BEFORE UPDATE ON {table}
BEGIN SELECT RAISE(ABORT, 'what the table {table} holds is never changed'); END;
CREATE TRIGGER {table}_is_not_deleted BEFORE DELETE ON {table}
BEGIN SELECT RAISE(ABORT, 'what the table {table} holds is never deleted'); END;
CREATE TRIGGER {table}_is_not_replaced BEFORE INSERT ON {table} WHEN EXISTS
    (SELECT 1 FROM {table} AS there WHERE {same})
BEGIN SELECT RAISE(ABORT, 'what the table {table} holds is never replaced'); END;
"""

_POSTGRESQL = """
CREATE FUNCTION {table}_only_grows() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'what the table {table} holds is never changed'; END $$;
CREATE TRIGGER {table}_is_not_changed BEFORE UPDATE OR DELETE ON {table}
FOR EACH ROW EXECUTE FUNCTION {table}_only_grows();
CREATE TRIGGER {table}_is_not_emptied BEFORE TRUNCATE ON {table}
FOR EACH STATEMENT EXECUTE FUNCTION {table}_only_grows();
"""

_SAME = {
    "reading": "there.reading_id = NEW.reading_id OR there.uid = NEW.uid",
    "event": "there.what = NEW.what",
}


def upgrade() -> None:
    """Create the triggers."""
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    for table, same in _SAME.items():
        text = (_SQLITE if is_sqlite else _POSTGRESQL).format(table=table, same=same)
        for statement in _statements(text):
            op.get_bind().exec_driver_sql(statement)


def _statements(text: str) -> list[str]:
    """Split into statements, which SQLite takes one by one; each begins with CREATE."""
    return [f"CREATE {rest}" for rest in text.strip().removeprefix("CREATE ").split("\nCREATE ")]
