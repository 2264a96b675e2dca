"""Rate with storage that takes 50 ms to open a file, against the same files on a local disk.

Usage: python benchmarks/network.py [--corpus FOLDER] [--images N] [--rounds N] [--readers N,...]

An fsspec file system, `slow://`, gives local files and sleeps before it opens each; workers load it
like any other. Classifies N JPEGs of 1024 x 1024 from the local disk, then as slow:// URLs with an
increasing number of readers, in rounds; prints medians and their share of the local rate.
"""

import argparse
import os
import statistics
import tempfile
import textwrap
from pathlib import Path

import measured
from corpus import SMALL_JPEG, link_corpus, make_corpus

LATENCY_SECONDS = 0.05
LOCAL = "local"


def main() -> None:
    """Measure and print."""
    wishes = _wishes()
    files = make_corpus(wishes.corpus, 4)[SMALL_JPEG]
    ways = [LOCAL, *map(str, wishes.readers)]
    costs: dict[str, list[measured.Cost]] = {way: [] for way in ways}
    with tempfile.TemporaryDirectory(dir=wishes.corpus) as name:
        folder = Path(name).resolve()
        link_corpus(files, folder / "films", wishes.images)
        site = _install_slow(folder)
        for _ in range(wishes.rounds):
            for way in ways:
                scheme = "" if way == LOCAL else "slow://"
                options = ["--no-skip", *([] if way == LOCAL else ["--readers", way])]
                costs[way].append(
                    measured.run(
                        ["-m", "cxrview", "classify", f"{scheme}{folder}/films", *options]
                        + ["--out", str(folder / "views.parquet"), "--overwrite"],
                        {"PYTHONPATH": site},
                    )
                )
    local = wishes.images / statistics.median(cost.seconds for cost in costs[LOCAL])
    print(f"{'readers':>8}{'images/s':>10}{'of local':>10}{'MiB':>7}")
    for way, runs in costs.items():
        rate = wishes.images / statistics.median(cost.seconds for cost in runs)
        peak = max(cost.peak_bytes for cost in runs) >> 20
        print(f"{way:>8}{rate:10.1f}{rate / local:10.2f}{peak:7}")


def _install_slow(folder: Path) -> str:
    """Create a distribution with the file system's entry point; give PYTHONPATH with it."""
    site = folder / "site"
    metadata = site / "slow-1.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: slow\nVersion: 1\n")
    (metadata / "entry_points.txt").write_text("[fsspec.specs]\nslow = slow:Slow\n")
    (site / "slow.py").write_text(
        textwrap.dedent(f"""
        import time
        from fsspec.implementations.local import LocalFileSystem

        class Slow(LocalFileSystem):
            protocol = "slow"

            @classmethod
            def _strip_protocol(cls, path):
                return super()._strip_protocol(path.removeprefix("slow://"))

            def unstrip_protocol(self, name):
                return "slow://" + self._strip_protocol(name)

            def _open(self, path, *args, **kwargs):
                time.sleep({LATENCY_SECONDS})
                return super()._open(path, *args, **kwargs)
        """)
    )
    return os.pathsep.join(filter(None, [str(site), os.environ.get("PYTHONPATH")]))


def _wishes() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--corpus", type=Path, default=Path(".bench/corpus"))
    parser.add_argument("--images", type=int, default=600)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument(
        "--readers", type=lambda text: [int(n) for n in text.split(",")], default=[2, 4, 8, 16]
    )
    return parser.parse_args()


if __name__ == "__main__":
    main()
