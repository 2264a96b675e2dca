"""Writes the files of a result from its journal: the same for a run and for what is joined."""

from cxrview.classify.outputs import Outputs
from cxrview.classify.tally import Tally, summarise
from cxrview.store.journal import Conditions, Journal
from cxrview.store.parts import write_parts
from cxrview.store.tables import write_failures, write_summary, write_table


def write_result(out: Outputs, journal: Journal, tally: Tally, conditions: Conditions) -> None:
    """Write table, failures and summary, each whole or not at all.

    Raises:
        OSError: the disk took no more.
    """
    write = write_parts if out.in_parts else write_table
    write(out.table, journal.rows())
    write_failures(out.failures, journal.failures())
    write_summary(out.summary, summarise(tally, conditions))
