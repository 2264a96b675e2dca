"""Takes the pictures of docs/audit.md: the page of an archive of phantoms, in light colours.

Usage: python docs/pictures/audit.py [FOLDER]

Draws an archive, classifies it, writes its page, and takes pictures of its top and of its images in
Debian's Chromium. The same phantoms each time.
"""

import os
import sys
import tempfile
from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import sync_playwright

import cxrview
from cxrview.audit.page import write_audit
from cxrview.phantom.archive import draw_archive

LAPTOP = {"width": 1280, "height": 800}
PATIENTS = 30


def main(out: Path) -> None:
    """Take all pictures."""
    with tempfile.TemporaryDirectory() as folder:
        archive, page_file = Path(folder) / "archive", Path(folder) / "audit.html"
        draw_archive(archive, patients=PATIENTS, size=(512, 420), seed=4)
        os.environ["XDG_CONFIG_HOME"] = folder
        cxrview.classify(archive, out=Path(folder) / "views.parquet")
        write_audit(Path(folder) / "views.parquet", page_file)
        with sync_playwright() as driver:
            options = ["--no-sandbox"] if os.geteuid() == 0 else []
            browser = driver.chromium.launch(executable_path="/usr/bin/chromium", args=options)
            page = browser.new_page(viewport=LAPTOP, color_scheme="light")
            page.goto(page_file.as_uri())
            take(page, out / "audit-filter.png", 560)
            for name in ("agreement", "disagrees"):
                page.locator(f"#{name}").evaluate("one => one.scrollIntoView()")
                take(page, out / f"audit-{name}.png", 640)
            browser.close()


def take(page: Any, path: Path, height: int) -> None:
    """Write the upper part of what is seen, in as few colours as it needs."""
    page.wait_for_timeout(300)
    part = {"x": 0, "y": 0, "width": LAPTOP["width"], "height": height}
    shot = Image.open(BytesIO(page.screenshot(clip=part))).convert("RGB")
    shot.quantize(96, dither=Image.Dither.NONE).save(path, optimize=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
