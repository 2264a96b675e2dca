"""Small pictures of files that are read again."""

import io
import re
from base64 import b64decode

import numpy as np
from PIL import Image

from cxrview.audit.thumbnails import make_thumbnail, read_thumbnails, thumbnail


def test_thumbnail_masks_the_outer_tenth(film):
    plain = thumbnail(film, masks_border=False)
    masked = thumbnail(film, masks_border=True)

    assert plain.uri != masked.uri
    assert re.match("data:image/jpeg;base64,", masked.uri)


def test_make_thumbnail_keeps_the_shape_of_a_radiograph():
    made = make_thumbnail(np.zeros((400, 200), np.uint8))

    image = Image.open(io.BytesIO(b64decode(made.uri.partition(",")[2])))
    assert image.size == (made.columns, made.rows) == (120, 240)


def test_thumbnail_does_not_show_a_file_that_was_replaced(film):
    found = thumbnail(film, masks_border=False, content_id="of another file")

    assert (found.uri, "changed" in found.reason) == ("", True)


def test_thumbnail_says_why_there_is_none(tmp_path):
    (tmp_path / "text.dcm").write_text("no image")

    assert thumbnail(str(tmp_path / "missing.dcm"), masks_border=False).reason
    assert thumbnail(str(tmp_path / "text.dcm"), masks_border=False).reason


def test_read_thumbnails_finds_paths_below_the_folder_of_the_result(film, tmp_path):
    done = []
    rows = [{"path": "film.png", "content_id": None}, {"path": r"odd\xff.png", "content_id": None}]

    found = read_thumbnails(rows, str(tmp_path), masks_border=False, on_picture=done.append)

    assert [bool(one.uri) for one in found.values()] == [True, False]
    assert sum(done) == 2


def test_thumbnail_survives_whatever_reading_a_file_raises(film, monkeypatch):
    def fail(path):
        raise ValueError("negative shift count")

    monkeypatch.setattr("cxrview.audit.thumbnails.read_radiograph", fail)

    found = thumbnail(film, masks_border=False)
    assert (found.uri, bool(found.reason)) == ("", True)
