"""The first tables of an annotation study."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_UTC = sa.DateTime(timezone=True)


def _need(name: str, kind: Any, **more: Any) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=False, **more)


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "study",
        _need("study_id", sa.Text),
        _need("name", sa.Text),
        _need("created", _UTC),
        _need("choices", sa.JSON),
        _need("seed", sa.BigInteger),
        _need("readings_per_image", sa.Integer),
        _need("repeat_share", sa.Float),
        _need("root", sa.LargeBinary),
        _need("about", sa.JSON),
        sa.PrimaryKeyConstraint("study_id", name="pk_study"),
    )
    op.create_table(
        "image",
        _need("image_id", sa.Text),
        _need("ordinal", sa.BigInteger),
        _need("path", sa.LargeBinary),
        _need("source", sa.Text),
        _need("patient", sa.Text),
        _need("study", sa.Text),
        _need("content_id", sa.Text),
        _need("stratum", sa.Text),
        _need("weight", sa.Float),
        _need("model_view", sa.Text),
        _need("model_decision", sa.Text),
        sa.Column("pfi", sa.Float),
        sa.Column("header_view", sa.Text),
        sa.PrimaryKeyConstraint("image_id", name="pk_image"),
        sa.UniqueConstraint("ordinal", name="uq_image_ordinal"),
        sa.UniqueConstraint("path", name="uq_image_path"),
    )
    op.create_table(
        "reader",
        _need("reader_id", sa.Integer, autoincrement=False),
        _need("name", sa.Text),
        _need("roles", sa.JSON),
        _need("added", _UTC),
        _need("link_sha256", sa.Text),
        sa.Column("password_hash", sa.Text),
        sa.PrimaryKeyConstraint("reader_id", name="pk_reader"),
        sa.UniqueConstraint("name", name="uq_reader_name"),
        sa.UniqueConstraint("link_sha256", name="uq_reader_link_sha256"),
    )
    op.create_table(
        "reading",
        _need("reading_id", sa.BigInteger, autoincrement=False),
        _need("uid", sa.Text),
        _need("reader_id", sa.Integer),
        _need("image_id", sa.Text),
        _need("round", sa.Text),
        _need("occasion", sa.Integer),
        _need("act", sa.Text),
        _need("label", sa.Text),
        _need("reason", sa.Text),
        _need("note", sa.Text),
        _need("undoes", sa.Text),
        _need("how", sa.Text),
        sa.Column("shown", _UTC),
        _need("made", _UTC),
        _need("received", _UTC),
        sa.Column("milliseconds", sa.BigInteger),
        _need("display", sa.JSON),
        sa.PrimaryKeyConstraint("reading_id", name="pk_reading"),
        sa.UniqueConstraint("uid", name="uq_reading_uid"),
        sa.ForeignKeyConstraint(["reader_id"], ["reader.reader_id"], name="fk_reading_reader_id"),
        sa.ForeignKeyConstraint(["image_id"], ["image.image_id"], name="fk_reading_image_id"),
    )
    op.create_index("ix_reading_image_id", "reading", ["image_id"])
    op.create_table(
        "event",
        _need("what", sa.Text),
        _need("happened", _UTC),
        sa.PrimaryKeyConstraint("what", name="pk_event"),
    )
    op.create_table(
        "login",
        _need("token_sha256", sa.Text),
        _need("reader_id", sa.Integer),
        _need("csrf", sa.Text),
        _need("expires", _UTC),
        sa.PrimaryKeyConstraint("token_sha256", name="pk_login"),
        sa.ForeignKeyConstraint(["reader_id"], ["reader.reader_id"], name="fk_login_reader_id"),
    )
    op.create_index("ix_login_reader_id", "login", ["reader_id"])
