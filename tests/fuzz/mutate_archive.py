"""Run `cxrview classify` on many damaged files, and check that each is a row or a failure.

Usage: python tests/fuzz/mutate_archive.py COUNT [--data FOLDER] [--seed N] [--batch N] [--from N]
       [--workers N] [--keep FOLDER] [--write NUMBER FILE]

Damages drawn radiographs (every transfer syntax, PNG, JPEG, TIFF), and with --data also the files
below FOLDER. The files of one batch are written, classified by the command itself, and deleted. The
script stops with exit code 1 if a run ends with another exit code than 0 or 1, if a file has no row
or more than one, or if a failure has the code `unreadable`, that of unexpected errors. Files whose
reading crashed the decoder, took too long or too much memory are counted, and kept with --keep.
--write writes the file of one number and ends.
"""

import argparse
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pyarrow.parquet as pq

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from cxrview.csv_files import read_csv_rows
from fuzz.mutate import mutate
from fuzz.seed_files import all_files

LARGEST = 300_000
"""Bytes of a file that is damaged: copies of larger ones would take the time of the disk."""
COSTLY = ("decoder_crash", "timeout", "memory")


def seeds_of(data: Path | None) -> list[bytes]:
    """The sound files: drawn ones, and real ones."""
    real = sorted(file for file in data.rglob("*") if file.is_file()) if data else []
    small = [file.read_bytes() for file in real if 0 < file.stat().st_size <= LARGEST]
    return [*all_files(), *small]


def damaged_file(seeds: Sequence[bytes], seed: int, number: int) -> bytes:
    """The file of a number: always the same bytes for the same seeds."""
    rng = random.Random(f"{seed}/{number}")
    return mutate(rng.choice(seeds), seeds, rng)


def classify(folder: Path, out: Path, workers: int) -> tuple[int, str]:
    """Run the command; return its exit code and what it wrote to stderr."""
    command = [sys.executable, "-m", "cxrview", "classify", str(folder), "--out", str(out)]
    command += ["--overwrite", "--model", "fast", "--workers", str(workers), "--timeout", "60"]
    command += ["--key", str(out.with_name("patient.key"))]
    ran = subprocess.run(command, capture_output=True, text=True)
    return ran.returncode, ran.stderr


def faults_of(folder: Path, out: Path, code: int, said: str) -> tuple[list[str], Counter, dict]:
    """What is wrong with a run; its outcomes counted; the codes of its failures by file."""
    faults = []
    if code not in (0, 1):
        faults.append(f"exit code {code}: {said[-2000:]}")
    if "Traceback" in said:
        faults.append(f"a traceback: {said[-2000:]}")
    failures_file = out.with_name("views.failures.csv")
    rows = pq.read_table(out, columns=["path", "decision"]).to_pylist() if out.exists() else []
    failed = list(read_csv_rows(failures_file)) if failures_file.exists() else []
    named = Counter(Path(row["path"]).name for row in (*rows, *failed))
    expected = Counter(file.name for file in folder.iterdir())
    for name in (named - expected) + (expected - named):
        faults.append(f"file {name} has {named[name]} rows")
    codes = {Path(row["path"]).name: row["code"] for row in failed}
    unexpected = [name for name, code in codes.items() if code == "unreadable"]
    faults += [f"file {name} raised an unexpected error" for name in unexpected]
    outcomes = Counter(row["decision"] for row in rows) + Counter(codes.values())
    return faults, outcomes, codes


def main() -> int:
    """Run all batches, and print the outcomes."""
    options = parsed()
    seeds = seeds_of(options.data)
    if options.write:
        number, file = options.write
        Path(file).write_bytes(damaged_file(seeds, options.seed, int(number)))
        return 0
    total, began, done = Counter(), time.monotonic(), 0
    with tempfile.TemporaryDirectory() as temporary:
        for first in range(options.first, options.first + options.count, options.batch):
            folder = Path(temporary) / "archive"
            folder.mkdir()
            numbers = range(first, min(first + options.batch, options.first + options.count))
            for number in numbers:
                (folder / f"{number:07}").write_bytes(damaged_file(seeds, options.seed, number))
            out = Path(temporary) / "views.parquet"
            faults, outcomes, codes = faults_of(
                folder, out, *classify(folder, out, options.workers)
            )
            costly = [name for name, code in codes.items() if code in COSTLY]
            keep(options.keep, folder, [*costly, *(f.split()[1] for f in faults)])
            shutil.rmtree(folder)
            total, done = total + outcomes, done + len(numbers)
            print(f"{done:,} files, {time.monotonic() - began:.0f} s: {dict(total)}", flush=True)
            for name in costly:
                print(f"  {name}: {codes[name]}", flush=True)
            for fault in faults:
                print(f"  FAULT {fault}", flush=True)
            if faults and not options.all:
                return 1
    print(f"{done:,} files damaged from {len(seeds)}, seed {options.seed}")
    for outcome, count in total.most_common():
        print(f"{outcome:>16} {count:>8,}")
    return 0


def keep(folder: Path | None, archive: Path, names: Sequence[str]) -> None:
    """Copy files that deserve a look."""
    if folder is None:
        return
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        if (archive / name).is_file():
            shutil.copy(archive / name, folder / name)


def parsed() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("count", type=int)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--batch", type=int, default=2000)
    parser.add_argument("--from", type=int, default=0, dest="first")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--write", nargs=2, metavar=("NUMBER", "FILE"))
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
