"""What makes two paths one: the journal, shards and what is known all go by it."""

import os

from cxrview.sources.absolute import absolute


def path_key(path: str, folder: str = "") -> bytes:
    """The same for one file, however its path is written; not for two names of one file.

    Args:
        path: as a run found it.
        folder: where a relative path begins; where we stand if empty.
    """
    return os.fsencode(absolute(path, folder))
