"""Entry point of the command `cxrview`: errors become one line and an exit code.

Ctrl-C is handled before the commands are loaded, which takes a while.
"""

import errno
import io
import os
import signal
import sys
import time
from collections.abc import Iterator
from typing import NoReturn

from cxrview.errors import CxrviewError, RunStopped
from cxrview.workers.core_files import prevent_core_files

USAGE_ERROR, RUN_STOPPED, INTERNAL_ERROR, INTERRUPTED = 2, 3, 70, 130
_PATH_ERRORS = (errno.EACCES, errno.ELOOP, errno.ENAMETOOLONG, errno.ENOTDIR, errno.EPERM)
IGNORE_SECONDS = 2.0
"""Time after the first Ctrl-C in which others are ignored, while finished work is written."""


def run() -> None:
    """Run the command; errors of cxrview are printed without a traceback.

    Exit codes: 0 done, 1 done with failures listed, 2 usage error, 3 stopped before the end
    with finished work kept, 70 internal error, 130 interrupted by Ctrl-C, SIGTERM or SIGHUP.
    """
    _open_closed_streams()
    prevent_core_files()
    interruption = _Interruption()
    try:
        from cxrview.cli.main import app

        app()
    except CxrviewError as error:
        print(f"cxrview: {error}", file=sys.stderr)
        sys.exit(RUN_STOPPED if isinstance(error, RunStopped) else USAGE_ERROR)
    except OSError as error:
        if interruption.received:
            _say_interrupted()
        _report_path_error(error)
    except Exception as error:
        if interruption.received:  # while a library was loaded
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


_HANGUP = getattr(signal, "SIGHUP", None)
"""Windows has none."""


class _Interruption:
    """Raises KeyboardInterrupt for Ctrl-C and SIGTERM, and records the first.

    SIGHUP, of a terminal that was closed, becomes SIGTERM, and so what libraries do with that.
    """

    def __init__(self) -> None:
        self._first: float | None = None
        signal.signal(signal.SIGTERM, self._receive)
        if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:  # set by nohup and shells
            signal.signal(signal.SIGINT, self._receive)
        if _HANGUP and signal.getsignal(_HANGUP) is not signal.SIG_IGN:  # set by nohup
            signal.signal(_HANGUP, lambda *_: signal.raise_signal(signal.SIGTERM))

    @property
    def received(self) -> bool:
        """Whether a signal was received."""
        return self._first is not None

    def ignore_signals(self) -> None:
        """Ignore further signals while Python shuts down."""
        for number in (signal.SIGINT, signal.SIGTERM, _HANGUP):
            if number:
                signal.signal(number, signal.SIG_IGN)

    def _receive(self, _number: int, _frame: object) -> None:
        now = time.monotonic()
        if self._first is None:
            self._first = now
        elif now < self._first + IGNORE_SECONDS:
            return
        raise KeyboardInterrupt


def _ends_an_interruption(end: SystemExit) -> bool:
    """Whether Typer turned Ctrl-C into an exit, instead of a command that handles it."""
    return isinstance(getattr(end.__context__, "__cause__", None), KeyboardInterrupt)


def _report_path_error(error: OSError) -> NoReturn:
    """Print the name that the system refuses, wherever it was first used; others are internal."""
    if error.errno not in _PATH_ERRORS or not isinstance(error.filename, str | bytes):
        _report_internal_error(error)
    print(
        f"cxrview: {os.fsdecode(error.filename)} cannot be used: {error.strerror}. Check the name "
        "and the permissions of its folders",
        file=sys.stderr,
    )
    sys.exit(USAGE_ERROR)


def _report_internal_error(error: BaseException) -> NoReturn:
    """Print the traceback without the messages of errors, which may quote a header."""
    import traceback

    print(
        "cxrview: internal error. Finished work is kept. Please report the traceback below (it "
        "contains no data from your files):",
        file=sys.stderr,
    )
    for one in reversed(list(_causes(error))):
        where = "".join(traceback.format_tb(one.__traceback__))
        print(f"{type(one).__name__}, raised at\n{where}", end="", file=sys.stderr)
    sys.exit(INTERNAL_ERROR)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error:
        yield error
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def _say_interrupted() -> NoReturn:
    print("cxrview: interrupted; what is finished is kept", file=sys.stderr)
    sys.exit(INTERRUPTED)


def _open_closed_streams() -> None:
    """Open closed standard streams as /dev/null, so that no other file gets their numbers."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest free number, which is this one
        if getattr(sys, name) is None:
            setattr(sys, name, open(number, "r" if name == "stdin" else "w", closefd=False))  # noqa: PTH123, SIM115
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # for names that the terminal cannot display
            stream.reconfigure(errors="backslashreplace")
