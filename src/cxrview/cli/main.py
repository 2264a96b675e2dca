"""The command `cxrview`: gathers the commands, and turns errors into one line and an exit code."""

import signal
import sys

import typer

from cxrview.cli.augment import augment
from cxrview.cli.classify import classify
from cxrview.cli.finetune import finetune
from cxrview.cli.phantom import phantom
from cxrview.cli.prepare import prepare
from cxrview.cli.split import split
from cxrview.errors import CannotWrite, CxrviewError

app = typer.Typer(
    name="cxrview",
    help="Find out which way chest radiographs face: frontal or lateral, one row per image.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
app.command(rich_help_panel="Archive")(classify)
app.command(rich_help_panel="Study")(prepare)
app.command(rich_help_panel="Study")(split)
app.command(rich_help_panel="Study")(augment)
app.command(rich_help_panel="Study")(finetune)
app.command(rich_help_panel="Test material")(phantom)

USAGE_ERROR, CANNOT_WRITE = 2, 3


def run() -> None:
    """Run the command; never a stack trace for what cxrview foresees.

    Exit codes: 0 done, 1 done with failures listed, 2 usage error, 3 the result could not
    be written, 128 and the signal's number where interrupted.
    """
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        app()
    except CxrviewError as error:
        print(f"cxrview: {error}", file=sys.stderr)
        sys.exit(CANNOT_WRITE if isinstance(error, CannotWrite) else USAGE_ERROR)
    except KeyboardInterrupt:
        print("cxrview: interrupted", file=sys.stderr)
        sys.exit(128 + signal.SIGINT)


def _interrupt(_number: int, _frame: object) -> None:
    raise KeyboardInterrupt
