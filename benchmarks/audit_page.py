"""The page of cxrview audit of a large result: time to write, size, time to open, scrolling.

Usage: python benchmarks/audit_page.py [ROWS] [PICTURES]

Draws phantoms, lays a result of ROWS (100,000) rows over them with headers of 300 manufacturers and
2,000 models, of which a third are wrong or empty, and writes its page with PICTURES (60) images a
section. Then opens it in headless Chromium (Debian's) three times with an empty cache. Prints

- seconds and largest memory to write the page, and its size;
- seconds until the page is loaded and every picture is decoded, the median of three;
- memory of the process that shows it, proportional set size;
- the longest and the 95th percentile of the times between frames while it scrolls from top to end
  at 2,000 pixels a second. At 60 frames a second they are 16.7 ms apart.
"""

import os
import random
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

from cxrview.audit.audit_table import PageSettings
from cxrview.audit.page import write_audit
from cxrview.phantom.archive import draw_archive
from cxrview.results.columns import COLUMNS, Row
from cxrview.results.tables import write_table

LAPTOP = {"width": 1280, "height": 800}
OPENED = 3
SCROLL = """
() => new Promise((done) => {
  const times = [];
  let last = 0;
  const step = (now) => {
    if (last) {
      times.push(now - last);
      window.scrollBy(0, 2 * (now - last));
    }
    last = now;
    const end = window.innerHeight + window.scrollY >= document.body.scrollHeight - 2;
    if (end || times.length > 6000) done(times); else requestAnimationFrame(step);
  };
  requestAnimationFrame(step);
})
"""
DECODED = "() => Promise.all([...document.images].map((one) => one.decode())).then(() => 0)"


def main(rows: int, pictures: int) -> None:
    """Print all figures."""
    with tempfile.TemporaryDirectory() as folder:
        page_file = Path(folder) / "audit.html"
        draw_archive(
            Path(folder) / "archive", patients=40, size=(760, 624), strangers=False, damages=[]
        )
        films = [
            str(path) for path in sorted((Path(folder) / "archive").rglob("*")) if path.is_file()
        ]
        write_table(Path(folder) / "views.parquet", result_rows(films, rows))
        began = time.monotonic()
        done = write_audit(
            Path(folder) / "views.parquet", page_file, PageSettings(pictures=pictures)
        )
        seconds = time.monotonic() - began
        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        shown = sum(len(section.rows) for section in done.sections)
        print(
            f"written: {done.counts.rows:,} rows, {shown} pictures, {seconds:.1f} s, {most:.0f} MiB"
        )
        print(f"size: {page_file.stat().st_size / 1e6:.2f} MB")
        show(page_file)


def result_rows(films: list[str], count: int) -> Iterator[Row]:
    """Rows as `cxrview classify` writes them."""
    draw = random.Random(0)
    for number in range(count):
        view = draw.choice(["frontal", "frontal", "lateral"])
        header = draw.choices(["frontal", "lateral", None], [6, 2, 2])[0]
        decision = draw.choices(["classified", "review", "not_chest"], [96, 2, 2])[0]
        is_decided = decision == "classified"
        agreement = "silent" if not header else "agrees" if header == view else "disagrees"
        pfi = 100 * (draw.betavariate(20, 0.3) if view == "frontal" else draw.betavariate(0.3, 20))
        yield dict.fromkeys(COLUMNS) | {
            "path": films[number % len(films)],
            "decision": decision,
            "view": view if is_decided else None,
            "pfi": round(pfi, 3),
            "chest": round(100 * draw.random(), 3),
            "agreement": agreement if is_decided else None,
            "header_view": header,
            "header_view_position": {"frontal": "PA", "lateral": "LATERAL"}.get(header or ""),
            "manufacturer": f"Manufacturer {draw.randrange(300)}",
            "manufacturer_model": f"Model {draw.randrange(2000)}",
            "study_year": draw.randrange(1999, 2026),
            "modality": draw.choice(["CR", "DX"]),
            "transfer_syntax": draw.choice(["1.2.840.10008.1.2.1", "1.2.840.10008.1.2.4.70"]),
            "model_id": "drawn",
        }


def show(page_file: Path) -> None:
    """Open the page, and print what that takes."""
    loads, memory, frames = [], [], list[float]()
    options = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as driver:
        for _ in range(OPENED):
            browser = driver.chromium.launch(executable_path="/usr/bin/chromium", args=options)
            page = browser.new_page(viewport=LAPTOP)
            began = time.monotonic()
            page.goto(page_file.as_uri())
            page.evaluate(DECODED)
            loads.append(time.monotonic() - began)
            frames += page.evaluate(SCROLL)
            memory.append(shown_memory(browser))
            browser.close()
    frames.sort()
    print(f"open: {statistics.median(loads):.2f} s, memory {max(memory):.0f} MiB")
    print(
        f"scroll: {len(frames)} frames, longest {frames[-1]:.0f} ms, "
        f"95th percentile {frames[round(0.95 * (len(frames) - 1))]:.1f} ms"
    )


def shown_memory(browser: Any) -> float:
    """The largest proportional set size of a process that shows a page, in MiB."""
    session = browser.new_browser_cdp_session()
    found = session.send("SystemInfo.getProcessInfo")["processInfo"]
    sizes = []
    for process in found:
        if process["type"] == "renderer":
            lines = Path(f"/proc/{process['id']}/smaps_rollup").read_text().splitlines()
            sizes += [int(line.split()[1]) / 1024 for line in lines if line.startswith("Pss:")]
    return max(sizes)


if __name__ == "__main__":
    main(*(int(one) for one in (*sys.argv[1:], *("100000", "60")[len(sys.argv) - 1 :])))
