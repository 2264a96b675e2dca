"""Tells on stderr what a run has found."""

import shlex
from typing import TYPE_CHECKING

import typer

from cxrview.wording import plural

if TYPE_CHECKING:
    from cxrview.results.files import Outputs
    from cxrview.results.summary import Tally


def report(tally: "Tally", result: "Outputs | None", *, show: bool) -> None:
    """Tell on stderr what was found; on stdout, where asked, the table."""
    if show and result:
        from cxrview.cli.show_rows import show_rows

        show_rows(result)
    lines = counts(tally)
    if tally.read_now:
        rate = tally.read_now / tally.seconds_now
        read = plural(tally.read_now, "file")
        lines.append(f"{read} read in {tally.seconds_now:.1f} s, {rate:.1f} a second")
    if tally.seconds > tally.seconds_now:
        lines.append(f"all runs together took {tally.seconds:.1f} s")
    if result:
        lines.append(f"rows in {result.table}, failures in {result.failures}")
        passing = tally.failed_in_passing
        if tally.is_complete and passing and sum(tally.failed.values()) < tally.found:
            lines.append(
                f"{sum(passing.values())} of the failures may lie in the disk or the machine "
                f"({', '.join(passing)}): once that is mended, the same command with --known "
                f"{shlex.quote(str(result.table))} and another --out reads these again"
            )
    if not tally.is_complete:
        go_on = "the same command with --resume goes on" if result else "rows so far are right"
        lines.append(f"{'stopped in time' if tally.is_time_up else 'interrupted'}; {go_on}")
    typer.echo("\n".join(lines), err=True)


def counts(tally: "Tally") -> list[str]:
    """What became of the files, in lines for people."""
    failed = sum(tally.failed.values())
    lines = [
        f"{plural(tally.found, 'file')} = {tally.classified} classified ({tally.frontal} frontal, "
        f"{tally.lateral} lateral) + {tally.review} review "
        f"+ {tally.not_chest} not chest + {tally.skipped} skipped + {failed} failed",
    ]
    if tally.failed:
        lines.append("failed: " + ", ".join(f"{n} {code}" for code, n in tally.failed.items()))
    if disagrees := tally.agreement.get("disagrees"):
        lines.append(f"{plural(disagrees, 'header names', 'headers name')} the other view")
    if tally.known:
        lines.append(f"{plural(tally.known, 'file')} left out: known from an earlier result")
    if tally.gone:
        lines.append(f"{plural(tally.gone, 'file')} dropped: read before, and not found any more")
    return lines
