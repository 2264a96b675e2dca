"""Archives that vanish, change or cannot be read while a command reads them."""

import os
import random
import subprocess
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from faults.bench import WAIT_SECONDS, Bench, Counts, wait_for_session
from faults.cases import CASES, row_paths, visible_parts
from faults.disks import NO_ROOT_RIGHTS

STOPPED = 3
FAILED = 1


def take_away_and_resume(bench: Bench, name: str, runs: int, seed: int) -> Counts:
    """Rename the archive's folder while it is read, as if its disk were disconnected; then resume.

    A run that has read everything before is not counted.
    """
    chance, case = random.Random(seed), CASES[name](bench)
    counts = Counts(f"vanishing-{name}")
    away = bench.archive.with_name("away")
    while counts.runs < runs:
        folder, position = bench.new_folder(), bench.position()
        process = case.start(folder)
        while process.poll() is None and not case.has_begun(folder):
            time.sleep(0.001)
        time.sleep(chance.uniform(0, case.working / 2))
        bench.archive.rename(away)
        code = process.wait(WAIT_SECONDS)
        away.rename(bench.archive)
        if code in case.codes:
            counts.seen["all was read before"] += 1
            continue
        counts.runs += 1
        said = bench.said(position)
        counts.seen[f"exit code {code}"] += 1
        counts.check(code == STOPPED, f"exit code {code}: {said}")
        counts.check("Traceback" not in said, f"printed {said}")
        counts.check(not wait_for_session(process.pid), "a process was left over")
        case.check_stopped(folder, counts)
        code = case.start(folder).wait(WAIT_SECONDS)
        counts.check(code in case.codes, f"the resume ended with exit code {code}")
        case.check_complete(folder, counts)
    return counts


CHANGES: dict[str, Callable[[Path], object]] = {
    "cut": lambda path: os.truncate(path, path.stat().st_size // 3),
    "emptied": lambda path: os.truncate(path, 0),
    "overwritten": lambda path: path.write_bytes(os.urandom(4096)),
    "lengthened": lambda path: path.open("ab").write(bytes(4096)),
    "replaced": lambda path: _replace(path, os.urandom(512)),
    "deleted": lambda path: path.unlink(),
    "a folder now": lambda path: (path.unlink(), path.mkdir()),
}


def _replace(path: Path, content: bytes) -> None:
    part = path.with_name("new")
    part.write_bytes(content)
    part.replace(path)


def change_while_read(bench: Bench, name: str, runs: int, seed: int) -> Counts:
    """Cut, overwrite, replace and delete files while a command reads the archive.

    A file that is read before or after its change may have either outcome; every file that is still
    there has exactly one, and files that were not changed have that of an undisturbed run. A copy
    is that of an undisturbed run, or its file was refused.
    """
    chance, case = random.Random(seed), CASES[name](bench)
    counts = Counts(f"changing-{name}")
    kept = {path: path.read_bytes() for path in bench.archive.rglob("*.dcm") if path.is_file()}
    while counts.runs < runs:
        folder, position = bench.new_folder(), bench.position()
        changed: set[Path] = set()
        process = case.start(folder)
        while process.poll() is None and not case.has_begun(folder):
            time.sleep(0.001)
        while process.poll() is None:
            path, change = chance.choice(sorted(kept)), chance.choice(sorted(CHANGES))
            if path not in changed and path.is_file():
                CHANGES[change](path)
                changed.add(path)
                counts.seen["files changed"] += 1
            time.sleep(chance.uniform(0, case.working / 20))
        code = process.wait()
        counts.runs += 1
        said = bench.said(position)
        counts.seen[f"exit code {code}"] += 1
        counts.check(code in (*case.codes, FAILED), f"exit code {code}: {said}")
        counts.check("Traceback" not in said, f"printed {said}")
        case.check_changed(
            folder, {str(path.relative_to(bench.folder)) for path in changed}, counts
        )
        counts.check(not visible_parts(folder), f"left {visible_parts(folder)}")
        _restore(kept)
    return counts


def _restore(kept: dict[Path, bytes]) -> None:
    for path, content in kept.items():
        if path.is_dir():
            path.rmdir()
        path.write_bytes(content)


def close_folders(bench: Bench, runs: int, seed: int) -> Counts:
    """Take the permission to read from a folder and some files; then read the rest by --known."""
    chance, case, counts = random.Random(seed), CASES["classify"](bench), Counts("unreadable")
    paths = sorted(path for path in bench.archive.rglob("*.dcm") if path.is_file())
    whole = Counter(row_paths(bench.folder / "undisturbed-classify"))
    while counts.runs < runs:
        folder = bench.new_folder()
        closed = bench.archive / str(chance.randrange(7))
        files = [path for path in chance.sample(paths, 3) if path.parent != closed]
        for path in (closed, *files):
            path.chmod(0)
        code = case.start(folder, before=NO_ROOT_RIGHTS).wait(WAIT_SECONDS)
        for path in (closed, *files):
            path.chmod(0o755 if path.is_dir() else 0o644)
        counts.runs += 1
        counts.seen[f"exit code {code}"] += 1
        counts.check(code == FAILED, f"exit code {code}")
        found = Counter(row_paths(folder))
        name = str(closed.relative_to(bench.folder))
        hidden = {path for path in whole if path.startswith(f"{name}/")}
        counts.check(found == Counter({*whole, name} - hidden), f"found {len(found)} files")
        later = folder / "later.parquet"
        code = bench.run("classify", "archive", "--known", folder / "views.parquet", "--out", later)
        counts.check(code == FAILED, f"the second run ended with exit code {code}")
        rest = set(row_paths(folder, "later"))
        counts.check(rest >= hidden | {str(p.relative_to(bench.folder)) for p in files}, "lost")
        counts.seen["folders closed"] += 1
        counts.seen["files closed"] += len(files)
    return counts


def tie_loops(bench: Bench, runs: int, seed: int) -> Counts:
    """Add links to folders above, links to themselves and to each other."""
    chance, case, counts = random.Random(seed), CASES["classify"](bench), Counts("loops")
    whole = Counter(row_paths(bench.folder / "undisturbed-classify"))
    while counts.runs < runs:
        links = {}
        for number in range(20):
            folder = bench.archive / str(chance.randrange(7))
            target = chance.choice([".", "..", "../..", "/", f"loop-{number}"])
            links[folder / f"loop-{number}"] = target
            (folder / f"loop-{number}").symlink_to(target)
        out = bench.new_folder()
        code = case.start(out).wait(WAIT_SECONDS)
        to_themselves = {
            str(link.relative_to(bench.folder))
            for link, target in links.items()
            if target.startswith("loop")
        }
        for link in links:
            link.unlink()
        counts.runs += 1
        counts.seen["links"] += len(links)
        counts.seen[f"exit code {code}"] += 1
        counts.check(code == FAILED, f"exit code {code}")
        found = Counter(row_paths(out))
        counts.check(found == whole + Counter(to_themselves), f"{found - whole} more")
    return counts


def list_many(bench: Bench, files: int, is_one_folder: bool) -> Counts:
    """Classify many empty files; memory may not grow with their number.

    The same is done with a fiftieth of them, and the largest process of both runs is compared.

    Args:
        bench: whose folder is used.
        files: number of empty files.
        is_one_folder: all in one folder, or 1,000 in each.
    """
    counts = Counts("many-files")
    sizes = {}
    for number in (files // 50, files):
        folder = bench.folder / f"many-{number}"
        for start in range(0, number, 1000):
            inside = folder if is_one_folder else folder / f"{start:07}"
            inside.mkdir(parents=True, exist_ok=True)
            for one in range(start, min(start + 1000, number)):
                (inside / f"{one:07}.dcm").touch()
        out = bench.folder / f"many-{number}.parquet"
        began = time.monotonic()
        process = bench.start("classify", folder, "--out", out)
        peak = _peak_kib(process)
        counts.runs += 1
        counts.check(process.returncode == FAILED, f"exit code {process.returncode}")
        paths = row_paths(bench.folder, out.stem)
        counts.check(len(set(paths)) == len(paths) == number, f"{len(paths)} of {number} files")
        sizes[number] = peak
        counts.seen[f"files {number}: seconds"] = round(time.monotonic() - began)
        counts.seen[f"files {number}: peak MiB"] = peak >> 10
    counts.check(sizes[files] < sizes[files // 50] + (128 << 10), f"peaks in KiB: {sizes}")
    return counts


def _peak_kib(process: "subprocess.Popen[bytes]") -> int:
    """Wait until a process ends; return its largest resident memory in KiB."""
    peak = 0
    while process.poll() is None:
        try:
            status = Path(f"/proc/{process.pid}/status").read_text()
        except (FileNotFoundError, ProcessLookupError):
            continue
        lines = [line.split() for line in status.splitlines()]
        peak = max([peak, *(int(line[1]) for line in lines if line[:1] == ["VmHWM:"])])
        time.sleep(0.05)
    return peak
