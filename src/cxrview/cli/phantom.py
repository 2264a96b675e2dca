"""`cxrview phantom`: draw an archive of invented chest radiographs."""

from pathlib import Path
from typing import Annotated

import typer

from cxrview.cli.shared.options import OverwriteFlag, SeedOption
from cxrview.terms import Projection
from cxrview.wording import plural


def phantom(
    out: Annotated[
        Path | None,
        typer.Argument(help="Folder to draw into; the truth is written beside it."),
    ] = None,
    patients: Annotated[
        int, typer.Option("--patients", "--number", min=1, help="How many patients.")
    ] = 6,
    size: Annotated[
        str, typer.Option(help="Rows x columns of each picture; the longer side is 43 cm.")
    ] = "1024x840",
    seed: SeedOption = 0,
    projection: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="PA, AP, LL or RL of every patient; repeatable.",
            show_default="a mix",
        ),
    ] = None,
    syntax: Annotated[
        list[str] | None,
        typer.Option(help="Transfer syntax, given to the images in turn; repeatable."),
    ] = None,
    bits: Annotated[int, typer.Option(min=8, max=16, help="Stored for each pixel.")] = 12,
    monochrome1: Annotated[
        float, typer.Option(min=0, max=1, help="Part of the images that are MONOCHROME1.")
    ] = 0.3,
    header_fault: Annotated[
        list[str] | None,
        typer.Option(help="Given to the images in turn, `none` for a correct header; repeatable."),
    ] = None,
    damage: Annotated[
        list[str] | None,
        typer.Option(help="Each adds one damaged or odd file; `all`, or `none`; repeatable."),
    ] = None,
    strangers: Annotated[
        bool,
        typer.Option(metavar="", help="Add a hand and a report, which are not chest radiographs."),
    ] = True,
    overwrite: OverwriteFlag = False,
    list_faults: Annotated[
        bool,
        typer.Option(
            "--list-faults", metavar="", help="Name every syntax, header fault and damage."
        ),
    ] = False,
) -> None:
    """Draw an archive of chest radiographs of invented patients, as DICOM with any fault.

    Exit code: 0 done, 2 usage error, 3 folder not writable.
    """
    from cxrview.errors import UsageError
    from cxrview.phantom.archive import draw_archive, truth_table

    if list_faults:
        typer.echo(_all_names())
        return
    if out is None:
        raise UsageError("no folder to draw into was given", "Use cxrview phantom OUT")
    drawn = draw_archive(
        out,
        patients=patients,
        projections=_projections(projection),
        size=_size(size),
        seed=seed,
        syntaxes=syntax,
        bits=bits,
        monochrome1=monochrome1,
        header_faults=header_fault,
        damages=damage,
        strangers=strangers,
        overwrite=overwrite,
    )
    truth, beside = truth_table(out), Path(f"{out}.truth.csv")
    if beside.resolve() != truth:  # beside the folder itself: of a link, or of `.`
        beside = truth
    typer.echo(f"{plural(len(drawn), 'file')} in {out}, the truth about them in {beside}")


def _size(text: str) -> tuple[int, int]:
    from cxrview.errors import UsageError

    parts = text.lower().split("x")
    if len(parts) != 2 or not all(part.strip().isdecimal() for part in parts):
        raise UsageError(f"a size is rows x columns, such as 1024x840; got {text}")
    return int(parts[0]), int(parts[1])


def _projections(names: list[str] | None) -> list[Projection] | None:
    from cxrview.errors import UsageError

    if not names:
        return None
    try:
        return [Projection(name.upper()) for name in names]
    except ValueError:
        raise UsageError("a projection is PA, AP, LL or RL") from None


def _all_names() -> str:
    from cxrview.phantom.damage import DAMAGES
    from cxrview.phantom.encode import SYNTAXES
    from cxrview.phantom.mislabel import HEADER_FAULTS

    lines = ["Transfer syntaxes (--syntax)"]
    lines += [f"  {one.name:<20}{one.uid}" for one in SYNTAXES.values()]
    lines += ["", "Header faults (--header-fault)"]
    lines += [f"  {one.name:<20}{one.what}" for one in HEADER_FAULTS.values()]
    lines += ["", "Damages (--damage), and what a reader may make of each"]
    lines += [
        f"  {one.name:<20}{one.what}: {' or '.join(sorted(one.expected))}"
        for one in DAMAGES.values()
    ]
    return "\n".join(lines)
