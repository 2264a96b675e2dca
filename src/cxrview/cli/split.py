"""`cxrview split`: divide labelled images into training, validation and test images."""

from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cxrview.cli.shared.options import (
    OverwriteFlag,
    SeedOption,
    existing_path,
    in_file,
    in_path,
    out_file,
    refuse_existing,
)
from cxrview.cli.shared.patients import count_patients
from cxrview.errors import UsageError
from cxrview.wording import plural

if TYPE_CHECKING:
    from cxrview.dataset.labelled import LabelledImages
    from cxrview.records.dataset import Label, PreparedImage, Split


def split(
    labelled: Annotated[
        str,
        typer.Argument(
            metavar="STORE|LABELS|STUDY",
            help="A store made by cxrview prepare, a labels file, or an annotation study, whose "
            "settled views count. In a store the same picture is found also in two formats; files "
            "are compared by their bytes only.",
            show_default=False,
        ),
    ],
    out: Annotated[Path | None, out_file("the split: .csv or .parquet, one row an image.")] = None,
    by: Annotated[
        str,
        typer.Option(
            metavar="patient|image|rule",
            help="Keep a patient's images together, draw by image as the paper did, or use the "
            "published rule of the model in the package, which takes no sizes and no seed.",
        ),
    ] = "patient",
    counts: Annotated[
        str | None,
        typer.Option(
            metavar="N,N,N",
            help="Images in training, validation and test; the paper's are 1129,376,377. Further "
            "images are left out.",
            show_default=False,
        ),
    ] = None,
    shares: Annotated[
        str | None,
        typer.Option(
            metavar="P,P,P", help="The same in percent. [default: 60,20,20]", show_default=False
        ),
    ] = None,
    seed: SeedOption = 0,
    scale: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Leave out the images that a study of this scale does not use: smoke, laptop, "
            "night, or paper, which uses all.",
            show_default="paper",
        ),
    ] = None,
    source: Annotated[
        list[str] | None,
        typer.Option(
            help="Only images of this source; repeatable. The others are left out.",
            show_default=False,
        ),
    ] = None,
    root: Annotated[
        Path | None,
        in_path(
            "FOLDER",
            "Where the images of STUDY are now, if they were moved after it was created.",
            flag="--root",
            show_default="the study's own",
        ),
    ] = None,
    check: Annotated[
        Path | None,
        in_file("FILE", "Write nothing; check this split, made by any program.", flag="--check"),
    ] = None,
    overwrite: OverwriteFlag = False,
) -> None:
    """Divide labelled images into training, validation and test, reproducibly by seed.

    A split in which one patient is in two partitions (unless drawn by image), or the same
    picture under two names, is refused with the names of both files.

    Exit code: 0 done, 2 usage error or split refused, 3 not writable.
    """
    from cxrview.dataset.split import SHARES, check_split, split_images
    from cxrview.dataset.split_files import read_split, split_format, write_split

    if scale and check:
        raise UsageError("--scale is for a new split: leave it out with --check")
    if (out is None) == (check is None):
        raise UsageError("name either --out for a new split or --check for an existing one")
    if counts and shares:
        raise UsageError("--counts and --shares exclude each other")
    if by == "rule" and (counts or shares):
        raise UsageError("the published rule takes no sizes: leave out --counts and --shares")
    if out:
        split_format(out)
        refuse_existing(out, overwrite)
    scaled = _scaling(scale, seed)
    found = _open(labelled, root).of_sources(source or [])
    if not found.images:
        raise UsageError(f"{labelled} holds no frontal and no lateral image")
    if check:
        chosen = read_split(check)
    else:
        complete = split_images(
            found.images,
            by=by,
            shares=_numbers(shares, "--shares") if shares else SHARES,
            counts=[_whole(n) for n in _numbers(counts, "--counts")] if counts else None,
            seed=seed,
        )
        chosen = scaled(complete)
    check_split(chosen, found.images, found.content())
    if out:
        write_split(out, chosen, found.images)
    typer.echo(_table(chosen, found.images))


def _open(labelled: str, root: Path | None) -> "LabelledImages":
    from cxrview.cli.annotate.shared import is_study
    from cxrview.dataset.labelled import open_labelled

    if is_study(labelled):
        return _open_study(labelled, root)
    if root:
        raise UsageError("--root is for an annotation study: leave it out")
    return open_labelled(existing_path(Path(labelled)))


def _open_study(where: str, root: Path | None) -> "LabelledImages":
    """Return the settled views of a study, and the folder that its files are relative to."""
    from cxrview.cli.annotate.shared import IF_MOVED, opened

    with opened(where, str(root) if root else None) as study:
        from cxrview.annotate.labels import view_labels
        from cxrview.annotate.study import missing_root_message
        from cxrview.dataset.labelled import LabelledImages

        labels = view_labels(study)
        if missing := missing_root_message(study):
            raise UsageError(missing, IF_MOVED)
        return LabelledImages(images=labels, folder=Path(study.study.root))


def _scaling(name: str | None, seed: int) -> Callable[["Split"], "Split"]:
    """Return a function that scales a split; an unknown scale is refused before images are read."""
    if name is None:
        return lambda complete: complete
    from cxrview.paper.scale import scale_named, scaled_split

    scale = scale_named(name)
    return lambda complete: scaled_split(complete, scale, seed)


def _numbers(text: str, option: str) -> list[Fraction]:
    try:
        return [Fraction(part.strip()) for part in text.split(",")]
    except (ValueError, ZeroDivisionError):
        raise UsageError(f"{option} takes three numbers such as 60,20,20; got {text}") from None


def _whole(number: Fraction) -> int:
    if number.denominator != 1:
        raise UsageError(f"--counts are whole images; got {float(number):g}")
    return int(number)


def _table(chosen: "Split", images: "Sequence[Label | PreparedImage]") -> str:
    """Return a line with the images, views and patients of each partition."""
    from cxrview.terms import Partition, View

    lines = []
    for part in Partition:
        of = [image for image in images if chosen.partitions.get(image.file) is part]
        frontal = sum(image.view is View.FRONTAL for image in of)
        lines.append(
            f"{part:10} {plural(len(of), 'image', form='6')} "
            f"({frontal} frontal, {len(of) - frontal} lateral) of {count_patients(of)}"
        )
    if left := len(images) - len(chosen.partitions):
        lines.append(f"{'left out':10} {plural(left, 'image', form='6')}")
    return "\n".join(lines)
