"""The tables of annotation studies: readings, readers, logins; SQLite and PostgreSQL."""
