"""`cxrview robustness figure`: the paper's Fig 6 for any radiographs."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cxrview.cli.robustness.shared import (
    CutoffOption,
    load_with_cutoffs,
    name_cutoffs,
    need_extra,
    scale_of,
)
from cxrview.cli.shared.options import ModelOption, out_folder
from cxrview.cli.shared.tables import number, print_table, text
from cxrview.errors import UnreadableImage, UsageError
from cxrview.wording import plural

if TYPE_CHECKING:
    from cxrview.assess.cascade import DecidingModel
    from cxrview.classify.model import Model
    from cxrview.records.evaluation import Box, ModifiedImage

FIGURE = "modified"
"""Name of the figure and of the table beside it, without endings."""


def figure_command(
    images: Annotated[
        list[str],
        typer.Argument(
            metavar="IMAGE...", help="Files: DICOM, PNG, JPEG or TIFF.", show_default=False
        ),
    ],
    out: Annotated[Path, out_folder("modified.png, modified.svg and modified.csv.")],
    model: ModelOption = "default",
    cutoff: CutoffOption = None,
    marker_box: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ROW,COLUMN,ROWS,COLUMNS",
            help="Around a marker in the image, which is then moved and blanked; in pixels "
            "of the squashed picture, or each with a % sign. Once for all images, or once for "
            "each. Without it, a marker is added.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Draw each radiograph unmodified, with a marker, rotated, half obscured and cropped.

    Above each picture is the model's PFI. Needs what the extra named train installs.

    Exit code: 0 done, 1 done but an image could not be read, 2 usage error, 3 not writable.
    """
    need_extra()
    from cxrview.cli.shared.paths import check_paths

    check_paths(images)
    loaded, models = load_with_cutoffs(model, cutoff)
    boxes = _boxes(marker_box or [], len(images), loaded.card.input_side)
    shown = _modify(images, boxes, loaded)
    if shown:
        _draw(shown, loaded, models, out)
        _print(shown, models)
        typer.echo(f"figure in {out / FIGURE}.png and .svg, its table in {out / FIGURE}.csv")
    if len(shown) < len(images):
        raise typer.Exit(1)


def _boxes(texts: Sequence[str], images: int, side: int) -> "list[Box | None]":
    """Parse a box for each image.

    Raises:
        UsageError: a box is not valid, or their number is not that of the images.
    """
    if len(texts) > 1 and len(texts) != images:
        raise UsageError(
            f"{plural(images, 'image has', 'images have')} {plural(len(texts), 'box', 'boxes')}",
            "Give one, or one each",
        )
    boxes: list[Box | None] = [_box(words, side) for words in texts] or [None]
    return boxes * images if len(boxes) == 1 else boxes


def _box(words: str, side: int) -> "Box":
    from cxrview.records.evaluation import Box

    try:
        return Box.parse(words, side)
    except ValueError:
        raise UsageError(
            f"--marker-box {words} is not a box within {side} x {side} pixels",
            "Four numbers: upper edge, left edge, rows, columns; such as 10,200,24,30 or "
            "4%,80%,10%,12%",
        ) from None


def _modify(
    sources: Sequence[str], boxes: "Sequence[Box | None]", model: "Model"
) -> "list[tuple[ModifiedImage, ...]]":
    """Modify the images that can be read; others are reported, a line each."""
    from cxrview.assess.robustness_run import score_modified_images
    from cxrview.image import read_radiograph, squash

    shown = []
    for source, box in zip(sources, boxes, strict=True):
        try:
            pixels = squash(read_radiograph(source).pixels, model.card.input_side)
        except UnreadableImage as error:
            typer.echo(f"cxrview: {error}", err=True)
        else:
            shown.append(score_modified_images(pixels, model.answer, box))
    return shown


def _draw(
    shown: "Sequence[Sequence[ModifiedImage]]",
    model: "Model",
    models: "Sequence[DecidingModel]",
    out: Path,
) -> None:
    from cxrview.assess.robustness_files import write_modified_images
    from cxrview.reports.figures.radiographs import draw_modified
    from cxrview.reports.figures.style import save_figure

    write_modified_images(out / f"{FIGURE}.csv", shown, models)
    rows = [[(one.title, one.pixels, one.pfi) for one in row] for row in shown]
    save_figure(draw_modified(rows, note=scale_of(model.card)), out, FIGURE)


def _print(shown: "Sequence[Sequence[ModifiedImage]]", models: "Sequence[DecidingModel]") -> None:
    """Print a row for each picture of each image."""
    from cxrview.assess.robustness_files import view_of

    rows = [
        (
            str(image),
            one.title,
            str(view_of(one, models)),
            f"{one.pfi:.3f}",
        )
        for image, row in enumerate(shown, start=1)
        for one in row
    ]
    columns = (text("image"), text("modification"), text("view"), number("PFI %", keeps_lines=True))
    print_table(columns, rows, title=name_cutoffs(models), is_ruled=False)
