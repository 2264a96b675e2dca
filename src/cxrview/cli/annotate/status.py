"""`cxrview annotate status`: progress of a study, and closing of its blind round."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from cxrview.cli.annotate.shared import StudyName, lacking_readers, opened, progress_of
from cxrview.errors import UsageError
from cxrview.wording import plural

if TYPE_CHECKING:
    from cxrview.annotate.database.store import ReadingStore
    from cxrview.annotate.progress import Progress


def status(
    study: StudyName,
    close_blind_round: Annotated[
        bool,
        typer.Option(
            "--close-blind-round",
            help="Close it permanently: from then on the model's result may be shown.",
        ),
    ] = False,
    even_so: Annotated[
        bool,
        typer.Option("--even-so", help="Close it even if readers have images left to read."),
    ] = False,
    late_minutes: Annotated[
        float,
        typer.Option(
            min=0,
            max=24 * 60,
            metavar="N",
            help="How long after the closing readings are accepted that were made before it and "
            "waited in a browser.",
        ),
    ] = 30,
) -> None:
    """Report how many images are read, settled and in conflict, and what each reader has left.

    Example: cxrview annotate status study.db

    Exit code: 0 done, 2 usage error.
    """
    if even_so and not close_blind_round:
        raise UsageError("--even-so needs --close-blind-round")
    with opened(study) as store:
        from datetime import UTC, datetime

        found = progress_of(store)
        if close_blind_round and not store.blind_round_closed():
            _refuse_early(found, even_so)
            left = sum(reader.left for reader in found.readers)
            now, seconds = datetime.now(UTC), 60 * late_minutes
            store.close_blind_round(now, late_seconds=seconds, left=left)
        typer.echo("\n".join(_lines(store, found)))


def _refuse_early(found: "Progress", even_so: bool) -> None:
    left = sum(reader.left for reader in found.readers)
    if left and not even_so:
        raise UsageError(
            f"readers have {plural(left, 'reading')} left, and a closed blind round cannot be "
            "opened again",
            "Add --even-so to close it nevertheless",
        )


def _lines(store: "ReadingStore", found: "Progress") -> Iterator[str]:
    closed = store.blind_round_closed()
    state = f"closed {closed:%Y-%m-%d %H:%M} UTC" if closed else "open"
    yield f"{store.study.name}: {plural(found.images, 'image')}, blind round {state}"
    for how, images in found.statuses.items():
        if images:
            yield f"  {how:12} {images:6}"
    of = {reader.reader_id: reader for reader in found.readers}
    yield from _exclusions(store)
    for reader in store.readers():
        roles = " and ".join(sorted(reader.roles, reverse=True))
        text = f"{reader.name}, {roles}"
        if reader.is_withdrawn:
            text += ": withdrawn, no reading counts"
        elif reader.is_retired:
            text += f": retired, {of[reader.reader_id].done} read" if reader.reader_id in of else ""
        elif at := of.get(reader.reader_id):
            flagged = f", {at.flagged} flagged" if at.flagged else ""
            text += f": {at.done} of {at.all} read, {at.left} left{flagged}"
        yield text
    yield from _irregular(store)
    if not closed:
        yield from lacking_readers(store, found)


def _exclusions(store: "ReadingStore") -> Iterator[str]:
    """Return the number of excluded images by reason."""
    from collections import Counter

    from cxrview.annotate.labels import settled_images

    reasons = Counter(one.settled.reason for one in settled_images(store) if one.settled.reason)
    for reason, images in sorted(reasons.items()):
        yield f"  {images} excluded: {reason}"


def _irregular(store: "ReadingStore") -> Iterator[str]:
    """Return what a publication has to mention: late readings and undone imports."""
    from cxrview.annotate.late_readings import count_late

    names = {reader.reader_id: reader.name for reader in store.readers()}
    for reader_id, count in count_late(store.readings(), store.blind_round_closed()).items():
        acts = plural(count, "act of the blind round", "acts of the blind round")
        yield f"{names[reader_id]}: {acts} came after its closing and count"
    for one in store.imports():
        if one.undone:
            yield f"import {one.number} ({plural(one.readings, 'reading')} of {one.file}) is undone"
