"""`cxrview quantise`: add int8 weights to a model."""

from pathlib import Path
from typing import Annotated

import typer

from cxrview.cli.shared.extras import needs_extra
from cxrview.cli.shared.options import (
    LeftOutOption,
    PhotographsOption,
    in_file,
    in_path,
    out_folder,
)
from cxrview.errors import UsageError


def quantise(
    model: Annotated[
        Path, in_path("MODEL", "Folder with model.onnx and card.json, made by cxrview train.")
    ],
    labels: Annotated[
        Path,
        in_file(
            "LABELS", "The CSV that the model was trained with: file, patient, view and source."
        ),
    ],
    out: Annotated[
        Path | None,
        out_folder(
            "model.onnx as it is, model-int8.onnx and the card of both.", show_default="MODEL"
        ),
    ] = None,
    photographs: PhotographsOption = None,
    left_out: LeftOutOption = None,
) -> None:
    """Add int8 weights to a model, for processors that run them faster (VNNI).

    Training patients calibrate the weights, validation patients set their cutoffs and review
    band, test patients measure the difference to float32. Needs what the extra named train
    installs.

    Exit code: 0 done, 2 usage error, 3 folder not writable.
    """
    with needs_extra("train", "quantising"):
        import onnx  # noqa: F401  (imported late by the library)

        from cxrview.classify.model_files import read_card
        from cxrview.cli.shared.progress import staged_watch
        from cxrview.reports.card_summary import int8_lines
        from cxrview.train.leave_source_out import read_left_out
        from cxrview.train.pool import read_pool
        from cxrview.train.recipes import RECIPES
        from cxrview.train.release_int8 import quantise_model
        from cxrview.train.release_pages import write_page
    card = read_card(model)
    recipe = RECIPES.get(card.about.recipe.name if card.about.recipe else "")
    if recipe is None:
        raise UsageError(
            f"{model} was not made by cxrview train --recipe {' or '.join(RECIPES)}",
            "Only such models are quantised",
        )
    watch = staged_watch()
    pool = read_pool(
        labels,
        with_others=recipe.has_chest,
        photographs=photographs,
        progress=lambda more: watch.count(more, 0, "pictures read"),
    )
    unseen = read_left_out(left_out, recipe, pool) if left_out else ()
    made = quantise_model(model, pool, out or model, left_out=unseen, watch=watch)
    write_page(made, out or model)
    typer.echo("\n".join(int8_lines(made)))
