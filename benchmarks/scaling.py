"""Cost per file in archives of increasing size, and the gain of more cores and a GPU.

Usage: python benchmarks/scaling.py [--files N,...] [--cores N,...] [--devices cpu,cuda]
                                    [--formats NAME,...] [--each N] [--corpus FOLDER] [--out FOLDER]

`--files` (1000,10000,100000 by default) classifies so many small DICOM files, of which every
twentieth is a chest and the others are not by their header: so the bookkeeping is measured and not
the model. Both core-seconds per file and memory should stay constant. `--cores`
(1, 2, 4 ... up to all) classifies full-size phantoms with `--workers N`, of `--formats` (mixed) on
`--devices` (cpu), `--each` (100) for each core and device. Writes scaling.json.
"""

import argparse
import json
import tempfile
from itertools import product
from pathlib import Path
from typing import Any

import measured
from corpus import each_file, link_corpus, make_corpus
from cxrview.phantom.archive import draw_archive
from cxrview.terms import Device, Projection
from cxrview.workers.cores import available_cores

SMALL = (128, 104)
CHESTS, OTHERS = 2, 38
"""Distinct files, since file systems limit hard links to some ten thousand per file."""
MIXED = "mixed"
MIB = 1 << 20


def main() -> None:
    """Measure, print, write."""
    wishes = _wishes()
    wishes.out.mkdir(parents=True, exist_ok=True)
    report = {"files": by_files(wishes.files), "cores": by_cores(wishes)}
    (wishes.out / "scaling.json").write_text(json.dumps(report, indent=1) + "\n")


def by_files(counts: list[int]) -> list[dict[str, float]]:
    """Measure the cost by number of files."""
    rows = []
    print(f"{'files':>8}{'seconds':>10}{'core-ms each':>14}{'MiB':>7}")
    with tempfile.TemporaryDirectory() as folder:
        small = _draw_small(Path(folder))
        for count in counts:
            films = Path(folder) / f"films-{count}"
            link_corpus(small, films, count)
            cost = measured.classify(str(films), Path(folder) / f"{count}.parquet")
            rows.append(_row(count, cost))
            print(
                f"{count:8}{cost.seconds:10.1f}{rows[-1]['core_ms_each']:14.2f}"
                f"{rows[-1]['peak_mib']:7.0f}",
                flush=True,
            )
    return rows


def by_cores(wishes: argparse.Namespace) -> list[dict[str, Any]]:
    """Measure the rate of full-size phantoms by format, device and number of cores."""
    rows: list[dict[str, Any]] = []
    if not wishes.cores:
        return rows
    corpus = make_corpus(wishes.corpus, 4)
    corpus[MIXED] = list(each_file(corpus))
    print(f"{'':18}{'cores':>6}{'images/s':>10}{'core-ms each':>14}{'MiB':>7}")
    for name, cores, device in product(wishes.formats, wishes.cores, wishes.devices):
        count = wishes.each * cores
        with tempfile.TemporaryDirectory(dir=wishes.corpus) as folder:
            films, table = Path(folder) / "films", Path(folder) / "views.parquet"
            link_corpus(corpus[name], films, count)
            options = ["--workers", str(cores), "--device", device, "--no-skip"]
            cost = measured.classify(str(films), table, options)
        row = _row(count, cost)
        rows.append({"format": name, "device": device, "cores": cores, **row})
        print(
            f"{name:12} {device:5}{cores:6}{count / cost.seconds:10.1f}"
            f"{row['core_ms_each']:14.1f}{row['peak_mib']:7.0f}",
            flush=True,
        )
    return rows


def _draw_small(folder: Path) -> list[Path]:
    """Write distinct small DICOM files, one chest in twenty."""
    drawn = []
    for name, patients, fault in (("chest", CHESTS, "none"), ("hand", OTHERS, "hand")):
        draw_archive(
            folder / name,
            patients=patients,
            projections=[Projection.PA],
            size=SMALL,
            seed=len(name),
            syntaxes=["native"],
            header_faults=[fault],
            damages=[],
            strangers=False,
        )
        drawn.append(sorted(p for p in (folder / name).rglob("*") if p.is_file()))
    chests, others = drawn
    share = len(others) // CHESTS
    rows = [[chest, *others[k * share : (k + 1) * share]] for k, chest in enumerate(chests)]
    return [file for row in rows for file in row]


def _row(count: int, cost: measured.Cost) -> dict[str, float]:
    return {
        "files": count,
        "seconds": cost.seconds,
        "core_ms_each": 1000 * cost.core_seconds / count,
        "peak_mib": cost.peak_bytes / MIB,
    }


def _wishes() -> argparse.Namespace:
    def numbers(text: str) -> list[int]:
        return [int(part) for part in text.split(",") if part]

    def names(text: str) -> list[str]:
        return text.split(",")

    every = available_cores()
    powers = sorted({*(1 << k for k in range(every.bit_length()) if 1 << k <= every), every})
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--files", type=numbers, default=[1000, 10_000, 100_000])
    parser.add_argument("--cores", type=numbers, default=powers)
    parser.add_argument("--devices", type=names, default=[Device.CPU])
    parser.add_argument("--formats", type=names, default=[MIXED])
    parser.add_argument("--each", type=int, default=100)
    parser.add_argument("--corpus", type=Path, default=Path(".bench/corpus"))
    parser.add_argument("--out", type=Path, default=Path(".bench"))
    return parser.parse_args()


if __name__ == "__main__":
    main()
