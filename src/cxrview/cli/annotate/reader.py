"""`cxrview annotate reader`: somebody new, a link, a password, another name, or the end of it."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from cxrview.cli.annotate.create import link_line
from cxrview.cli.annotate.shared import StudyName, opened
from cxrview.errors import UsageError

if TYPE_CHECKING:
    from cxrview.annotate.database.store import ReadingStore


def reader(
    study: StudyName,
    name: Annotated[str, typer.Argument(help="Of the reader.", show_default=False)],
    role: Annotated[
        str | None,
        typer.Option(
            metavar="ROLES",
            help="Add somebody, who is reader, adjudicator or manager, or several as in "
            "reader+adjudicator; who is there already keeps the roles held before.",
            show_default=False,
        ),
    ] = None,
    link: Annotated[
        bool,
        typer.Option("--link", help="Print a new link for a reader; the old one leads nowhere."),
    ] = False,
    password: Annotated[
        bool,
        typer.Option(
            "--password",
            help="Ask for a password by which the reader may sign in as well; from standard "
            "input where that is no terminal.",
        ),
    ] = False,
    rename: Annotated[
        str | None,
        typer.Option(
            metavar="NEW", help="Give another name; the readings stay.", show_default=False
        ),
    ] = None,
    retire: Annotated[
        bool,
        typer.Option(
            "--retire",
            help="End it: no sign-in, nothing more to read. What was read counts, and the rest "
            "of the share goes to the others.",
        ),
    ] = False,
    withdraw: Annotated[
        bool,
        typer.Option(
            "--withdraw",
            help="Retire, and let none of the reader's readings count; they stay in the log.",
        ),
    ] = False,
    restore: Annotated[
        bool,
        typer.Option("--restore", help="Take back --retire or --withdraw; the link works again."),
    ] = False,
) -> None:
    """Add a reader with --role, or change one who is there.

    A reader who gets a role, a link or a password, or is retired, is signed out everywhere.

    Exit code: 0 done, 2 usage error.
    """
    changes = [rename is not None, retire, withdraw, restore]
    if not (role or link or password or any(changes)):
        raise UsageError(
            "say what to do: --role, --link, --password, --rename, --retire, --withdraw, --restore"
        )
    if any(changes) and (role or link or password or sum(changes) > 1):
        raise UsageError("--rename, --retire, --withdraw and --restore each go alone")
    with opened(study) as store:
        if any(changes):
            _change(store, name, rename, retire=retire, withdraw=withdraw)
            return
        from cxrview.annotate.study import parse_roles

        readers = {one.name: one for one in store.readers()}
        roles = frozenset(parse_roles(f":{role}")[1] if role else ())
        if roles and (there := readers.get(name)):
            if there.roles >= roles:
                raise UsageError(f"{name} has that role already")
            store.add_roles(there.reader_id, roles)
            held = sorted(there.roles | roles, reverse=True)
            typer.echo(f"{name} is {' and '.join(held)} now")
        elif roles:
            if link:
                raise UsageError("somebody new gets a link anyway: leave out --link")
            readers[name], secret = store.add_reader(name, roles)
            typer.echo(link_line(name, secret))
        if name not in readers:
            raise UsageError(f"there is no reader {name}", f"Readers are {', '.join(readers)}")
        number = readers[name].reader_id
        if link:
            typer.echo(link_line(name, store.new_link(number)))
        if password:
            store.set_password(number, _asked())
            typer.echo(f"{name} may sign in by name and password")


def _change(
    store: "ReadingStore", name: str, rename: str | None, *, retire: bool, withdraw: bool
) -> None:
    readers = {one.name: one for one in store.readers()}
    if name not in readers:
        raise UsageError(f"there is no reader {name}", f"Readers are {', '.join(readers)}")
    number = readers[name].reader_id
    if rename is not None:
        store.rename_reader(number, rename)
        typer.echo(f"{name} is {rename.strip()} now; a file that says {name} needs --rename")
        return
    if not (retire or withdraw):
        store.restore_reader(number)
        typer.echo(f"{name} reads again, and all readings of {name} count")
        return
    store.retire_reader(number, withdraw=withdraw)
    count = sum(reading.reader_id == number for reading in store.every_reading())
    if withdraw:
        typer.echo(f"{name} is retired, and none of {count} acts counts: --restore takes it back")
    else:
        typer.echo(f"{name} is retired; {count} acts count on: --restore takes it back")
    _tell_of_share(store)


def _tell_of_share(store: "ReadingStore") -> None:
    """Say who reads what is left, or that images may never have readers enough."""
    from cxrview.annotate.progress import progress
    from cxrview.terms import Role

    active = [one for one in store.readers() if Role.READER in one.roles and not one.is_retired]
    found = progress(store.study, store.images(), store.readings(), store.readers())
    names = {one.reader_id: one.name for one in active}
    for at in found.readers:
        if at.reader_id in names:
            typer.echo(f"  {names[at.reader_id]}: {at.left} of {at.all} left to read now")
    if len(active) < store.study.readings_per_image:
        typer.echo(
            f"{len(active)} of {store.study.readings_per_image} readers that an image needs are "
            "left: others may join by cxrview annotate reader NAME --role reader"
        )


def _asked() -> str:
    """Twice on a terminal, where nobody sees what is typed; else one line."""
    if sys.stdin.isatty():
        return str(typer.prompt("Password", hide_input=True, confirmation_prompt=True))
    return sys.stdin.readline().rstrip("\r\n")
