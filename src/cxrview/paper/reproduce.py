"""The whole study, from labelled images to the page: every stage goes on where it was stopped."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from cxrview.assess.assess import AssessmentRun, assess_model
from cxrview.assess.classifiers import VALIDATION
from cxrview.assess.images import AssessmentImages, choose_images
from cxrview.assess.robustness_run import assess_partition, draw_images
from cxrview.atomic_files import locked, writing
from cxrview.classify.model import Model, load_model
from cxrview.dataset.split_files import write_split
from cxrview.paper.candidates import CANDIDATES, PRE_TRAININGS
from cxrview.paper.choose import Choice, choose_among, make_model
from cxrview.paper.folder import StudyFolder, Times
from cxrview.paper.material import Material
from cxrview.paper.plan import StudyPlan, check_plan, keep_plan
from cxrview.paper.pretrain_run import pictures_in_words
from cxrview.paper.stages import (
    external_sources,
    fine_tune_study,
    pre_train_study,
    prepare_study,
    split_study,
)
from cxrview.records import ModifiedCount, Prepared, Split
from cxrview.reports.figures.style import PHANTOM_NOTE
from cxrview.train.watch import StudyWatch


@dataclass(frozen=True, slots=True, kw_only=True)
class Studied:
    """What a study that ran to its end has found, before it is drawn and written up."""

    plan: StudyPlan
    folder: StudyFolder
    prepared: Prepared
    unreadable: int
    """Images of the study and external ones that could not be read."""
    split: Split
    images: AssessmentImages
    choice: Choice
    model: Model
    assessment: AssessmentRun
    modified: tuple[ModifiedCount, ...]
    seconds: dict[str, float]


def run_study(plan: StudyPlan, root: Path, watch: StudyWatch | None = None) -> Studied:
    """Carry out the paper's study in a folder; stopped at any point, the same call goes on.

    Args:
        plan: what it is made of.
        root: folder, new or of the same plan; see `StudyFolder` for what it gets.
        watch: told how far it is.

    Raises:
        UsageError: the folder holds another study or another process is at it, the labels are
            at fault, the split leaks, or a stage refuses what it is given.
        InvalidModel: weights do not fit.
        CannotWrite: the disk took no more.
    """
    folder = StudyFolder(root=root)
    conditions = plan.conditions
    with writing(root):
        root.mkdir(parents=True, exist_ok=True)
        with locked(root, "at the study in"):
            check_plan(folder.plan, conditions)
            return _Run(plan, conditions, folder, watch or StudyWatch()).whole()


class _Run:
    """Stage after stage, timed."""

    def __init__(
        self,
        plan: StudyPlan,
        conditions: Mapping[str, str],
        folder: StudyFolder,
        watch: StudyWatch,
    ) -> None:
        self._plan, self._folder, self._told = plan, folder, watch
        self._conditions = conditions
        self._times = Times(folder.times)
        self._watch = StudyWatch(step=self._step, epoch=watch.epoch, count=self._count)

    def whole(self) -> Studied:
        plan, folder = self._plan, self._folder
        with self._stage("prepare"):
            prepared, external = prepare_study(plan, folder, self._watch)
        with self._stage("split"):
            split = split_study(plan, prepared)
            images = self._choose_images(prepared, external, split)
            material = Material(
                prepared=prepared, split=split, scale=plan.scale, seed=plan.seed, device=plan.device
            )
            # Not before all of it is known to hold together: a plan that stands binds the folder.
            keep_plan(folder.plan, self._conditions)
            write_split(folder.split, split, prepared.images)
        for name in PRE_TRAININGS:
            with self._stage(f"pre-train {name}"):
                pre_train_study(name, plan, folder, self._watch)
        for candidate in CANDIDATES:
            with self._stage(f"fine-tune {candidate.name}"):
                fine_tune_study(candidate, material, folder, self._watch)
        with self._stage("choose"):
            choice = self._choose()
            make_model(choice, folder.candidates, folder.model)
            model = load_model(folder.model, precision="fp32", device="cpu")
        with self._stage("assess"):
            assessment = assess_model(
                images,
                model,
                folder.assessment,
                name=choice.chosen.name,
                cutoff_from=VALIDATION,
                seed=plan.seed,
                note=PHANTOM_NOTE if plan.is_drawn else "",
                overwrite=True,  # what stands there of another model is of an earlier choice
                watch=lambda more: self._count(more, 0, "images asked about"),
            )
        with self._stage("robustness"):
            modified = self._modify(images, model)
        return Studied(
            plan=plan,
            folder=folder,
            prepared=prepared,
            unreadable=sum(len(one.failures) for one in (prepared, external) if one),
            split=split,
            images=images,
            choice=choice,
            model=model,
            assessment=assessment,
            modified=modified,
            seconds=dict(self._times.seconds),
        )

    def _choose(self) -> Choice:
        choice = choose_among(self._folder.candidates, seed=self._plan.seed)
        parts = dict.fromkeys(choice.scale_words.split("; "))
        for name in PRE_TRAININGS:
            parts |= dict.fromkeys(pictures_in_words(self._folder.pre_trained(name)))
        return replace(choice, scale_words="; ".join(parts))

    def _choose_images(
        self, prepared: Prepared, external: Prepared | None, split: Split
    ) -> AssessmentImages:
        plan = self._plan
        return choose_images(
            prepared,
            split,
            external=external,
            external_sources=external_sources(plan, prepared),
            sample=plan.sample,
            seed=plan.seed,
        )

    def _modify(self, images: AssessmentImages, model: Model) -> tuple[ModifiedCount, ...]:
        """By the cutoff that the model decides by."""
        inside = images.inside
        drawn = draw_images(len(inside), self._plan.scale.modified, self._plan.seed)
        chosen = [inside.images[k] for k in drawn]
        return assess_partition(
            inside.store.pixels[[image.row for image in chosen]],
            inside.is_frontal[drawn],
            np.array([image.file for image in chosen], str),
            np.array([image.patient for image in chosen], str),
            np.array([image.source for image in chosen], str),
            model.pfi,
            model.card.cutoff,
            self._folder.robustness,
            lambda more: self._count(more, 0, "modified images asked about"),
            classifier=model.card.model_id,
            drawn_from=len(inside),
            overwrite=True,
            scale=str(model.card.about.get("scale", "")),
        )

    @contextmanager
    def _stage(self, name: str) -> Iterator[None]:
        self._told.stage(name)
        with self._times.stage(name):
            yield

    def _step(self, step: int, total: int, loss: float) -> None:
        self._times.tick()
        self._told.step(step, total, loss)

    def _count(self, more: int, total: int, what: str) -> None:
        self._times.tick()
        self._told.count(more, total, what)
