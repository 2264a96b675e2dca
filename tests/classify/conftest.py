"""A backend that anyone can check by hand, and files that do to a worker what bad files do."""

import os
import textwrap
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cxrview.classify.runtime import Model
from cxrview.records import Answers, ModelCard


class MeanGrey:
    """PFI is how bright the picture is on average: 255 is 100 %."""

    name = "mean-grey"
    batch = 4
    lanes = None

    def run(self, batch):
        return Answers(pfi=batch.reshape(len(batch), -1).mean(axis=1) / 2.55)


@pytest.fixture
def model() -> Model:
    card = ModelCard(
        model_id="mean-grey-1",
        weights_sha256="0" * 64,
        input_side=256,
        cutoff=50.0,
        paper_cutoff=60.0,
        review_band=(45.0, 55.0),
        precision="float64",
    )
    return Model(card=card, backend=MeanGrey())


@pytest.fixture
def draw(tmp_path):
    """Write a picture of one brightness, 0 to 100 percent, with a dark and a bright corner."""

    def draw_one(name: str, percent: float) -> str:
        grey = np.full((300, 280), round(percent * 2.55), np.uint8)
        grey[0, 0], grey[-1, -1] = 0, 255
        path = tmp_path / "archive" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(grey).save(path, format="PNG")
        return str(path)

    return draw_one


@pytest.fixture
def poison(tmp_path, monkeypatch) -> None:
    """URLs `poison://...` that kill, hold up or overfill the process that opens them.

    A real file system of fsspec's, found by the workers through its entry point.
    """
    site = tmp_path / "site"
    metadata = site / "poison-1.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: poison\nVersion: 1\n")
    (metadata / "entry_points.txt").write_text("[fsspec.specs]\npoison = poison:Poison\n")
    (site / "poison.py").write_text(
        textwrap.dedent("""
        import os, time
        from fsspec import AbstractFileSystem

        class Poison(AbstractFileSystem):
            protocol = "poison"

            def info(self, path, **kwargs):
                if "kill" in path:
                    os.kill(os.getpid(), 9)
                if "crash" in path:
                    os.abort()
                if "sleep" in path:
                    time.sleep(3600)
                if "eat" in path:
                    bytearray(1 << 40)
                raise FileNotFoundError(path)

            def _open(self, path, *args, **kwargs):
                return self.info(path)
        """)
    )
    monkeypatch.setenv("PYTHONPATH", str(site), prepend=os.pathsep)


@pytest.fixture
def archive(draw, tmp_path) -> Path:
    """Forty pictures, dark to bright, in two folders, and a file that is none."""
    for number in range(40):
        draw(f"{number % 2}/{number:02}.png", number * 2.5)
    (tmp_path / "archive" / "1" / "notes.txt").write_text("not a picture")
    return tmp_path / "archive"
