"""Runs the network over an archive: files in, rows out. Needs no torch."""
