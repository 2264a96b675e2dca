"""`cxrview finetune`: one of the paper's nine candidates, from a pre-trained model."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cxrview.cli.shared.extras import needs_extra
from cxrview.cli.shared.old_forms import command_naming
from cxrview.cli.shared.options import (
    DeviceOption,
    ScaleOption,
    SeedOption,
    in_file,
    in_path,
    out_folder,
)

if TYPE_CHECKING:
    from cxrview.paper.candidate_images import Material
    from cxrview.train.distributed import Processes

EVENTS = "events"


def _new_form(words: Sequence[str]) -> str | None:
    of_train = {"--published", "--about", "--left-out", "--photographs", "--seeds", "--workers"}
    given = {part for word in words for part in word.split("=")}
    if given.isdisjoint(of_train | {"world", "wide"}):
        return None
    return "train LABELS --published NPZ --out FOLDER"


Finetune = command_naming(_new_form)


def finetune(
    store: Annotated[Path, in_path("STORE", "Labelled images, made by cxrview prepare.")],
    recipe: Annotated[
        str,
        typer.Option(
            metavar="fc-original|fc-augmented|all-augmented",
            help="The paper's method: which layers are trained, and on which images.",
            show_default=False,
        ),
    ],
    split: Annotated[Path, in_file("FILE", "Made by cxrview split.", flag="--split")],
    pre_trained: Annotated[
        Path, in_path("FOLDER", "Made by cxrview pretrain.", flag="--pre-trained")
    ],
    out: Annotated[
        Path,
        out_folder("weights, PFI of the validation images and, while it trains, the checkpoint."),
    ],
    variants: Annotated[
        Path | None,
        in_path(
            "FOLDER",
            "Variants made by cxrview augment --materialise; without it they are made during the "
            "training.",
            flag="--variants",
        ),
    ] = None,
    features: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="Output of the frozen layers, shared by fc-original and fc-augmented of one "
            "pre-training.",
            show_default="within --out",
        ),
    ] = None,
    scale: ScaleOption = "paper",
    epochs: Annotated[
        int | None,
        typer.Option(min=1, metavar="N", help="Epochs.", show_default="the scale's; published 30"),
    ] = None,
    rate: Annotated[
        float | None,
        typer.Option(
            min=0, metavar="RATE", help="Learning rate to begin with.", show_default="the method's"
        ),
    ] = None,
    batch: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Images of a step.", show_default="24")
    ] = None,
    seed: SeedOption = 0,
    device: DeviceOption = "auto",
) -> None:
    """Fine-tune a pre-trained model on radiographs by one of the paper's three methods.

    The result is one of the nine candidates that cxrview choose compares. The same command
    resumes a run that was stopped. On several processes: torchrun -m cxrview finetune. For a
    model by the package's own recipe see cxrview train. Needs what the extra named train installs
    (torch).

    Exit code: 0 done, 2 usage error, 3 folder not writable.
    """
    with needs_extra("train", "training"):
        import torch  # noqa: F401  (`find_device` asks it for devices)

        from cxrview.cli.shared.progress import TrainingLines
        from cxrview.paper.candidates import Candidate, fine_tuning_named
        from cxrview.paper.pretrain_run import pictures_in_words
        from cxrview.paper.scale import scaled_schedule
        from cxrview.paper.train_candidate import NO_WATCH, train_candidate
        from cxrview.paper.trained_model import load_trained, pre_training_of
        from cxrview.train.callbacks import TrainingWatch, with_event_files
        from cxrview.train.distributed import Processes, joined
    method = fine_tuning_named(recipe)
    processes = Processes.of_environment()
    material = _material(store, split, variants, scale, seed, device, processes)
    candidate = Candidate(pre_training=pre_training_of(pre_trained), fine_tuning=method.name)
    lines = TrainingLines()
    watch = TrainingWatch(count=lines.count, step=lines.step, epoch=lines.epoch)
    with joined(processes, material.device):
        scores = train_candidate(
            candidate,
            load_trained(pre_trained),
            material,
            out,
            features=features,
            schedule=scaled_schedule(method.schedule, material.scale).with_changes(
                epochs=epochs, rate=rate, batch=batch
            ),
            differs=pictures_in_words(pre_trained),
            watch=with_event_files(watch, out / EVENTS) if processes.is_first else NO_WATCH,
        )
    if processes.is_first:
        typer.echo(
            f"{candidate.name}, {material.scale.name} scale ({material.scale.words}): "
            f"{int(scores.is_right.sum()):,} of {len(scores):,} validation images right"
        )


def _material(
    store: Path,
    split: Path,
    variants: Path | None,
    scale: str,
    seed: int,
    device: str,
    processes: "Processes",
) -> "Material":
    from cxrview.dataset.augment.array import open_materialised
    from cxrview.dataset.split_files import read_split
    from cxrview.dataset.store import open_prepared
    from cxrview.paper.candidate_images import Material
    from cxrview.paper.scale import scale_named, scaled_split
    from cxrview.train.hardware import find_device

    chosen = scale_named(scale)
    return Material(
        prepared=open_prepared(store),
        split=scaled_split(read_split(split), chosen, seed),
        scale=chosen,
        seed=seed,
        device=find_device(device, processes),
        processes=processes,
        materialised=open_materialised(variants) if variants else None,
    )
