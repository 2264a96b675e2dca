"""`cxrview annotate status`: how far a study has come, and the end of its blind round."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from cxrview.cli.annotation_study import StudyName, opened
from cxrview.errors import UsageError
from cxrview.terms import Role

if TYPE_CHECKING:
    from cxrview.annotate.progress import Progress
    from cxrview.store.readings import ReadingStore


def status(
    study: StudyName,
    close_blind_round: Annotated[
        bool,
        typer.Option(
            "--close-blind-round",
            help="End it for good: from then on agreement and the model's opinion may be seen.",
        ),
    ] = False,
    even_so: Annotated[
        bool,
        typer.Option("--even-so", help="Close it also where readers have images left to read."),
    ] = False,
) -> None:
    """Say how many images are read, settled and in conflict, and what each reader has left.

    Exit code: 0 done, 2 usage error.
    """
    if even_so and not close_blind_round:
        raise UsageError("--even-so goes with --close-blind-round")
    with opened(study) as store:
        from datetime import UTC, datetime

        from cxrview.annotate.progress import progress

        found = progress(store.study, store.images(), store.readings(), store.readers())
        if close_blind_round and not store.blind_round_closed():
            _refuse_early(found, even_so)
            store.close_blind_round(datetime.now(UTC))
        typer.echo("\n".join(_lines(store, found)))


def _refuse_early(found: "Progress", even_so: bool) -> None:
    left = sum(reader.left for reader in found.readers)
    if left and not even_so:
        raise UsageError(
            f"readers have {left} readings left, and a closed blind round stays closed",
            "Close it all the same with --even-so",
        )


def _lines(store: "ReadingStore", found: "Progress") -> Iterator[str]:
    closed = store.blind_round_closed()
    state = f"closed {closed:%Y-%m-%d %H:%M} UTC" if closed else "open"
    yield f"{store.study.name}: {found.images} images, blind round {state}"
    for how, images in found.settlements.items():
        if images:
            yield f"  {how:12} {images:6}"
    of = {reader.reader_id: reader for reader in found.readers}
    for reader in store.readers():
        roles = " and ".join(sorted(reader.roles, reverse=True))
        text = f"{reader.name}, {roles}"
        if at := of.get(reader.reader_id):
            flagged = f", {at.flagged} flagged" if at.flagged else ""
            text += f": {at.done} of {at.all} read, {at.left} left{flagged}"
        yield text
    have = sum(Role.READER in reader.roles for reader in store.readers())
    if have < store.study.readings_per_image and not closed:
        yield (
            f"{have} of {store.study.readings_per_image} readers that an image needs: nothing can "
            "be settled before others join by cxrview annotate reader"
        )
