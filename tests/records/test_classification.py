import dataclasses

import numpy as np
import pytest
from PIL import Image, ImageOps

from cxrview.records.classification import EXIF_ORIENTATIONS, Instance, Prediction
from cxrview.terms import Decision, View

UPRIGHT = np.arange(12, dtype=np.uint8).reshape(3, 4)
ORIENTATION_TAG = 0x0112


@pytest.mark.parametrize("is_mirrored", [False, True])
@pytest.mark.parametrize("quarter_turns", range(4))
def test_exif_orientation_lets_pillow_display_the_image_upright(is_mirrored, quarter_turns):
    """Pillow's own reading of EXIF undoes what the model found."""
    stored = np.rot90(UPRIGHT[:, ::-1] if is_mirrored else UPRIGHT, -quarter_turns)
    image = Image.fromarray(np.ascontiguousarray(stored))
    image.getexif()[ORIENTATION_TAG] = EXIF_ORIENTATIONS[is_mirrored][quarter_turns]

    assert (np.asarray(ImageOps.exif_transpose(image)) == UPRIGHT).all()


def prediction(view: View | None = View.FRONTAL, **known) -> Prediction:
    decision = Decision.CLASSIFIED if view else Decision.REVIEW
    return Prediction(
        instance=Instance(path="a.png", content_id=""), decision=decision, view=view, **known
    )


@pytest.mark.parametrize(
    ("known", "orientation"),
    [
        ({"rotation": 0, "mirrored": False}, 1),
        ({"rotation": 90, "mirrored": True}, 7),
        ({"rotation": 180}, None),
        ({"mirrored": False}, None),
        ({"rotation": 90, "view": View.LATERAL}, 8),
        ({"rotation": 90, "mirrored": False, "view": None}, None),
    ],
)
def test_orientation_is_known_if_turn_and_mirroring_are(known, orientation):
    assert prediction(**known).orientation == orientation


@pytest.mark.parametrize("name", ["pfi", "projection_ap", "rotation_probability"])
def test_prediction_refuses_what_is_not_a_percentage(name):
    with pytest.raises(ValueError, match=name):
        dataclasses.replace(prediction(), **{name: 100.5})
