"""Run a model over an archive: files in, rows out. It needs no torch."""
