"""`cxrview serve`: receive, classify and forward images until the service is stopped."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from cxrview.cli.shared.extras import needs_extra
from cxrview.wording import plural

if TYPE_CHECKING:
    from cxrview.service.records import Counts
    from cxrview.service.run import Started

_RUN, _MERCURE = "run", "--mercure"


class _RunsByDefault(TyperGroup):
    """`serve CONFIG.toml` is `serve run CONFIG.toml`, `serve --mercure` is `serve mercure`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if args[:1] == [_MERCURE]:
            args = ["mercure", *args[1:]]
        if _names_no_command(args, list(self.commands)):
            args = [_RUN, *args]
        return super().parse_args(ctx, args)


def _names_no_command(args: Sequence[str], commands: Sequence[str]) -> bool:
    return bool(args) and args[0] not in (*commands, "-h", "--help")


serve = typer.Typer(
    cls=_RunsByDefault,
    no_args_is_help=True,
    help="Receive radiographs, classify them, and forward them corrected or with a report.\n\n"
    "cxrview serve CONFIG.toml starts the service.",
)

Config = Annotated[
    Path, typer.Argument(metavar="CONFIG.toml", help="The configuration; see docs/serve.md.")
]


@serve.command()
def run(
    config: Config,
    check: Annotated[
        bool,
        typer.Option(
            "--check", help="Check the configuration, ask every destination for an answer, and end."
        ),
    ] = False,
) -> None:
    """Run the service until Ctrl-C, SIGTERM or SIGHUP.

    Exit code: 0 done, 1 a destination did not answer (--check), 2 usage error.
    """
    with needs_extra("serve", "the service"):
        from cxrview.service.configuration import read_configuration
        from cxrview.service.log import configure_log
        from cxrview.service.run import check_destinations, serve

    configuration = read_configuration(config)
    if check:
        found = check_destinations(configuration)
        for name, reason in found.items():
            typer.echo(f"{name}: {reason or 'answers'}")
        typer.echo(f"{config} is valid")
        raise typer.Exit(1 if any(found.values()) else 0)
    configure_log()
    counts = serve(configuration, _print_started)
    typer.echo(counts.in_words())


@serve.command()
def counts(config: Config) -> None:
    """Print what was received and what became of it, also while the service runs.

    Exit code: 0 done, 1 the counts do not add up, 2 usage error.
    """
    with needs_extra("serve", "the service"):
        from cxrview.service.configuration import read_configuration
        from cxrview.service.store import Store

    store = Store.opened(read_configuration(config).queue)
    found = store.counts()
    store.close()
    _print_counts(found)
    raise typer.Exit(0 if found.adds_up else 1)


@serve.command()
def retry(
    config: Config,
    destination: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Only what was for this one.", show_default="all"),
    ] = None,
) -> None:
    """Send again what was given up after too many tries (dead letters).

    A running service sends it at once, otherwise the next one does.

    Exit code: 0 done, 2 usage error.
    """
    with needs_extra("serve", "the service"):
        from cxrview.errors import UsageError
        from cxrview.service.configuration import read_configuration
        from cxrview.service.store import Store

    configuration = read_configuration(config)
    if destination is not None and destination not in configuration.destinations:
        known = ", ".join(configuration.destinations)
        raise UsageError(f"{destination} is not a destination of {config}", f"Known: {known}")
    store = Store.opened(configuration.queue)
    number = store.retry_dead_letters(destination)
    store.close()
    typer.echo(f"{plural(number, 'dead letter')} to be sent again")


@serve.command()
def mercure(
    folder: Annotated[
        Path | None,
        typer.Argument(
            metavar="IN",
            help="Folder with the images and task.json.",
            show_default="$MERCURE_IN_DIR",
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Argument(
            metavar="OUT",
            help="Folder for what is to be forwarded, and for result.json.",
            show_default="$MERCURE_OUT_DIR",
        ),
    ] = None,
) -> None:
    """Run once as a processing module of the router mercure; also cxrview serve --mercure.

    Exit code: 0 done, 2 usage error, 3 not writable.
    """
    with needs_extra("serve", "the service"):
        from cxrview.service.mercure import mercure_folders, run_module

    done = run_module(*mercure_folders(folder, out))
    typer.echo(done["__mercure_notification"]["text"])


def _print_started(started: "Started") -> None:
    where = " and ".join(filter(None, (started.dicom, started.http)))
    left = started.counts.waiting + started.counts.to_be_stored
    earlier = f"; {left} images and deliveries wait from an earlier run" if left else ""
    typer.echo(f"listening at {where or 'no port'}{earlier}")


def _print_counts(found: "Counts") -> None:
    typer.echo(found.in_words())
    typer.echo(f"{found.repeated} received again, {found.conflicting} with a UID of another image")
    if found.undelivered:
        typer.echo(f"{plural(found.undelivered, 'image')} covered by no rule, kept in the queue")
    for code, number in sorted(found.failures.items()):
        typer.echo(f"failed: {number} {code}")
    for name, one in found.destinations.items():
        why = f" ({one.reason})" if one.reason else ""
        state = f"fails{why}" if one.failing_since else "works"
        typer.echo(
            f"{name}: {one.stored} stored, {one.waiting} waiting, {one.dead} dead; it {state}"
        )
