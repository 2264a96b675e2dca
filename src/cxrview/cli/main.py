"""The command `cxrview`: gathers the commands, and turns errors into one line and an exit code."""

import io
import os
import signal
import sys

import typer

from cxrview.cli.annotate import annotate
from cxrview.cli.assess import assess
from cxrview.cli.augment import augment
from cxrview.cli.choose import choose
from cxrview.cli.classify import classify
from cxrview.cli.concat import concat
from cxrview.cli.finetune import finetune
from cxrview.cli.merge import merge
from cxrview.cli.phantom import phantom
from cxrview.cli.prepare import prepare
from cxrview.cli.pretrain import pretrain
from cxrview.cli.quantise import quantise
from cxrview.cli.reproduce import reproduce
from cxrview.cli.robustness import robustness
from cxrview.cli.split import split
from cxrview.errors import CannotGoOn, CxrviewError

app = typer.Typer(
    name="cxrview",
    help="Find out which way chest radiographs face: frontal or lateral, one row per image.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
app.command(rich_help_panel="Archive")(classify)
app.command(rich_help_panel="Archive")(concat)
app.command(rich_help_panel="Archive")(merge)
app.add_typer(annotate, name="annotate", rich_help_panel="Study")
app.command(rich_help_panel="Study")(prepare)
app.command(rich_help_panel="Study")(split)
app.command(rich_help_panel="Study")(augment)
app.command(rich_help_panel="Study")(pretrain)
app.command(rich_help_panel="Study")(finetune)
app.command(rich_help_panel="Study")(quantise)
app.command(rich_help_panel="Study")(choose)
app.command(rich_help_panel="Study")(assess)
app.command(rich_help_panel="Study")(robustness)
app.command(rich_help_panel="Study")(reproduce)
app.command(rich_help_panel="Test material")(phantom)

USAGE_ERROR, CANNOT_GO_ON, INTERRUPTED = 2, 3, 130


def run() -> None:
    """Run the command; never a stack trace for what cxrview foresees.

    Exit codes: 0 done, 1 done with failures listed, 2 usage error, 3 stopped before the end
    with what was finished kept, 130 interrupted by Ctrl-C or SIGTERM.
    """
    _open_closed_streams()
    interruption = _Interruption()
    try:
        app()
    except CxrviewError as error:
        print(f"cxrview: {error}", file=sys.stderr)
        sys.exit(CANNOT_GO_ON if isinstance(error, CannotGoOn) else USAGE_ERROR)
    except Exception:
        if not interruption.has_come:
            raise
        _say_interrupted()  # it hit a library in the middle of being loaded
    except KeyboardInterrupt:
        _say_interrupted()
    except SystemExit as end:
        if _ends_an_interruption(end):
            _say_interrupted()
        raise


class _Interruption:
    """Makes one exception of Ctrl-C and SIGTERM, and remembers it."""

    def __init__(self) -> None:
        self.has_come = False
        signal.signal(signal.SIGTERM, self._come)
        if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:  # as nohup and shells set it
            signal.signal(signal.SIGINT, self._come)

    def _come(self, _number: int, _frame: object) -> None:
        self.has_come = True
        raise KeyboardInterrupt


def _ends_an_interruption(end: SystemExit) -> bool:
    """Whether Typer made an exit of Ctrl-C; a command that foresaw it has said more itself."""
    return isinstance(getattr(end.__context__, "__cause__", None), KeyboardInterrupt)


def _say_interrupted() -> None:
    print("cxrview: interrupted; what is finished is kept", file=sys.stderr)
    sys.exit(INTERRUPTED)


def _open_closed_streams() -> None:
    """Give standard streams that the caller has closed to /dev/null, not to our next file."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest free number, which is this one
        if getattr(sys, name) is None:
            setattr(sys, name, open(number, "r" if name == "stdin" else "w", closefd=False))  # noqa: PTH123, SIM115
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a name beyond the terminal's letters
            stream.reconfigure(errors="backslashreplace")
