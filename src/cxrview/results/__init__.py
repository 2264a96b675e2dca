"""The table that a run leaves: rows, Parquet and CSV files, journal, concatenation."""
