"""Migrations of the tables of an annotation study, which Alembic runs in order."""
