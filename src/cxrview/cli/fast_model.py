"""`cxrview fast-model`: trains the small model that `cxrview classify` runs first."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from cxrview.cli.shared.extras import needs_extra
from cxrview.cli.shared.options import (
    DeviceOption,
    ModelOption,
    SeedOption,
    in_file,
    in_path,
    out_folder,
)
from cxrview.terms import Partition

fast_model = typer.Typer(
    help="Train a small model that answers six questions of one radiograph in one pass: view, "
    "chest or not, quarter turn, mirroring, inversion, projection: the default of "
    "cxrview classify.",
    no_args_is_help=True,
)
PicturesArgument = Annotated[
    Path, in_path("PICTURES", "Folder that cxrview fast-model prepare wrote.")
]


@fast_model.command("prepare")
def prepare_command(
    labels: Annotated[
        list[Path],
        in_file("LABELS...", "CSV with file, patient, view and source, maybe projection."),
    ],
    out: Annotated[Path, out_folder("the prepared pictures; about 66 kB each.")],
    photographs: Annotated[
        Path | None,
        in_path(
            "TAR|FOLDER",
            "Photographs of anything, as examples of what is not a chest.",
            flag="--photographs",
        ),
    ] = None,
    corrections: Annotated[
        Path | None,
        in_file("CSV", "Labels that are wrong: file and the right view.", flag="--corrections"),
    ] = None,
    untrusted: Annotated[
        list[str] | None,
        typer.Option(
            "--untrusted",
            metavar="SOURCE:AP|SOURCE:PA",
            help="Leave this projection of a source unknown; may be repeated.",
        ),
    ] = None,
    model: ModelOption = "googlenet",
) -> None:
    """Read every labelled picture once, and run the teacher (--model) on it.

    Exit code: 0 done, 2 usage error, 3 folder not writable.
    """
    with needs_extra("train", "training"):
        from cxrview.classify.model import load_model
        from cxrview.cli.shared.progress import TrainingLines
        from cxrview.train.fast.labels import parse_untrusted
        from cxrview.train.fast.pictures import prepare_pictures
    lines = TrainingLines()
    pictures = prepare_pictures(
        labels,
        out,
        load_model(model),
        photographs=photographs,
        corrections=corrections,
        untrusted=parse_untrusted(untrusted or ()),
        progress=lambda more: lines.count(more, 0, "pictures read or answered"),
        warn=lambda words: typer.echo(f"cxrview: {words}", err=True),
    )
    trained = int(pictures.is_in(Partition.TRAINING).sum())
    typer.echo(f"{out}: {len(pictures.labels)} pictures, {trained} of training patients")


@fast_model.command("train")
def train_command(
    pictures: PicturesArgument,
    out: Annotated[Path, out_folder("the checkpoint, replaced once a minute.")],
    steps: Annotated[
        int | None,
        typer.Option(min=1, metavar="N", help="Training steps.", show_default="of the recipe"),
    ] = None,
    without: Annotated[
        list[str] | None,
        typer.Option(
            "--without", metavar="SOURCE", help="Use no picture of this source; may be repeated."
        ),
    ] = None,
    seed: SeedOption = 0,
    device: DeviceOption = "cpu",
    workers: Annotated[
        int, typer.Option(min=0, metavar="N", help="Processes that make batches in advance.")
    ] = 1,
    threads: Annotated[
        int, typer.Option(min=1, metavar="N", help="Threads of the training itself.")
    ] = 2,
) -> None:
    """Train from scratch; the same command resumes a training that was stopped.

    Ctrl-C, SIGTERM and SIGHUP save a checkpoint and end the command with exit code 3. On a
    processor and one number of --threads, a resumed training ends at the same bits as one that was
    not stopped.

    Exit code: 0 done, 2 usage error, 3 stopped or folder not writable.
    """
    with needs_extra("train", "training"):
        import torch

        from cxrview.cli.shared.progress import TrainingLines
        from cxrview.train.fast.recipe import FAST
        from cxrview.train.fast.training import run_training
        from cxrview.train.hardware import Hardware, find_device
    recipe = replace(FAST, steps=steps or FAST.steps, without=tuple(without or ()))
    torch.set_num_threads(threads)
    lines = TrainingLines()
    with stop_by_signal() as is_stopped:
        run_training(
            pictures,
            out,
            recipe,
            seed=seed,
            hardware=Hardware(device=find_device(device), workers=workers),
            is_stopped=is_stopped,
            report=lambda step, loss: lines.step(step, recipe.steps, loss),
        )
    typer.echo(f"{out}: trained, {recipe.steps} steps")


@fast_model.command("assess")
def assess_command(
    training: Annotated[Path, in_path("TRAINING", "Folder of cxrview fast-model train.")],
    pictures: PicturesArgument,
    int8: Annotated[bool, typer.Option("--int8", metavar="", help="Run the int8 weights.")] = False,
) -> None:
    """Export a training at any step, and count its errors on pictures that it did not train on.

    These are test patients, and all pictures of sources that were left out. Writes
    TRAINING/model, which cxrview classify --model takes, and TRAINING/validation.json.

    Exit code: 0 done, 2 usage error, 3 folder not writable.
    """
    with needs_extra("train", "exporting"):
        from cxrview.cli.shared.progress import TrainingLines
        from cxrview.train.fast.pictures import open_pictures
        from cxrview.train.fast.training import validate_training
        from cxrview.train.fast.validation_lines import validation_lines
    lines = TrainingLines()
    counts = validate_training(
        training,
        open_pictures(pictures),
        is_int8=int8,
        progress=lambda more: lines.count(more, 0, "predictions"),
    )
    typer.echo("\n".join(validation_lines(counts)))


@fast_model.command("release")
def release_command(
    training: Annotated[Path, in_path("TRAINING", "Folder of cxrview fast-model train.")],
    pictures: PicturesArgument,
    left_out: Annotated[
        list[Path],
        in_path(
            "TRAINING",
            "Assessed training without a source; may be repeated.",
            flag="--left-out",
        ),
    ],
    out: Annotated[
        Path, out_folder("FAST_MODEL_CARD.md, the counts in it, and googlenet-card.json.")
    ],
) -> None:
    """Export a training with the thresholds that it can promise, and write its page.

    TRAINING/model is what the package holds as its model fast. The page compares it with GoogLeNet
    alone and with both together, on the test patients. googlenet-card.json is the card of GoogLeNet
    with the counts that --max-error needs, of the same pictures.

    Exit code: 0 done, 2 usage error, 3 folder not writable.
    """
    with needs_extra("train", "exporting"):
        from cxrview.cli.shared.progress import TrainingLines
        from cxrview.train.fast.page import write_fast_page
        from cxrview.train.fast.pictures import open_pictures
        from cxrview.train.fast.report import count_all
        from cxrview.train.fast.training import count_second, export_training, read_recipe
    lines = TrainingLines()
    opened = open_pictures(pictures)

    def progress(more: int) -> None:
        lines.count(more, 0, "predictions")

    card = export_training(training, opened, left_out=left_out, progress=progress)
    report = count_all(training, left_out, opened, progress)
    second = count_second(opened, left_out, progress)
    out.mkdir(parents=True, exist_ok=True)
    steps = max(read_recipe(folder).steps for folder in left_out)
    write_fast_page(out, report, read_recipe(training), second, left_out_steps=steps)
    typer.echo(f"{card.model_id} in {training / 'model'}, its page in {out}")


@contextmanager
def stop_by_signal() -> Iterator[Callable[[], bool]]:
    """Within the block, Ctrl-C and SIGTERM only set what the yielded function returns."""
    received: list[int] = []
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.getsignal(number) for number in numbers]
    for number, handler in zip(numbers, before, strict=True):
        if handler is not signal.SIG_IGN:  # as nohup and shells set it
            signal.signal(number, lambda one, _frame: received.append(one))
    try:
        yield lambda: bool(received)
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)
