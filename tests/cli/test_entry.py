"""How the command ends when it cannot go on: one line and an exit code, whatever happens."""

import signal
import subprocess
import sys
from importlib.metadata import version

import pytest


def run(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)


@pytest.mark.parametrize("command", ["audit", "concat", "phantom"])
def test_a_name_that_no_disk_takes_is_a_usage_error(command):
    done = run(f"""
import sys
from cxrview.cli.entry import run

sys.argv = ["cxrview", "{command}", "x" * 300]
run()
""")

    assert done.returncode == 2
    assert "x cannot be used: File name too long" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_an_interruption_while_the_commands_are_loaded_is_one_line(name):
    done = run(f"""
import os, runpy, signal, sys

class Interrupt:
    def find_spec(self, name, *_):
        if name == "typer":
            os.kill(os.getpid(), signal.{name})

signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background ignores it
sys.meta_path.insert(0, Interrupt())
runpy.run_module("cxrview", run_name="__main__")
""")

    assert done.returncode == 130
    assert done.stderr == "cxrview: interrupted; what is finished is kept\n"


def test_it_tells_its_version_as_the_package_has_it():
    done = subprocess.run(
        [sys.executable, "-m", "cxrview", "--version"], capture_output=True, text=True
    )

    assert (done.returncode, done.stdout) == (0, f"cxrview {version('cxrview')}\n")


def test_a_fault_of_our_own_has_its_exit_code_and_quotes_no_header():
    done = run("""
import sys
from cxrview.cli.main import app
from cxrview.cli.entry import run

@app.command()
def fault():
    try:
        raise ValueError("Doe^Jane")
    except ValueError as error:
        raise KeyError("Doe^Jane") from error

sys.argv = ["cxrview", "fault"]
run()
""")

    assert done.returncode == 70
    assert done.stderr.startswith("cxrview: internal error. Finished work is kept")
    assert "ValueError, raised at" in done.stderr and "KeyError, raised at" in done.stderr
    assert "in fault" in done.stderr
    assert "Doe" not in done.stderr


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
@pytest.mark.parametrize("code", [0, 1])
def test_a_signal_that_comes_when_all_is_done_changes_no_exit_code(name, code):
    done = run(f"""
import atexit, os, signal, sys
from cxrview.cli.main import app
from cxrview.cli.entry import run

def late():  # Python gives up handlers after this, but keeps on ignoring what is ignored
    print(signal.getsignal(signal.{name}), file=sys.stderr)
    os.kill(os.getpid(), signal.{name})

@app.command()
def end():
    atexit.register(late)
    sys.exit({code})

signal.signal(signal.SIGINT, signal.default_int_handler)
sys.argv = ["cxrview", "end"]
run()
""")

    assert (done.returncode, done.stderr) == (code, f"{signal.SIG_IGN!s}\n")


def test_impatient_signals_let_the_first_one_end_the_command():
    done = run("""
import os, signal, sys
from cxrview.cli.main import app
from cxrview.cli.entry import run

@app.command()
def wait():
    try:
        os.kill(os.getpid(), signal.SIGTERM)
    finally:
        for _ in range(5):
            os.kill(os.getpid(), signal.SIGTERM)
        print("kept")

sys.argv = ["cxrview", "wait"]
run()
""")

    assert (done.returncode, done.stdout) == (130, "kept\n")
