"""What makes two paths one: the journal, shards and what is known all go by it."""

import os


def path_key(path: str) -> bytes:
    """The same for one file, however its path is written; not for two names of one file."""
    is_url = "://" in path or "::" in path
    # Not Path.resolve: it follows links, and each link is a row of its own.
    return os.fsencode(path if is_url else os.path.abspath(path))  # noqa: PTH100
