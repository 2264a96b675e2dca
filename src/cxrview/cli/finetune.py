"""`cxrview finetune`: a two-class model from labelled radiographs."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from cxrview.records import ModelCard


def finetune(
    labels: Annotated[
        Path,
        typer.Argument(help="CSV with file, patient, view and source; files relative to it."),
    ],
    published: Annotated[
        Path,
        typer.Option(metavar="NPZ", help="The published BVLC GoogLeNet as arrays."),
    ],
    out: Annotated[
        Path,
        typer.Option(metavar="FOLDER", help="Gets model.onnx, card.json and the checkpoint."),
    ],
    recipe: Annotated[str, typer.Option(help="By name; they stand in train/recipes.py.")] = "wide",
    about: Annotated[
        Path | None,
        typer.Option(metavar="JSON", help="Licences, intended use and limits for the card."),
    ] = None,
    seed: Annotated[int, typer.Option(help="Decides every draw.")] = 0,
) -> None:
    """Train a model by a recipe and write it with its card; goes on where it was stopped.

    Needs what the extra named train installs (torch). Patients are divided by the published
    rule; validation patients choose cutoff and review band, test patients are counted once.
    """
    from cxrview.cli.progress import progress
    from cxrview.errors import UsageError

    try:
        from cxrview.train.checkpoint import steps_done
        from cxrview.train.finetune import CHECKPOINT_NAME, Watch, finetune_model
        from cxrview.train.recipes import RECIPES
    except ImportError as error:
        raise UsageError(
            f"training needs {error.name}, which is not installed",
            "pip install 'cxrview[train]'",
        ) from error
    if recipe not in RECIPES:
        raise UsageError(f"there is no recipe {recipe}", f"There are {', '.join(RECIPES)}")
    chosen = RECIPES[recipe]
    left = chosen.steps - steps_done(out / CHECKPOINT_NAME)
    with progress("steps", lambda: left) as advance:
        card = finetune_model(
            labels,
            published,
            chosen,
            out,
            seed=seed,
            predict=_predict,
            about=json.loads(about.read_text(encoding="utf-8")) if about else {},
            watch=Watch(step=lambda step, loss: advance(1)),
        )
    typer.echo(_figures(card))


def _predict(weights: bytes, pixels: "NDArray[np.uint8]") -> "NDArray[np.float64]":
    """What the exported file says, through the runtime that will run it."""
    import numpy as np

    from cxrview.classify.runtime import BATCH, OnnxRuntime

    network = OnnxRuntime(weights)
    batches = [pixels[start : start + BATCH] for start in range(0, len(pixels), BATCH)]
    return np.concatenate([network.run(batch) for batch in batches])


def _figures(card: "ModelCard") -> str:
    """Cutoff, band and the counts of validation and test, a line each."""
    low, high = card.review_band
    lines = [f"{card.model_id}: cutoff {card.cutoff}, review band {low} to {high}"]
    for part in ("validation", "test"):
        lines += [
            f"{part:10} {c['source']:9} {c['view']:8} {c['errors']} errors of {c['images']}, "
            f"band on {c['errors_decided']} of {c['decided']}"
            for c in card.about[part]
        ]
    return "\n".join(lines)
