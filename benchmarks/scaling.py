"""What a file costs in archives of more and more files, and what more cores give.

Usage: python benchmarks/scaling.py [--files N,...] [--cores N,...] [--corpus FOLDER] [--out FOLDER]

`--files` (1000,10000,100000 by default) classifies so many small DICOM files, of which every
twentieth is a chest and the others say in their header that they are not: so the counting is
measured, not the network. Both seconds of a core a file and memory should stay flat. `--cores`
(1, 2, 4 ... up to all) classifies the mixed corpus of full-size phantoms with `--workers N`.
Writes scaling.json.
"""

import argparse
import json
import tempfile
from pathlib import Path

import measured
from corpus import each_file, link_corpus, make_corpus
from cxrview.classify.cores import available_cores
from cxrview.phantom.archive import draw_archive
from cxrview.terms import Projection

SMALL = (128, 104)
CHESTS, OTHERS = 2, 38
"""Distinct files: a file system links none more than some ten thousand times."""
MIXED_IMAGES = 64
MIB = 1 << 20


def main() -> None:
    """Measure, print, write."""
    wishes = _wishes()
    wishes.out.mkdir(parents=True, exist_ok=True)
    report = {"files": by_files(wishes.files), "cores": by_cores(wishes.cores, wishes.corpus)}
    (wishes.out / "scaling.json").write_text(json.dumps(report, indent=1) + "\n")


def by_files(counts: list[int]) -> list[dict[str, float]]:
    """Cost by number of files."""
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


def by_cores(counts: list[int], corpus: Path) -> list[dict[str, float]]:
    """Rate of the mixed corpus by number of cores."""
    rows = []
    files = list(each_file(make_corpus(corpus, 4)))
    print(f"{'cores':>8}{'images/s':>10}{'core-ms each':>14}{'MiB':>7}")
    for cores in counts:
        with tempfile.TemporaryDirectory(dir=corpus) as folder:
            link_corpus(files, Path(folder) / "films", MIXED_IMAGES)
            options = ["--workers", str(cores), "--no-skip"]
            table = Path(folder) / "views.parquet"
            cost = measured.classify(str(Path(folder) / "films"), table, options)
        rows.append({"cores": cores, **_row(MIXED_IMAGES, cost)})
        print(
            f"{cores:8}{MIXED_IMAGES / cost.seconds:10.1f}{rows[-1]['core_ms_each']:14.1f}"
            f"{rows[-1]['peak_mib']:7.0f}",
            flush=True,
        )
    return rows


def _draw_small(folder: Path) -> list[Path]:
    """Distinct small DICOM files, one chest in twenty."""
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

    every = available_cores()
    powers = sorted({*(1 << k for k in range(every.bit_length()) if 1 << k <= every), every})
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--files", type=numbers, default=[1000, 10_000, 100_000])
    parser.add_argument("--cores", type=numbers, default=powers)
    parser.add_argument("--corpus", type=Path, default=Path(".bench/corpus"))
    parser.add_argument("--out", type=Path, default=Path(".bench"))
    return parser.parse_args()


if __name__ == "__main__":
    main()
