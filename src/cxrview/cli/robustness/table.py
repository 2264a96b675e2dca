"""`cxrview robustness`: how far a model stands what may happen to a radiograph."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cxrview.errors import InvalidModel, UnreadableImage, UsageError
from cxrview.install_command import install_command
from cxrview.wording import plural

if TYPE_CHECKING:
    from cxrview.classify.model import Model
    from cxrview.records import Box, ModifiedCount, ModifiedImage, Prepared, PreparedImage
    from cxrview.terms import Partition

FIGURE = "modified"
"""Name of the figure and of the table beside it, without endings."""


def robustness(
    sources: Annotated[
        list[str],
        typer.Argument(
            metavar="IMAGE...|STORE",
            help="Images, DICOM or PNG, JPEG, TIFF, for the figure; or one store of cxrview "
            "prepare for the table.",
            show_default=False,
        ),
    ],
    out: Annotated[
        Path,
        typer.Option(
            metavar="FOLDER",
            help="Of images, gets modified.png, .svg and .csv; of a store, robustness.csv and "
            "robustness.parquet.",
            show_default=False,
        ),
    ],
    model: Annotated[
        str, typer.Option(metavar="FOLDER", help="With model.onnx and card.json.")
    ] = "default",
    cutoff: Annotated[
        float | None,
        typer.Option(
            min=0,
            max=100,
            help="Frontal where PFI is at least this, in percent. Default: the card's.",
            show_default=False,
        ),
    ] = None,
    marker_box: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ROW,COLUMN,ROWS,COLUMNS",
            help="Around a marker that the image has, which is then moved and blanked; in pixels "
            "of the squashed picture, or each with a % sign. Once for all images, or once for "
            "each. Without it, a marker is added.",
            show_default=False,
        ),
    ] = None,
    split: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Made by cxrview split: which images of the store are in the partition. Default: "
            "the published rule.",
            show_default=False,
        ),
    ] = None,
    partition: Annotated[
        str,
        typer.Option(metavar="training|validation|test", help="Which images of the store."),
    ] = "test",
    sample: Annotated[
        int | None,
        typer.Option(
            min=1,
            metavar="N",
            help="Draw so many images of the partition, for a quicker table.",
            show_default=False,
        ),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Decides which images are drawn.")] = 0,
    overwrite: Annotated[
        bool,
        typer.Option("--overwrite", help="Replace a table of another model or of other images."),
    ] = False,
) -> None:
    """Change radiographs as the paper's Fig 6 does and say what a model then makes of them.

    Of images: a figure with each of them unmodified, with a marker, turned, half obscured and
    cropped. Of a store: a table over all images of a partition, a row for each modification and
    severity. Stopped at any point, a table goes on by the same command. Needs the extra called
    train.

    Exit code: 0 done, 1 done but an image could not be read, 2 usage error, 3 not writable.
    """
    _refuse_without_extra()
    from cxrview.assess.robustness_run import COUNTS, TABLE, draw_images
    from cxrview.cli.shared.paths import check_paths

    of_store = len(sources) == 1 and Path(sources[0]).is_dir()
    if of_store and marker_box:
        raise UsageError("--marker-box is for images; of a store, markers are added first")
    if not of_store and (split or sample):
        raise UsageError("--split and --sample are for a store of cxrview prepare, one folder")
    if of_store:
        of = _partition(partition)
        store, every = _open(Path(sources[0]), split, of)
        drawn = [every[k] for k in draw_images(len(every), sample, seed)]
        loaded, cut = _load(model, cutoff)
        counts = _assess(store, drawn, loaded, cut, out, len(every), overwrite)
        by = f", drawn by seed {seed}" if len(drawn) < len(every) else ""
        from cxrview.cli.robustness_report import print_counts

        print_counts(counts, f"{loaded.card.model_id}, cutoff {cut:g} %, {of} images{by}")
        typer.echo(f"table in {out / COUNTS}, every PFI in {out / TABLE}")
    else:
        check_paths(sources)
        loaded, cut = _load(model, cutoff)
        boxes = _boxes(marker_box or [], len(sources), loaded.card.input_side)
        shown = _modify(sources, boxes, loaded)
        if shown:
            _draw(shown, loaded, cut, out)
            from cxrview.cli.robustness_report import print_images

            print_images(shown, cut)
            typer.echo(f"figure in {out / FIGURE}.png and .svg, its table in {out / FIGURE}.csv")
        if len(shown) < len(sources):
            raise typer.Exit(1)


def _refuse_without_extra() -> None:
    from importlib.util import find_spec

    for name, called in (("cv2", "OpenCV"), ("scipy", "SciPy"), ("matplotlib", "Matplotlib")):
        if find_spec(name) is None:
            raise UsageError(
                f"robustness needs {called}, which is not installed",
                f"Install it with: {install_command('train')}",
            )


def _partition(name: str) -> "Partition":
    from cxrview.terms import Partition

    try:
        return Partition(name)
    except ValueError:
        raise UsageError(
            f"there is no partition {name}", "There are training, validation and test"
        ) from None


def _open(
    folder: Path, split: Path | None, partition: "Partition"
) -> "tuple[Prepared, list[PreparedImage]]":
    """A store, and its images in a partition of a sound split."""
    from cxrview.dataset.split import check_split, split_images
    from cxrview.dataset.split_files import read_split
    from cxrview.dataset.store import open_prepared

    store = open_prepared(folder)
    chosen = read_split(split) if split else split_images(store.images, by="rule")
    check_split(chosen, store.images, store.content)
    images = [one for one in store.images if chosen.partitions.get(one.file) is partition]
    if not images:
        raise UsageError(f"no image is in the {partition} partition")
    return store, images


def _load(name: str, cutoff: float | None) -> "tuple[Model, float]":
    """A model, and the cutoff asked for or else its card's."""
    from cxrview.classify.model import load_model
    from cxrview.cli.shared.smoke_model import warn_of_smoke_test

    model = load_model(name, precision="fp32", device="cpu")
    warn_of_smoke_test(model.card)
    return model, model.card.cutoff if cutoff is None else cutoff


def _assess(
    store: "Prepared",
    images: "Sequence[PreparedImage]",
    model: "Model",
    cutoff: float,
    out: Path,
    drawn_from: int,
    overwrite: bool,
) -> "tuple[ModifiedCount, ...]":
    import numpy as np

    from cxrview.assess.modify import MODIFICATIONS
    from cxrview.assess.robustness_run import assess_partition
    from cxrview.cli.shared.progress import progress
    from cxrview.terms import View

    if store.pixels.shape[1] != model.card.input_side:
        raise InvalidModel(
            f"the model takes {model.card.input_side} x {model.card.input_side} pixels, "
            f"the store has {store.pixels.shape[1]} x {store.pixels.shape[1]}"
        )
    with progress("modified images", lambda: len(images) * len(MODIFICATIONS)) as advance:
        return assess_partition(
            store.pixels[[image.row for image in images]],
            np.array([image.view is View.FRONTAL for image in images]),
            np.array([image.file for image in images]),
            np.array([image.patient for image in images]),
            np.array([image.source for image in images]),
            model.pfi,
            cutoff,
            out,
            advance,
            classifier=model.card.model_id,
            drawn_from=drawn_from,
            overwrite=overwrite,
            scale=_scale(model),
        )


def _scale(model: "Model") -> str:
    """How its training was scaled, in words, as far as its card tells."""
    return str(model.card.about.get("scale", ""))


def _boxes(texts: Sequence[str], images: int, side: int) -> "list[Box | None]":
    """A box for each image."""
    if len(texts) > 1 and len(texts) != images:
        raise UsageError(
            f"{plural(images, 'image has', 'images have')} {plural(len(texts), 'box', 'boxes')}",
            "Give one, or one each",
        )
    boxes: list[Box | None] = [_box(text, side) for text in texts] or [None]
    return boxes * images if len(boxes) == 1 else boxes


def _box(text: str, side: int) -> "Box":
    from cxrview.records import Box

    try:
        row, column, rows, columns = (
            float(part.strip().removesuffix("%")) * (1 if "%" in part else 100 / side)
            for part in text.split(",")
        )
        box = Box(row=row, column=column, rows=rows, columns=columns)
        box.slices((side, side))
        return box
    except ValueError:
        raise UsageError(
            f"--marker-box {text} is no box within {side} x {side} pixels",
            "Four numbers: upper edge, left edge, rows, columns; such as 10,200,24,30 or "
            "4%,80%,10%,12%",
        ) from None


def _modify(
    sources: Sequence[str], boxes: "Sequence[Box | None]", model: "Model"
) -> "list[tuple[ModifiedImage, ...]]":
    """What can be read; a file that can't costs one line and itself alone."""
    from cxrview.assess.robustness_run import score_modified_images
    from cxrview.image import read_radiograph, squash

    shown = []
    for source, box in zip(sources, boxes, strict=True):
        try:
            pixels = squash(read_radiograph(source).pixels, model.card.input_side)
        except UnreadableImage as error:
            typer.echo(f"cxrview: {error}", err=True)
        else:
            shown.append(score_modified_images(pixels, model.pfi, box))
    return shown


def _draw(
    shown: "Sequence[Sequence[ModifiedImage]]", model: "Model", cutoff: float, out: Path
) -> None:
    from cxrview.assess.robustness_files import write_modified_images
    from cxrview.reports.figures.radiographs import draw_modified
    from cxrview.reports.figures.style import save_figure

    write_modified_images(
        out / f"{FIGURE}.csv", shown, classifier=model.card.model_id, cutoff=cutoff
    )
    rows = [[(one.title, one.pixels, one.pfi) for one in row] for row in shown]
    figure = draw_modified(rows, note=_scale(model))
    save_figure(figure, out, FIGURE)
