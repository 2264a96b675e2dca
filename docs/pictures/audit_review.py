"""Draws the picture of docs/audit-review.md: a phantom in `cxrview audit --serve`.

Usage: python docs/pictures/audit_review.py [FOLDER]

Classifies an archive of phantoms, serves the review on loopback, and takes a picture of it in
Debian's Chromium.
"""

import multiprocessing
import os
import sys
import tempfile
from io import BytesIO
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

import cxrview
from cxrview.audit.review.serve import ReviewStarted, serve_review
from cxrview.phantom.archive import draw_archive

LAPTOP = {"width": 1280, "height": 720}
COLOURS = 64


def main(out: Path) -> None:
    """Take the picture."""
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        draw_archive(
            Path("archive"), patients=6, size=(900, 740), strangers=False, damages=[], seed=3
        )
        cxrview.classify("archive", out="views.parquet")
        addresses: multiprocessing.Queue[str] = multiprocessing.Queue()
        server = multiprocessing.Process(target=serve, args=[addresses])
        server.start()
        try:
            take(addresses.get(timeout=60), out / "audit-review.png")
        finally:
            server.terminate()
            server.join()


def serve(addresses: "multiprocessing.Queue[str]") -> None:
    """Serve the review of the archive until the process is ended."""

    def ready(started: ReviewStarted) -> None:
        addresses.put(started.address)

    serve_review(Path("views.parquet"), port=0, reader="ann", when_ready=ready)


def take(address: str, path: Path) -> None:
    """Write what is seen, in as few colours as it needs: a page is grey with a few others."""
    with sync_playwright() as driver:
        options = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = driver.chromium.launch(executable_path="/usr/bin/chromium", args=options)
        page = browser.new_page(viewport=LAPTOP)
        page.goto(address)
        page.locator("#message").wait_for(state="hidden")
        page.wait_for_timeout(200)
        shot = Image.open(BytesIO(page.screenshot())).convert("RGB")
        shot.quantize(COLOURS, dither=Image.Dither.NONE).save(path, optimize=True)
        browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else Path(__file__).resolve().parent)
