"""The contact sheet shows each of the 106 once, where its labels say."""

import numpy as np
import pytest

from cxrview.dataset.augment.contact_sheet import GAP, draw_contact_sheet
from cxrview.dataset.augment.perturb import PERTURBATIONS
from cxrview.dataset.augment.poses import POSES
from cxrview.dataset.augment.variants import VARIANTS


def test_every_variant_is_at_its_row_and_column():
    greys = np.arange(10, 116, dtype=np.uint8)
    flat = np.tile(greys[:, None, None], (1, 64, 64))

    sheet = draw_contact_sheet(flat, tile=40)

    assert sheet.shape == (8 * (40 + GAP) - GAP, 16 * (40 + GAP) - GAP)
    for number, variant in enumerate(VARIANTS[1:], start=1):
        row = 1 + list(POSES).index(variant.pose)
        column = 1 + list(PERTURBATIONS).index(variant.perturbation)
        shown = sheet[row * (40 + GAP) :, column * (40 + GAP) :][:40, :40]
        assert (shown == greys[number]).all()
    assert (sheet[:20, :40] == greys[0]).all()


@pytest.mark.parametrize("tile", [48, 64, 128, 256])
def test_labels_stay_within_their_tiles(tile):
    sheet = draw_contact_sheet(np.zeros((106, 8, 8), np.uint8), tile)

    assert sheet.max() > 200
    for edge in range(tile, sheet.shape[1], tile + GAP):
        assert not sheet[: tile // 2, edge : edge + GAP].any()
        assert not sheet[tile + GAP :, edge : edge + GAP].any()


def test_other_than_106_are_refused():
    with pytest.raises(ValueError, match="106"):
        draw_contact_sheet(np.zeros((105, 8, 8), np.uint8))
