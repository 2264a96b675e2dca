"""Output disks that become full, or that cannot be written at all."""

import random
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from faults.bench import WAIT_SECONDS, Bench, Counts
from faults.cases import CASES

SMALLEST_KIB = 16
LARGEST_KIB = 64 << 10
STOPPED, USAGE_ERROR = 3, 2
NO_ROOT_RIGHTS = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"]
"""Starts a program as root whom permissions hold back as anyone else."""


@contextmanager
def small_disk(folder: Path, options: str) -> Iterator[Path]:
    """Mount a disk in memory; needs the right to mount, see `inject`."""
    folder.mkdir(exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill_and_resume(bench: Bench, name: str, runs: int, seed: int) -> Counts:
    """Let the disk become full at a random point of the output, then enlarge it and resume.

    Sizes are drawn from 16 KiB to what an undisturbed run leaves; a run for which the disk was
    large enough is not counted.
    """
    chance, case = random.Random(seed), CASES[name](bench)
    counts = Counts(f"full-{name}")
    largest = case.kibibytes()
    while counts.runs < runs:
        kib = round(chance.uniform(SMALLEST_KIB, largest))
        with small_disk(bench.folder / "small", f"size={kib}k") as disk:
            folder = disk / "output"
            folder.mkdir()
            position = bench.position()
            code = case.start(folder).wait(WAIT_SECONDS)
            if code in case.codes:
                largest = min(largest, kib)
                counts.seen["large enough"] += 1
                continue
            counts.runs += 1
            said = bench.said(position)
            counts.seen[f"exit code {code}"] += 1
            counts.seen[f"full {case.stage(folder)}"] += 1
            counts.check(code == STOPPED, f"exit code {code} with {kib} KiB: {said}")
            counts.check("cannot be written" in said or "cannot write" in said, f"printed {said}")
            counts.check("Traceback" not in said, f"printed {said}")
            case.check_stopped(folder, counts)
            enlarge = f"remount,size={LARGEST_KIB}k"
            subprocess.run(["mount", "-o", enlarge, str(disk)], check=True)
            code = case.start(folder).wait(WAIT_SECONDS)
            counts.check(code in case.codes, f"the resume ended with exit code {code}")
            case.check_complete(folder, counts)
    return counts


def refuse_to_write(bench: Bench, name: str, runs: int, _seed: int) -> Counts:
    """Name a folder on a read-only disk, and in turn one without permission to write.

    Nothing may be read before the command refuses, and nothing may be left in the folder.
    """
    case, counts = CASES[name](bench), Counts(f"read-only-{name}")
    for number in range(runs):
        is_disk = number % 2 == 0
        with small_disk(bench.folder / "small", "size=1m") as disk:
            folder = disk / "output"
            folder.mkdir()
            if is_disk:
                subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
            else:
                folder.chmod(0o500)
            position = bench.position()
            before = () if is_disk else NO_ROOT_RIGHTS
            code = case.start(folder, before=before).wait(WAIT_SECONDS)
            counts.runs += 1
            said = bench.said(position)
            counts.seen[f"exit code {code}"] += 1
            counts.check(code in (USAGE_ERROR, STOPPED), f"exit code {code}: {said}")
            counts.check(str(folder) in said, f"the folder is not named: {said}")
            counts.check("Traceback" not in said, f"printed {said}")
            counts.check(not list(folder.iterdir()), "something was written")
    return counts
