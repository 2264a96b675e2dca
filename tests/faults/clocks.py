"""Wall clocks that jump while a command runs.

`wall_clock.c` is loaded into the processes of the command, so that Python, SQLite and every other
library see the same clock; the clock of this machine stays as it is.
"""

import random
import subprocess
import time
from pathlib import Path

from faults.bench import WAIT_SECONDS, Bench, Counts
from faults.cases import CASES

SOURCE = Path(__file__).with_name("wall_clock.c")
DAY = 86_400
JUMPS = (400 * DAY, -4000 * DAY, 3600, -3600, 0, -90, 10_000 * DAY)
"""Seconds from the true time; 10,000 days are 27 years."""


def jump(bench: Bench, name: str, runs: int, seed: int) -> Counts:
    """Let the wall clock jump by up to 38 years, forwards and backwards, at random moments.

    Needs `cc`.
    """
    chance, case = random.Random(seed), CASES[name](bench)
    counts, library = Counts(f"clock-{name}"), bench.folder / "wall_clock.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", library, SOURCE], check=True)
    offset = bench.folder / "offset"
    environment = {"LD_PRELOAD": str(library), "CLOCK_OFFSET": str(offset)}
    while counts.runs < runs:
        folder, position = bench.new_folder(), bench.position()
        _set(offset, 0)
        process = case.start(folder, environment=environment)
        while process.poll() is None:
            time.sleep(chance.uniform(0, (case.startup + case.working) / 20))
            _set(offset, chance.choice(JUMPS))
            counts.seen["jumps"] += 1
        code = process.wait(WAIT_SECONDS)
        counts.runs += 1
        counts.seen[f"exit code {code}"] += 1
        said = bench.said(position)
        counts.check(code in case.codes, f"exit code {code}: {said}")
        counts.check("Traceback" not in said, f"printed {said}")
        case.check_complete(folder, counts)
    return counts


def _set(offset: Path, seconds: int) -> None:
    part = offset.with_name("offset.part")
    part.write_text(f"{seconds}\n")
    part.replace(offset)
