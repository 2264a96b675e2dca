"""A mapped file gives what a copied one gives, right or wrong, and is not copied."""

import subprocess
import sys

import numpy as np
import pytest

from cxrview.errors import UnreadableImage
from cxrview.image import ReadOptions, open_image
from cxrview.image.fetch import map_file
from cxrview.phantom.archive import DEFAULT_SYNTAXES, draw_archive


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    """Of every syntax and every fault, with strangers among them."""
    folder = tmp_path_factory.mktemp("mapped") / "archive"
    draw_archive(folder, patients=len(DEFAULT_SYNTAXES), size=(300, 260), seed=1)
    return folder


def said(path, options):
    try:
        file = open_image(str(path), options)
        return file.instance, file.decode_square()
    except UnreadableImage as error:
        return type(error), str(error)


@pytest.mark.slow
def test_every_file_reads_the_same_mapped_and_copied(archive):
    files = [path for path in archive.rglob("*") if path.is_file()]
    syntaxes = set()
    for path in files:
        copied, mapped = (said(path, ReadOptions(is_mapped=flag)) for flag in (False, True))

        assert copied[0] == mapped[0]
        if isinstance(copied[0], type):
            assert copied[1] == mapped[1]
        else:
            syntaxes.add(copied[0].transfer_syntax)
            assert np.array_equal(copied[1].pixels, mapped[1].pixels)
            assert copied[1].warnings == mapped[1].warnings
    assert len(syntaxes) == len(DEFAULT_SYNTAXES)


def test_pixels_outlive_the_name_of_the_file(kit, tmp_path):
    path = tmp_path / "x.dcm"
    path.write_bytes(kit.build())
    file = open_image(str(path), ReadOptions(is_mapped=True))
    path.unlink()

    assert file.decode().pixels.shape == (90, 76)


def test_what_cannot_be_mapped_is_left_to_be_read(tmp_path):
    (tmp_path / "empty").touch()
    with (tmp_path / "empty").open("rb") as file:
        assert map_file(file) is None
    with subprocess.Popen([sys.executable, "-c", ""], stdout=subprocess.PIPE) as process:
        assert map_file(process.stdout) is None
