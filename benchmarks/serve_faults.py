"""Faults of the service, with Orthanc and DCMTK on loopback: nothing acknowledged may be lost.

    python benchmarks/serve_faults.py kill --images 1000 --kills 10

Run it as root, or where user namespaces are allowed: Orthanc listens on all addresses, so that
everything runs in a network namespace that has loopback alone. Each fault prints one JSON object,
and the exit code is 1 if an image was lost or doubled, or if the counts did not add up.
"""

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pydicom
from pydicom.uid import generate_uid

from serve_programs import ORTHANC, SERVICE, Bench, Relay, Report, dcmtk


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What is done while the service works."""

    act: Callable[[Bench, argparse.Namespace], Report]
    """Sends images, and does what is to go wrong. Returns further figures, and `passed`."""
    start_archive: Callable[[Bench], object] = Bench.start_orthanc
    destination: str = ""
    """Further lines of the destination in the configuration."""
    has_small_disk: bool = False
    """Whether the queue is on a file system of 32 MB."""


def send_all_at_once(bench: Bench, options: argparse.Namespace) -> Report:
    """Send one study on one association, and wait until all of it is stored."""
    begin = time.monotonic()
    bench.send(bench.films)
    return {
        "seconds_until_sent": round(time.monotonic() - begin, 1),
        "passed": bench.wait_until(lambda c: c.stored == len(bench.films)),
    }


def kill(bench: Bench, options: argparse.Namespace) -> Report:
    """Kill the service with -9 at random moments while four senders send."""
    chance = random.Random(options.seed)
    begin = time.monotonic()
    senders = threading.Thread(target=bench.send_all, args=(4,))
    # By what was done and not by time, so that a slow machine is hit in the middle of work as well.
    moments = sorted(chance.uniform(0, 2 * len(bench.films)) for _ in range(options.kills))
    senders.start()
    for moment in moments:
        bench.wait_until(lambda c, moment=moment: c.received + c.stored >= moment)
        time.sleep(chance.uniform(0, 0.2))
        bench.kill_service()
        bench.start_service()
    senders.join()
    return {
        "kills": options.kills,
        "seconds_until_sent": round(time.monotonic() - begin, 1),
        "passed": bench.wait_until(lambda c: c.received == len(bench.films) == c.stored),
    }


def stop_orthanc(bench: Bench, options: argparse.Namespace) -> Report:
    """Stop Orthanc while images are forwarded, and start it again."""
    half = len(bench.films) // 2
    bench.send(bench.films[:half])
    bench.wait_until(lambda c: c.stored > 0)
    bench.stop_archive()
    bench.send(bench.films[half:])
    bench.wait_until(lambda c: not c.waiting)
    counts = bench.counts()
    bench.start_orthanc()
    return {
        "waiting_while_stopped": counts.to_be_stored,
        "reason": counts.destinations["pacs"].reason,
        "passed": bench.wait_until(lambda c: c.stored == len(bench.films)),
    }


def refuse_dx(bench: Bench, options: argparse.Namespace) -> Report:
    """Forward to an archive that accepts no DX images, which become dead letters; retry them."""
    modalities = {
        film: pydicom.dcmread(film, stop_before_pixels=True).Modality for film in bench.films
    }
    cr, dx = ({film for film in bench.films if modalities[film] == name} for name in ("CR", "DX"))
    bench.send(bench.films)
    acknowledged = len(bench.acknowledged)
    is_done = bench.wait_until(lambda c: not (c.waiting or c.to_be_stored))
    counts = bench.counts()
    bench.stop_archive()
    bench.start_orthanc()
    retried = subprocess.run(
        [sys.executable, "-m", "cxrview", "serve", "retry", str(bench.config)],
        capture_output=True,
        text=True,
    )
    was_retried = bench.wait_until(lambda c: not (c.dead or c.to_be_stored))
    stored_before = len(list((bench.folder / "storescp").iterdir()))
    bench.acknowledged -= cr  # in storescp; only the others are expected in Orthanc
    return {
        "acknowledged": acknowledged,
        "dx": len(dx),
        "cr": len(cr),
        "stored_by_storescp": stored_before,
        "dead_before_retry": counts.dead,
        "reason": counts.destinations["pacs"].reason,
        "retry": retried.stdout.strip(),
        "passed": is_done and was_retried and counts.dead == len(dx) and stored_before == len(cr),
    }


def fill_disk(bench: Bench, options: argparse.Namespace) -> Report:
    """Fill the disk of the queue: senders get out of resources, and go on when space is free."""
    ballast = bench.queue / "ballast"
    ballast.write_bytes(bytes(max(0, shutil.disk_usage(bench.queue).free - (5 << 20))))
    first = bench.send(bench.films)
    refusals = (bench.folder / "service.log").read_text().count('"disk full"')
    ballast.unlink()
    left = [film for film in bench.films if film not in first]
    bench.send(left)
    is_done = bench.wait_until(lambda c: c.stored == len(bench.films))
    return {
        "acknowledged_while_full": len(first),
        "refused_while_full": refusals,
        "passed": is_done and bool(left) and refusals == len(left),
    }


def abort_senders(bench: Bench, options: argparse.Namespace) -> Report:
    """Kill senders in the middle of an object: nothing of it stays."""
    large, parts = bench.folder / "large.dcm", bench.queue / "parts"
    dataset = pydicom.dcmread(bench.films[0])
    dataset.PixelData = bytes(64 << 20)
    dataset.Rows, dataset.Columns = 4096, 8192
    dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    dataset.save_as(large)
    seen = 0
    for number in range(5):
        sender = subprocess.Popen(
            [dcmtk("storescu"), "-aet", "CR1", "-aec", "CXRVIEW", "-xf"]
            + [str(bench.folder / "storescu.cfg"), "Default", "127.0.0.1", str(SERVICE)]
            + [str(large)]
        )
        until = time.monotonic() + 10
        while not any(parts.iterdir()) and time.monotonic() < until:
            time.sleep(0.001)
        seen += any(parts.iterdir())
        time.sleep(0.01 * number)
        sender.kill()
        sender.wait()
    until = time.monotonic() + 10
    while any(parts.iterdir()) and time.monotonic() < until:
        time.sleep(0.1)
    left = len(list(parts.iterdir()))
    bench.send(bench.films)
    is_done = bench.wait_until(lambda c: c.stored == c.received >= len(bench.films))
    return {
        "parts_seen": seen,
        "parts_left": left,
        "passed": is_done and not left and seen and bench.counts().received == len(bench.films),
    }


def send_twice(bench: Bench, options: argparse.Namespace) -> Report:
    """Send everything twice, and one object with other content under the same UID."""
    other = bench.films[0].parent / "other.dcm"
    dataset = pydicom.dcmread(bench.films[0])
    dataset.PixelData = dataset.PixelData[:-1] + bytes([dataset.PixelData[-1] ^ 1])
    dataset.InstanceNumber = len(bench.films) + 1
    dataset.save_as(other)
    bench.send(bench.films)
    bench.send(bench.films)
    bench.send([other])
    is_done = bench.wait_until(lambda c: c.stored == len(bench.films) + 1)
    counts = bench.counts()
    bench.acknowledged.discard(other)  # an archive keeps one object of a UID, not always the last
    return {
        "passed": is_done and counts.repeated == len(bench.films) and counts.conflicting == 1,
    }


def start_behind_relay(bench: Bench) -> None:
    """Start Orthanc behind a relay that adds half a second to each answer."""
    Relay(ORTHANC + 1, ORTHANC, seconds=0.5)
    text = bench.config.read_text().replace(f"port = {ORTHANC}\n", f"port = {ORTHANC + 1}\n")
    bench.config.write_text(text)
    bench.start_orthanc()


def start_reporting_orthanc(bench: Bench) -> None:
    """Start an Orthanc that reports storage commitment to the service, on a new association."""
    bench.start_orthanc(DicomModalities={"cxrview": ["CXRVIEW", "127.0.0.1", SERVICE]})


def start_cr_archive(bench: Bench) -> None:
    """Start an archive that accepts no DX images."""
    bench.start_storescp(["ComputedRadiographyImageStorage"])


FAULTS = {
    "aborted": Fault(act=abort_senders),
    "commitment": Fault(
        act=send_all_at_once,
        start_archive=start_reporting_orthanc,
        destination="commitment = true\n",
    ),
    "duplicates": Fault(act=send_twice),
    "full": Fault(act=fill_disk, has_small_disk=True),
    "kill": Fault(act=kill),
    "refused": Fault(act=refuse_dx, start_archive=start_cr_archive, destination="tries = 3\n"),
    "slow": Fault(act=send_all_at_once, start_archive=start_behind_relay),
    "stopped": Fault(act=stop_orthanc),
    "study": Fault(act=send_all_at_once),
}


def carry_out(name: str, folder: Path, options: argparse.Namespace) -> Report:
    """Carry out one fault; the report says whether nothing was lost or doubled."""
    fault, queue = FAULTS[name], folder / "queue"
    queue.mkdir()
    if fault.has_small_disk:
        mount = ["mount", "-t", "tmpfs", "-o", "size=32m", "tmpfs", str(queue)]
        subprocess.run(mount, check=True)
    bench = Bench(folder, options.images, fault.destination, queue)
    try:
        fault.start_archive(bench)
        bench.start_service()
        begin = time.monotonic()
        with bench.observed():
            more = fault.act(bench, options)
        more["seconds"] = round(time.monotonic() - begin, 1)
        found = bench.report()
    finally:
        bench.stop()
        if fault.has_small_disk:
            subprocess.run(["umount", "--lazy", str(queue)])
    passed = bool(found["passed"] and more["passed"])
    return {"fault": name, **found, **more, "passed": passed}


def main() -> int:
    """Carry out one fault."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("fault", choices=FAULTS)
    parser.add_argument("--images", type=int, default=40)
    parser.add_argument("--kills", type=int, default=3)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path, help="keep all files in this new folder")
    options = parser.parse_args()
    if os.environ.get("CXRVIEW_LOOPBACK_ONLY") != "1":
        return in_namespace()
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    folder = options.keep or Path(tempfile.mkdtemp())
    folder.mkdir(exist_ok=True)
    try:
        found = carry_out(options.fault, folder, options)
        print(json.dumps(found))
        return 0 if found["passed"] else 1
    finally:
        if not options.keep:
            shutil.rmtree(folder, ignore_errors=True)


def in_namespace() -> int:
    """Run this program again in a network namespace that has only loopback."""
    root = [] if os.geteuid() == 0 else ["--map-root-user"]
    command = ["unshare", *root, "--net", "--mount", sys.executable, *sys.argv]
    return subprocess.run(command, env=os.environ | {"CXRVIEW_LOOPBACK_ONLY": "1"}).returncode


if __name__ == "__main__":
    sys.exit(main())
