"""How many cores one process can keep busy, simulated on a machine with few.

Usage: python benchmarks/many_cores.py [--cores N,...] [--decode MS] [--infer MS] [--seconds S]

The engine is given a number of cores. Its readers are real processes that answer each path with the
same radiograph after sleeping for the time of decoding, and its model sleeps as well, so that the
engine itself is measured: it assigns cores, passes radiographs on and restores their order. Prints
images per second against cores / (decode + infer), milliseconds of a core that the parent took per
image, and how busy this machine was: near 1.00 the machine limits the simulation.

Sleeping needs no core, so that spare holders (workers/cores.py) also sleep, and the share can be
above 1. Not simulated: memory that many cores share, and readers that start at the same time.
"""

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cxrview.classify import decode_worker
from cxrview.classify.engine import classify_files
from cxrview.classify.model import Model, load_model
from cxrview.records.answers import Answers
from cxrview.workers import cores, process

FEWEST = 200


def main() -> None:
    """Measure and print."""
    given = _wishes()
    card = load_model().card
    model = _Sleeping(seconds=given.infer / 1000)
    print(f"{'cores':>6}{'images/s':>10}{'of':>8}{'part':>7}{'parent, ms each':>17}{'busy':>7}")
    with tempfile.TemporaryDirectory() as folder:
        picture = Path(folder) / "picture.png"
        noise = np.random.default_rng(0).integers(0, 256, (card.input_side, card.input_side))
        Image.fromarray(noise.astype(np.uint8)).save(picture)
        for count in given.cores:
            bound = 1000 * count / (given.decode + given.infer)
            images = max(FEWEST, round(bound * given.seconds))
            rate, parent, busy = play(
                Model(card=card, backend=model), [str(picture)] * images, count, given.decode
            )
            print(
                f"{count:6}{rate:10.1f}{bound:8.1f}{rate / bound:7.2f}{1000 * parent:17.2f}"
                f"{busy:7.2f}",
                flush=True,
            )


def play(
    model: Model, paths: list[str], count: int, decode_ms: float
) -> tuple[float, float, float]:
    """Measure images per second, core-seconds of the parent per image, and the machine's load."""
    popen = subprocess.Popen

    def start(_: list[str], **options: Any) -> subprocess.Popen[bytes]:
        return popen([sys.executable, __file__, "--read", str(decode_ms)], **options)

    with (
        patch.object(cores, "available_cores", lambda: count),
        patch.object(process.subprocess, "Popen", start),
    ):
        outcomes = classify_files(paths, model, starts_all=True)
        next(outcomes)  # all readers have started
        began, used, ran, still = time.perf_counter(), _core_seconds(), *_ran()
        rest = sum(1 for _ in outcomes)
        seconds, used = time.perf_counter() - began, _core_seconds() - used
        ran, still = _ran()[0] - ran, _ran()[1] - still
    return rest / seconds, used / rest, ran / (ran + still)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sleeping:
    """A model that sleeps instead of computing."""

    seconds: float
    name: str = "asleep"
    batch: int = 4
    lanes: int | None = None

    def run(self, batch: NDArray[np.uint8]) -> Answers:
        time.sleep(self.seconds * len(batch))
        return Answers(pfi=np.full(len(batch), 99.0), chest=np.full(len(batch), 99.0))


def _core_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _ran() -> tuple[int, int]:
    """Read how long the cores of this machine were busy, and how long they were idle."""
    _, *ticks = Path("/proc/stat").read_text().splitlines()[0].split()
    still = int(ticks[3]) + int(ticks[4])
    return sum(map(int, ticks[:8])) - still, still


def read_asleep(ms: float) -> None:
    """Run as a reader that answers every path with the same radiograph."""
    known: dict[str, Any] = {}
    read = decode_worker.read_file

    def sleep(path: str, *rest: Any) -> Any:
        end = time.perf_counter() + ms / 1000
        if path not in known:
            known[path] = read(path, *rest)
        time.sleep(max(0.0, end - time.perf_counter()))
        return known[path]

    with patch.object(decode_worker, "read_file", sleep):
        decode_worker.main()


def _wishes() -> argparse.Namespace:
    def numbers(text: str) -> list[int]:
        return [int(part) for part in text.split(",") if part]

    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cores", type=numbers, default=[1, 2, 4, 8, 16, 32, 64])
    parser.add_argument("--decode", type=float, default=7.0, help="milliseconds")
    parser.add_argument("--infer", type=float, default=12.0, help="milliseconds")
    parser.add_argument("--seconds", type=float, default=5.0)
    return parser.parse_args()


if __name__ == "__main__":
    if sys.argv[1:2] == ["--read"]:
        read_asleep(float(sys.argv[2]))
    else:
        main()
