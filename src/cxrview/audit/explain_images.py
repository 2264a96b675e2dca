"""Occlusion maps of the images under review, for the page of an audit."""

from collections.abc import Callable, Iterable

import numpy as np
from numpy.typing import NDArray

from cxrview.audit.thumbnails import SIDE, Thumbnail, make_thumbnail
from cxrview.classify.explain import explain
from cxrview.classify.model import Model
from cxrview.image import open_image
from cxrview.image.failure import read_or_failure
from cxrview.records.classification import Failure, Radiograph
from cxrview.reports.figures.occlusion_map import draw_overlay
from cxrview.results.columns import Row, from_printable
from cxrview.sources.paths import absolute
from cxrview.web.mask_border import mask_border

MAX_EXPLAINED = 12
"""Images of a page that get a map: each takes about a second."""
_STEP = 32
"""Distance of the covered squares: fine enough for a thumbnail, at a quarter of the time."""


def explain_images(
    rows: Iterable[Row],
    folder: str,
    model: Model,
    *,
    masks_border: bool,
    on_picture: Callable[[int], object],
) -> dict[str, Thumbnail]:
    """Draw an occlusion map over each of some images of a result, which are read again.

    Args:
        rows: with `path`, `content_id` and `model_id`.
        folder: what relative paths are relative to.
        model: that the rows were made with, or both models of a cascade; rows of others are not
            explained.
        masks_border: cover the outer tenth, since burned-in text can show names.
        on_picture: called with how many more images were read.

    Returns:
        A picture, or the reason why there is none, by the path as the result has it.
    """
    found = {}
    for row in rows:
        path = absolute(from_printable(row["path"]), folder)
        found[row["path"]] = _explained(path, row, model, masks_border=masks_border)
        on_picture(1)
    return found


def _explained(path: str, row: Row, model: Model, *, masks_border: bool) -> Thumbnail:
    cards = (model.card, model.second_card)
    if row["model_id"] not in [card.model_id for card in cards if card]:
        return Thumbnail(reason="another model classified it")
    found = read_or_failure(path, lambda: _read(path, model.card.input_side))
    if isinstance(found, Failure):
        return Thumbnail(reason=found.reason)
    square, pixels, content_id = found
    if row["content_id"] and row["content_id"] != content_id:
        return Thumbnail(reason="the file has changed since it was classified")
    shown = mask_border(pixels) if masks_border else pixels
    return make_thumbnail(draw_overlay(explain(square, model, step=_STEP), shown, SIDE))


def _read(path: str, side: int) -> tuple[Radiograph, NDArray[np.uint8], str]:
    """The square that the model takes, the picture in its own shape, and the file's content id."""
    image = open_image(path)
    return image.decode_square(side), image.decode().pixels, image.instance.content_id
