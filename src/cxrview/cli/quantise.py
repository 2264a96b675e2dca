"""`cxrview quantise`: weights of int8 for a model, beside those of float32."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cxrview.cli.shared.extras import training_extra
from cxrview.errors import UsageError
from cxrview.wording import plural

if TYPE_CHECKING:
    from cxrview.records import ModelCard


def quantise(
    model: Annotated[
        Path,
        typer.Argument(
            metavar="MODEL", help="Folder with model.onnx and card.json.", show_default=False
        ),
    ],
    labels: Annotated[
        Path,
        typer.Argument(
            metavar="LABELS",
            help="The CSV that the model was made with: file, patient, view and source.",
            show_default=False,
        ),
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="Gets model.onnx as it is, model-int8.onnx and the card of both.",
            show_default="MODEL",
        ),
    ] = None,
    photographs: Annotated[
        Path | None,
        typer.Option(
            metavar="TAR|FOLDER",
            help="Photographs, where the model was made with some.",
            show_default=False,
        ),
    ] = None,
    left_out: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="Of cxrview assess --leave-source-out, where the model was made with it.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Add weights of int8 to a model, for processors that are quick at them (VNNI).

    Training patients calibrate them, validation patients set their own cutoffs and review band,
    and test patients tell what they lose against float32. Needs what the extra named train
    installs.

    Exit code: 0 done, 2 usage error, 3 folder not writable.
    """
    with training_extra("quantising"):
        import onnx  # noqa: F401  (loaded late: to be missed now, not when all is read)

        from cxrview.classify.model_files import read_card
        from cxrview.cli.shared.training_progress import staged_watch
        from cxrview.train.leave_source_out import read_left_out
        from cxrview.train.pool import read_pool
        from cxrview.train.recipes import RECIPES
        from cxrview.train.release_int8 import quantise_model
        from cxrview.train.release_pages import write_page
    card = read_card(model)
    recipe = RECIPES.get(card.about.get("recipe", {}).get("name"))
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
    typer.echo("\n".join(_lines(made)))


def _lines(card: "ModelCard") -> list[str]:
    """Cutoffs of both, then the loss, a line each."""
    lines = []
    for one in filter(None, (card, card.int8)):
        low, high = one.review_band
        least = "" if one.chest_cutoff is None else f", no chest below {one.chest_cutoff}"
        lines.append(f"{one.model_id}: cutoff {one.cutoff}, review band {low} to {high}{least}")
    assert card.int8
    for part, kinds in card.int8.about["against_fp32"].items():
        for kind, row in kinds.items():
            apart = row["pfi_apart_points"]
            line = (
                f"{part:10} {kind.replace('_', ' '):20} "
                f"{plural(row['pictures'], 'picture')}: PFI apart "
                f"{apart['percentile_99']:.3f} points (99 %), {apart['largest']:.3f} (largest); "
                f"{plural(row['other_view'], 'other view')}, "
                f"{plural(row['changed_decisions'], 'other decision')}"
            )
            if "log_loss" in row:
                line += "; log loss {} to {}, errors {} to {}".format(
                    *row["log_loss"], *row["errors"]
                )
            lines.append(line)
    return lines
