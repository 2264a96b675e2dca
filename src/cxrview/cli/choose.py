"""`cxrview choose`: compare the nine candidates, and export the best as a model."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cxrview.cli.shared.extras import needs_extra
from cxrview.cli.shared.options import OverwriteFlag, SeedOption, in_path, out_folder
from cxrview.errors import UsageError

if TYPE_CHECKING:
    from cxrview.paper.choose import Choice


def choose(
    candidates: Annotated[
        Path,
        in_path(
            "FOLDER",
            "A folder for each pre-training, and in it one for each method, made by cxrview "
            "finetune or cxrview reproduce.",
        ),
    ],
    out: Annotated[
        Path,
        out_folder(
            "model.onnx, card.json, candidates.csv, comparisons.csv, choice.json and Fig 2."
        ),
    ],
    overwrite: OverwriteFlag = False,
    seed: SeedOption = 0,
) -> None:
    """Compare nine candidates as the paper does, choose one, and set its cutoff.

    The highest validation accuracy is chosen; of equals, the one with most pre-training pictures.
    The model can be given to cxrview classify --model and cxrview assess model --model. Needs
    what the extra named train installs.

    Exit code: 0 done, 2 usage error, 3 folder not writable.
    """
    with needs_extra("train", "choosing"):
        from cxrview.classify.model_files import CARD_NAME
        from cxrview.cli.shared.smoke_model import warn_of_smoke_test
        from cxrview.paper.choose import choose_candidate_of, make_model
        from cxrview.paper.figures.candidates import draw_candidates
        from cxrview.reports.figures.style import save_figure
    if (out / CARD_NAME).exists() and not overwrite:
        raise UsageError(f"{out} already holds a model", "Replace it with --overwrite")
    choice = choose_candidate_of(candidates, seed=seed)
    card = make_model(choice, candidates, out)
    figure = draw_candidates(
        choice.validated, choice.compared, chosen=choice.chosen, note=choice.scale_words
    )
    save_figure(figure, out, "fig-2")
    _show(choice)
    typer.echo(f"{card.model_id} in {out}")
    warn_of_smoke_test(card)


def _show(choice: "Choice") -> None:
    from cxrview.cli.reproduce_report import print_candidates, print_comparisons, print_lines

    print_lines(f"Scale: {choice.scale_words}")
    print_candidates(choice.validated, choice.chosen)
    print_comparisons(choice.compared)
    low, high = choice.cutoff.low, choice.cutoff.high
    print_lines(
        f"chosen: {choice.chosen.name}; Youden's J is largest, {choice.cutoff.youden_j:.4f}, "
        f"from {low:.1f} to {high:.1f} %: the paper's cutoff is {high:.1f}"
    )
