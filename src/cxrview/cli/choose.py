"""`cxrview choose`: compares the nine candidates and makes a model of the best."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cxrview.cli.shared.extras import training_extra
from cxrview.errors import UsageError

if TYPE_CHECKING:
    from cxrview.paper.choose import Choice


def choose(
    candidates: Annotated[
        Path,
        typer.Argument(
            metavar="FOLDER",
            help="Holds a folder for each pre-training, and in it one for each method, as "
            "cxrview finetune and cxrview reproduce make them.",
            show_default=False,
        ),
    ],
    out: Annotated[
        Path,
        typer.Option(
            metavar="FOLDER",
            help="Gets model.onnx, card.json, candidates.csv, comparisons.csv, choice.json and "
            "Fig 2.",
            show_default=False,
        ),
    ],
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace a model that stands there.")
    ] = False,
    seed: Annotated[int, typer.Option(min=0, metavar="N", help="Of the bootstrap.")] = 0,
) -> None:
    """Compare nine candidates as the paper does, choose one, and set its cutoff.

    The highest validation accuracy is chosen; of equals, the most pre-training pictures. The
    model goes to cxrview classify --model and cxrview assess --model. Needs the extra `train`.

    Exit code: 0 done, 2 usage error, 3 folder not writable.
    """
    with training_extra("choosing"):
        from cxrview.classify.model_files import CARD_NAME
        from cxrview.cli.shared.smoke_model import warn_of_smoke_test
        from cxrview.paper.choose import choose_among, make_model
        from cxrview.paper.figures.candidates import draw_candidates
        from cxrview.reports.figures.style import save_figure
    if (out / CARD_NAME).exists() and not overwrite:
        raise UsageError(f"{out} holds a model already", "Replace it with --overwrite")
    choice = choose_among(candidates, seed=seed)
    card = make_model(choice, candidates, out)
    figure = draw_candidates(
        choice.validated, choice.compared, chosen=choice.chosen, note=choice.scale_words
    )
    save_figure(figure, out, "fig-2")
    _show(choice)
    typer.echo(f"{card.model_id} in {out}")
    warn_of_smoke_test(card)


def _show(choice: "Choice") -> None:
    from cxrview.cli.reproduce_report import WIDTH_OF_A_FILE, candidates_of, comparisons_of
    from cxrview.cli.shared.tables import table_console

    console = table_console(WIDTH_OF_A_FILE)
    console.print(f"Scale: {choice.scale_words}", highlight=False)
    console.print(candidates_of(choice.validated, choice.chosen))
    console.print(comparisons_of(choice.compared))
    low, high = choice.cutoff.low, choice.cutoff.high
    console.print(
        f"chosen: {choice.chosen.name}; Youden's J is largest, {choice.cutoff.youden_j:.4f}, "
        f"from {low:.1f} to {high:.1f} %: the paper's cutoff is {high:.1f}",
        highlight=False,
    )
