"""The page of an audit: complete, bounded, without outside resources."""

import re
import time
from html.parser import HTMLParser

import numpy as np
import pytest

pytest.importorskip("jinja2", reason="needs jinja2: pip install '.[audit]'")

from PIL import Image

from cxrview.audit.page import PageSettings, write_audit
from cxrview.audit.thumbnails import data_uri, thumbnail
from cxrview.results.columns import COLUMNS
from cxrview.results.tables import write_failures, write_table


class Resources(HTMLParser):
    """Everything that a page would load."""

    def __init__(self) -> None:
        super().__init__()
        self.loaded: list[str] = []
        self.scripts = 0

    def handle_starttag(self, tag, attrs):
        self.scripts += tag == "script"
        self.loaded += [v for k, v in attrs if k in ("src", "href", "srcset", "data") and v]


@pytest.fixture
def film(tmp_path):
    grey = np.tile(np.arange(256, dtype=np.uint8), (300, 1))
    Image.fromarray(grey).save(tmp_path / "film.png")
    return str(tmp_path / "film.png")


def views(folder, rows):
    table = folder / "views.parquet"
    write_table(table, iter([dict.fromkeys(COLUMNS) | row for row in rows]))
    return table


def a_row(path, **facts):
    row = {"path": path, "decision": "classified", "view": "lateral", "pfi": 0.2, "chest": 99.0}
    claim = {"header_view": "frontal", "header_view_position": "PA", "agreement": "disagrees"}
    return row | claim | facts


def test_write_audit_shows_disagreements_and_failures(tmp_path, film):
    table = views(tmp_path, [a_row(film), a_row(str(tmp_path / "missing.dcm"))])
    failure = {"path": "x", "code": "truncated", "reason": "r", "advice": "a"}
    write_failures(tmp_path / "views.failures.csv", [failure])

    done = write_audit(table, tmp_path / "audit.html")

    page = (tmp_path / "audit.html").read_text()
    assert done.counts.agreement.disagrees == 2
    assert done.failures == {"truncated": 1}
    assert "header PA, image lateral, PFI 0.2 %" in page
    assert page.count("data:image/jpeg;base64,") == 1  # the other file is missing
    assert "takes 2 wrong ones" in " ".join(page.split())


def test_write_audit_makes_a_page_that_loads_nothing(tmp_path, film):
    write_audit(views(tmp_path, [a_row(film)]), tmp_path / "audit.html")

    found = Resources()
    found.feed((tmp_path / "audit.html").read_text())

    assert found.scripts == 0
    assert all(one.startswith(("data:", "#")) for one in found.loaded)
    assert "@import" not in (tmp_path / "audit.html").read_text()


def test_write_audit_escapes_what_files_say(tmp_path):
    table = views(tmp_path, [a_row("<script>alert(1)</script>", manufacturer="<img src=x>")])

    write_audit(table, tmp_path / "audit.html")

    page = (tmp_path / "audit.html").read_text()
    assert "<script>" not in page and "<img src=x>" not in page


def test_write_audit_without_pictures_reads_no_image(tmp_path, film):
    table = views(tmp_path, [a_row(film)])

    write_audit(table, tmp_path / "audit.html", PageSettings(pictures=0))

    assert "data:image" not in (tmp_path / "audit.html").read_text()


def test_a_page_of_a_hundred_thousand_rows_is_bounded(tmp_path):
    rows = (a_row(f"/nowhere/{n}", manufacturer=f"maker {n % 3000}") for n in range(100_000))
    table = tmp_path / "views.parquet"
    write_table(table, (dict.fromkeys(COLUMNS) | row for row in rows))
    began = time.monotonic()

    write_audit(table, tmp_path / "audit.html", PageSettings(pictures=20))

    assert (tmp_path / "audit.html").stat().st_size < 200_000
    assert time.monotonic() - began < 120


def test_thumbnail_masks_the_outer_tenth(film):
    plain, _ = thumbnail(film, masks_border=False)
    masked, _ = thumbnail(film, masks_border=True)

    assert plain != masked
    assert re.match("data:image/jpeg;base64,", masked)


def test_data_uri_keeps_the_shape_of_a_radiograph():
    import io
    from base64 import b64decode

    uri = data_uri(np.zeros((400, 200), np.uint8))

    image = Image.open(io.BytesIO(b64decode(uri.partition(",")[2])))
    assert image.size == (120, 240)
