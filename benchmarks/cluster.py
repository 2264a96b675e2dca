"""A run on a Ray cluster beside the run on one machine: its overhead, and its rows after kills.

    python benchmarks/cluster.py --small 20000 --full 500     # everything
    python benchmarks/cluster.py --small 2000 --full 50       # a tenth

Small phantoms are 64 x 64, full-size ones 2500 x 2048, in all transfer syntaxes. At most 400
different small ones and 60 full-size ones are drawn; the others are copies, which the result must
mark as such.

1. Overhead: plain run and `local` cluster in turn, on the same files, cores and decoders, for each
   kind. Both rates are printed with the start of processes and without it: files between the first
   and the last group of outcomes, by the time between.
2. Kills: two raylets, files in and parts out through a server on this machine that speaks S3
   (moto), or with --store GCS (gcp-storage-emulator) or Azure Blob Storage (Azurite). The driver is
   killed after a fifth of the blocks and started again, then the raylet of one node after half of
   them. All rows, failures and counts must be those of the plain run.

Load of other programs slows all of them, and is printed. Exit code 1: a row differs.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa

import cxrview
from cxrview.cluster.run import plan_cluster_run
from cxrview.phantom.archive import draw_archive
from cxrview.results.result import Result
from cxrview.workers.cores import available_cores

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from fixtures.object_stores import SCHEMES, Bucket, bucket_in
from fixtures.ray_cluster import kill_last_node, two_nodes

SIZES = {"small": (64, 64), "full": (2500, 2048)}
DRAWN = {"small": 400, "full": 60}
"""Most phantoms of a kind that are drawn: a full-size one takes some seconds."""
IMAGES_OF_A_PATIENT = 1.7
POLL_SECONDS = 0.2


def main() -> int:
    """Measure and print one JSON object a line."""
    given = _arguments()
    is_same = True
    with tempfile.TemporaryDirectory(prefix="cxrview-cluster-", dir=given.folder) as name:
        folder = Path(name)
        counts = {"small": given.small, "full": given.full}
        kinds = [kind for kind, count in counts.items() if count]
        for kind in kinds:
            draw(folder / kind, counts[kind], SIZES[kind], DRAWN[kind])
        report("machine", cores=available_cores(), load=load(), **counts)
        for kind in kinds:
            is_same &= overhead(folder, kind)
        if not given.no_kills:
            is_same &= kills(folder, kinds, given.store)
    return 0 if is_same else 1


def draw(folder: Path, count: int, size: tuple[int, int], most: int) -> None:
    """Draw phantoms, at most so many, and copy them until there are `count` files."""
    patients = max(1, round(min(count, most) / IMAGES_OF_A_PATIENT))
    draw_archive(folder / "drawn", patients=patients, size=size)
    drawn = sorted(path for path in (folder / "drawn").rglob("*") if path.is_file())
    for path in drawn[count:]:
        path.unlink()
    for number in range(len(drawn), count):
        copy = folder / f"copies{number // 1000:03}" / f"{number:06}"
        copy.parent.mkdir(exist_ok=True)
        shutil.copyfile(drawn[number % len(drawn)], copy)


class Rate:
    """Files of a run by time."""

    def __init__(self) -> None:
        self.began = time.perf_counter()
        self.times: list[tuple[float, int]] = []

    def add(self, files: int) -> None:
        """Note files that are finished."""
        self.times.append((time.perf_counter(), files))

    def figures(self, seconds: float) -> dict[str, float]:
        """Files per second with the start of processes, and without."""
        files = sum(count for _, count in self.times)
        (first, before), (last, _) = self.times[0], self.times[-1]
        between = (files - before) / (last - first) if last > first else float("nan")
        return {
            "seconds": round(seconds, 1),
            "per_second": round(files / seconds, 2),
            "per_second_without_start": round(between, 2),
        }


def overhead(folder: Path, kind: str) -> bool:
    """Run both ways on one kind of files; whether the rows are the same."""
    options = cxrview.ClassifyOptions(key=folder / "key")
    archive = str(folder / kind)

    def plain(rate: Rate) -> Result:
        return cxrview.classify(
            archive,
            out=f"{folder}/{kind}-plain/",
            options=options,
            on_outcomes=lambda some: rate.add(len(some)),
        )

    def cluster(rate: Rate) -> Result:
        plan = plan_cluster_run(
            archive, cluster="local", out=f"{folder}/{kind}-cluster/", options=options
        )
        return plan.start().run(lambda files, _: rate.add(files))

    figures = {name: _timed(run) for name, run in (("plain", plain), ("cluster", cluster))}
    key = "per_second_without_start"
    report(
        f"overhead, {kind}",
        **figures,
        overhead_percent=round(100 * (figures["plain"][key] / figures["cluster"][key] - 1), 1),
        load=load(),
    )
    tables = [cxrview.read_result(f"{folder}/{kind}-{way}") for way in ("plain", "cluster")]
    return same(f"rows, {kind}", *tables)


def _timed(run: Callable[[Rate], Result]) -> dict[str, float]:
    rate = Rate()
    run(rate)
    return rate.figures(time.perf_counter() - rate.began)


def kills(folder: Path, kinds: list[str], store: str) -> bool:
    """Kill driver and node of a run from a store; whether the rows are those of one machine."""
    archive = [str(folder / kind) for kind in kinds]
    options = cxrview.ClassifyOptions(key=folder / "key")
    plain = cxrview.classify(archive, out=f"{folder}/plain/", options=options)
    with bucket_in(store) as bucket, two_nodes() as nodes:
        began = time.perf_counter()
        for kind in kinds:
            bucket.files().put(f"{folder}/{kind}/", f"{bucket.name}/{kind}/", recursive=True)
        report("upload", seconds=round(time.perf_counter() - began, 1))
        command = [
            *(sys.executable, "-m", "cxrview", "classify"),
            *(f"{bucket.url}/{kind}" for kind in kinds),
            *("--out", f"{bucket.url}/views/", "--cluster", nodes.address),
            *("--key", f"{folder}/key", "--workers", "1"),
        ]
        began = time.perf_counter()
        with _driver(command) as driver:
            finished = wait_for_share(driver, bucket, 0.2)
            driver.kill()
        report("driver killed", blocks_finished=finished, load=load())
        with _driver([*command, "--resume"]) as driver:
            finished = wait_for_share(driver, bucket, 0.5)
            kill_last_node(nodes)
            report("raylet killed", blocks_finished=finished, load=load())
            driver.wait()
            report("ended", exit_code=driver.returncode, seconds=_since(began), load=load())
        from cxrview.cluster.destination import destination_named

        made = destination_named(f"{bucket.url}/views/").result()
        return same("rows after kills", plain, made, moved=(str(folder), bucket.url))


@contextmanager
def _driver(command: list[str]) -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(command) as driver:
        try:
            yield driver
        finally:
            driver.kill()


def wait_for_share(driver: subprocess.Popen[bytes], bucket: Bucket, share: float) -> int:
    """Wait until a share of the blocks is finished; return their number."""
    files = bucket.files()

    def names(where: str) -> list[str]:
        files.invalidate_cache()
        try:
            return [
                str(name) for name in files.ls(f"{bucket.name}/views.job/{where}", detail=False)
            ]
        except FileNotFoundError:
            return []

    while driver.poll() is None:
        listed = names("blocks")
        if any(name.endswith("end.json") for name in listed):
            finished = len(names("ledger"))
            if finished >= max(1, share * (len(listed) - 1)):
                return finished
        time.sleep(POLL_SECONDS)
    raise SystemExit(f"the driver ended early, with exit code {driver.returncode}")


def same(what: str, one: Result, other: Result, moved: tuple[str, str] = ("", "")) -> bool:
    """Print whether two results have the same rows, failures and counts, but for moved paths."""
    equal = {
        "rows": _moved(one.to_arrow(), moved).equals(other.to_arrow()),
        "failures": _moved(one.failures.to_arrow(), moved).equals(other.failures.to_arrow()),
        "counts": str(one.summary) == str(other.summary),
    }
    report(what, same=equal, counts=str(other.summary))
    return all(equal.values())


def _moved(table: pa.Table, moved: tuple[str, str]) -> pa.Table:
    before, after = moved
    paths = [after + path.removeprefix(before) for path in table["path"].to_pylist()]
    return table.set_column(
        table.column_names.index("path"), "path", pa.array(paths, pa.string())
    ).combine_chunks()


def _since(began: float) -> float:
    return round(time.perf_counter() - began, 1)


def load() -> list[float]:
    """Mean number of processes that wanted a core, over 1 and 5 minutes."""
    return [round(one, 1) for one in os.getloadavg()[:2]]


def report(what: str, **figures: Any) -> None:
    """Print one JSON object."""
    print(json.dumps({"what": what, **figures}), flush=True)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--small", type=int, default=20_000)
    parser.add_argument("--full", type=int, default=500)
    parser.add_argument("--no-kills", action="store_true", help="only the overhead")
    parser.add_argument("--store", choices=SCHEMES, default="s3", help="of the run with kills")
    parser.add_argument("--folder", type=Path, help="for phantoms and results")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
