"""The study log, retired readers, and the error of a reader's clock."""

import json
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_UTC = sa.DateTime(timezone=True)

_SQLITE = (
    "CREATE TRIGGER study_log_is_not_changed BEFORE UPDATE ON study_log "
    "BEGIN SELECT RAISE(ABORT, 'what the table study_log holds is never changed'); END",
    "CREATE TRIGGER study_log_is_not_deleted BEFORE DELETE ON study_log "
    "BEGIN SELECT RAISE(ABORT, 'what the table study_log holds is never deleted'); END",
    # INSERT OR REPLACE deletes rows without running triggers on DELETE.
    "CREATE TRIGGER study_log_is_not_replaced BEFORE INSERT ON study_log WHEN EXISTS "
    "(SELECT 1 FROM study_log AS there WHERE there.entry_id = NEW.entry_id) "
    "BEGIN SELECT RAISE(ABORT, 'what the table study_log holds is never replaced'); END",
)
_POSTGRESQL = (
    "CREATE FUNCTION study_log_only_grows() RETURNS trigger LANGUAGE plpgsql AS "
    "$$ BEGIN RAISE EXCEPTION 'what the table study_log holds is never changed'; END $$",
    "CREATE TRIGGER study_log_is_not_changed BEFORE UPDATE OR DELETE ON study_log "
    "FOR EACH ROW EXECUTE FUNCTION study_log_only_grows()",
    "CREATE TRIGGER study_log_is_not_emptied BEFORE TRUNCATE ON study_log "
    "FOR EACH STATEMENT EXECUTE FUNCTION study_log_only_grows()",
)


def upgrade() -> None:
    """Create the table, the columns and the triggers; number the earlier imports."""
    op.create_table(
        "study_log",
        sa.Column("entry_id", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column("happened", _UTC, nullable=False),
        sa.Column("what", sa.Text, nullable=False),
        sa.Column("reader_id", sa.Integer),
        sa.Column("facts", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("entry_id", name="pk_study_log"),
        sa.ForeignKeyConstraint(["reader_id"], ["reader.reader_id"], name="fk_study_log_reader_id"),
    )
    op.add_column("reader", sa.Column("retired", _UTC))
    op.add_column("reader", sa.Column("withdrawn", _UTC))
    op.add_column("reading", sa.Column("skew_seconds", sa.Float))
    _number_imports()
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    for statement in _SQLITE if is_sqlite else _POSTGRESQL:
        op.get_bind().exec_driver_sql(statement)


def _number_imports() -> None:
    """Number earlier imports, whose readings all have the time of one transaction."""
    db = op.get_bind()
    found = db.execute(
        sa.text(
            "SELECT received, MIN(reading_id) AS first, MAX(reading_id) AS last, COUNT(*) AS rows "
            "FROM reading WHERE how = 'import' GROUP BY received ORDER BY MIN(reading_id)"
        )
    ).all()
    for number, row in enumerate(found, start=1):
        facts: dict[str, Any] = {"number": number, "file": ""}
        facts |= {"first": row.first, "last": row.last, "readings": row.rows}
        db.execute(
            sa.text(
                "INSERT INTO study_log (entry_id, happened, what, facts) "
                "VALUES (:number, :happened, 'imported', :facts)"
            ),
            {"number": number, "happened": row.received, "facts": json.dumps(facts)},
        )
