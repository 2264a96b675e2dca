"""Labelled images of a store or of a labels file, opened alike."""

import numpy as np
import pytest
from PIL import Image

from cxrview.dataset.labelled import open_labelled
from cxrview.dataset.prepare import prepare_images
from cxrview.errors import UsageError


@pytest.fixture
def labels(tmp_path):
    rows = ["file,patient,view,source"]
    for n, source in enumerate(("here", "here", "there")):
        Image.fromarray(np.random.default_rng(n).integers(0, 256, (16, 16), np.uint8)).save(
            tmp_path / f"{n}.png"
        )
        rows.append(f"{n}.png,p{n},frontal,{source}")
    (tmp_path / "labels.csv").write_text("\n".join(rows) + "\n")
    return tmp_path / "labels.csv"


def test_open_labelled_gives_the_same_images_of_a_store_and_of_its_labels(labels, tmp_path):
    prepare_images(labels, tmp_path / "store", workers=1)

    of_labels, of_store = open_labelled(labels), open_labelled(tmp_path / "store")

    for found in (of_labels, of_store):
        assert [one.file for one in found.images] == ["0.png", "1.png", "2.png"]
        assert len(set(found.content().values())) == 3


def test_labelled_images_of_sources_are_hashed_alone(labels, tmp_path):
    (tmp_path / "2.png").unlink()
    Image.fromarray(np.zeros((16, 16), np.uint8)).save(tmp_path / "2.png")

    found = open_labelled(labels).of_sources(["here"])

    assert [one.file for one in found.images] == ["0.png", "1.png"]
    assert set(found.content()) == {"0.png", "1.png"}
    assert len(open_labelled(labels).of_sources([]).images) == 3


def test_labelled_images_of_an_unknown_source_are_refused(labels):
    with pytest.raises(UsageError, match="nowhere"):
        open_labelled(labels).of_sources(["here", "nowhere"])
