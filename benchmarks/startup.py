"""How long a user waits for help and for the first row, against a bare Python.

Usage: python benchmarks/startup.py [ROUNDS]

Prints medians and their ratio to `python -c pass` in the same run.
"""

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from cxrview.phantom.archive import draw_archive


def main(rounds: int) -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder:
        archive = Path(folder) / "archive"
        draw_archive(archive, patients=1, size=(512, 420), seed=0, strangers=False, damages=[])
        commands = {
            "python -c pass": ["-c", "pass"],
            "cxrview --help": ["-m", "cxrview", "--help"],
            "cxrview classify, one patient": [
                "-m",
                "cxrview",
                "classify",
                str(archive),
                "--out",
                "-",
            ],
        }
        baseline = 0.0
        for name, arguments in commands.items():
            seconds = statistics.median(timed(arguments) for _ in range(rounds))
            baseline = baseline or seconds
            print(f"{name:30} {seconds:6.3f} s   {seconds / baseline:6.1f} x")


def timed(arguments: list[str]) -> float:
    """Seconds that one command takes."""
    began = time.perf_counter()
    subprocess.run([sys.executable, *arguments], check=True, capture_output=True)
    return time.perf_counter() - began


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 7)
