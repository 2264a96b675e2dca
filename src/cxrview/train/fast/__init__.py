"""A small model that answers five questions of one radiograph in one pass."""
