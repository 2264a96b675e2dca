"""`cxrview explain`: which regions of a radiograph the model relies on."""

from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Annotated

import typer

from cxrview.cli.shared.run_options import (
    ChestCutoff,
    DeviceChoice,
    Exact,
    ModelFolder,
    Overwrite,
    PrecisionChoice,
    ReviewBand,
)
from cxrview.terms import Device, Precision

if TYPE_CHECKING:
    from cxrview.classify.explain import Explanation

ENDING = ".explained.png"


def explain(
    image: Annotated[
        str,
        typer.Argument(
            metavar="IMAGE",
            help="A DICOM, PNG, JPEG or TIFF file, or its URL.",
            show_default=False,
        ),
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.png",
            help="The picture.",
            show_default=f"IMAGE's name and {ENDING}, in the working directory",
        ),
    ] = None,
    overwrite: Overwrite = False,
    square: Annotated[
        int,
        typer.Option(
            min=16,
            max=256,
            metavar="PIXELS",
            help="Side of the square that is covered, of the 256 pixels of the model's input. "
            "A larger one changes PFI more, and shows less exactly where.",
        ),
    ] = 64,
    review_band: ReviewBand = None,
    chest_cutoff: ChestCutoff = None,
    model: ModelFolder = "default",
    precision: PrecisionChoice = Precision.AUTO,
    device: DeviceChoice = Device.AUTO,
    exact: Exact = False,
) -> None:
    """Draw which regions of one radiograph the model relies on, beside the radiograph.

    Squares of the image are blurred one at a time, and the change of PFI (probability of
    frontal) is drawn as colour: an occlusion map. It shows what the model reacts to, not
    whether it is right.

    Exit code: 0 done, 2 usage error or the image cannot be read, 3 not writable.
    """
    from cxrview.atomic_files import write_atomic
    from cxrview.classify.explain import STEP
    from cxrview.classify.explain import explain as explain_image
    from cxrview.classify.model import load_model
    from cxrview.cli.shared.paths import check_paths
    from cxrview.cli.shared.smoke_model import warn_of_smoke_test
    from cxrview.image import ReadOptions, open_image
    from cxrview.reports.figures.occlusion_map import explanation_png

    check_paths([image])
    out = _checked(out or Path(_name(image) + ENDING), overwrite=overwrite)
    loaded = load_model(model, precision=precision, device=device)
    warn_of_smoke_test(loaded.card)
    opened = open_image(image, ReadOptions(exact=exact))
    explanation = explain_image(
        opened.decode_square(loaded.card.input_side),
        loaded,
        square=square,
        step=min(STEP, square),
        review_band=review_band,
        chest_cutoff=chest_cutoff,
    )
    write_atomic(out, explanation_png(explanation, opened.decode().pixels))
    _print(explanation, out)


def _name(image: str) -> str:
    """The name of a file without folders, as of `s3://films/a.dcm` or `zip://a.dcm::films.zip`."""
    return PurePosixPath(image.split("::")[0]).name


def _checked(out: Path, *, overwrite: bool) -> Path:
    """Check the name of the picture, before any work.

    Raises:
        UsageError: it is not a PNG, or exists.
    """
    from cxrview.errors import UsageError

    if out.suffix.lower() != ".png":
        raise UsageError(f"{out} is not named as a picture", "Name it .png")
    if out.is_dir() or (out.exists() and not overwrite):
        raise UsageError(f"{out} already exists", "Choose another --out, or use --overwrite")
    return out


def _print(explanation: "Explanation", out: Path) -> None:
    from cxrview.reports.figures.occlusion_map import caption, is_map_of_chest

    decision, numbers, *_ = caption(explanation)
    typer.echo(f"{decision}: {numbers}")
    change, name = explanation.pfi_change, "PFI"
    if explanation.chest_change is not None and is_map_of_chest(explanation):
        change, name = explanation.chest_change, "chest"
    typer.echo(
        f"covering {explanation.square} x {explanation.square} pixels changes {name} by "
        f"{change.min():+.3f} to {change.max():+.3f} percentage points"
    )
    typer.echo(f"picture in {out}")
