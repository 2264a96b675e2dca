"""`cxrview split`: training, validation and test images of a labelled set."""

from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cxrview.cli.shared.patients import count_patients
from cxrview.errors import UsageError
from cxrview.wording import plural

if TYPE_CHECKING:
    from cxrview.records import Label, PreparedImage, Split


def split(
    labelled: Annotated[
        str,
        typer.Argument(
            metavar="STORE|LABELS|STUDY",
            help="A store of cxrview prepare, a labels file, or an annotation study, whose "
            "settled views count. A store also tells the same picture in two formats; files are "
            "compared by their bytes only.",
            show_default=False,
        ),
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="The split: .csv or .parquet, one row an image.",
            show_default=False,
        ),
    ] = None,
    by: Annotated[
        str,
        typer.Option(
            metavar="patient|image|rule",
            help="Keep a patient's images together, draw by image as the paper did, or take the "
            "published rule of the shipped model, which takes no sizes and no seed.",
        ),
    ] = "patient",
    counts: Annotated[
        str | None,
        typer.Option(
            metavar="N,N,N",
            help="Images in training, validation and test; the paper's are 1129,376,377. What is "
            "left over is left out.",
            show_default=False,
        ),
    ] = None,
    shares: Annotated[
        str | None,
        typer.Option(
            metavar="P,P,P", help="The same in percent. [default: 60,20,20]", show_default=False
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="Another seed gives another split.")] = 0,
    scale: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Leave out what a study of this scale has no use for: smoke, laptop, night or "
            "paper, which leaves out nothing.",
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
        typer.Option(
            metavar="FOLDER",
            help="Where the images of STUDY lie now, if they have moved since it was made.",
            show_default="the study's own",
        ),
    ] = None,
    check: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Write nothing; say whether this split, whoever made it, is sound.",
            show_default=False,
        ),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace a split that stands there.")
    ] = False,
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
        raise UsageError("name either --out for a new split or --check for one that there is")
    if counts and shares:
        raise UsageError("--counts and --shares exclude each other")
    if by == "rule" and (counts or shares):
        raise UsageError("the published rule takes no sizes: leave out --counts and --shares")
    if out:
        split_format(out)
        if out.exists() and not overwrite:
            raise UsageError(f"{out} exists already", "Replace it with --overwrite")
    scaled = _scaling(scale, seed)
    images, content = _images(labelled, source, root)
    if check:
        chosen = read_split(check)
    else:
        whole = split_images(
            images,
            by=by,
            shares=_numbers(shares, "--shares") if shares else SHARES,
            counts=[_whole(n) for n in _numbers(counts, "--counts")] if counts else None,
            seed=seed,
        )
        chosen = scaled(whole)
    check_split(chosen, images, content)
    if out:
        write_split(out, chosen, images)
    typer.echo(_table(chosen, images))


def _images(
    labelled: str, sources: list[str] | None, root: Path | None
) -> "tuple[Sequence[Label | PreparedImage], dict[str, str]]":
    from cxrview.cli.annotate.shared import is_study
    from cxrview.dataset.labels import read_labels
    from cxrview.dataset.split import hash_files
    from cxrview.dataset.store import open_prepared

    if root and not is_study(labelled):
        raise UsageError("--root is for an annotation study: leave it out")
    images: Sequence[Label | PreparedImage]
    store = open_prepared(Path(labelled)) if Path(labelled).is_dir() else None
    folder = Path(labelled).parent
    if store:
        images = store.images
    elif is_study(labelled):
        images, folder = _images_of_study(labelled, root)
    else:
        images = read_labels(Path(labelled), need_patients=False)
    if sources:
        unknown = set(sources) - {image.source for image in images}
        if unknown:
            raise UsageError(f"no image is of source {', '.join(sorted(unknown))}")
        images = [image for image in images if image.source in sources]
    if not images:
        raise UsageError(f"{labelled} holds no frontal and no lateral image")
    return images, store.content if store else hash_files(images, folder)


def _images_of_study(where: str, root: Path | None) -> "tuple[list[Label], Path]":
    """Its settled views, and the folder that their files are named from."""
    from cxrview.cli.annotate.shared import IF_MOVED, opened

    with opened(where, str(root) if root else None) as study:
        from cxrview.annotate.labels import view_labels
        from cxrview.annotate.study import missing_images

        labels = view_labels(study)
        if lack := missing_images(study):
            raise UsageError(lack, IF_MOVED)
        return labels, Path(study.study.root)


def _scaling(name: str | None, seed: int) -> Callable[["Split"], "Split"]:
    """What a scale leaves of a split; a name that is none is refused before images are read."""
    if name is None:
        return lambda whole: whole
    from cxrview.paper.scale import scale_named, scaled_split

    scale = scale_named(name)
    return lambda whole: scaled_split(whole, scale, seed)


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
    """Images, views and patients of each partition, a line each."""
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
