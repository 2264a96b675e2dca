"""`cxrview augment`: draw or write the 106 variants of radiographs."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cxrview.cli.shared.options import (
    OverwriteFlag,
    SeedOption,
    SplitOption,
    in_path,
    out_folder,
)
from cxrview.errors import UsageError
from cxrview.install_command import install_command
from cxrview.wording import plural

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from cxrview.dataset.augment.poses import Edge


def augment(
    source: Annotated[
        Path, in_path("STORE|IMAGE", "A store made by cxrview prepare, or one image file.")
    ],
    out: Annotated[
        Path | None,
        out_folder(
            "variants.npy, index.parquet and about.json with --materialise; without, for "
            "106 PNG files of one image."
        ),
    ] = None,
    materialise: Annotated[
        bool,
        typer.Option(
            "--materialise",
            metavar="",
            help="Write the variants of all training and validation images of the store into one "
            "array that can be mapped into memory: 7 MB for each image.",
        ),
    ] = False,
    sheet: Annotated[
        Path | None,
        typer.Option(metavar="PNG", help="Draw all 106 of one image as a labelled contact sheet."),
    ] = None,
    image: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="Which image of the store to show, by its file.",
            show_default="the first",
        ),
    ] = None,
    tile: Annotated[
        int, typer.Option(min=48, max=256, help="Rows and columns of each picture on the sheet.")
    ] = 128,
    split: SplitOption = None,
    seed: SeedOption = 0,
    edge: Annotated[
        str,
        typer.Option(
            metavar="black|repeat",
            help="What fills the edge where a picture is rotated or moved: black, or the nearest "
            "pixel repeated.",
        ),
    ] = "black",
    overwrite: OverwriteFlag = False,
) -> None:
    """Make the 106 variants of each radiograph: mirrored, rotated, moved, spread, smoothed, noisy.

    cxrview finetune makes them during the training; this command shows them, or writes them once
    for all epochs. The same command resumes a stopped --materialise and ends with the same bytes.
    Needs OpenCV, which the extra named train installs.

    Exit code: 0 done, 2 usage error, 3 result not writable.
    """
    from cxrview.dataset.augment.variants import make_all_variants

    _refuse_without_opencv()
    enters = _edge(edge)
    if not overwrite:
        _refuse_existing(sheet, None if materialise else out)
    if materialise:
        _materialise(source, split, out, seed, enters, overwrite)
    elif out is None and sheet is None:
        raise UsageError("there is nothing to do", "Use --sheet PNG, --out FOLDER or both")
    if sheet is not None or not materialise:
        image_id, pixels = _one_image(source, image)
        variants = make_all_variants(pixels, seed=seed, image_id=image_id, edge=enters)
        if sheet is not None:
            _draw(sheet, variants, tile)
        if out is not None and not materialise:
            _write_pictures(out, variants)


def _refuse_without_opencv() -> None:
    from importlib.util import find_spec

    if find_spec("cv2") is None:
        raise UsageError(
            "augmentation needs OpenCV, which is not installed",
            f"Install it with: {install_command('train')}",
        )


def _refuse_existing(sheet: Path | None, pictures: Path | None) -> None:
    """Check that pictures may be written; a folder that is made for many is checked later."""
    if sheet and sheet.exists():
        raise UsageError(f"{sheet} already exists", "Choose another --sheet, or use --overwrite")
    if pictures and pictures.is_dir() and any(pictures.iterdir()):
        raise UsageError(
            f"{pictures} already exists and is not empty",
            "Choose another --out, or use --overwrite",
        )


def _edge(name: str) -> "Edge":
    from cxrview.dataset.augment.poses import Edge

    try:
        return Edge(name)
    except ValueError:
        raise UsageError(f"edge {name} does not exist", "Use black or repeat") from None


def _materialise(
    source: Path, split: Path | None, out: Path | None, seed: int, edge: "Edge", overwrite: bool
) -> None:
    from cxrview.cli.shared.progress import progress
    from cxrview.dataset.augment.materialise import images_to_augment, materialise_variants
    from cxrview.dataset.split import split_images
    from cxrview.dataset.split_files import read_split
    from cxrview.dataset.store import open_prepared

    if out is None:
        raise UsageError("--materialise needs a folder to write to", "Name it with --out FOLDER")
    store = open_prepared(source)
    chosen = read_split(split) if split else split_images(store.images, by="rule")
    count = len(images_to_augment(store, chosen))
    with progress("images", lambda: count) as advance:
        made = materialise_variants(
            store, chosen, out, seed=seed, edge=edge, overwrite=overwrite, watch=advance
        )
    for partition in ("training", "validation"):
        images = made.partitions.count(partition)
        variants = plural(images * len(made.variants), "variant")
        typer.echo(f"{plural(images, f'{partition} image')}, {variants} in {out}")


def _one_image(source: Path, image: str | None) -> "tuple[str, NDArray[np.uint8]]":
    """Return id and squashed pixels of an image file, or of an image of a store (None: first)."""
    from cxrview.dataset.store import open_prepared
    from cxrview.image import read_radiograph, squash

    if not source.is_dir():
        return source.name, squash(read_radiograph(str(source)).pixels)
    store = open_prepared(source)
    named = [one for one in store.images if image in (None, one.file)]
    if not named:
        raise UsageError(f"{source} has no image {image}", "Name it as in the labels file")
    return named[0].file, store.pixels[named[0].row]


def _draw(sheet: Path, variants: "NDArray[np.uint8]", tile: int) -> None:
    from cxrview.dataset.augment.contact_sheet import draw_contact_sheet

    _save(sheet, draw_contact_sheet(variants, tile))
    typer.echo(f"{len(variants)} variants on {sheet}")


def _write_pictures(out: Path, variants: "NDArray[np.uint8]") -> None:
    from cxrview.dataset.augment.variants import VARIANTS

    for variant, pixels in zip(VARIANTS, variants, strict=True):
        _save(out / f"{variant.name}.png", pixels)
    typer.echo(f"{len(variants)} variants in {out}")


def _save(path: Path, pixels: "NDArray[np.uint8]") -> None:
    """Write a file atomically."""
    from PIL import Image

    from cxrview.atomic_files import atomic_path_in_new_folder, raising_cannot_write

    with raising_cannot_write(path), atomic_path_in_new_folder(path) as part:
        Image.fromarray(pixels).save(part, "PNG", optimize=True)
