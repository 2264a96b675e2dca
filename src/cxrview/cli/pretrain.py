"""`cxrview pretrain`: what a network sees before radiographs."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cxrview.cli.shared.extras import training_extra
from cxrview.errors import UsageError

if TYPE_CHECKING:
    from cxrview.paper.pretrain import Plan
    from cxrview.paper.pretrain_run import PictureSource
    from cxrview.paper.top_1 import Top1

EVENTS = "events"


def pretrain(
    pre_training: Annotated[
        str,
        typer.Argument(metavar="NAME", help="colour, grey or grey-subset.", show_default=False),
    ],
    published: Annotated[
        Path,
        typer.Option(
            metavar="NPZ", help="The published BVLC GoogLeNet as arrays.", show_default=False
        ),
    ],
    out: Annotated[
        Path,
        typer.Option(
            metavar="FOLDER",
            help="Gets weights.safetensors, about.json, the pictures and the checkpoint.",
            show_default=False,
        ),
    ],
    pictures: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER|TAR", help="train/<wnid>/* and val/<wnid>/*, or <wnid>/* alone."
        ),
    ] = None,
    classes: Annotated[
        Path | None,
        typer.Option(
            metavar="CSV", help="The 1,000 classes of ILSVRC with index, wnid and category."
        ),
    ] = None,
    scale: Annotated[
        str, typer.Option(metavar="NAME", help="smoke, laptop, night or paper.")
    ] = "paper",
    seed: Annotated[int, typer.Option(min=0, metavar="N", help="Decides every draw.")] = 0,
    epochs: Annotated[
        int | None,
        typer.Option(
            min=1, metavar="N", help="Of all pictures.", show_default="the scale's; published 30"
        ),
    ] = None,
    rate: Annotated[
        float | None,
        typer.Option(metavar="RATE", help="Learning rate to begin with.", show_default="0.0005"),
    ] = None,
    batch: Annotated[
        int | None,
        typer.Option(min=1, metavar="N", help="Pictures of one step.", show_default="24"),
    ] = None,
    momentum: Annotated[
        float | None, typer.Option(metavar="SHARE", help="Of SGD.", show_default="0.9")
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
        float | None, typer.Option(metavar="SHARE", help="Of SGD.", show_default="0.0005")
    ] = None,
    rate_divisor: Annotated[
        float | None,
        typer.Option(metavar="NUMBER", help="Divides the rate now and then.", show_default="10"),
    ] = None,
    rate_epochs: Annotated[
        int | None,
        typer.Option(
            min=1, metavar="N", help="Epochs from one division to the next.", show_default="10"
        ),
    ] = None,
    auxiliary_weight: Annotated[
        float | None,
        typer.Option(metavar="SHARE", help="Of the two auxiliary losses.", show_default="0.3"),
    ] = None,
    epoch_pictures: Annotated[
        int | None,
        typer.Option(
            min=1,
            metavar="N",
            help="Pictures of one epoch, drawn anew for each.",
            show_default="the scale's; published all",
        ),
    ] = None,
    validation_pictures: Annotated[
        int | None,
        typer.Option(
            min=1,
            metavar="N",
            help="Pictures, drawn by seed, that top-1 is counted on.",
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
    device: Annotated[
        str, typer.Option(metavar="NAME", help="cpu, cuda, or auto: cuda where there is one.")
    ] = "auto",
) -> None:
    """Make one of the paper's three pre-trained networks; goes on where it was stopped.

    colour keeps the published weights as they are. grey goes on from them with all pictures in
    grey, grey-subset with a hundred classes of them. Needs the extra `train`.

    Exit code: 0 done, 2 usage error, 3 folder not writable.
    """
    with training_extra("training"):
        from cxrview.paper.pretrain import convert_colour
        from cxrview.paper.pretrain_run import PictureSource
    if not published.is_file():
        raise UsageError(f"there is no file {published}", "--published takes the arrays as .npz")
    if pre_training == "colour":
        if pictures:
            raise UsageError("colour is not trained again, so it takes no pictures")
        convert_colour(published, out)
        typer.echo(f"colour: the published weights in {out}")
        return
    figures = {
        "epochs": epochs,
        "rate": rate,
        "batch": batch,
        "momentum": momentum,
        "is_nesterov": is_nesterov,
        "weight_decay": weight_decay,
        "rate_divisor": rate_divisor,
        "rate_epochs": rate_epochs,
        "auxiliary_weight": auxiliary_weight,
    }
    amounts = {
        "epoch_pictures": epoch_pictures,
        "validation_pictures": validation_pictures,
        "per_class": per_class,
    }
    plan = _plan(pre_training, scale, seed, device, figures, amounts)
    if not pictures or not classes:
        raise UsageError(f"{pre_training} needs pictures and their classes: --pictures, --classes")
    source = PictureSource(pictures=pictures, classes=classes, workers=workers)
    _train(plan, published, source, out)
    typer.echo(_result(out))


def _plan(
    pre_training: str,
    scale: str,
    seed: int,
    device: str,
    figures: dict[str, float | None],
    amounts: dict[str, int | None],
) -> "Plan":
    from dataclasses import replace

    from cxrview.paper.pretrain import plan_for
    from cxrview.paper.scale import scale_named
    from cxrview.train.hardware import find_device

    plan = plan_for(pre_training, scale_named(scale), seed=seed, device=find_device(device))
    changed = {name: value for name, value in figures.items() if value is not None}
    more = {name: value for name, value in amounts.items() if value is not None}
    return replace(plan, schedule=replace(plan.schedule, **changed), **more)  # type: ignore[arg-type]


def _train(plan: "Plan", published: Path, source: "PictureSource", out: Path) -> None:
    from cxrview.cli.shared.training_progress import TrainingLines
    from cxrview.paper.pretrain import Watch
    from cxrview.paper.pretrain_run import pre_train_on_pictures
    from cxrview.train.watch import event_writer

    lines, note = TrainingLines(), event_writer(out / EVENTS)

    def step(number: int, steps: int, loss: float) -> None:
        lines.step(number, steps, loss)
        note("loss", loss, number)

    def epoch(done: int, top_1: "Top1") -> None:
        if top_1.pictures:
            words = f"{top_1.right} of {top_1.pictures} validation pictures right at top-1"
            lines.say(f"after epoch {done} of {plan.schedule.epochs}: {words}")
            note("validation top-1", top_1.right / top_1.pictures, done)

    pre_train_on_pictures(
        plan,
        published,
        source,
        out,
        watch=Watch(step=step, epoch=epoch),
        reading=lambda more, of: lines.count(more, of, "pictures read"),
    )


def _result(out: Path) -> str:
    import json

    from cxrview.paper.network_files import ABOUT

    about = json.loads((out / ABOUT).read_text(encoding="utf-8"))
    lines = [f"{about['pre_training']}: {about['shown']}, in {out}"]
    lines += [f"not as published: {words}" for words in about["differs_from_the_paper"]]
    before, after = about["top_1_before"], about["top_1_after"]
    if after["pictures"]:
        lines.append(
            f"top-1 of {after['pictures']} validation pictures: {before['right']} right before, "
            f"{after['right']} after"
        )
    return "\n".join(lines)
