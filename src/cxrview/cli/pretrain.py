"""`cxrview pretrain`: the three pre-trained models, before any training on radiographs."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cxrview.cli.shared.extras import needs_extra
from cxrview.cli.shared.options import (
    ClassesOption,
    DeviceOption,
    PicturesOption,
    PublishedOption,
    ScaleOption,
    SeedOption,
    out_folder,
)
from cxrview.errors import UsageError

if TYPE_CHECKING:
    from cxrview.paper.pretrain import Plan
    from cxrview.paper.pretrain_run import PictureSource

EVENTS = "events"


def pretrain(
    pre_training: Annotated[
        str,
        typer.Argument(metavar="NAME", help="colour, grey or grey-subset.", show_default=False),
    ],
    published: PublishedOption,
    out: Annotated[
        Path, out_folder("weights.safetensors, about.json, the pictures and the checkpoint.")
    ],
    pictures: PicturesOption = None,
    classes: ClassesOption = None,
    scale: ScaleOption = "paper",
    seed: SeedOption = 0,
    epochs: Annotated[
        int | None,
        typer.Option(
            min=1,
            metavar="N",
            help="Epochs over all pictures.",
            show_default="the scale's; published 30",
        ),
    ] = None,
    rate: Annotated[
        float | None,
        typer.Option(
            min=0, metavar="RATE", help="Learning rate to begin with.", show_default="0.0005"
        ),
    ] = None,
    batch: Annotated[
        int | None,
        typer.Option(min=1, metavar="N", help="Pictures of one step.", show_default="24"),
    ] = None,
    momentum: Annotated[
        float | None,
        typer.Option(min=0, metavar="SHARE", help="Momentum of SGD.", show_default="0.9"),
    ] = None,
    is_nesterov: Annotated[
        bool | None,
        typer.Option(
            "--nesterov/--no-nesterov",
            metavar="",
            help="Nesterov's momentum, or the plain one.",
            show_default="nesterov",
        ),
    ] = None,
    weight_decay: Annotated[
        float | None,
        typer.Option(min=0, metavar="SHARE", help="Weight decay of SGD.", show_default="0.0005"),
    ] = None,
    rate_divisor: Annotated[
        float | None,
        typer.Option(
            metavar="NUMBER",
            help="The rate is divided by this every --rate-epochs epochs.",
            show_default="10",
        ),
    ] = None,
    rate_epochs: Annotated[
        int | None,
        typer.Option(
            min=1, metavar="N", help="Epochs from one division to the next.", show_default="10"
        ),
    ] = None,
    auxiliary_weight: Annotated[
        float | None,
        typer.Option(
            min=0, metavar="SHARE", help="Weight of the two auxiliary losses.", show_default="0.3"
        ),
    ] = None,
    epoch_pictures: Annotated[
        int | None,
        typer.Option(
            min=1,
            metavar="N",
            help="Pictures of one epoch, drawn again for each.",
            show_default="the scale's; published all",
        ),
    ] = None,
    validation_pictures: Annotated[
        int | None,
        typer.Option(
            min=1,
            metavar="N",
            help="Validation pictures, drawn by seed, for the top-1 accuracy.",
            show_default="the scale's",
        ),
    ] = None,
    per_class: Annotated[
        int | None,
        typer.Option(
            min=1,
            metavar="N",
            help="Pictures of each class and partition that are kept.",
            show_default="the scale's",
        ),
    ] = None,
    workers: Annotated[
        int, typer.Option(min=1, metavar="N", help="Threads that read pictures.")
    ] = 2,
    device: DeviceOption = "auto",
) -> None:
    """Make one of the paper's three pre-trained models from the published GoogLeNet.

    colour keeps the published weights as they are. grey trains them further on all pictures in
    grey, grey-subset on a hundred classes of them. The same command resumes a run that was
    stopped. On several processes: torchrun -m cxrview pretrain. Needs what the extra named train
    installs (torch).

    Exit code: 0 done, 2 usage error, 3 folder not writable.
    """
    with needs_extra("train", "training"):
        from cxrview.paper.colour_weights import convert_colour
        from cxrview.paper.pretrain import plan_for
        from cxrview.paper.pretrain_run import PictureSource, pre_trained_lines
        from cxrview.paper.scale import scale_named
        from cxrview.train.distributed import Processes, joined
        from cxrview.train.hardware import find_device
    processes = Processes.of_environment()
    if pre_training == "colour":
        if pictures:
            raise UsageError("colour is not trained again, so it takes no pictures")
        if processes.count > 1:
            raise UsageError("colour is not trained again", "Start it without torchrun")
        convert_colour(published, out)
        typer.echo(f"colour: the published weights in {out}")
        return
    plan = plan_for(
        pre_training,
        scale_named(scale),
        seed=seed,
        device=find_device(device, processes),
        epoch_pictures=epoch_pictures,
        validation_pictures=validation_pictures,
        per_class=per_class,
    )
    schedule = plan.schedule.with_changes(
        epochs=epochs,
        rate=rate,
        batch=batch,
        momentum=momentum,
        is_nesterov=is_nesterov,
        weight_decay=weight_decay,
        rate_divisor=rate_divisor,
        rate_epochs=rate_epochs,
        auxiliary_weight=auxiliary_weight,
    )
    if not pictures or not classes:
        raise UsageError(f"{pre_training} needs pictures and their classes: --pictures, --classes")
    source = PictureSource(pictures=pictures, classes=classes, workers=workers)
    plan = replace(plan, schedule=schedule, processes=processes)
    with joined(processes, plan.device):
        _train(plan, published, source, out)
    if processes.is_first:
        typer.echo("\n".join(pre_trained_lines(out)))


def _train(plan: "Plan", published: Path, source: "PictureSource", out: Path) -> None:
    from cxrview.cli.shared.progress import TrainingLines
    from cxrview.paper.pretrain_run import pre_train_on_pictures
    from cxrview.train.callbacks import TrainingWatch, with_event_files

    lines = TrainingLines()
    watch = TrainingWatch()
    if plan.processes.is_first:
        watch = TrainingWatch(count=lines.count, step=lines.step, epoch=lines.epoch)
        watch = with_event_files(watch, out / EVENTS, accuracy_name="validation top-1")
    pre_train_on_pictures(plan, published, source, out, watch=watch)
