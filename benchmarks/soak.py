"""`cxrview classify` for an hour, with faults: its memory and open files must stay flat.

    python benchmarks/soak.py --minutes 60 [--data DATA/field]

Classifies drawn radiographs of 2500 x 2048 pixels in every transfer syntax, PNG and JPEG, small
ones, damaged ones and, with --data, the files of a folder, each under many names. One of its
processes is killed every 20 s. After the time it gets Ctrl-C, and what it wrote is checked: each
file that it finished has a row or a failure, and no file has two. Prints one JSON object; the exit
code is 1 if something was lost or doubled, or if memory or open files (the lowest count of each
minute) grew by more than 5 % from the second fifth of the time to the last. Two kinds of open files
are counted apart, and have a highest number each: the images that are being read, of which a busy
machine has more open, and the files that SQLite opens when it first needs them, as when the table
of the paths that were found does not fit into its memory any more.

`benchmarks/serve.py --minutes 60 --faults` does the same with the service.
"""

import argparse
import csv
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from corpus import each_file, make_corpus
from cxrview.phantom.archive import draw_archive
from cxrview.workers.cores import available_cores
from process_tree import Sampler, kill_a_child, summary

IMAGES = 4
"""Full-size radiographs of each format."""
FILES_PER_SECOND = 60
"""More than two cores read: the archive must not be finished too early."""
PER_FOLDER = 2000
KILL_SECONDS = 20.0
MOST_GROWTH = 0.05
MOST_INPUTS = 2 * available_cores() + 2
"""A process may have an image open while the next one is opened in its place; and the folders."""
MOST_OF_SQLITE = 3
"""The rollback journal of the journal, the temporary file of its temporary table, and its own."""


def main() -> int:
    """Run, and print what was measured."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--data", type=Path, help="a folder whose files are read as well")
    parser.add_argument("--corpus", type=Path, default=Path(".bench/corpus"))
    parser.add_argument("--per-second", type=float, default=FILES_PER_SECOND, help="files to link")
    options = parser.parse_args()
    # The command would inherit that it is ignored, as it is in the background of a shell.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    options.corpus.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=options.corpus.parent) as name:
        folder = Path(name)
        sources = [*_drawn(options.corpus, folder / "drawn"), *_files_of(options.data)]
        count = int(options.minutes * 60 * options.per_second)
        _fill(folder / "archive", sources, count)
        found = _soak(folder, options.minutes)
    print(json.dumps({"files": count, "kinds": len(sources), **found}, indent=2))
    return 0 if found["passed"] else 1


def _drawn(corpus: Path, folder: Path) -> Iterator[Path]:
    yield from each_file(make_corpus(corpus, IMAGES))
    draw_archive(folder, patients=4, size=(1024, 840))
    yield from sorted(path for path in folder.rglob("*") if path.is_file())


def _files_of(data: Path | None) -> list[Path]:
    return sorted(path for path in data.rglob("*") if path.is_file()) if data else []


def _fill(archive: Path, sources: list[Path], count: int) -> None:
    """Link the files under many names; those of another disk are copied once."""
    copies = archive.with_name("copies")
    copies.mkdir()
    own = []
    for number, source in enumerate(sources):
        own.append(copies / f"{number:04}{source.suffix}")
        own[-1].write_bytes(source.read_bytes())
    for number in range(count):
        folder = archive / f"{number // PER_FOLDER:04}"
        if number % PER_FOLDER == 0:
            folder.mkdir(parents=True)
        source = own[number % len(own)]
        (folder / f"{number:07}{source.suffix}").hardlink_to(source)


def _soak(folder: Path, minutes: float) -> dict[str, Any]:
    table = folder / "views.parquet"
    with (folder / "output").open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "cxrview", "classify", folder / "archive", "--out", table],
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    sampler = Sampler(process.pid, inputs=folder / "archive")
    sampler.start()
    kills, stop = 0, time.monotonic() + 60 * minutes
    while time.monotonic() < stop and process.poll() is None:
        time.sleep(min(KILL_SECONDS, max(0.0, stop - time.monotonic())))
        kills += kill_a_child(process.pid)
    sampler.stop()
    ended_early = process.poll() is not None
    measured = summary(sampler.samples)
    inputs = max(one.inputs for one in sampler.samples)
    of_sqlite = max(one.sqlite for one in sampler.samples)
    print(json.dumps(measured), file=sys.stderr)  # whatever happens at the end
    if not ended_early:
        os.killpg(process.pid, signal.SIGINT)
    code = process.wait(600)
    print((folder / "output").read_text(errors="replace")[-2000:], file=sys.stderr)
    outcomes = _outcomes(table)
    grown = [name for name, one in measured.items() if one["change"] > MOST_GROWTH]
    doubled = sum(number - 1 for number in outcomes["paths"].values())
    # Files are classified in the order of their names, which are their numbers.
    lost = max(int(Path(path).stem) for path in outcomes["paths"]) + 1 - len(outcomes["paths"])
    return {
        "minutes": minutes,
        "kills": kills,
        "exit_code": code,
        "ended_early": ended_early,
        "outcomes": outcomes["paths"].total(),
        "lost": lost,
        "doubled": doubled,
        "failures": outcomes["codes"],
        **measured,
        "grown": grown,
        "inputs_peak": inputs,
        "sqlite_peak": of_sqlite,
        "passed": code == 130
        and not (ended_early or lost or doubled or grown)
        and inputs <= MOST_INPUTS
        and of_sqlite <= MOST_OF_SQLITE,
    }


def _outcomes(table: Path) -> dict[str, Any]:
    paths = Counter(pq.read_table(table, columns=["path"])["path"].to_pylist())
    with table.with_name("views.failures.csv").open(newline="", encoding="utf-8") as file:
        failures = list(csv.DictReader(file))
    paths.update(row["path"] for row in failures)
    return {"paths": paths, "codes": dict(Counter(row["code"] for row in failures).most_common())}


if __name__ == "__main__":
    sys.exit(main())
