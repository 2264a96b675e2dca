"""Corrected copies a second, beside `cp -r` of the same files, in turns within one run.

    .venv/bin/python benchmarks/writeback.py [--files 400] [--rounds 5]

Radiographs of about 5 MB are drawn, native and in JPEG 2000. What is compared is wall time, files
in the cache of the system before each turn, all cores. The ratio is that of two turns one after the
other, so that other programs slow both; its median is printed, and the lowest and highest.
"""

import argparse
import shutil
import statistics
import subprocess
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import pydicom
from pydicom.uid import UID

from cxrview.image.fetch import file_content_id
from cxrview.phantom.archive import draw_archive
from cxrview.results.columns import COLUMNS
from cxrview.results.tables import write_table
from cxrview.writeback.run import write_back
from cxrview.writeback.settings import CorrectionSettings

KINDS = {
    "native": ("1.2.840.10008.1.2.1", (1750, 1430)),
    "JPEG 2000": ("1.2.840.10008.1.2.4.90", (2800, 2300)),
}
"""Transfer syntax, rows and columns of each kind of file."""


def multiply(film: Path, folder: Path, files: int) -> None:
    """Copies of one film, each with its own SOP Instance UID."""
    dataset = pydicom.dcmread(film)
    for number in range(files):
        uid = UID(f"2.25.{10**20 + number}")
        dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = uid
        path = folder / f"{number // 20:03d}" / f"{number:06d}.dcm"
        path.parent.mkdir(parents=True, exist_ok=True)
        dataset.save_as(path)


def write_views(folder: Path, table: Path) -> None:
    """A table that says of every file that its header is wrong."""
    rows = []
    for path in sorted(folder.rglob("*.dcm")):
        header = pydicom.dcmread(path, stop_before_pixels=True)
        wrong = "lateral" if header.get("ViewPosition") in ("PA", "AP") else "frontal"
        rows.append(
            dict.fromkeys(COLUMNS)
            | {
                "path": str(path),
                "sop_instance_uid": str(header.SOPInstanceUID),
                "sop_class_uid": str(header.SOPClassUID),
                "decision": "classified",
                "view": wrong,
                "agreement": "disagrees",
                "model_id": "drawn",
                "content_id": file_content_id(path),
            }
        )
    write_table(table, iter(rows))


def film_of(archive: Path, syntax: str) -> Path:
    """A drawn film in a transfer syntax."""
    for path in sorted(p for p in archive.rglob("*") if p.is_file()):
        try:
            header = pydicom.dcmread(path, stop_before_pixels=True)
        except (pydicom.errors.InvalidDicomError, EOFError):
            continue
        if header.file_meta.TransferSyntaxUID == syntax and header.Modality in ("CR", "DX"):
            return path
    raise SystemExit(f"no drawn film in {syntax}: draw more patients")


def main() -> None:
    """Print one line for each kind of file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=400)
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    settings = CorrectionSettings(
        modified=datetime(2026, 3, 1, tzinfo=UTC), system="cxrview", software_version="0"
    )
    with tempfile.TemporaryDirectory() as scratch:
        here = Path(scratch)
        for kind, (syntax, size) in KINDS.items():
            draw_archive(here / kind / "drawn", patients=12, size=size, seed=1)
            films, table = here / "films", here / "views.parquet"
            multiply(film_of(here / kind / "drawn", syntax), films, given.files)
            write_views(films, table)
            megabytes = sum(p.stat().st_size for p in films.rglob("*.dcm")) / given.files / 1e6
            pairs = []
            for _ in range(given.rounds):
                began = time.perf_counter()
                subprocess.run(["cp", "-r", films, here / "copied"], check=True)
                copied = time.perf_counter() - began
                shutil.rmtree(here / "copied")
                began = time.perf_counter()
                done = write_back(table, here / "corrected", settings)
                pairs.append((copied, time.perf_counter() - began))
                assert done.written == given.files, done.failures[:3]
                for path in here.glob("corrected*"):
                    shutil.rmtree(path) if path.is_dir() else path.unlink()
            cp, ours = (statistics.median(seconds) for seconds in zip(*pairs, strict=True))
            ratios = sorted(one / other for one, other in pairs)
            print(
                f"{kind}, {megabytes:.1f} MB: cp -r {given.files / cp:.0f} files/s, writeback "
                f"{given.files / ours:.0f} files/s, ratio {statistics.median(ratios):.2f} "
                f"({ratios[0]:.2f} to {ratios[-1]:.2f})",
                flush=True,
            )
            shutil.rmtree(films)


if __name__ == "__main__":
    main()
