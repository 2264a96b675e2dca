"""`cxrview annotate reader`: add, rename or retire a reader; new links and passwords."""

import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated

import typer

from cxrview.cli.annotate.create import link_line
from cxrview.cli.annotate.shared import (
    StudyName,
    active_readers,
    lacking_readers,
    opened,
    progress_of,
)
from cxrview.errors import UsageError

if TYPE_CHECKING:
    from cxrview.annotate.database.store import ReadingStore
    from cxrview.records.annotation import Reader


def reader(
    study: StudyName,
    name: Annotated[str, typer.Argument(help="Name of the reader.", show_default=False)],
    role: Annotated[
        str | None,
        typer.Option(
            metavar="ROLES",
            help="Add a reader with the role reader, adjudicator or manager, or several as in "
            "reader+adjudicator; an existing reader keeps their roles and gets these.",
            show_default=False,
        ),
    ] = None,
    link: Annotated[
        bool,
        typer.Option("--link", help="Print a new sign-in link; the old one stops working."),
    ] = False,
    password: Annotated[
        bool,
        typer.Option(
            "--password",
            help="Ask for a password with which the reader can also sign in; read from standard "
            "input if that is not a terminal.",
        ),
    ] = False,
    rename: Annotated[
        str | None,
        typer.Option(
            metavar="NEW", help="Rename the reader; the readings stay.", show_default=False
        ),
    ] = None,
    retire: Annotated[
        bool,
        typer.Option(
            "--retire",
            help="Retire the reader: no sign-in, nothing more to read. Their readings count, and "
            "the rest of their images goes to the other readers.",
        ),
    ] = False,
    withdraw: Annotated[
        bool,
        typer.Option(
            "--withdraw",
            help="Retire the reader, and none of their readings counts; all stay in the log.",
        ),
    ] = False,
    restore: Annotated[
        bool,
        typer.Option("--restore", help="Reverse --retire or --withdraw; the link works again."),
    ] = False,
) -> None:
    """Add a reader with --role, or change an existing one.

    A reader who gets a role, a link or a password, or is retired, is signed out everywhere.

    Example: cxrview annotate reader study.db carl --role adjudicator

    Exit code: 0 done, 2 usage error.
    """
    changes = [rename is not None, retire, withdraw, restore]
    if not (role or link or password or any(changes)):
        raise UsageError(
            "choose one of --role, --link, --password, --rename, --retire, --withdraw, --restore"
        )
    if any(changes) and (role or link or password or sum(changes) > 1):
        raise UsageError(
            "--rename, --retire, --withdraw and --restore cannot be combined with other options"
        )
    with opened(study) as store:
        if any(changes):
            _change(store, name, rename, retire=retire, withdraw=withdraw)
            return
        from cxrview.annotate.study import parse_roles

        readers = {one.name: one for one in store.readers()}
        roles = frozenset(parse_roles(f":{role}")[1] if role else ())
        if roles and (there := readers.get(name)):
            if there.roles >= roles:
                raise UsageError(f"{name} already has that role")
            store.add_roles(there.reader_id, roles)
            held = sorted(there.roles | roles, reverse=True)
            typer.echo(f"{name} is {' and '.join(held)} now")
        elif roles:
            if link:
                raise UsageError("a new reader gets a link anyway: leave out --link")
            readers[name], secret = store.add_reader(name, roles)
            typer.echo(link_line(name, secret))
        number = _reader_named(name, readers.values()).reader_id
        if link:
            typer.echo(link_line(name, store.new_link(number)))
        if password:
            store.set_password(number, _ask_password())
            typer.echo(f"{name} may sign in by name and password")


def _change(
    store: "ReadingStore", name: str, rename: str | None, *, retire: bool, withdraw: bool
) -> None:
    number = _reader_named(name, store.readers()).reader_id
    if rename is not None:
        store.rename_reader(number, rename)
        typer.echo(f"{name} is now {rename.strip()}; a file with the name {name} needs --rename")
        return
    if not (retire or withdraw):
        store.restore_reader(number)
        typer.echo(f"{name} reads again, and all readings of {name} count")
        return
    store.retire_reader(number, withdraw=withdraw)
    count = sum(reading.reader_id == number for reading in store.every_reading())
    if withdraw:
        typer.echo(f"{name} is retired, and none of {count} acts counts: --restore reverses this")
    else:
        typer.echo(f"{name} is retired; {count} acts still count: --restore reverses this")
    _report_shares(store)


def _reader_named(name: str, readers: "Iterable[Reader]") -> "Reader":
    by_name = {one.name: one for one in readers}
    if name not in by_name:
        raise UsageError(f"the study has no reader {name}", f"Readers are {', '.join(by_name)}")
    return by_name[name]


def _report_shares(store: "ReadingStore") -> None:
    """Report what each reader has left, and if readers are lacking."""
    found = progress_of(store)
    names = {one.reader_id: one.name for one in active_readers(store)}
    for at in found.readers:
        if at.reader_id in names:
            typer.echo(f"  {names[at.reader_id]}: {at.left} of {at.all} left to read now")
    for lack in lacking_readers(store, found):
        typer.echo(lack)


def _ask_password() -> str:
    """Ask twice without echo on a terminal; else read one line."""
    if sys.stdin.isatty():
        return str(typer.prompt("Password", hide_input=True, confirmation_prompt=True))
    return sys.stdin.readline().rstrip("\r\n")
