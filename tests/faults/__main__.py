"""Inject one fault many times, and count what was lost or doubled.

    PYTHONPATH=tests python -m faults sigkill-classify --runs 100

Prints one JSON object; the exit code is 1 if anything was lost, doubled or invalid. `make faults`
injects every fault.
"""

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from faults.bench import Bench, Counts
from faults.clocks import jump
from faults.disks import fill_and_resume, refuse_to_write
from faults.inputs import (
    change_while_read,
    close_folders,
    list_many,
    take_away_and_resume,
    tie_loops,
)
from faults.stops import stop_and_resume

Fault = Callable[[Bench, int, int], Counts]


def _stops(name: str, number: signal.Signals) -> Fault:
    def inject(bench: Bench, runs: int, seed: int) -> Counts:
        return stop_and_resume(bench, name, number, runs, seed)

    return inject


def _of(inject_in: Callable[[Bench, str, int, int], Counts], name: str) -> Fault:
    return lambda bench, runs, seed: inject_in(bench, name, runs, seed)


FAULTS: dict[str, Fault] = {
    f"{number.name.lower()}-{name}": _stops(name, number)
    for number in (signal.SIGKILL, signal.SIGTERM, signal.SIGHUP)
    for name in ("classify", "writeback")
}
for _name in ("classify", "writeback"):
    FAULTS[f"full-{_name}"] = _of(fill_and_resume, _name)
    FAULTS[f"read-only-{_name}"] = _of(refuse_to_write, _name)
    FAULTS[f"vanishing-{_name}"] = _of(take_away_and_resume, _name)
    FAULTS[f"changing-{_name}"] = _of(change_while_read, _name)
    FAULTS[f"clock-{_name}"] = _of(jump, _name)
FAULTS["unreadable"] = close_folders
FAULTS["loops"] = tie_loops
MANY = ("many-folders", "many-in-one-folder")
IN_NAMESPACE = "CXRVIEW_FAULTS_IN_NAMESPACE"


def main() -> int:
    """Inject one fault."""
    parser = argparse.ArgumentParser(prog="python -m faults", description=__doc__)
    parser.add_argument("fault", choices=["all", *sorted(FAULTS), *MANY])
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--images", type=int, default=120)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path, help="keep all files in this new folder")
    parser.add_argument("--files", type=int, default=50_000, help="of the faults many-*")
    options = parser.parse_args()
    if os.environ.get(IN_NAMESPACE) != "1":
        return _in_namespace()
    # Under nohup SIGHUP is ignored, which the commands would inherit. They do not inherit a
    # handler, with which this program survives the signal.
    signal.signal(signal.SIGHUP, lambda *_: None)
    if options.fault == "all":
        return _inject_all(options.runs, options.files)
    folder = options.keep or Path(tempfile.mkdtemp(prefix="cxrview-faults-"))
    folder.mkdir(exist_ok=True)
    try:
        bench = Bench(folder, options.images)
        if options.fault in MANY:
            counts = list_many(bench, options.files, is_one_folder=options.fault == MANY[1])
        else:
            counts = FAULTS[options.fault](bench, options.runs, options.seed)
        report = counts.report()
        print(json.dumps(report))
        return 0 if report["passed"] else 1
    finally:
        if not options.keep:
            shutil.rmtree(folder, ignore_errors=True)


def _inject_all(runs: int, files: int) -> int:
    """Inject every fault, each in a separate process, and the faults of the service."""
    here = [sys.executable, "-m", "faults"]
    service = [sys.executable, "benchmarks/serve_faults.py", "kill"]
    commands = [
        *([*here, fault, "--runs", str(runs)] for fault in sorted(FAULTS)),
        *([*here, fault, "--files", str(files)] for fault in MANY),
        [*service, "--images", str(10 * runs), "--kills", str(runs)],
    ]
    codes = []
    for command in commands:
        print("$", *command[1:], flush=True)
        codes.append(subprocess.run(command).returncode)
    return max(codes)


def _in_namespace() -> int:
    """Run this program again where it may mount disks, which vanish with it."""
    root = [] if os.geteuid() == 0 else ["--map-root-user"]
    command = ["unshare", *root, "--mount", sys.executable, "-m", "faults", *sys.argv[1:]]
    return subprocess.run(command, env=os.environ | {IN_NAMESPACE: "1"}).returncode


if __name__ == "__main__":
    sys.exit(main())
