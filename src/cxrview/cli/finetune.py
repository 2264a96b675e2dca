"""`cxrview finetune`: a two-class model from labelled radiographs."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cxrview.cli.shared.extras import training_extra
from cxrview.errors import UsageError

if TYPE_CHECKING:
    from cxrview.paper.material import Material
    from cxrview.records import ModelCard
    from cxrview.train.hardware import Hardware
    from cxrview.train.recipes import Recipe

EVENTS = "events"


def finetune(
    labelled: Annotated[
        Path,
        typer.Argument(
            metavar="LABELS|STORE",
            help="For world and wide a CSV with file, patient, view and source; for the paper's "
            "methods a store of cxrview prepare.",
            show_default=False,
        ),
    ],
    out: Annotated[
        Path,
        typer.Option(
            metavar="FOLDER",
            help="Gets model and card, or weights and what they say of validation images; and "
            "the checkpoint.",
            show_default=False,
        ),
    ],
    recipe: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="world, which also learns what is no chest, wide, which knows two views only, or "
            "one of the paper's: fc-original, fc-augmented, all-augmented.",
        ),
    ] = "world",
    published: Annotated[
        Path | None,
        typer.Option(
            metavar="NPZ",
            help="For world and wide: the published BVLC GoogLeNet as arrays.",
            show_default=False,
        ),
    ] = None,
    pre_trained: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="For the paper's methods: of cxrview pretrain.",
            show_default=False,
        ),
    ] = None,
    split: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="For the paper's methods: of cxrview split.", show_default=False
        ),
    ] = None,
    variants: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="Variants made beforehand by cxrview augment --materialise; they are made while "
            "training where there are none.",
            show_default=False,
        ),
    ] = None,
    features: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="What the frozen trunk sees, shared by fc-original and fc-augmented of one "
            "pre-training.",
            show_default="within --out",
        ),
    ] = None,
    scale: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Of the paper's methods: smoke, laptop, night or paper.",
            show_default="paper",
        ),
    ] = None,
    epochs: Annotated[
        int | None,
        typer.Option(
            min=1, metavar="N", help="Of the paper's.", show_default="the scale's; published 30"
        ),
    ] = None,
    rate: Annotated[
        float | None,
        typer.Option(
            metavar="RATE", help="Learning rate to begin with.", show_default="the method's"
        ),
    ] = None,
    batch: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Images of a step.", show_default="24")
    ] = None,
    left_out: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="For world and wide: of cxrview assess --leave-source-out by the same recipe, "
            "which helps to set review band and chest cutoff, and stands in the card.",
            show_default=False,
        ),
    ] = None,
    about: Annotated[
        Path | None,
        typer.Option(
            metavar="JSON",
            help="For world and wide: licences, intended use, limits and failures for the card.",
            show_default=False,
        ),
    ] = None,
    photographs: Annotated[
        Path | None,
        typer.Option(
            metavar="TAR|FOLDER",
            help="For world: photographs of anything, to be known as no chest.",
            show_default=False,
        ),
    ] = None,
    seeds: Annotated[
        int | None,
        typer.Option(
            min=1,
            metavar="N",
            help="For world and wide: so many trainings, from --seed on; validation patients "
            "choose one of them.",
            show_default="1",
        ),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, metavar="N", help="Decides every draw.")] = 0,
    device: Annotated[
        str, typer.Option(metavar="NAME", help="cpu, cuda, or auto: cuda where there is one.")
    ] = "auto",
    workers: Annotated[
        int | None,
        typer.Option(
            min=0,
            metavar="N",
            help="For world and wide: processes that draw batches ahead of the network. The "
            "batches are the same with any.",
            show_default="0; all cores but one for cuda",
        ),
    ] = None,
) -> None:
    """Train a model by a recipe; goes on where it was stopped.

    By world or wide, a model with its card: patients are divided by the published rule, validation
    patients choose cutoffs and review band, test patients are counted once. By one of the
    paper's three methods, one of the nine candidates that cxrview choose compares. Needs what
    the extra named train installs (torch).

    Exit code: 0 done, 2 usage error, 3 folder not writable.
    """
    with training_extra("training"):
        import torch  # noqa: F401  (`find_hardware` asks it for devices)

        from cxrview.paper.candidates import FINE_TUNINGS
        from cxrview.train.hardware import find_hardware
        from cxrview.train.recipes import RECIPES
    if recipe in RECIPES:
        of_paper = (pre_trained, split, variants, features, scale, epochs, rate, batch)
        if published is None or any(of_paper):
            raise UsageError(
                f"recipe {recipe} takes a labels file and --published, and no figures of its own"
            )
        each = range(seed, seed + (seeds or 1))
        hardware = find_hardware(device, workers)
        pictures = (labelled, photographs)
        typer.echo(
            _by_recipe(pictures, published, RECIPES[recipe], out, left_out, about, each, hardware)
        )
    elif recipe in FINE_TUNINGS:
        of_recipe = (published, about, left_out, photographs, seeds, workers)
        if pre_trained is None or split is None or any(of_recipe):
            raise UsageError(f"recipe {recipe} takes a store, --pre-trained and --split")
        material = _material(labelled, split, variants, scale or "paper", seed, device)
        figures = {"epochs": epochs, "rate": rate, "batch": batch}
        changed = {name: value for name, value in figures.items() if value is not None}
        typer.echo(_by_method(material, pre_trained, recipe, out, features, changed))
    else:
        names = ", ".join((*RECIPES, *FINE_TUNINGS))
        raise UsageError(f"there is no recipe {recipe}", f"There are {names}")


def _by_recipe(
    pictures: tuple[Path, Path | None],
    published: Path,
    recipe: "Recipe",
    out: Path,
    left_out: Path | None,
    about: Path | None,
    seeds: range,
    hardware: "Hardware",
) -> str:
    import hashlib

    with training_extra("training"):
        # Loaded late by what is imported here: to be missed now, not when all is trained.
        import jinja2  # noqa: F401
        import scipy  # noqa: F401

        from cxrview.cli.assess.recipe import need_published
        from cxrview.cli.shared.training_progress import staged_watch
        from cxrview.train.leave_source_out import read_left_out
        from cxrview.train.pool import read_pool
        from cxrview.train.release import make_shipped_model
        from cxrview.train.release_pages import write_pages

    labels, photographs = pictures
    told = _read_about(about)
    need_published(published)
    watch = staged_watch()
    pool = read_pool(
        labels,
        with_others=recipe.has_chest,
        photographs=photographs,
        progress=lambda more: watch.count(more, 0, "pictures read"),
    )
    unseen = read_left_out(left_out, recipe, pool) if left_out else ()
    shipped = make_shipped_model(
        pool,
        published,
        recipe,
        out,
        seeds=seeds,
        left_out=unseen,
        labels_sha256=hashlib.sha256(labels.read_bytes()).hexdigest(),
        about=told,
        hardware=hardware,
        watch=watch,
    )
    write_pages(shipped, pool, recipe, out)
    return _figures(shipped.card)


def _read_about(path: Path | None) -> dict[str, Any]:
    if path is None:
        return {}
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(f"{path} is no JSON that can be read") from error
    if not isinstance(told, dict):
        raise UsageError(f"{path} holds no JSON object")
    return told


def _material(
    store: Path, split: Path, variants: Path | None, scale: str, seed: int, device: str
) -> "Material":
    from cxrview.dataset.augment.array import open_materialised
    from cxrview.dataset.split_files import read_split
    from cxrview.dataset.store import open_prepared
    from cxrview.paper.material import Material
    from cxrview.paper.scale import scale_named, scaled_split
    from cxrview.train.hardware import find_device

    chosen = scale_named(scale)
    return Material(
        prepared=open_prepared(store),
        split=scaled_split(read_split(split), chosen, seed),
        scale=chosen,
        seed=seed,
        device=find_device(device),
        materialised=open_materialised(variants) if variants else None,
    )


def _by_method(
    material: "Material",
    pre_trained: Path,
    method: str,
    out: Path,
    features: Path | None,
    changed: dict[str, float],
) -> str:
    from dataclasses import replace

    from cxrview.cli.shared.training_progress import TrainingLines
    from cxrview.paper.candidates import FINE_TUNINGS, PRE_TRAININGS, Candidate
    from cxrview.paper.network_files import load_trained, read_about
    from cxrview.paper.pretrain_run import pictures_in_words
    from cxrview.paper.scale import scaled_schedule
    from cxrview.paper.stages import noted_watch
    from cxrview.paper.train_candidate import train_candidate
    from cxrview.train.watch import StudyWatch

    began = read_about(pre_trained)
    if began.get("pre_training") not in PRE_TRAININGS:
        raise UsageError(f"{pre_trained} holds no pre-trained network", "Make it by pretrain")
    candidate = Candidate(pre_training=began["pre_training"], fine_tuning=method)
    schedule = scaled_schedule(FINE_TUNINGS[method].schedule, material.scale)
    lines = TrainingLines()
    watch = StudyWatch(count=lines.count, step=lines.step, epoch=lines.epoch)
    scores = train_candidate(
        candidate,
        load_trained(pre_trained),
        material,
        out,
        features=features,
        # Typer has made each of them the type that its field has; a dict cannot say so.
        schedule=replace(schedule, **changed),  # type: ignore[arg-type]
        differs=pictures_in_words(pre_trained),
        watch=noted_watch(watch, out / EVENTS),
    )
    right = int(scores.is_right.sum())
    return (
        f"{candidate.name}, {material.scale.name} scale ({material.scale.words}): "
        f"{right:,} of {len(scores):,} validation images right"
    )


def _figures(card: "ModelCard") -> str:
    """Cutoffs, band and the counts of validation and test, a line each."""
    low, high = card.review_band
    least = "" if card.chest_cutoff is None else f", no chest below {card.chest_cutoff}"
    lines = [f"{card.model_id}: cutoff {card.cutoff}, review band {low} to {high}{least}"]
    for part in ("validation", "test"):
        lines += [
            f"{part:10} {c['source']:9} {c['view']:8} {c['errors']} errors of {c['images']}, "
            f"band on {c['errors_decided']} of {c['decided']}, {c['refused']} refused"
            for c in card.about[part]
        ]
        turned = card.about["orientations"][part]
        images, errors, decided, wrong = (
            sum(row[name] for row in turned)
            for name in ("images", "errors", "decided", "errors_decided")
        )
        lines.append(
            f"{part:10} in sixteen orientations: {errors} errors of {images}, "
            f"band on {wrong} of {decided}"
        )
    lines += [
        f"{c['partition']:10} {c['source']:9} no chest: {c['called_a_view']} of {c['images']} "
        "called a view"
        for c in card.about.get("not_chest", ())
    ]
    for seed in card.about["seeds"]["each"]:
        chosen = ", chosen" if seed["seed"] == card.about["seeds"]["chosen"] else ""
        upright, turned = seed["upright"], seed["sixteen_orientations"]
        lines.append(
            f"seed {seed['seed']}: validation log loss {seed['log_loss']}, {upright['errors']} "
            f"errors of {upright['images']}, turned "
            f"{turned['errors']} of {turned['images']}{chosen}"
        )
    return "\n".join(lines)
