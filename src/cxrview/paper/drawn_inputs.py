"""Draws all inputs of the paper's study, to try it without data.

Radiographs are phantoms, as DICOM; pictures of a hundred invented classes are stripes; the
weights are random.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from cxrview.csv_files import write_csv
from cxrview.phantom.archive import Drawn, draw_archive
from cxrview.train.published import write_random_weights

INSIDE, EXTERNAL = "drawn", "drawn-elsewhere"
CLASSES, SUBSET_CLASSES = 1000, 100
_INSIDE_PATIENTS, _EXTERNAL_PATIENTS = 20, 4
_SIZE = (256, 212)
_DONE = "drawn.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawnStudy:
    """Paths of the drawn inputs."""

    labels: Path
    published: Path
    pictures: Path
    classes: Path


def draw_study(folder: Path, *, seed: int) -> DrawnStudy:
    """Draw radiographs of two sources, pictures, the list of their classes, and weights.

    The same seed gives the same bytes; a finished folder is not drawn again.

    Args:
        folder: new, or of the same call.
        seed: of everything.
    """
    study = DrawnStudy(
        labels=folder / "labels.csv",
        published=folder / "random-weights.npz",
        pictures=folder / "pictures",
        classes=folder / "classes.csv",
    )
    if (folder / _DONE).is_file():
        return study
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for source, patients, of in ((INSIDE, _INSIDE_PATIENTS, 0), (EXTERNAL, _EXTERNAL_PATIENTS, 1)):
        drawn = draw_archive(
            folder / source,
            patients=patients,
            size=_SIZE,
            seed=2 * seed + of,
            damages=(),
            strangers=False,
            overwrite=True,
        )
        rows += _label_rows(drawn, source)
    write_csv(study.labels, ("file", "patient", "view", "source"), rows)
    _draw_pictures(study.pictures, seed)
    kinds = [(k, _wnid(k), "artifact" if k < SUBSET_CLASSES else "other") for k in range(CLASSES)]
    write_csv(study.classes, ("index", "wnid", "category"), kinds)
    write_random_weights(study.published, seed=seed)
    (folder / _DONE).write_text("{}\n", encoding="utf-8")
    return study


def _label_rows(drawn: Sequence[Drawn], source: str) -> list[tuple[str, ...]]:
    """Prefix patients with the source, since both sources number them from 1."""
    return [
        (f"{source}/{one.file}", f"{source}-{one.patient}", str(one.view), source)
        for one in drawn
        if one.view
    ]


def _draw_pictures(folder: Path, seed: int) -> None:
    """Draw a picture of each class for training and validation; the slant shows the class."""
    rows, columns = np.indices((256, 256))
    for k in range(SUBSET_CLASSES):
        rng = np.random.default_rng([seed, k])
        slant = np.pi * k / SUBSET_CLASSES
        across = rows * np.sin(slant) + columns * np.cos(slant)
        for part in ("train", "val"):
            wave = 128 + 90 * np.sin(across / rng.uniform(3, 12)) + rng.normal(0, 20, rows.shape)
            place = folder / part / _wnid(k)
            place.mkdir(parents=True, exist_ok=True)
            Image.fromarray(wave.clip(0, 255).astype(np.uint8)).save(place / f"{_wnid(k)}.png")


def _wnid(number: int) -> str:
    return f"n{90_000_000 + number}"
