"""Writes the files of a result from its journal: the same for a run and for what is joined."""

import os

from cxrview.results.files import Outputs
from cxrview.results.journal import Conditions, Journal
from cxrview.results.parts import write_parts
from cxrview.results.side_files import OWNER, owner_name
from cxrview.results.summary import Tally, summarise
from cxrview.results.tables import write_failures, write_summary, write_table


def write_result(
    out: Outputs,
    journal: Journal,
    tally: Tally,
    conditions: Conditions,
    folder: str | None = None,
) -> None:
    """Write table, failures and summary, each whole or not at all.

    Args:
        out: what to write.
        journal: holds the rows.
        tally: their counts.
        conditions: under which they came about.
        folder: where relative paths in them begin: where we stand if None; empty if of several.

    Raises:
        OSError: the disk took no more.
    """
    write = write_parts if out.in_parts else write_table
    write(out.table, journal.rows())
    write_failures(out.failures, journal.failures())
    folder = os.getcwd() if folder is None else folder  # noqa: PTH109 (a text, for JSON)
    facts = {"folder": folder, OWNER: owner_name(out.table, in_parts=out.in_parts)}
    write_summary(out.summary, summarise(tally, conditions) | facts)
