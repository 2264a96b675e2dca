"""A small model that answers six questions of one radiograph in one pass."""
