"""The command `cxrview`: turns errors into one line and an exit code.

It listens for Ctrl-C before it loads the commands, which takes a while.
"""

import io
import os
import signal
import sys
import time
from collections.abc import Iterator
from typing import NoReturn

from cxrview.errors import CxrviewError, RunStopped

USAGE_ERROR, CANNOT_GO_ON, OWN_FAULT, INTERRUPTED = 2, 3, 70, 130
PATIENCE_SECONDS = 2.0
"""After the first Ctrl-C, in which no other is heard: what is finished is being kept."""


def run() -> None:
    """Run the command; never a stack trace for what cxrview foresees.

    Exit codes: 0 done, 1 done with failures listed, 2 usage error, 3 stopped before the end
    with what was finished kept, 70 a fault of cxrview's own, 130 interrupted by Ctrl-C or SIGTERM.
    """
    _open_closed_streams()
    interruption = _Interruption()
    try:
        from cxrview.cli.main import app

        app()
    except CxrviewError as error:
        print(f"cxrview: {error}", file=sys.stderr)
        sys.exit(CANNOT_GO_ON if isinstance(error, RunStopped) else USAGE_ERROR)
    except Exception as error:
        if interruption.received:  # it hit a library in the middle of being loaded
            _say_interrupted()
        _report_internal_error(error)
    except KeyboardInterrupt:
        _say_interrupted()
    except SystemExit as end:
        if _ends_an_interruption(end):
            _say_interrupted()
        raise
    finally:
        interruption.ignore_signals()


class _Interruption:
    """Makes one exception of Ctrl-C and SIGTERM, and remembers it."""

    def __init__(self) -> None:
        self._first: float | None = None
        signal.signal(signal.SIGTERM, self._come)
        if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:  # as nohup and shells set it
            signal.signal(signal.SIGINT, self._come)

    @property
    def received(self) -> bool:
        """Whether there was any."""
        return self._first is not None

    def ignore_signals(self) -> None:
        """Pass over all others: Python would die of them while it ends."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)

    def _come(self, _number: int, _frame: object) -> None:
        now = time.monotonic()
        if self._first is None:
            self._first = now
        elif now < self._first + PATIENCE_SECONDS:
            return
        raise KeyboardInterrupt


def _ends_an_interruption(end: SystemExit) -> bool:
    """Whether Typer made an exit of Ctrl-C; a command that foresaw it has said more itself."""
    return isinstance(getattr(end.__context__, "__cause__", None), KeyboardInterrupt)


def _report_internal_error(error: BaseException) -> NoReturn:
    """Tell where it happened; the message of an error may quote a header, and is left out."""
    import traceback

    print(
        "cxrview: stopped by a fault of its own, not of the command or the files; what was "
        "finished is kept. Please report these lines, which quote nothing from a file:",
        file=sys.stderr,
    )
    for one in reversed(list(_causes(error))):
        where = "".join(traceback.format_tb(one.__traceback__))
        print(f"{type(one).__name__}, raised at\n{where}", end="", file=sys.stderr)
    sys.exit(OWN_FAULT)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error:
        yield error
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def _say_interrupted() -> NoReturn:
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
