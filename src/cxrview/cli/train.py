"""`cxrview train`: train a model from labelled radiographs, by the recipe of the shipped model."""

from pathlib import Path
from typing import Annotated

import typer

from cxrview.cli.shared.extras import needs_extra
from cxrview.cli.shared.options import (
    BatchWorkersOption,
    DeviceOption,
    LeftOutOption,
    PhotographsOption,
    PublishedOption,
    RecipeOption,
    SeedOption,
    in_file,
    out_folder,
)


def train(
    labels: Annotated[Path, in_file("LABELS", "CSV with file, patient, view and source.")],
    published: PublishedOption,
    out: Annotated[
        Path, out_folder("model.onnx, card.json, MODEL_CARD.md and, while it trains, checkpoints.")
    ],
    recipe: RecipeOption = "world",
    photographs: PhotographsOption = None,
    left_out: LeftOutOption = None,
    about: Annotated[
        Path | None,
        in_file(
            "JSON", "Licences, intended use, limits and failures, for the card.", flag="--about"
        ),
    ] = None,
    seeds: Annotated[
        int,
        typer.Option(
            min=1,
            metavar="N",
            help="Train N times, from --seed on; validation patients choose one of the models.",
        ),
    ] = 1,
    seed: SeedOption = 0,
    device: DeviceOption = "auto",
    workers: BatchWorkersOption = None,
) -> None:
    """Train a model from your own labelled radiographs, as googlenet in the package was.

    Patients are divided by the published rule: training patients train, validation patients
    choose cutoffs and review band, test patients are counted once. The same command resumes a
    run that was stopped. On several processes: torchrun -m cxrview train. Needs what the extra
    named train installs (torch).

    Exit code: 0 done, 2 usage error, 3 folder not writable.
    """
    with needs_extra("train", "training"):
        # The library imports these late; a missing one is reported before anything is trained.
        import jinja2  # noqa: F401
        import scipy  # noqa: F401

        from cxrview.cli.shared.progress import staged_watch
        from cxrview.reports.card_summary import card_lines
        from cxrview.train.distributed import Processes, joined
        from cxrview.train.hardware import find_hardware
        from cxrview.train.recipes import recipe_named
        from cxrview.train.release_labels import assist_release, release_labels
        from cxrview.train.setup import TrainingSetup
    processes = Processes.of_environment()
    setup = TrainingSetup(
        recipe=recipe_named(recipe),
        published=published,
        hardware=find_hardware(device, workers, processes),
        watch=staged_watch(),
    )
    every = range(seed, seed + seeds)
    with joined(processes, setup.hardware.device):
        if not processes.is_first:
            assist_release(labels, setup, seeds=every, photographs=photographs)
            return
        card = release_labels(
            labels,
            setup,
            out,
            seeds=every,
            photographs=photographs,
            left_out=left_out,
            about=about,
        )
    typer.echo("\n".join(card_lines(card)))
