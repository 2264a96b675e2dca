"""Twenty readers at once before one annotation server: what is lost, and how long they wait.

Usage: python benchmarks/annotation_load.py [--images N] [--readers N] [--pace SECONDS] [--url URL]

Makes a study of small PNG files, two readings an image, serves it in a process of its own and
reads all of it by HTTP over loopback as a page does: asks for the next eight, fetches each picture,
sends each reading. Then looks into the study: every reading that was confirmed must be there once,
and no other. Without --pace, readers are as quick as the server lets them be.
"""

import argparse
import asyncio
import re
import secrets
import subprocess
import sys
import tempfile
import time
import uuid
from collections import defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from PIL import Image

from cxrview.annotate.database.store import create_readings, open_readings
from cxrview.records.annotation import AnnotationStudy, StudyImage
from cxrview.terms import Role

SIDE = 256
AHEAD = 8
SERVE = """
import sys
from cxrview.annotate.web.run import serve_annotation
from cxrview.annotate.database.store import open_readings
serve_annotation(
    open_readings(sys.argv[1]), port=0, when_ready=lambda address: print(address, flush=True))
"""


@dataclass(slots=True)
class RunSummary:
    """What the readers met with."""

    confirmed: set[str] = field(default_factory=set)
    refused: int = 0
    errors: int = 0
    seconds: defaultdict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    """By what was asked for."""


def main(images: int, readers: int, pace: float, where: str) -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder:
        study = where or str(Path(folder) / "study.db")
        links = create_study(Path(folder), study, images, readers)
        server = subprocess.Popen([sys.executable, "-c", SERVE, study], stdout=subprocess.PIPE)
        assert server.stdout
        try:
            address = server.stdout.readline().decode().strip()
            tally, began = RunSummary(), time.monotonic()
            asyncio.run(everybody(address, links, pace, tally))
            took = time.monotonic() - began
            memory = peak_memory(server.pid)
        finally:
            server.terminate()
            server.wait(30)
        report(tally, took, memory, study, images)


def create_study(folder: Path, study: str, images: int, readers: int) -> list[str]:
    """Write files and study; the secrets of its readers."""
    films = folder / "films"
    films.mkdir()
    rng = np.random.default_rng(0)
    for number in range(images):
        coarse = rng.integers(0, 255, (8, 8), dtype=np.uint8)
        picture = Image.fromarray(coarse).resize((SIDE, SIDE), Image.Resampling.BICUBIC)
        picture.save(films / f"{number}.png", compress_level=1)
    about = AnnotationStudy(
        study_id=secrets.token_hex(16), name="load", created=datetime.now(UTC), root=str(films)
    )
    store = create_readings(study, about)
    store.add_images(
        StudyImage(image_id=secrets.token_hex(8), path=f"{number}.png") for number in range(images)
    )
    links = [store.add_reader(f"reader {n}", {Role.READER})[1] for n in range(readers)]
    store.close()
    return links


async def everybody(address: str, links: list[str], pace: float, tally: RunSummary) -> None:
    """Have all readers read at once."""
    await asyncio.gather(*(one_reader(address, link, pace, tally) for link in links))


async def one_reader(address: str, link: str, pace: float, tally: RunSummary) -> None:
    """Read as a page does, until nothing is left."""
    async with httpx.AsyncClient(base_url=address, timeout=120, follow_redirects=True) as client:
        page = await client.post("/enter", data={"secret": link})
        found = re.search(r'name="csrf" content="([^"]+)"', page.text)
        assert found, "the link let nobody in"
        headers = {"X-CSRF-Token": found[1]}
        while True:
            told = await timed(
                tally, "next", lambda: client.get("/api/next", params={"tab": "a", "count": AHEAD})
            )
            if not told["items"]:
                return
            for item in told["items"]:
                began = time.monotonic()
                address_of = f"/api/picture/{item['showing']}?edge=256"
                await timed(tally, "picture", lambda where=address_of: client.get(where))
                body = {"readings": [an_act(item["showing"])]}
                answer = await timed(
                    tally,
                    "reading",
                    lambda sent=body: client.post("/api/readings", json=sent, headers=headers),
                )
                tally.confirmed.update(answer.get("written", ()))
                tally.refused += len(answer.get("refused", ()))
                await asyncio.sleep(max(0.0, pace - (time.monotonic() - began)))


def an_act(showing: str) -> dict[str, Any]:
    """What a page sends."""
    return {
        "uid": uuid.uuid4().hex,
        "showing": showing,
        "act": "label",
        "label": secrets.choice(["frontal", "lateral"]),
        "made": datetime.now(UTC).isoformat(),
        "milliseconds": 500,
        "display": {"window": 255, "level": 128, "zoom": 1},
    }


async def timed(
    tally: RunSummary, what: str, ask: Callable[[], Awaitable[httpx.Response]]
) -> dict[str, Any]:
    """Ask, and note how long it took; what is no success is an error."""
    began = time.monotonic()
    answer = await ask()
    tally.seconds[what].append(time.monotonic() - began)
    if answer.status_code != 200:
        tally.errors += 1
        return {"items": []}
    is_json = answer.headers["content-type"] == "application/json"
    return dict(answer.json()) if is_json else {}


def peak_memory(pid: int) -> dict[str, float]:
    """Most that the server held, and its children, each at its own worst time; MiB."""
    threads = Path(f"/proc/{pid}/task").glob("*/children")  # each thread started its own process
    children = [child for thread in threads for child in thread.read_text().split()]
    every = {"server": [str(pid)], "picture processes": children}
    return {name: sum(map(_peak, pids)) for name, pids in every.items()}


def _peak(pid: str) -> float:
    found = re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())
    return int(found[1]) / 1024 if found else 0.0


def report(
    tally: RunSummary, took: float, memory: dict[str, float], study: str, images: int
) -> None:
    """Print, and end with 1 where a reading was lost, doubled or refused."""
    store = open_readings(study)
    kept = [reading.uid for reading in store.readings()]
    store.close()
    lost, extra = tally.confirmed - set(kept), set(kept) - tally.confirmed
    doubled = len(kept) - len(set(kept))
    print(
        f"{images:,} images, {len(kept):,} readings in {took:,.1f} s: {len(kept) / took:,.0f} a s"
    )
    print(f"errors {tally.errors}, refused {tally.refused}, lost {len(lost)}", end=", ")
    print(f"not confirmed {len(extra)}, doubled {doubled}")
    for what, seconds in sorted(tally.seconds.items()):
        half, most, nearly, longest = np.percentile(np.array(seconds) * 1e3, [50, 95, 99, 100])
        print(
            f"{what:8} {len(seconds):>8,} times: median {half:,.1f} ms, 95 % {most:,.1f}, "
            f"99 % {nearly:,.1f}, longest {longest:,.1f}"
        )
    for name, mebibytes in memory.items():
        print(f"{name}: {mebibytes:,.0f} MiB at the most")
    sys.exit(bool(tally.errors or tally.refused or lost or extra or doubled))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=10_000)
    parser.add_argument("--readers", type=int, default=20)
    parser.add_argument("--pace", type=float, default=0.0, help="seconds an image")
    parser.add_argument("--url", default="", help="of an empty PostgreSQL database")
    asked = parser.parse_args()
    main(asked.images, asked.readers, asked.pace, asked.url)
