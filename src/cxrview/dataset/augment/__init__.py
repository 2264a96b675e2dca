"""The 106 variants of a radiograph."""
