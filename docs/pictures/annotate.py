"""Draws the pictures of the annotation room in docs/annotate.md: every page, with phantoms.

Usage: python docs/pictures/annotate.py [FOLDER]

Makes a study of phantoms, writes readings of two readers into it, serves it on loopback, and takes
a picture of each page in Debian's Chromium. The same phantoms and readings each time; ids and
times differ.
"""

import os
import secrets
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from playwright.sync_api import sync_playwright

from cxrview.annotate.database.store import create_readings, open_readings
from cxrview.annotate.worklist import worklist
from cxrview.phantom.archive import draw_archive
from cxrview.records.annotation import AnnotationStudy, Reading, StudyImage
from cxrview.terms import Action, Method, Projection, ReadingRound, Role

LAPTOP = {"width": 1366, "height": 768}
DRAWN = {"frontal": (Projection.PA, 84), "lateral": (Projection.LL, 16)}
WRONG = 0.05
READ_BY_BO = 0.4
PACE_MS = 900
SERVER = """
import sys
from cxrview.annotate.web.run import serve_annotation
from cxrview.annotate.database.store import open_readings

if __name__ == "__main__":
    ready = lambda address: print(address, flush=True)
    serve_annotation(open_readings(sys.argv[1]), port=0, when_ready=ready)
"""


def main(out: Path) -> None:
    """Take all pictures."""
    with tempfile.TemporaryDirectory() as folder:
        where = Path(folder) / "study.sqlite"
        archive = Path(folder) / "archive"
        for seed, (view, (projection, patients)) in enumerate(DRAWN.items()):
            draw_archive(
                archive / view,
                patients=patients,
                projections=[projection],
                size=(760, 624),
                seed=seed,
                strangers=False,
                damages=[],
            )
        links = create_study(where, archive)
        read(where)
        with serving(where) as address, sync_playwright() as driver:
            options = ["--no-sandbox"] if os.geteuid() == 0 else []
            browser = driver.chromium.launch(executable_path="/usr/bin/chromium", args=options)
            page = browser.new_page(viewport=LAPTOP)
            page.goto(f"{address}/sign-in")
            take(page, out / "annotate-sign-in.png")
            enter(page, address, links["Bo"])
            take_reader(page, address, where, out)
            enter(page, address, links["Cy"])
            take_adjudicator(page, address, out)
            browser.close()


def create_study(where: Path, archive: Path) -> dict[str, str]:
    """Two readers and one who settles; returns their secrets."""
    study = AnnotationStudy(
        study_id=secrets.token_hex(16),
        name="Chest views",
        created=datetime.now(UTC),
        root=str(archive),
        repeat_share=0.2,
    )
    rng = np.random.default_rng(5)
    images = []
    for path in sorted(path for path in archive.rglob("*") if path.is_file()):
        file = str(path.relative_to(archive))
        if file.endswith(".csv"):
            continue
        view = true_view(file)
        pfi = float(
            rng.beta(9, 1) if (view == "frontal") != (rng.random() < WRONG) else rng.beta(1, 9)
        )
        images.append(
            StudyImage(
                image_id=secrets.token_hex(8),
                path=file,
                model_view="frontal" if pfi >= 0.5 else "lateral",
                pfi=100 * pfi,
            )
        )
    roles = {"Ann": [Role.READER], "Bo": [Role.READER], "Cy": [Role.ADJUDICATOR]}
    with closing(create_readings(str(where), study)) as store:
        store.add_images(images)
        return {name: store.add_reader(name, held)[1] for name, held in roles.items()}


def true_view(file: str) -> str:
    """What a phantom is, by the folder that it was drawn into."""
    return file.split("/")[0]


def read(where: Path) -> None:
    """Ann reads everything, Bo part of it; each is wrong now and then."""
    with closing(open_readings(str(where))) as store:
        images, readers = store.images(), store.readers()
        path_of = {image.image_id: image.path for image in images}
        for reader in readers:
            if Role.READER not in reader.roles:
                continue
            rng = np.random.default_rng(reader.reader_id)
            showings = worklist(store.study, images, readers, reader)
            share = 1 if reader.name == "Ann" else READ_BY_BO
            made = datetime.now(UTC) - timedelta(hours=reader.reader_id)
            readings = []
            for one in showings[: round(share * len(showings))]:
                taken = float(rng.lognormal(6.8, 0.35))
                made += timedelta(milliseconds=taken)
                view = true_view(path_of[one.image_id])
                is_wrong = rng.random() < WRONG
                if is_wrong:
                    view = "lateral" if view == "frontal" else "frontal"
                readings.append(
                    Reading(
                        uid=secrets.token_hex(16),
                        reader_id=reader.reader_id,
                        image_id=one.image_id,
                        round=ReadingRound.BLIND,
                        occasion=one.occasion,
                        act=Action.LABEL,
                        label=view,
                        note="turned, and the arm lies over it" if is_wrong else "",
                        how=Method.SINGLE,
                        made=made,
                        milliseconds=round(taken),
                    )
                )
            store.add_readings(readings)


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


def enter(page: Any, address: str, secret: str) -> None:
    """Come in by the secret link."""
    page.goto(f"{address}/enter#{secret}")
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"{address}/")


def take_reader(page: Any, address: str, where: Path, out: Path) -> None:
    """What a reader sees."""
    take(page, out / "annotate-home.png")
    page.goto(f"{address}/read")
    for key in "ffffffffff":
        wait_for_picture(page)
        page.wait_for_timeout(PACE_MS)
        page.keyboard.press(key)
    wait_for_picture(page)
    take(page, out / "annotate-read.png")
    page.keyboard.press("x")
    take(page, out / "annotate-exclude.png")
    page.goto(f"{address}/grid")
    page.locator(".cell").last.wait_for()
    page.locator(".cell.loading").first.wait_for(state="detached")
    page.wait_for_load_state("networkidle")
    page.keyboard.press("f")
    for cell in cells_to_mark(page, where):
        page.locator(".cell").nth(cell).click()
    take(page, out / "annotate-grid.png")
    page.goto(f"{address}/keys")
    take(page, out / "annotate-keys.png")
    page.goto(f"{address}/my-readings")
    page.wait_for_load_state("networkidle")
    take(page, out / "annotate-my-readings.png")


def cells_to_mark(page: Any, where: Path) -> list[int]:
    """Which thumbnails of Bo's page are lateral."""
    showings = page.locator(".cell").evaluate_all(
        "cells => cells.map((one) => one.dataset.showing)"
    )
    with closing(open_readings(str(where))) as store:
        images, readers = store.images(), store.readers()
        path_of = {image.image_id: image.path for image in images}
        (bo,) = (reader for reader in readers if reader.name == "Bo")
        image_of = {
            one.showing_id: one.image_id for one in worklist(store.study, images, readers, bo)
        }
    views = [true_view(path_of[image_of[showing]]) for showing in showings]
    return [number for number, view in enumerate(views) if view == "lateral"]


def take_adjudicator(page: Any, address: str, out: Path) -> None:
    """What one sees who settles."""
    page.goto(f"{address}/adjudicate")
    wait_for_picture(page)
    take(page, out / "annotate-adjudicate.png")
    page.goto(f"{address}/agreement")
    take(page, out / "annotate-agreement.png", full_page=True)
    page.goto(f"{address}/")
    page.locator("#close-blind-round").click()
    page.locator("#closing-even-so").check()
    take(page, out / "annotate-closing.png")
    page.wait_for_timeout(600)
    page.locator("#closing-confirm").click()
    page.get_by_role("link", name="Second look").first.click()
    wait_for_picture(page)
    take(page, out / "annotate-second-look.png")


def wait_for_picture(page: Any) -> None:
    """Until one lies on the desk, and its frame has been drawn."""
    page.locator("#message").wait_for(state="hidden")
    page.wait_for_timeout(200)


def take(page: Any, path: Path, *, full_page: bool = False) -> None:
    """Write what is seen, in as few colours as it needs: a page is grey with a few others."""
    page.wait_for_timeout(200)
    shot = Image.open(BytesIO(page.screenshot(full_page=full_page))).convert("RGB")
    shot.quantize(128, dither=Image.Dither.NONE).save(path, optimize=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
