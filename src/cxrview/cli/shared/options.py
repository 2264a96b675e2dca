"""Options that several commands have, each declared once.

A command uses the alias as the type of its parameter: `seed: SeedOption = 0`. If the help text
differs between commands, a function creates the option: `Annotated[Path, out_folder(...)]`. Paths
that must exist are checked here, before the command does any work.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

from cxrview.errors import UsageError
from cxrview.terms import ShippedModel

Paths = TypeVar("Paths", bound=Path | Sequence[Path] | None)


def existing_path(paths: Paths) -> Paths:
    """Check that paths exist; the callback of options and arguments.

    Raises:
        UsageError: a file or folder does not exist; the message names it.
    """
    for path in _each(paths):
        try:
            found = path.exists()
        except OSError:  # a name that is too long, or a folder that may not be entered
            found = False
        if not found:
            raise UsageError(f"{path} does not exist", "Check the path")
    return paths


def existing_file(paths: Paths) -> Paths:
    """Check that paths exist and are not folders.

    Raises:
        UsageError: as `existing_path`; or the path is a folder.
    """
    existing_path(paths)
    for path in _each(paths):
        if path.is_dir():
            raise UsageError(f"{path} is a folder", "Name a file")
    return paths


def _each(paths: Path | Sequence[Path] | None) -> Sequence[Path]:
    return [paths] if isinstance(paths, Path) else paths or ()


def out_folder(holds: str, **more: Any) -> Any:
    """Create the option `--out FOLDER`.

    Args:
        holds: the files that are written there, such as `model.onnx and card.json.`
        more: arguments of `typer.Option`.
    """
    chosen = {"metavar": "FOLDER", "show_default": False, **more}
    return typer.Option("--out", help=f"Folder for {holds}", **chosen)


def out_file(holds: str, **more: Any) -> Any:
    """Create the option `--out FILE`; arguments as `out_folder`."""
    chosen = {"metavar": "FILE", "show_default": False, **more}
    return typer.Option("--out", help=f"File for {holds}", **chosen)


def in_path(metavar: str, help: str, **more: Any) -> Any:
    """Create an argument or, with `flag`, an option for a file or folder that must exist.

    Args:
        metavar: name in the help, such as `LABELS`.
        help: the content of the file or folder.
        more: `flag`, the name of the option; others are arguments of `typer.Option`.
    """
    flag = more.pop("flag", None)
    chosen = {"show_default": False, "callback": existing_path, **more}
    if flag is None:
        return typer.Argument(metavar=metavar, help=help, **chosen)
    return typer.Option(flag, metavar=metavar, help=help, **chosen)


def in_file(metavar: str, help: str, **more: Any) -> Any:
    """Create an argument or option for a file that must exist; see `in_path`."""
    return in_path(metavar, help, **{"callback": existing_file, **more})


def refuse_existing(path: Path, overwrite: bool) -> None:
    """Check that a file may be written.

    Raises:
        UsageError: the file exists, and `overwrite` is false.
    """
    if path.exists() and not overwrite:
        raise UsageError(f"{path} already exists", "Choose another --out, or use --overwrite")


def existing_model(model: str) -> str:
    """Check that the name of a model is one in the package or an existing path.

    Raises:
        UsageError: the path does not exist.
    """
    if model not in list(ShippedModel):
        existing_path(Path(model))
    return model


OverwriteFlag = Annotated[
    bool, typer.Option("--overwrite", metavar="", help="Replace an existing result.")
]
SeedOption = Annotated[
    int,
    typer.Option(
        "--seed", min=0, metavar="N", help="Seed of all random choices: same seed, same result."
    ),
]
ModelOption = Annotated[
    str,
    typer.Option(
        "--model",
        metavar="FOLDER|default|fast|googlenet",
        callback=existing_model,
        help="Folder with model.onnx and card.json, or a model in the package: fast, which leaves "
        "what it is not sure of to googlenet, or googlenet alone; default is fast.",
    ),
]
DeviceOption = Annotated[
    str,
    typer.Option(
        "--device", metavar="auto|cpu|cuda", help="Train on this; auto: cuda where there is a GPU."
    ),
]
BatchWorkersOption = Annotated[
    int | None,
    typer.Option(
        "--workers",
        min=0,
        metavar="N",
        help="Processes that prepare batches in advance; the batches are the same with any number.",
        show_default="0; all cores but one for cuda",
    ),
]
ReadWorkersOption = Annotated[
    int, typer.Option("--workers", min=1, metavar="N", help="Processes that read images.")
]
SplitOption = Annotated[
    Path | None,
    in_file(
        "FILE",
        "Made by cxrview split: the partition of each image.",
        flag="--split",
        show_default="the published rule",
    ),
]
RecipeOption = Annotated[
    str,
    typer.Option(
        "--recipe",
        metavar="world|wide",
        help="world also learns what is not a chest radiograph; wide knows the two views only.",
    ),
]
PUBLISHED_HELP = "The published BVLC GoogLeNet as arrays, with which every training begins."
PublishedOption = Annotated[Path, in_file("NPZ", PUBLISHED_HELP, flag="--published")]
PhotographsOption = Annotated[
    Path | None,
    in_path(
        "TAR|FOLDER",
        "For recipe world: photographs of anything, as examples of what is not a chest.",
        flag="--photographs",
    ),
]
LeftOutOption = Annotated[
    Path | None,
    in_path(
        "FOLDER",
        "Made by cxrview assess recipe with the same recipe; helps to set the review band and the "
        "chest cutoff, and is quoted in the card.",
        flag="--left-out",
    ),
]
ScaleOption = Annotated[
    str,
    typer.Option(
        "--scale", metavar="smoke|laptop|night|paper", help="How much of the paper's study is done."
    ),
]
PicturesOption = Annotated[
    Path | None,
    in_path(
        "FOLDER|TAR",
        "Photographs for grey pre-training: train/<wnid>/* and val/<wnid>/*, or <wnid>/* alone.",
        flag="--pictures",
    ),
]
ClassesOption = Annotated[
    Path | None,
    in_file(
        "CSV",
        "The 1,000 classes of ILSVRC with index, wnid and category.",
        flag="--classes",
    ),
]
HeadersOption = Annotated[
    Path | None,
    in_file(
        "CSV",
        "Headers of images that have none in their files, one row an image: file, Manufacturer, "
        "View Position, View Code Sequence; .csv or .csv.gz.",
        flag="--headers",
    ),
]
RootOption = Annotated[
    Path | None,
    typer.Option(
        "--root",
        metavar="FOLDER",
        help="What relative paths in VIEWS are relative to; need not be mounted.",
        show_default="the working folder",
    ),
]
