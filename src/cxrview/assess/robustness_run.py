"""Runs a model on changed radiographs, for the robustness figure and the robustness table."""

import hashlib
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cxrview.assess.modify import MODIFICATIONS, Modification, figure_modifications
from cxrview.assess.robustness import Predict, count_modified, score_modified
from cxrview.assess.robustness_files import write_modified_counts
from cxrview.assess.score_files import read_scores, write_scores
from cxrview.errors import UsageError
from cxrview.records import Box, ModifiedCount, ModifiedImage, Scores
from cxrview.records.pixels import square_picture

TABLE, COUNTS, PARTS = "robustness.parquet", "robustness.csv", "parts"
BATCH = 64
"""Pictures of one call of a model."""
_ADVICE = "Name a new folder, or replace it with --overwrite"


def modified_images(
    pixels: NDArray[np.uint8], box: Box | None = None
) -> list[tuple[str, NDArray[np.uint8]]]:
    """Change one radiograph as the paper's Fig 6 does.

    Args:
        pixels: shape (side, side), uint8, squashed.
        box: around a marker in it; where None, a marker is added instead of moved and blanked.

    Returns:
        Title and picture: as it was, text label, rotation, half obscured, cropped.

    Raises:
        ValueError: pixels of another type, range or shape.
    """
    pixels = square_picture(pixels)
    return [(row.title, row.make(pixels)) for row in figure_modifications(box)]


def score_modified_images(
    pixels: NDArray[np.uint8], predict: Predict, box: Box | None = None
) -> tuple[ModifiedImage, ...]:
    """Change one radiograph as the paper's Fig 6 does, and run a model on each picture.

    Args:
        pixels: shape (side, side), uint8, squashed.
        predict: (n, side, side) uint8 to PFI in percent, (n,); n is at most BATCH.
        box: as for `modified_images`.

    Raises:
        ValueError: pixels of another type, range or shape.
    """
    pixels = square_picture(pixels)
    rows = figure_modifications(box)
    pictures = [row.make(pixels) for row in rows]
    return tuple(
        ModifiedImage(
            modification=row.kind,
            severity=row.severity,
            title=row.title,
            pixels=picture,
            pfi=float(pfi),
        )
        for row, picture, pfi in zip(rows, pictures, predict(np.stack(pictures)), strict=True)
    )


def assess_partition(
    pixels: NDArray[np.uint8],
    is_frontal: NDArray[np.bool_],
    files: NDArray[np.str_],
    patients: NDArray[np.str_],
    sources: NDArray[np.str_],
    predict: Predict,
    cutoff: float,
    out: Path,
    watch: Callable[[int], None] = lambda done: None,
    *,
    classifier: str = "network",
    drawn_from: int | None = None,
    modifications: tuple[Modification, ...] = MODIFICATIONS,
    overwrite: bool = False,
    scale: str = "",
) -> tuple[ModifiedCount, ...]:
    """Run a model on all images under all modifications, and count what it gets right.

    The same call resumes a run that was stopped: what `out` holds of these images, this model
    and this modification is not computed again. Another cutoff is counted without computing.

    Args:
        pixels: shape (n, side, side), uint8, squashed.
        is_frontal: shape (n,), the truth.
        files: shape (n,), as in the labels file, all different.
        patients: shape (n,).
        sources: shape (n,).
        predict: (m, side, side) uint8 to PFI in percent, (m,); m is at most BATCH.
        cutoff: percent; frontal where PFI is at least this.
        out: folder for `robustness.csv`, `robustness.parquet`, and `parts`, which only a
            resumed run reads.
        watch: called with the number of images done since the last call; `n` for each
            modification in all.
        classifier: name of the model, another one for other weights, as `ModelCard.model_id`.
        drawn_from: number of images of the partition, where these are a sample of it.
        modifications: the rows; the unmodified image must be among them.
        overwrite: replace a table of another model or of other images.
        scale: how the model's training was scaled, in words; in every row of `robustness.csv`.

    Returns:
        One count for each modification.

    Raises:
        UsageError: `pixels` is empty, or `out` holds a table of another model or other images.
        CannotWrite: `out` cannot be written.
    """
    if not len(pixels):
        raise UsageError("no image was given to modify")
    unscored = Scores(
        classifier=classifier,
        files=files,
        patients=patients,
        variants=np.full(len(files), ""),
        is_frontal=is_frontal,
        pfi=np.zeros(len(files)),
        facts={"source": sources},
    )
    if not overwrite:
        _refuse_another(out / TABLE, unscored)
    images = _sha256(pixels, unscored)
    parts = [
        _part(out / PARTS / _file_name(row, images, pixels), pixels, unscored, row, predict, watch)
        for row in modifications
    ]
    scores = _join(parts)
    write_scores(out / TABLE, [scores])
    counts = count_modified(scores, cutoff=cutoff, drawn_from=drawn_from)
    write_modified_counts(out / COUNTS, counts, classifier=classifier, cutoff=cutoff, scale=scale)
    return counts


def draw_images(count: int, sample: int | None, seed: int) -> NDArray[np.intp]:
    """Draw `sample` of `count` numbers by seed, in ascending order; all where None or not fewer.

    Returns:
        Shape (min(sample, count),), each from 0 to count - 1.
    """
    drawn = np.random.default_rng(seed).permutation(count)[:sample]
    return np.sort(drawn)


def _refuse_another(path: Path, unscored: Scores) -> None:
    if not path.exists():
        return
    standing = read_scores(path)
    first = standing[0].where(standing[0].is_progenitor) if standing else None
    if first is None or first.classifier != unscored.classifier:
        raise UsageError(f"{path} is of another model", _ADVICE)
    if not np.array_equal(first.files, unscored.files):
        raise UsageError(f"{path} is of other images", _ADVICE)


def _part(
    path: Path,
    pixels: NDArray[np.uint8],
    unscored: Scores,
    row: Modification,
    predict: Predict,
    watch: Callable[[int], None],
) -> Scores:
    """One modification of all images; read from disk where an earlier run has finished it."""
    with suppress(UsageError):  # the file is missing, or incomplete after a power cut
        (found,) = read_scores(path)
        watch(len(found))
        return found
    pfi = score_modified(pixels, row, predict, batch=BATCH, watch=watch)
    made = replace(unscored, variants=np.full(len(pfi), row.name), pfi=pfi)
    write_scores(path, [made])
    return made


def _file_name(row: Modification, images: bytes, pixels: NDArray[np.uint8]) -> str:
    """A name that differs with model, images and modification (by its result on the first one)."""
    digest = hashlib.sha256(images + row.make(pixels[0]).tobytes()).hexdigest()[:16]
    return f"{row.name.replace('/', '-')}-{digest}.parquet"


def _sha256(pixels: NDArray[np.uint8], of: Scores) -> bytes:
    digest = hashlib.sha256(repr((of.classifier, pixels.shape)).encode())
    for column in (of.files, of.patients, of.is_frontal, of.facts["source"]):
        digest.update(repr(column.tolist()).encode(errors="surrogateescape"))
    for picture in pixels:  # one by one: they may be mapped from disk
        digest.update(picture.tobytes())
    return digest.digest()


def _join(parts: Sequence[Scores]) -> Scores:
    return replace(
        parts[0],
        files=np.concatenate([part.files for part in parts]),
        patients=np.concatenate([part.patients for part in parts]),
        variants=np.concatenate([part.variants for part in parts]),
        is_frontal=np.concatenate([part.is_frontal for part in parts]),
        pfi=np.concatenate([part.pfi for part in parts]),
        facts={"source": np.concatenate([part.facts["source"] for part in parts])},
    )
