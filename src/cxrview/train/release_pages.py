"""Draws what a model was shown and how sure it is, and writes its page."""

from dataclasses import replace
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from cxrview.image import squash
from cxrview.phantom.patient import draw_patient
from cxrview.phantom.render import render_patient
from cxrview.records import Label, ModelCard
from cxrview.reports.figures.reliability import draw_reliability
from cxrview.reports.figures.style import PHANTOM_NOTE, save_figure
from cxrview.reports.figures.tiles import Band, Tile, draw_tiles
from cxrview.reports.model_card import NAME, Picture, write_model_card
from cxrview.terms import Partition, Projection
from cxrview.train.batch import LabelledPixels, Lesson, draw_batch
from cxrview.train.pool import Pool
from cxrview.train.recipes import Recipe
from cxrview.train.release import ShippedModel

SEEN, SEEN_DRAWN, CALIBRATION = "seen", "seen-drawn", "calibration-"
_PATIENTS, _COLUMNS, _SHOWN = 4, 8, 64


def write_pages(shipped: ShippedModel, pool: Pool, recipe: Recipe, out: Path) -> None:
    """Write MODEL_CARD.md, and pictures as PNG and SVG.

    `seen` shows training patients and stays where patients may be; `seen-drawn` shows phantoms, and
    `calibration` none at all.

    Raises:
        CannotWrite: the disk took no more.
    """
    save_figure(_seen(pool.partition(Partition.TRAINING).lesson, recipe, ""), out, SEEN)
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
    """Write MODEL_CARD.md, with the pictures that lie beside it.

    Raises:
        InvalidModel: the card does not tell what the page needs.
        CannotWrite: the disk took no more.
    """
    pictures = [Picture(file=f"{SEEN_DRAWN}.png", words="What the network sees while it trains")]
    for file in sorted(out.glob(f"{CALIBRATION}*.png"), reverse=True):
        words = file.stem.removeprefix(CALIBRATION).replace("-", " ")
        pictures.append(Picture(file=file.name, words=f"PFI against the share of frontal: {words}"))
    write_model_card(card, out / NAME, [one for one in pictures if (out / one.file).exists()])


def _seen(lesson: Lesson, recipe: Recipe, note: str) -> Figure:
    """The first batches of a training."""
    tiles: list[Tile] = []
    step = 0
    while len(tiles) < _SHOWN:
        batch = draw_batch(lesson, recipe, seed=0, step=step)
        words = ["frontal" if frontal else "lateral" for frontal in batch.is_frontal]
        words += ["no chest"] * int((~batch.is_chest).sum())
        tiles += [Tile(pixels=p, below=w) for p, w in zip(batch.pixels, words, strict=True)]
        step += 1
    return draw_tiles(
        [Band(heading=f"Recipe {recipe.name}, as drawn for training", tiles=tiles[:_SHOWN])],
        columns=_COLUMNS,
        title="What the network sees while it trains",
        description=f"{_SHOWN} pictures of the first batches, changed as in training.",
        note=note,
    )


def _drawn_lesson() -> Lesson:
    """Phantoms of both views; nothing that is no chest."""
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
    return Lesson(radiographs=radiographs, not_chest=none, photographs=none)
