"""The route of the pictures: who gets which, and what a replaced file does."""

import io
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sqlalchemy import update

from cxrview.annotate.database.schema import IMAGE
from cxrview.annotate.study import set_root
from cxrview.image.fetch import content_id

ADA = "Ada Lovelace"


def opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data))


def test_no_browser_keeps_a_picture_on_its_disk(served):
    visitor = served.visit(ADA)
    answer = visitor.get(f"/api/picture/{visitor.next(1)[0]}", edge="256")

    assert answer.headers["content-type"] == "image/jpeg"
    assert answer.headers["cache-control"] == "no-store"
    assert opened(answer.content).size == (40, 48)


def test_pictures_are_those_of_the_root_where_the_images_lie_now(served, tmp_path):
    (tmp_path / "films").rename(tmp_path / "moved")
    visitor = served.visit(ADA)
    showing = visitor.next(1)[0]
    assert visitor.get(f"/api/picture/{showing}").status_code == 422

    set_root(served.store, str(tmp_path / "moved"))

    assert visitor.get(f"/api/picture/{showing}").status_code == 200


def test_a_picture_that_cannot_be_made_is_told_without_its_name(served, tmp_path):
    visitor = served.visit(ADA)
    for film in (tmp_path / "films").iterdir():
        film.write_bytes(b"no picture")
    answer = visitor.get(f"/api/picture/{visitor.next(1)[0]}", edge="256")

    assert answer.status_code == 422
    assert answer.json()["why"].startswith("not_an_image")
    assert "Doe" not in answer.text


def test_the_route_gives_either_window_and_no_other(served):
    visitor = served.visit(ADA)
    address = f"/api/picture/{visitor.next(1)[0]}"
    default, minmax, auto, other = (
        visitor.get(address, edge="full", **window)
        for window in ({}, {"window": "minmax"}, {"window": "auto"}, {"window": "voi"})
    )

    assert default.content == minmax.content
    assert np.asarray(opened(auto.content)).std() > np.asarray(opened(minmax.content)).std()
    assert other.status_code == 422


@pytest.fixture
def known(make_served, tmp_path):
    """A study that knows the digests of its files, as one of a result of `classify` does."""
    served = make_served()
    with served.store._database.writing() as db:
        for image in served.store.images():
            digest = content_id((tmp_path / "films" / image.path).read_bytes())
            db.execute(
                update(IMAGE).where(IMAGE.c.image_id == image.image_id).values(content_id=digest)
            )
    state = served.app.state.study_state
    state._images = {image.image_id: image for image in served.store.images()}
    return served


def replace_file(served, showing, tmp_path):
    """Put another picture in the place of the one shown."""
    state = served.app.state.study_state
    path = Path(state.path_of(state.place_of(served.readers[ADA], showing)[0]))
    Image.fromarray(np.eye(40, dtype=np.uint8) * 255).save(path)
    return path


def test_a_replaced_file_is_neither_shown_nor_labelled(known, tmp_path):
    visitor = known.visit(ADA)
    good, bad = visitor.next(2)
    replace_file(known, bad, tmp_path)

    shown = visitor.get(f"/api/picture/{bad}", edge="256")
    answer = visitor.read(
        known.act(good),
        known.act(bad),
        known.act(bad, "exclude", reason="uninterpretable"),
        known.act(bad, "postpone"),
    )

    assert (shown.status_code, shown.json()["why"]) == (
        422,
        "replaced: the file was replaced after its content was recorded",
    )
    assert len(answer["written"]) == 2
    assert {refusal["why"] for refusal in answer["refused"]} == {
        "the file of this image was replaced after the study was created (tell the study's "
        "administrator)"
    }


def test_a_file_that_was_put_back_is_labelled_again(known, tmp_path):
    visitor = known.visit(ADA)
    showing = visitor.next(1)[0]
    state = known.app.state.study_state
    path = Path(state.path_of(state.place_of(known.readers[ADA], showing)[0]))
    old = path.read_bytes()
    replace_file(known, showing, tmp_path)
    refused = visitor.read(known.act(showing))["refused"]
    path.write_bytes(old)

    assert refused
    assert visitor.read(known.act(showing))["written"]
    assert visitor.get(f"/api/picture/{showing}", edge="256").status_code == 200


def test_a_picture_shown_before_the_file_was_replaced_gives_no_label_either(known, tmp_path):
    visitor = known.visit(ADA)
    showing = visitor.next(1)[0]
    assert visitor.get(f"/api/picture/{showing}", edge="256").status_code == 200
    assert visitor.read(known.act(showing))["written"]
    replace_file(known, showing, tmp_path)

    assert visitor.read(known.act(showing, label="lateral"))["refused"]


@pytest.mark.parametrize("edge", ["1", "99999", "", "-1", "fulle"])
def test_only_a_few_sizes_are_made(served, edge):
    visitor = served.visit(ADA)

    assert visitor.get(f"/api/picture/{visitor.next(1)[0]}", edge=edge).status_code == 422


def test_the_list_has_its_next_pictures_made_at_the_size_last_asked_for(served):
    visitor = served.visit(ADA)
    first = visitor.next(1)
    visitor.get(f"/api/picture/{first[0]}", edge="1024")
    visitor.next(2, held=first[0])
    pictures = served.app.state.pictures
    deadline = time.monotonic() + 60
    while len(pictures._kept) < 8 and time.monotonic() < deadline:
        time.sleep(0.01)

    assert {edge for _, edge, _ in pictures._kept} == {1024}
    assert len(pictures._kept) == 8
