"""`cxrview annotate reader`: somebody new, a new link, a password."""

import sys
from typing import Annotated

import typer

from cxrview.cli.annotate_create import link_line
from cxrview.cli.annotation_study import StudyName, opened
from cxrview.errors import UsageError


def reader(
    study: StudyName,
    name: Annotated[str, typer.Argument(help="Of the reader.", show_default=False)],
    role: Annotated[
        str | None,
        typer.Option(
            metavar="ROLES",
            help="Add somebody, who is reader, adjudicator or reader+adjudicator; who is there "
            "already keeps the roles held before.",
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
) -> None:
    """Add a reader with --role, or give one who is there another role, a new link or a password.

    A reader who gets any of them is signed out everywhere.

    Exit code: 0 done, 2 usage error.
    """
    if not (role or link or password):
        raise UsageError("say what to do: --role, --link, or --password")
    with opened(study) as store:
        from cxrview.study.annotation_study import parse_roles

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


def _asked() -> str:
    """Twice on a terminal, where nobody sees what is typed; else one line."""
    if sys.stdin.isatty():
        return str(typer.prompt("Password", hide_input=True, confirmation_prompt=True))
    return sys.stdin.readline().rstrip("\r\n")
