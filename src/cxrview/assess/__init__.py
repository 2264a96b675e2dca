"""Compares what a classifier said with what is true: pure arithmetic on arrays and records."""
