"""Seconds until the help and until the first row, against starting Python.

Usage: python benchmarks/startup.py [ROUNDS] [--device cuda]

Classifies full-size native phantoms to standard output. Prints medians: seconds until the first
line and until the end, each as a ratio to `python -c pass` in the same run, and the processor time
of all processes, which does not depend on other programs.
"""

import argparse
import statistics
import tempfile
from pathlib import Path

import measured
from cxrview.phantom.archive import draw_archive
from cxrview.terms import Device


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("rounds", nargs="?", type=int, default=7)
    parser.add_argument("--device", type=Device, default=Device.CPU)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        archive = Path(folder) / "archive"
        draw_archive(
            archive,
            patients=4,
            size=(2500, 2048),
            seed=0,
            syntaxes=["native"],
            strangers=False,
            damages=[],
        )
        commands = {
            "python -c": ["-c", "print()"],
            "cxrview --help": ["-m", "cxrview", "--help"],
            "cxrview classify": [
                *("-m", "cxrview", "classify", str(archive)),
                *("--out", "-", "--device", given.device),
            ],
        }
        costs: dict[str, list[measured.Cost]] = {name: [] for name in commands}
        for _ in range(given.rounds):
            for name, arguments in commands.items():
                costs[name].append(measured.run(arguments))
    print(f"{'seconds':18}{'first line':>11}{'ratio':>8}{'end':>8}{'processor':>11}")
    bare = 0.0
    for name, runs in costs.items():
        first = statistics.median(cost.first_row_seconds or 0.0 for cost in runs)
        bare = bare or first
        end = statistics.median(cost.seconds for cost in runs)
        core = statistics.median(cost.core_seconds for cost in runs)
        print(f"{name:18}{first:11.3f}{first / bare:8.1f}{end:8.3f}{core:11.3f}")


if __name__ == "__main__":
    main()
