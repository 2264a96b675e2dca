"""Reads what the options for long runs say: a time of day, a rate, a shard, what is known."""

import re
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from cxrview.errors import UsageError
from cxrview.wording import plural

if TYPE_CHECKING:
    from cxrview.classify.selection import Selection
    from cxrview.results.files import Outputs
    from cxrview.results.summary import RunSummary

_RATE = re.compile(r"(\d+(?:\.\d+)?)\s*([kKMG]?i?)B(?:/s)?")
_BYTES = {"": 1, "k": 10**3, "M": 10**6, "G": 10**9, "ki": 1 << 10, "Mi": 1 << 20, "Gi": 1 << 30}


def is_past(until: str | None) -> Callable[[], bool]:
    """Make what says whether the next time that the clock shows HH:MM has come; never for None.

    Raises:
        typer.BadParameter: it is no time of day.
    """
    if until is None:
        return lambda: False
    end = next_time(until, datetime.now())
    return lambda: datetime.now() >= end


def next_time(text: str, now: datetime) -> datetime:
    """When the clock shows HH:MM next, by the clock on the wall; in 24 hours where it does now."""
    if not re.fullmatch(r"([01]?\d|2[0-3]):[0-5]\d", text, re.ASCII):
        raise typer.BadParameter(f"--until takes a time of day such as 06:00, not {text}")
    hour, minute = map(int, text.split(":"))
    today = now.replace(hour=hour, minute=minute, second=0, microsecond=0)
    return today if today > now else today + timedelta(days=1)


def bytes_per_second(rate: str | None) -> float | None:
    """A rate such as 200MB/s in bytes a second; None for None.

    Raises:
        typer.BadParameter: it is none, or not above 0.
    """
    if rate is None:
        return None
    found = _RATE.fullmatch(rate.strip())
    number = float(found[1]) * _BYTES.get(found[2].replace("K", "k"), 0) if found else 0.0
    if not number:
        raise typer.BadParameter(f"--max-read-rate takes a rate such as 200MB/s, not {rate}")
    return number


def selection_of(shard: str | None, known: Sequence[Path], result: "Outputs | None") -> "Selection":
    """What --shard and --known leave of the files.

    Raises:
        UsageError: there is no such shard or known result, or it would be written over.
    """
    from cxrview.classify.selection import Selection
    from cxrview.results.files import Outputs
    from cxrview.results.known_paths import KnownPaths
    from cxrview.results.tables import files_of
    from cxrview.sources.shard import Shard

    written = {path.resolve() for path in result.whole()} if result else set()
    for table in known:
        files_of(table)  # before what its name should end in
        of_known = Outputs(table=table, in_parts=table.is_dir()).whole()
        if written & {path.resolve() for path in of_known}:
            raise UsageError(
                f"{table} is known, and would be written over in part or whole",
                "Name another with --out, and join the two with cxrview concat",
            )
    return Selection(
        shard=Shard.named(shard) if shard else None,
        known=KnownPaths(known) if known else None,
    )


def tell_if_all_was_new(tally: "RunSummary", selection: "Selection") -> None:
    """Say on stderr that --known was of no use: its paths may begin elsewhere."""
    if selection.known and not tally.known:
        typer.echo(
            f"no file found is one of the known ones ({plural(len(selection.known), 'file')}): "
            "does the archive lie under another path than in the earlier result?",
            err=True,
        )
