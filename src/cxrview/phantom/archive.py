"""Draws an archive of radiographs in a folder, like an export from a hospital's archive."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import cycle
from pathlib import Path
from typing import TextIO

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from cxrview.atomic_files import PART, raising_cannot_write
from cxrview.csv_files import read_csv_rows, write_csv
from cxrview.errors import UsageError
from cxrview.phantom.damage import DAMAGES
from cxrview.phantom.dicom import Shot, make_instance, make_report, to_bytes
from cxrview.phantom.encode import find_syntax
from cxrview.phantom.hand import build_hand
from cxrview.phantom.mislabel import HEADER_FAULTS
from cxrview.phantom.patient import Patient, draw_patient
from cxrview.phantom.render import Technique, choose_technique, render, render_patient
from cxrview.terms import Projection, View

NONE = "none"
"""In a list of faults: an image without a fault."""
DEFAULT_SYNTAXES = (
    "native",
    "jpeg-lossless",
    "implicit",
    "jpeg-2000",
    "rle",
    "jpeg-ls",
    "jpeg",
    "htj2k",
    "big-endian",
    "jpeg-2000-lossy",
    "deflated",
    "jpeg-extended",
    "jpeg-lossless-p14",
    "jpeg-ls-near",
)
"""All syntaxes, the most common first, so that a small archive has some of each."""
DEFAULT_HEADER_FAULTS = (NONE, "view-wrong", NONE, "view-missing", NONE, NONE, "free-text")
DEFAULT_DAMAGES = ("truncated",)
STUDIES = (
    (Projection.PA, Projection.LL),
    (Projection.PA, Projection.RL),
    (Projection.AP,),
    (Projection.PA, Projection.LL),
)
"""Projections of one patient after the other, repeated from the start."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """One file of a drawn archive, and its truth."""

    file: str
    """Path relative to the archive's folder, with forward slashes."""
    patient: str
    """Patient ID (0010,0020)."""
    view: View | None
    """None if it is not a chest radiograph."""
    projection: Projection | None
    syntax: str
    """The command's name of it."""
    header_fault: str
    """Empty if the header is correct."""
    damage: str
    """Empty if the file is not damaged."""


def draw_archive(
    out: Path,
    *,
    patients: int = 6,
    projections: Sequence[Projection] | None = None,
    size: tuple[int, int] = (1024, 840),
    seed: int = 0,
    syntaxes: Sequence[str] | None = None,
    bits: int = 12,
    monochrome1: float = 0.3,
    header_faults: Sequence[str] | None = None,
    damages: Sequence[str] | None = None,
    strangers: bool = True,
    overwrite: bool = False,
) -> list[Drawn]:
    """Draw an archive in a folder, and write its truth to a table next to the folder.

    The same arguments give the same bytes.

    Args:
        out: the folder; the table has its name with `.truth.csv` added.
        patients: number of patients, at least 1.
        projections: of each patient; None for `STUDIES`.
        size: rows and columns, each at least 64.
        seed: 0 or more; other seeds give other patients.
        syntaxes: of one image after the other, repeated; None for all.
        bits: stored per pixel, 8 to 16; a syntax may reduce them to what it supports.
        monochrome1: share of the images that are MONOCHROME1, 0 to 1.
        header_faults: of one image after the other, `none` for a correct header; None for a mix.
        damages: each adds one file; None for one truncated file.
        strangers: add a report and a hand, which are not chest radiographs.
        overwrite: use a folder that is not empty; the files in its table, or those that a stopped
            call wrote, are removed first, other files stay.

    Raises:
        UsageError: if a name is unknown, a number out of range, or the folder is not empty.
        CannotWrite: the disk is full or not writable; what is drawn stays, without its truth, and
            is listed in a file with the name of the table and `.part`.
    """
    _check(patients, size, bits, monochrome1, seed)
    make_faults = _known(header_faults, DEFAULT_HEADER_FAULTS, tuple(HEADER_FAULTS), "header fault")
    make_damages = _known(damages, DEFAULT_DAMAGES, tuple(DAMAGES), "damage")
    for name in syntaxes or ():
        find_syntax(name)
    plan = _Plan(
        size=size,
        seed=seed,
        bits=bits,
        monochrome1=monochrome1,
        syntaxes=tuple(syntaxes or DEFAULT_SYNTAXES),
        header_faults=make_faults or (NONE,),
        damages=tuple(name for name in make_damages if name != NONE),
        strangers=strangers,
    )
    truth_path = truth_table(out)
    begun = _begun_list(truth_path)
    _check_folder(out, truth_path, overwrite)
    with raising_cannot_write(out):
        if overwrite:
            _remove_earlier(out, truth_path)
        out.mkdir(parents=True, exist_ok=True)
        with begun.open("w", encoding="utf-8", newline="\n") as names:
            drawn = [_save(out, *file, names) for file in _files(plan, patients, projections)]
        _write_truth(truth_path, drawn)
        begun.unlink()
    return drawn


def truth_table(out: Path) -> Path:
    """Give the path of the table of the truth, next to the folder."""
    whole = out.resolve()
    return whole.with_name(f"{whole.name}.truth.csv")


def _begun_list(truth: Path) -> Path:
    """Give the path of the list of files that a drawing began to write, a line each."""
    return truth.with_name(truth.name + PART)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plan:
    size: tuple[int, int]
    seed: int
    bits: int
    monochrome1: float
    syntaxes: tuple[str, ...]
    header_faults: tuple[str, ...]
    damages: tuple[str, ...]
    strangers: bool


def _check(patients: int, size: tuple[int, int], bits: int, monochrome1: float, seed: int) -> None:
    for holds, reason in (
        (patients >= 1, f"an archive needs at least one patient; got {patients}"),
        (min(size) >= 64, f"an image needs at least 64 rows and columns; got {size}"),
        (max(size) <= 20_000, f"an image has at most 20,000 rows and columns; got {size}"),
        (8 <= bits <= 16, f"a pixel stores 8 to 16 bits; got {bits}"),
        (0 <= monochrome1 <= 1, f"the share of MONOCHROME1 is 0 to 1; got {monochrome1}"),
        (seed >= 0, f"a seed is 0 or more; got {seed}"),
    ):
        if not holds:
            raise UsageError(reason)


def _known(
    asked: Sequence[str] | None, default: Sequence[str], known: Sequence[str], kind: str
) -> tuple[str, ...]:
    names = tuple(default if asked is None else asked)
    if names == ("all",):
        return tuple(known)
    for name in names:
        if name not in (*known, NONE):
            raise UsageError(
                f"{kind} {name} does not exist", "cxrview phantom --list-faults lists them"
            )
    return names


def _check_folder(out: Path, truth: Path, overwrite: bool) -> None:
    taken = out.exists() and (not out.is_dir() or any(out.iterdir()))
    if taken and (not overwrite or not out.is_dir()):
        raise UsageError(
            f"{out} already exists and is not empty", "Choose another folder, or use --overwrite"
        )
    if truth.exists() and not overwrite:
        raise UsageError(
            f"{truth} already exists", "Remove it, choose another folder, or use --overwrite"
        )


def _remove_earlier(out: Path, truth: Path) -> None:
    begun, named = _begun_list(truth), list[str]()
    if truth.exists():
        named += [row.get("file") or "" for row in read_csv_rows(truth)]
    if begun.exists():
        # A last line without its end may be a part of a name.
        named += begun.read_text(encoding="utf-8", errors="replace").split("\n")[:-1]
    inside = out.resolve()
    for name in filter(None, named):
        file = (out / name).resolve()
        # A manipulated table must not remove files outside the folder.
        if inside in file.parents:
            file.unlink(missing_ok=True)
    # Both would name files of the new drawing if that is stopped.
    truth.unlink(missing_ok=True)
    begun.unlink(missing_ok=True)


def _files(
    plan: _Plan, patients: int, projections: Sequence[Projection] | None
) -> Iterator[tuple[Drawn, bytes]]:
    """Yield every file with its bytes: patient by patient, then damaged files and other objects."""
    syntaxes, faults = cycle(plan.syntaxes), cycle(plan.header_faults)
    rng = np.random.default_rng([plan.seed, 0])
    kept: list[tuple[Shot, NDArray[np.uint16]]] = []
    for number in range(1, patients + 1):
        patient = draw_patient(number, plan.seed)
        for series, projection in enumerate(projections or STUDIES[(number - 1) % 4], start=1):
            shot = _shot(plan, patient, projection, series, rng)
            pixels = render_patient(patient, projection, plan.size, plan.bits)
            yield _chest(shot, pixels, next(syntaxes), next(faults))
            if len(kept) < len(plan.damages):
                kept.append((shot, pixels))
    for index, name in enumerate(plan.damages):
        yield _damaged(*kept[index % len(kept)], name, index)
    if plan.strangers:
        yield from _strangers(plan, patients)


def _shot(
    plan: _Plan,
    patient: Patient,
    projection: Projection,
    series: int,
    rng: np.random.Generator,
) -> Shot:
    return Shot(
        patient=patient,
        projection=projection,
        archive_seed=plan.seed,
        series=series,
        bits=plan.bits,
        pixel_mm=choose_technique(patient, projection, plan.size).pixel_mm,
        is_digital=bool(rng.random() < 0.4),
        is_monochrome1=bool(rng.random() < plan.monochrome1),
    )


def _chest(shot: Shot, pixels: NDArray[np.uint16], syntax: str, fault: str) -> tuple[Drawn, bytes]:
    dataset = make_instance(pixels, shot, find_syntax(syntax))
    if fault != NONE:
        HEADER_FAULTS[fault].apply(dataset, shot.projection)
    is_chest = fault != "hand"
    return (
        Drawn(
            file=_place(shot.patient, shot.series),
            patient=str(dataset.PatientID),
            view=shot.view if is_chest else None,
            projection=shot.projection if is_chest else None,
            syntax=syntax,
            header_fault="" if fault == NONE else fault,
            damage="",
        ),
        to_bytes(dataset),
    )


def _damaged(shot: Shot, pixels: NDArray[np.uint16], name: str, index: int) -> tuple[Drawn, bytes]:
    again = replace(shot, series=90 + index)
    dataset = make_instance(pixels, again, find_syntax("native"))
    drawn = Drawn(
        file=_place(shot.patient, again.series),
        patient=str(dataset.PatientID),
        view=shot.view,
        projection=shot.projection,
        syntax="native",
        header_fault="",
        damage=name,
    )
    return drawn, DAMAGES[name].apply(dataset)


def _strangers(plan: _Plan, patients: int) -> Iterator[tuple[Drawn, bytes]]:
    """Draw one more patient's hand, and write a report without pixels."""
    patient = draw_patient(patients + 1, plan.seed)
    shot = Shot(patient=patient, projection=Projection.PA, archive_seed=plan.seed, bits=plan.bits)
    pixels = render(build_hand(patient), _for_a_hand(plan, patient), plan.size, plan.bits)
    hand = make_instance(pixels, shot, find_syntax("native"))
    HEADER_FAULTS["hand"].apply(hand, shot.projection)
    for series, dataset in ((1, hand), (2, make_report(shot))):
        yield _stranger(patient, series, dataset), to_bytes(dataset)


def _for_a_hand(plan: _Plan, patient: Patient) -> Technique:
    technique = choose_technique(patient, Projection.PA, plan.size)
    height, width = technique.beam.field_mm
    beam = replace(
        technique.beam,
        field_mm=(height * 0.6, width * 0.6),
        centre_mm=(15.0, 0.0),
        detector_mm=20.0,
    )
    return replace(technique, beam=beam, pixel_mm=technique.pixel_mm * 0.6)


def _stranger(patient: Patient, series: int, dataset: Dataset) -> Drawn:
    return Drawn(
        file=_place(patient, series),
        patient=str(dataset.PatientID),
        view=None,
        projection=None,
        syntax="native",
        header_fault="",
        damage="",
    )


def _place(patient: Patient, series: int) -> str:
    """Name a file as exports do: without an ending, from some machines with one."""
    ending = ".dcm" if patient.number % 3 == 0 else ""
    return f"PAT{patient.number:05d}/STUDY001/IM{series:04d}{ending}"


def _save(out: Path, drawn: Drawn, content: bytes, names: TextIO) -> Drawn:
    """Write a file after its name, so that a stopped drawing can be removed."""
    names.write(f"{drawn.file}\n")
    names.flush()
    path = out / drawn.file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return drawn


def _write_truth(path: Path, drawn: Sequence[Drawn]) -> None:
    columns = ("file", "patient", "view", "projection", "syntax", "header_fault", "damage")
    write_csv(path, columns, ([getattr(one, name) for name in columns] for one in drawn))
