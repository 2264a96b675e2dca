"""Draws training batches and calibration of the shipped model, and writes its page."""

from dataclasses import replace
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from cxrview.image import squash
from cxrview.phantom.patient import draw_patient
from cxrview.phantom.render import render_patient
from cxrview.records.dataset import Label
from cxrview.records.model_card import ModelCard
from cxrview.reports.figures.reliability import draw_reliability
from cxrview.reports.figures.style import PHANTOM_NOTE, save_figure
from cxrview.reports.figures.tiles import Band, Tile, draw_tiles
from cxrview.reports.model_card import NAME, Picture, write_model_card
from cxrview.terms import Partition, Projection
from cxrview.train.batch import LabelledPixels, TrainingImages, sample_batch
from cxrview.train.pool import ImagePool
from cxrview.train.recipes import Recipe
from cxrview.train.release import ReleasedModel

SEEN, SEEN_DRAWN, CALIBRATION = "seen", "seen-drawn", "calibration-"
_PATIENTS, _COLUMNS, _SHOWN = 4, 8, 64


def write_pages(shipped: ReleasedModel, pool: ImagePool, recipe: Recipe, out: Path) -> None:
    """Write MODEL_CARD.md, and pictures as PNG and SVG.

    `seen` shows training patients and must stay where patient data may be; `seen-drawn` shows
    phantoms, and `calibration` no images.

    Raises:
        CannotWrite: the disk is full or not writable.
    """
    save_figure(_seen(pool.partition(Partition.TRAINING).training_images, recipe, ""), out, SEEN)
    drawn = replace(
        recipe,
        not_chest=0.0,
        photographs=0.0,
        drawn=recipe.not_chest + recipe.photographs + recipe.drawn,
    )
    save_figure(_seen(_drawn_lesson(), drawn, PHANTOM_NOTE), out, SEEN_DRAWN)
    for words, assessment in shipped.calibration.items():
        save_figure(
            draw_reliability(assessment, name=words), out, f"{CALIBRATION}{words.replace(' ', '-')}"
        )
    write_page(shipped.card, out)


def write_page(card: ModelCard, out: Path) -> None:
    """Write MODEL_CARD.md with those pictures that are in the same folder.

    Raises:
        InvalidModel: the card lacks something that the page needs.
        CannotWrite: the disk is full or not writable.
    """
    pictures = [Picture(file=f"{SEEN_DRAWN}.png", words="Training images as the model sees them")]
    for file in sorted(out.glob(f"{CALIBRATION}*.png"), reverse=True):
        words = file.stem.removeprefix(CALIBRATION).replace("-", " ")
        pictures.append(Picture(file=file.name, words=f"PFI against the share of frontal: {words}"))
    write_model_card(card, out / NAME, [one for one in pictures if (out / one.file).exists()])


def _seen(training_images: TrainingImages, recipe: Recipe, note: str) -> Figure:
    """The first batches of a training."""
    tiles: list[Tile] = []
    step = 0
    while len(tiles) < _SHOWN:
        batch = sample_batch(training_images, recipe, seed=0, step=step)
        words = ["frontal" if frontal else "lateral" for frontal in batch.is_frontal]
        words += ["no chest"] * int((~batch.is_chest).sum())
        tiles += [Tile(pixels=p, below=w) for p, w in zip(batch.pixels, words, strict=True)]
        step += 1
    return draw_tiles(
        [Band(heading=f"Recipe {recipe.name}, training batches", tiles=tiles[:_SHOWN])],
        columns=_COLUMNS,
        title="Training images as the model sees them",
        description=f"{_SHOWN} pictures of the first batches, changed as in training.",
        note=note,
    )


def _drawn_lesson() -> TrainingImages:
    """Phantoms of both views, and no images without a chest."""
    labels, pixels = [], []
    for number in range(1, _PATIENTS + 1):
        for projection in (Projection.PA, Projection.LL):
            drawn = render_patient(draw_patient(number, 0), projection, (256, 212), bits=8)
            pixels.append(squash(drawn.astype(np.uint8)))
            labels.append(
                Label(
                    file=f"{number}-{projection}.png",
                    source="drawn",
                    patient=str(number),
                    view=projection.view,
                    partition=Partition.TRAINING,
                )
            )
    radiographs = LabelledPixels(labels=tuple(labels), pixels=np.stack(pixels))
    none = np.empty((0, 256, 256), np.uint8)
    return TrainingImages(radiographs=radiographs, not_chest=none, photographs=none)
