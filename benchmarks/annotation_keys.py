"""How long a reader waits from a key to the next picture, in a real browser.

Usage: python benchmarks/annotation_keys.py [READINGS] [MILLISECONDS] [DISTINCT]

Serves phantoms of 3,000 x 3,000 pixels of 16 bits on loopback (DISTINCT files under a name for each
reading, so that every picture is made anew), and reads them in headless Chromium: first READINGS
at one key per MILLISECONDS from a cold cache, then as many again as fast as pictures come. Prints
the time from a key to the painting of the next picture, and the rate.
"""

import os
import secrets
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

from cxrview.annotate.database.store import create_readings
from cxrview.phantom.archive import draw_archive
from cxrview.records.annotation import AnnotationStudy, StudyImage
from cxrview.terms import Projection, Role

SIZE = (3000, 3000)
SERVER = """
import sys
from cxrview.annotate.web.run import serve_annotation
from cxrview.annotate.database.store import open_readings

if __name__ == "__main__":
    ready = lambda address: print(address, flush=True)
    serve_annotation(open_readings(sys.argv[1]), port=0, when_ready=ready)
"""
# A key's time is when the browser got it; a painting's, when the frame had been drawn.
LISTEN = """
window.paintings = 0;
window.waits = [];
let key = null;
document.addEventListener("keydown", (event) => { key = event.timeStamp; }, true);
document.addEventListener("painted", (event) => {
  window.paintings += 1;
  if (key !== null) window.waits.push(event.detail.at - key);
  key = null;
});
"""


def main(readings: int, milliseconds: int, distinct: int) -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder:
        where = Path(folder) / "study.sqlite"
        secret = create_study(where, Path(folder), 2 * readings, distinct)
        with serving(where) as address, reading(f"{address}/enter/{secret}") as page:
            page.goto(f"{address}/read")
            wait_for(page, 1)
            seconds = press(page, readings, milliseconds / 1000)
            tell(f"one key per {milliseconds} ms", page, seconds)
            page.evaluate("window.waits = []")
            seconds = press(page, readings - 1, 0)
            tell("as fast as pictures come", page, seconds)


def create_study(where: Path, folder: Path, names: int, distinct: int) -> str:
    """Draw few phantoms, give them many names, and let one reader in; returns his secret."""
    drawn = folder / "drawn"
    draw_archive(
        drawn,
        patients=(distinct + 1) // 2,
        projections=[Projection.PA, Projection.LL],
        size=SIZE,
        bits=16,
        syntaxes=["native"],
        strangers=False,
        damages=[],
    )
    files = sorted(path for path in drawn.rglob("*") if path.is_file())[:distinct]
    root = folder / "images"
    root.mkdir()
    for number in range(names):
        (root / f"{number:06}.dcm").hardlink_to(files[number % len(files)])
    study = AnnotationStudy(
        study_id=secrets.token_hex(16), name="Keys", created=datetime.now(UTC), root=str(root)
    )
    store = create_readings(str(where), study)
    store.add_images(
        StudyImage(image_id=secrets.token_hex(8), path=path.name) for path in root.iterdir()
    )
    _, secret = store.add_reader("Reader", [Role.READER])
    store.close()
    return secret


@contextmanager
def serving(where: Path) -> Iterator[str]:
    """Serve the study in a process of its own; gives its address."""
    program = where.with_name("server.py")
    program.write_text(SERVER)
    process = subprocess.Popen([sys.executable, program, where], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield process.stdout.readline().strip()
    finally:
        process.terminate()
        process.wait()


@contextmanager
def reading(link: str) -> Iterator[Any]:
    """Open a browser that has come in by the link."""
    with sync_playwright() as driver:
        options = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = driver.chromium.launch(executable_path="/usr/bin/chromium", args=options)
        page = browser.new_page(viewport={"width": 1366, "height": 768})
        page.set_default_timeout(60_000)
        page.add_init_script(LISTEN)
        page.goto(link)
        page.get_by_role("button", name="Come in").click()
        page.wait_for_load_state()
        yield page
        browser.close()


def press(page: Any, count: int, pause: float) -> float:
    """Press label keys, one per pause but never before the picture is there; returns seconds."""
    start = time.monotonic()
    painted = int(page.evaluate("window.paintings"))
    for number in range(count):
        time.sleep(max(0.0, start + number * pause - time.monotonic()))
        page.keyboard.press("fl"[number % 2])
        wait_for(page, painted + number + 1)
    return time.monotonic() - start


def wait_for(page: Any, paintings: int) -> None:
    """Wait until so many pictures have been painted since the page was opened."""
    while int(page.evaluate("window.paintings")) < paintings:
        time.sleep(0.001)


def tell(what: str, page: Any, seconds: float) -> None:
    """Print the waits of one run."""
    waits = sorted(page.evaluate("window.waits"))
    parts = statistics.quantiles(waits, n=100)
    print(
        f"{what}: {len(waits)} readings, key to painted median {statistics.median(waits):.0f} ms, "
        f"95th percentile {parts[94]:.0f} ms, 99th {parts[98]:.0f} ms, most {waits[-1]:.0f} ms; "
        f"{len(waits) / seconds:.2f} readings/s, {3600 * len(waits) / seconds:,.0f} an hour",
        flush=True,
    )


if __name__ == "__main__":
    given = [int(argument) for argument in sys.argv[1:]]
    main(*(given + [500, 700, 12][len(given) :]))
