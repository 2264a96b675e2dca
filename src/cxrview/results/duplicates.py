"""Mark duplicate images: rows whose image is a copy of an earlier one."""

import json
import sqlite3
from collections.abc import Iterator

from cxrview.results.columns import Row

SAME_UID, SAME_FILE = "duplicate_sop_instance_uid", "duplicate_file"
"""Warnings of an image that is a copy of an earlier one."""

_COPIES = """
SELECT row,
    sop_instance_uid IS NOT NULL AND EXISTS (
        SELECT 1 FROM outcome AS e
        WHERE e.sop_instance_uid = o.sop_instance_uid AND e.ordinal < o.ordinal),
    content_id IS NOT NULL AND EXISTS (
        SELECT 1 FROM outcome AS e
        WHERE e.content_id = o.content_id AND e.ordinal < o.ordinal)
FROM outcome AS o WHERE failure_code IS NULL AND ordinal >= ? ORDER BY ordinal, path
"""


def rows_with_duplicates_marked(journal: sqlite3.Connection, first: int) -> Iterator[Row]:
    """Yield the rows of a journal from ordinal `first` on, copies with a warning.

    A copy has the SOP Instance UID of an earlier image, or is the same file byte for byte.

    Args:
        journal: its table `outcome` holds the rows; see `results.journal`.
        first: ordinal of the first row.
    """
    for text, is_uid_known, is_content_known in journal.execute(_COPIES, (first,)):
        row = json.loads(text)
        codes = [row["warnings"]] if row["warnings"] else []
        if is_uid_known:
            codes.append(SAME_UID)
        if is_content_known:
            codes.append(SAME_FILE)
        yield row | {"warnings": ";".join(codes) or None}
