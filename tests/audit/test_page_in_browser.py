"""The page in Chromium: for a screen reader, by keyboard, on screens of any width, and on paper."""

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cxrview.audit.audit_table import PageSettings
from cxrview.audit.page import write_audit
from cxrview.claims.claimed_rows import ClaimSource
from cxrview.claims.collections import ClaimColumns
from cxrview.results.columns import COLUMNS
from cxrview.results.tables import write_failures, write_table

pytestmark = pytest.mark.slow
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
WIDTHS = [390, 1280, 3840]
PAGES = ["claims", "empty"]
"""The page with claims has everything that the page of headers has."""


def rows_of(film: str) -> list[dict[str, object]]:
    """Every kind of row, with values as long as they get."""
    decided = {"decision": "classified", "view": "lateral", "pfi": 0.2, "agreement": "disagrees"}
    header = {
        "header_view": "frontal",
        "header_view_position": "PA" * 32,
        "manufacturer": "M" * 64,
        "manufacturer_model": "A model of some words " * 3,
        "study_year": 2001,
        "modality": "CR",
        "transfer_syntax": "1.2.840.10008.1.2.4.70",
        "rotation_probability": 60.0,
        "mirrored": True,
        "mirrored_probability": 99.0,
        "inverted": True,
        "inverted_probability": 99.0,
    }
    kinds = [
        decided,
        decided
        | {"view": "frontal", "pfi": 99.9, "agreement": "agrees"}
        | {"rotation": 90, "projection": "AP", "projection_ap": 98.0},
        decided | {"agreement": "silent", "header_view": None, "header_view_position": None},
        {"decision": "review", "view": None, "pfi": 48.0, "agreement": None},
        {"decision": "not_chest", "view": None, "pfi": 48.0, "chest": 3.0, "agreement": None},
        {"decision": "skipped", "view": None, "warnings": "skipped_by_modality"},
    ]
    rows = [header | kind | {"path": film} for kind in kinds for _ in range(7)]
    return [dict.fromkeys(COLUMNS) | row for row in [*rows, rows[0] | {"path": "/missing.dcm"}]]


@pytest.fixture(scope="module")
def pages(tmp_path_factory) -> dict[str, Path]:
    pytest.importorskip("jinja2", reason="needs jinja2: pip install '.[audit]'")
    folder = tmp_path_factory.mktemp("pages")
    Image.fromarray(np.tile(np.arange(256, dtype=np.uint8), (300, 1))).save(folder / "film.png")
    write_table(folder / "views.parquet", rows_of(str(folder / "film.png")))
    write_table(folder / "none.parquet", [])
    failure = {"path": "x", "code": "corrupt_pixels", "reason": "r", "advice": "Export it again"}
    write_failures(folder / "views.failures.csv", [failure])
    (folder / "table.csv").write_text("file,view\nfilm.png,PA\n" + "missing" * 30 + ",AP\n")
    claims = ClaimSource(table=folder / "table.csv", columns=ClaimColumns(key="file", view="view"))
    made = {name: folder / f"{name}.html" for name in PAGES}
    write_audit(folder / "views.parquet", made["claims"], PageSettings(claims=claims))
    write_audit(folder / "none.parquet", made["empty"])
    return made


@pytest.fixture(scope="module")
def browser(program):
    playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright: make test")
    options = ["--no-sandbox"] if os.geteuid() == 0 else []
    with playwright.sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=program("chromium"), args=options)
        yield opened
        opened.close()


@pytest.mark.parametrize(
    ("name", "scheme"), [("claims", "light"), ("claims", "dark"), ("empty", "light")]
)
def test_axe_finds_nothing(browser, pages, name, scheme):
    package = pytest.importorskip("axe_playwright_python", reason="needs axe-playwright-python")
    page = browser.new_page(viewport={"width": 1280, "height": 800}, color_scheme=scheme)
    page.goto(pages[name].as_uri())

    page.evaluate((Path(package.__file__).parent / "axe.min.js").read_text())
    found = page.evaluate("tags => axe.run({ runOnly: tags })", TAGS)

    faults = [
        f"{one['id']}: {node['html'][:120]}" for one in found["violations"] for node in one["nodes"]
    ]
    assert faults == []


@pytest.mark.parametrize("name", PAGES)
def test_the_page_is_as_wide_as_the_screen(browser, pages, name):
    page = browser.new_page()
    page.goto(pages[name].as_uri())

    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth") == width


def test_the_page_loads_nothing_and_logs_nothing(browser, pages):
    page = browser.new_page()
    asked, said = [], []
    page.on("request", lambda one: asked.append(one.url))
    page.on("console", lambda one: said.append(one.text))

    page.goto(pages["claims"].as_uri())
    page.wait_for_load_state("networkidle")

    assert [one for one in asked if not one.startswith("data:")] == [pages["claims"].as_uri()]
    assert said == []


def test_the_page_is_read_by_keyboard(browser, pages):
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    page.goto(pages["claims"].as_uri())

    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("location.hash") == "#main"
    page.get_by_role("link", name="Sent to review").focus()
    page.keyboard.press("Enter")
    assert page.locator("#review").bounding_box()["y"] < 800


def test_the_page_prints_with_its_pictures(browser, pages):
    page = browser.new_page()
    page.goto(pages["claims"].as_uri())

    printed = page.pdf(format="A4")

    assert printed.startswith(b"%PDF")
    assert printed.count(b"/Subtype /Image") >= 1
    page.emulate_media(media="print", color_scheme="dark")
    paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert paper == "rgb(255, 255, 255)"
    assert not page.get_by_role("navigation").is_visible()
