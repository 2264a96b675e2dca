"""Commands that are stopped at random moments by a signal, and resumed."""

import os
import random
import signal
import subprocess
import time
from pathlib import Path

from faults.bench import WAIT_SECONDS, Bench, Counts, wait_for_session
from faults.cases import CASES, Case

MOST_STOPS = 3
"""Of one run, before it is left alone until it is complete."""


def stop_and_resume(
    bench: Bench, name: str, number: signal.Signals, runs: int, seed: int
) -> Counts:
    """Stop a command at random moments, resume it, and compare its output.

    Every sixth signal comes before the first output, the others during the work. A run that ends
    before its signal is not counted. SIGKILL goes to the main process or to all processes in turn;
    other signals to all, as from a terminal.

    Args:
        bench: the archive.
        name: of the command.
        number: the signal.
        runs: number of runs, each of which is stopped one to three times.
        seed: of the moments.
    """
    chance, case = random.Random(seed), CASES[name](bench)
    counts = Counts(f"{number.name.lower()}-{name}")
    while counts.runs < runs:
        folder, stops = bench.new_folder(), 0
        wanted = chance.randint(1, MOST_STOPS)
        code = None
        while code is None:
            process = case.start(folder)
            if stops < wanted:
                _wait_for_moment(process, case, folder, chance)
                _send(process, number, is_for_all=chance.random() < 0.5)
            position = bench.position()
            code = process.wait(WAIT_SECONDS)
            if stops < wanted and code not in case.codes:
                stops += 1
                _check_stopped(bench, case, folder, counts, process, code, position)
                code = case.codes[0] if case.is_complete(folder) else None
        if not stops:
            counts.seen["ended before the signal"] += 1
            continue
        counts.runs += 1
        counts.check(code in case.codes, f"the last resume ended with exit code {code}")
        case.check_complete(folder, counts)
    return counts


def _wait_for_moment(
    process: "subprocess.Popen[bytes]", case: Case, folder: Path, chance: random.Random
) -> None:
    """Wait for a random moment before the end of an undisturbed run."""
    if chance.random() < 1 / 6:
        time.sleep(chance.uniform(0, case.startup))
        return
    while process.poll() is None and not case.has_begun(folder):
        time.sleep(0.001)
    time.sleep(chance.uniform(0, case.working))


def _send(process: "subprocess.Popen[bytes]", number: signal.Signals, *, is_for_all: bool) -> None:
    if process.poll() is not None:
        return
    if is_for_all or number != signal.SIGKILL:
        os.killpg(process.pid, number)
    else:
        process.send_signal(number)


def _check_stopped(
    bench: Bench,
    case: Case,
    folder: Path,
    counts: Counts,
    process: "subprocess.Popen[bytes]",
    code: int,
    position: int,
) -> None:
    counts.seen["stops"] += 1
    counts.seen[f"stopped {case.stage(folder)}"] += 1
    counts.seen[f"exit code {code}"] += 1
    left = wait_for_session(process.pid)
    counts.check(not left, f"{len(left)} processes were left over")
    said = bench.said(position)
    counts.check("Traceback" not in said and "internal error" not in said, f"printed {said}")
    case.check_stopped(folder, counts)
