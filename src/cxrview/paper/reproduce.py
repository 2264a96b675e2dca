"""Runs the paper's study from labelled images to the assessment; a stopped run resumes."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from cxrview.assess.assess import AssessmentRun, assess_model
from cxrview.assess.classifiers import VALIDATION
from cxrview.assess.images import AssessmentImages, choose_images
from cxrview.assess.robustness_run import (
    ImagesToModify,
    NamedClassifier,
    assess_partition,
    draw_images,
)
from cxrview.atomic_files import locked, writing
from cxrview.classify.model import Model, load_model
from cxrview.dataset.split_files import write_split
from cxrview.paper.candidate_images import Material
from cxrview.paper.candidates import CANDIDATES, PAPERS_CHOICE, PRE_TRAININGS, Candidate
from cxrview.paper.choose import Choice, choose_candidate_of, export_candidate, make_model
from cxrview.paper.folder import StudyFolder, Times
from cxrview.paper.plan import StudyPlan, check_plan, write_plan
from cxrview.paper.pretrain_run import pictures_in_words
from cxrview.paper.stages import (
    external_sources,
    fine_tune_study,
    pre_train_study,
    prepare_study,
    split_study,
)
from cxrview.records.dataset import Prepared, Split
from cxrview.records.evaluation import ModifiedCount
from cxrview.reports.figures.style import PHANTOM_NOTE
from cxrview.train.callbacks import TrainingWatch

NO_WATCH = TrainingWatch()


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyResult:
    """The results of a finished study, before figures and pages are made."""

    plan: StudyPlan
    folder: StudyFolder
    prepared: Prepared
    unreadable: int
    """Inside and external images that could not be read."""
    split: Split
    images: AssessmentImages
    choice: Choice
    model: Model
    assessment: AssessmentRun
    paper_choice: AssessmentRun | None
    """Of the candidate that the paper chose; None if it was chosen here, too."""
    modified: tuple[ModifiedCount, ...]
    seconds: dict[str, float]


def run_study(plan: StudyPlan, root: Path, watch: TrainingWatch = NO_WATCH) -> StudyResult:
    """Run the paper's study in a folder; if it is stopped, the same call resumes.

    Args:
        plan: inputs and settings.
        root: folder, new or of the same plan; see `StudyFolder` for its content.
        watch: called with the progress.

    Raises:
        UsageError: the folder belongs to another study or is used by another process, the labels
            are not valid, the split leaks, or a stage refuses its input.
        InvalidModel: weights do not fit.
        CannotWrite: the disk is full or not writable.
    """
    folder = StudyFolder(root=root)
    conditions = plan.conditions
    with writing(root):
        root.mkdir(parents=True, exist_ok=True)
        with locked(root, "running the study in"):
            check_plan(folder.plan, conditions)
            return _Run(plan, conditions, folder, watch).run()


class _Run:
    """The stages of a run, timed."""

    def __init__(
        self,
        plan: StudyPlan,
        conditions: Mapping[str, str],
        folder: StudyFolder,
        watch: TrainingWatch,
    ) -> None:
        self._plan, self._folder, self._outer = plan, folder, watch
        self._conditions = conditions
        self._times = Times(folder.times)
        self._watch = TrainingWatch(step=self._step, epoch=watch.epoch, count=self._count)

    def run(self) -> StudyResult:
        plan, folder = self._plan, self._folder
        with self._stage("prepare"):
            prepared, external = prepare_study(plan, folder, self._watch)
        with self._stage("split"):
            split = split_study(plan, prepared)
            images = self._choose_images(prepared, external, split)
            material = Material(
                prepared=prepared, split=split, scale=plan.scale, seed=plan.seed, device=plan.device
            )
            # Only after all checks, since a written plan binds the folder to it.
            write_plan(folder.plan, self._conditions)
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
            assessment = self._assess(images, model, folder.assessment, choice.chosen)
            paper_choice = self._assess_papers_choice(images, choice)
        with self._stage("robustness"):
            modified = self._modify(images, model)
        return StudyResult(
            plan=plan,
            folder=folder,
            prepared=prepared,
            unreadable=sum(len(one.failures) for one in (prepared, external) if one),
            split=split,
            images=images,
            choice=choice,
            model=model,
            assessment=assessment,
            paper_choice=paper_choice,
            modified=modified,
            seconds=dict(self._times.seconds),
        )

    def _choose(self) -> Choice:
        choice = choose_candidate_of(self._folder.candidates, seed=self._plan.seed)
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

    def _assess(
        self,
        images: AssessmentImages,
        model: Model,
        out: Path,
        candidate: Candidate,
        *,
        baselines: bool = True,
    ) -> AssessmentRun:
        plan = self._plan
        return assess_model(
            images,
            model,
            out,
            name=candidate.name,
            cutoff_from=VALIDATION,
            seed=plan.seed,
            note=PHANTOM_NOTE if plan.is_drawn else "",
            overwrite=True,  # results of another model are of an earlier choice
            watch=lambda more: self._count(more, 0, "images"),
            baselines=baselines,
        )

    def _assess_papers_choice(
        self, images: AssessmentImages, choice: Choice
    ) -> AssessmentRun | None:
        """Assess the paper's candidate beside the chosen one; nothing is chosen by it."""
        if choice.chosen == PAPERS_CHOICE:
            return None
        folder = self._folder
        place = folder.paper_choice / "model"
        export_candidate(choice, PAPERS_CHOICE, folder.candidates, place)
        model = load_model(place, precision="fp32", device="cpu")
        out = folder.paper_choice / "assessment"
        return self._assess(images, model, out, PAPERS_CHOICE, baselines=False)

    def _modify(self, images: AssessmentImages, model: Model) -> tuple[ModifiedCount, ...]:
        """Assess modified images, by the model's own cutoff."""
        inside = images.inside
        drawn = draw_images(len(inside), self._plan.scale.modified, self._plan.seed)
        chosen = [inside.images[k] for k in drawn]
        return assess_partition(
            ImagesToModify.of(inside.store, chosen, drawn_from=len(inside)),
            NamedClassifier.of(model),
            model.card.cutoff,
            self._folder.robustness,
            self._watch.counter(0, "modified images"),
            overwrite=True,
        )

    @contextmanager
    def _stage(self, name: str) -> Iterator[None]:
        self._outer.stage(name)
        with self._times.stage(name):
            yield

    def _step(self, step: int, total: int, loss: float) -> None:
        self._times.tick()
        self._outer.step(step, total, loss)

    def _count(self, more: int, total: int, what: str) -> None:
        self._times.tick()
        self._outer.count(more, total, what)
