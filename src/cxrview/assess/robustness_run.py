"""Run a model on modified radiographs, for the robustness figure and the robustness table."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cxrview.assess.cascade import DecidingModel, cascade_conditions, deciding_models
from cxrview.assess.modify import MODIFICATIONS, Modification, figure_modifications
from cxrview.assess.robustness import (
    Answer,
    Predict,
    answer_modified,
    count_modified,
    score_modified,
)
from cxrview.assess.robustness_files import write_modified_counts
from cxrview.assess.robustness_pose import answer_facts
from cxrview.assess.score_files import read_scores, read_scores_about, write_scores
from cxrview.callbacks import ignore
from cxrview.classify.model import Model
from cxrview.errors import UsageError
from cxrview.records.dataset import Prepared, PreparedImage
from cxrview.records.evaluation import Box, ModifiedCount, ModifiedImage
from cxrview.records.pixels import square_picture
from cxrview.records.scores import Scores, join_scores
from cxrview.terms import View

TABLE, COUNTS, PARTS = "robustness.parquet", "robustness.csv", "parts"
BATCH = 64
"""Number of pictures of one call of a model."""
MODEL_ID = "model_id"
"""Fact of the scores of a cascade: the model that answered, as in a result."""
_PIXELS = "pixels_sha256"
_ADVICE = "Name a new folder, or replace it with --overwrite"


def modified_images(
    pixels: NDArray[np.uint8], box: Box | None = None
) -> list[tuple[str, NDArray[np.uint8]]]:
    """Modify one radiograph as in the paper's Fig 6.

    Args:
    pixels: shape (side, side), uint8, squashed.
    box: around a marker in it, which is then moved and blanked; None adds a marker.

    Returns:
    Title and picture: unmodified, text label, rotation, half obscured, cropped.

        Raises:
            ValueError: pixels of another type, range or shape.
    """
    pixels = square_picture(pixels)
    return [(row.title, row.make(pixels)) for row in figure_modifications(box)]


def score_modified_images(
    pixels: NDArray[np.uint8], answer: Answer, box: Box | None = None
) -> tuple[ModifiedImage, ...]:
    """Modify one radiograph as in the paper's Fig 6, and run a model on each picture.

    Args:
        pixels: shape (side, side), uint8, squashed.
        answer: from (n, side, side) uint8 to the answers for n pictures; n is at most BATCH.
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
            pfi=given.pfi,
            is_of_second=given.is_of_second,
        )
        for row, picture, given in zip(rows, pictures, answer(np.stack(pictures)), strict=True)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ImagesToModify:
    """Images of known view for the robustness table; all arrays have the same order."""

    pixels: NDArray[np.uint8]
    """Shape (n, side, side), uint8, squashed."""
    is_frontal: NDArray[np.bool_]
    """Shape (n,), the truth."""
    files: NDArray[np.str_]
    """Shape (n,), as in the labels file, all different."""
    patients: NDArray[np.str_]
    """Shape (n,)."""
    sources: NDArray[np.str_]
    """Shape (n,)."""
    drawn_from: int
    """Number of images in the partition; more than n if these are a sample."""

    @classmethod
    def of(
        cls, store: Prepared, images: Sequence[PreparedImage], *, drawn_from: int
    ) -> "ImagesToModify":
        """Create it from images of a prepared store."""
        return cls(
            pixels=store.pixels[[image.row for image in images]],
            is_frontal=np.array([image.view is View.FRONTAL for image in images], bool),
            files=np.array([image.file for image in images], str),
            patients=np.array([image.patient for image in images], str),
            sources=np.array([image.source for image in images], str),
            drawn_from=drawn_from,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedClassifier:
    """A classifier, with its name and scale for the tables."""

    predict: Predict
    """From squashed pixels, (m, side, side) uint8, to PFI in percent, (m,); m is at most BATCH."""
    name: str
    """Identifies its weights, as `ModelCard.model_id` does."""
    scale: str = ""
    """The scale of its training, in words."""
    answer: Answer | None = None
    """As `predict`, to answers with those on the pose; None for a classifier without these."""
    thresholds: Mapping[str, float] = field(default_factory=dict)
    """As on a model card, for `answer`; empty for a classifier without answers on the pose."""
    second: Mapping[str, str] = field(default_factory=dict)
    """As `cascade_conditions` gives it."""
    second_model: DecidingModel | None = None
    """Of a cascade, whose answers say which model gave them."""

    @classmethod
    def of(cls, model: Model, cutoff: float | None = None) -> "NamedClassifier":
        """Create it from a model, with name, scale and thresholds from its card.

        Args:
            model: alone or with a second one.
            cutoff: of the second model, percent; None for that on its card.
        """
        card = model.card
        _, *second = deciding_models(model, cutoff)
        return cls(
            predict=model.pfi,
            name=card.model_id,
            scale=card.about.scale or "",
            answer=model.answer if card.thresholds or second else None,
            thresholds=card.thresholds,
            second=cascade_conditions(model),
            second_model=second[0] if second else None,
        )


def assess_partition(
    images: ImagesToModify,
    classifier: NamedClassifier,
    cutoff: float,
    out: Path,
    watch: Callable[[int], None] = ignore,
    *,
    modifications: tuple[Modification, ...] = MODIFICATIONS,
    overwrite: bool = False,
) -> tuple[ModifiedCount, ...]:
    """Run a classifier on all images under all modifications, and count correct images.

    If it is stopped, the same call resumes: scores in `out` of the same images, classifier and
    modification are not computed again, not even for another cutoff.

    Args:
        images: at least one.
        classifier: of the table.
        cutoff: percent; frontal if PFI is at least this. Of a cascade, that of the first model.
        out: folder for `robustness.csv`, `robustness.parquet`, and `parts`, which only a resume
        needs.
        watch: called with the number of further images done; `n` for each modification in all.
        modifications: the rows, including the unmodified image.
        overwrite: replace a table of another classifier or of other images.

    Returns:
        One count for each modification.

    Raises:
        UsageError: `images` is empty, or `out` has a table of another classifier or other images.
        CannotWrite: the disk is full or not writable.
    """
    if not len(images.pixels):
        raise UsageError("no image to modify was given")
    unscored = Scores(
        classifier=classifier.name,
        files=images.files,
        patients=images.patients,
        variants=np.full(len(images.files), ""),
        is_frontal=images.is_frontal,
        pfi=np.zeros(len(images.files)),
        facts={"source": images.sources},
    )
    about = {_PIXELS: _pixels_sha256(images.pixels), **classifier.second}
    if not overwrite:
        _refuse_another(out / TABLE, unscored, about)
    run = _Run(
        pixels=images.pixels,
        unscored=unscored,
        images_sha256=_inputs_sha256(images.pixels, unscored, classifier),
        classifier=classifier,
        folder=out / PARTS,
        watch=watch,
    )
    scores = join_scores([run.score(row) for row in modifications], classifier.name)
    write_scores(out / TABLE, [scores], about)
    models = [DecidingModel(model_id=classifier.name, cutoff=cutoff)]
    if classifier.second_model:
        models.append(classifier.second_model)
    counts = count_modified(
        scores,
        cutoff=cutoffs_of(scores, models),
        drawn_from=images.drawn_from,
        modifications=modifications,
    )
    write_modified_counts(out / COUNTS, counts, models, scale=classifier.scale)
    return counts


def cutoffs_of(scores: Scores, models: Sequence[DecidingModel]) -> NDArray[np.float64]:
    """Return the cutoff of the model that answered, shape (len(scores),), percent.

    Args:
        scores: of a cascade with the fact `model_id`.
        models: the model and, of a cascade, the second one.
    """
    cutoffs = np.full(len(scores), models[0].cutoff)
    for second in models[1:]:
        cutoffs[scores.facts[MODEL_ID] == second.model_id] = second.cutoff
    return cutoffs


@dataclass(frozen=True, slots=True, kw_only=True)
class _Run:
    """State that all modifications of one table share."""

    pixels: NDArray[np.uint8]
    unscored: Scores
    images_sha256: bytes
    classifier: NamedClassifier
    folder: Path
    watch: Callable[[int], None]

    def score(self, row: Modification) -> Scores:
        """Score one modification of all images, or read its scores of an earlier run."""
        path = self.folder / _file_name(row, self.images_sha256, self.pixels)
        with suppress(UsageError):  # it does not exist, or is damaged by a power failure
            (found,) = read_scores(path)
            self.watch(len(found))
            return found
        pfi, facts = self._run(row)
        made = replace(
            self.unscored,
            variants=np.full(len(pfi), row.name),
            pfi=pfi,
            facts={**self.unscored.facts, **facts},
        )
        write_scores(path, [made])
        return made

    def _run(self, row: Modification) -> tuple[NDArray[np.float64], dict[str, NDArray[np.str_]]]:
        """Return PFI under one modification, and further answers: pose, the model of a cascade."""
        of = self.classifier
        if of.answer is None:
            pfi = score_modified(self.pixels, row, of.predict, batch=BATCH, watch=self.watch)
            return pfi, {}
        answers = answer_modified(self.pixels, row, of.answer, batch=BATCH, watch=self.watch)
        facts: dict[str, NDArray[np.str_]] = {}
        if of.thresholds:
            if answers.pose is None:
                raise ValueError(f"{of.name} has no answers on the pose")
            facts |= answer_facts(answers.pose, of.thresholds)
        if of.second_model:
            if answers.is_of_second is None:
                raise ValueError(f"{of.name} does not say which model answered")
            facts[MODEL_ID] = np.where(answers.is_of_second, of.second_model.model_id, of.name)
        return answers.pfi, facts


def draw_images(count: int, sample: int | None, seed: int) -> NDArray[np.intp]:
    """Draw `sample` of `count` numbers by seed, in ascending order; all if None or not fewer.

    Returns:
        Shape (min(sample, count),), each from 0 to count - 1.
    """
    drawn = np.random.default_rng(seed).permutation(count)[:sample]
    return np.sort(drawn)


def _refuse_another(path: Path, unscored: Scores, about: Mapping[str, str]) -> None:
    """Refuse to replace a table of another model or images; of an older one less is known."""
    if not path.exists():
        return
    earlier, its = read_scores(path), read_scores_about(path)
    first = earlier[0].where(earlier[0].is_progenitor) if earlier else None
    if first is None or first.classifier != unscored.classifier:
        raise UsageError(f"{path} is of another model", _ADVICE)
    if not np.array_equal(first.files, unscored.files):
        raise UsageError(f"{path} is of other images", _ADVICE)
    if not its:
        return
    if its[_PIXELS] != about[_PIXELS]:
        raise UsageError(f"{path} is of images whose pixels have changed", _ADVICE)
    if its != about:
        raise UsageError(f"{path} is of another second model behind the first", _ADVICE)


def _file_name(row: Modification, images: bytes, pixels: NDArray[np.uint8]) -> str:
    """Return a name that depends on model, images and modification (by its result on the first)."""
    digest = hashlib.sha256(images + row.make(pixels[0]).tobytes()).hexdigest()[:16]
    return f"{row.name.replace('/', '-')}-{digest}.parquet"


def _inputs_sha256(pixels: NDArray[np.uint8], of: Scores, classifier: NamedClassifier) -> bytes:
    digest = hashlib.sha256(repr((of.classifier, pixels.shape)).encode())
    # Parts of a cascade that older versions wrote do not say which model answered.
    second = {**classifier.second, "facts": MODEL_ID} if classifier.second else {}
    for settings in (classifier.thresholds, second):
        if settings:  # none of a model without them, so that older parts are found
            digest.update(repr(sorted(settings.items())).encode())
    for column in (of.files, of.patients, of.is_frontal, of.facts["source"]):
        digest.update(repr(column.tolist()).encode(errors="surrogateescape"))
    for picture in pixels:  # one by one: they may be mapped from disk
        digest.update(picture.tobytes())
    return digest.digest()


def _pixels_sha256(pixels: NDArray[np.uint8]) -> str:
    digest = hashlib.sha256(repr(pixels.shape).encode())
    for picture in pixels:
        digest.update(picture.tobytes())
    return digest.hexdigest()
