"""The stages of a study up to the nine candidates; each resumes where it was stopped."""

from pathlib import Path

from cxrview.dataset.prepare import prepare_images
from cxrview.dataset.split import SHARES, check_split, split_images
from cxrview.errors import UsageError
from cxrview.paper.candidate_images import Material
from cxrview.paper.candidates import PRE_TRAININGS, Candidate
from cxrview.paper.colour_weights import convert_colour
from cxrview.paper.folder import StudyFolder
from cxrview.paper.plan import StudyPlan
from cxrview.paper.pretrain import plan_for
from cxrview.paper.pretrain_run import pictures_in_words, pre_train_on_pictures
from cxrview.paper.scale import scaled_split
from cxrview.paper.train_candidate import train_candidate
from cxrview.paper.trained_model import ABOUT, load_trained
from cxrview.records.dataset import Prepared, PreparedImage, Split
from cxrview.records.scores import Scores
from cxrview.train.callbacks import TrainingWatch, with_event_files

EVENTS = "events"


def prepare_study(
    plan: StudyPlan, folder: StudyFolder, watch: TrainingWatch
) -> tuple[Prepared, Prepared | None]:
    """Read and squash the images of the study, and external ones of another labels file.

    Raises:
        UsageError, CannotWrite: as `prepare_images`.
    """

    def prepare(labels: Path, out: Path, headers: Path | None = None) -> Prepared:
        return prepare_images(
            labels,
            out,
            headers_path=headers,
            as_published=plan.as_published,
            workers=plan.workers,
            watch=lambda more: watch.count(more, 0, "images read"),
        )

    prepared = prepare(plan.labels, folder.store, plan.headers)
    if plan.external is None or plan.is_external_inside:
        return prepared, None
    return prepared, prepare(plan.external, folder.external_store)


def external_sources(plan: StudyPlan, prepared: Prepared) -> tuple[str, ...]:
    """Give the sources of the external test set; by default all sources of the study's labels file
    that are not inside.

    Raises:
        UsageError: no source is left.
    """
    if plan.external_sources or plan.external is None or not plan.is_external_inside:
        return plan.external_sources
    rest = {image.source for image in prepared.images} - set(plan.sources)
    if not plan.sources or not rest:
        raise UsageError(
            "the external labels are those of the study, and no source is left for them",
            "Name the sources with --source or --external-source",
        )
    return tuple(sorted(rest))


def images_inside(plan: StudyPlan, prepared: Prepared) -> tuple[PreparedImage, ...]:
    """Give the images inside the study.

    Raises:
        UsageError: a source is inside and external, or has no image.
    """
    known = {image.source for image in prepared.images}
    own = external_sources(plan, prepared) if plan.is_external_inside else ()
    own_external = set(own)
    for name in sorted({*plan.sources, *own_external} - known):
        raise UsageError(f"source {name} has no image", f"Choose from {', '.join(sorted(known))}")
    if both := set(plan.sources) & own_external:
        raise UsageError(f"source {min(both)} is both inside the study and external")
    wanted = set(plan.sources) or known - own_external
    return tuple(image for image in prepared.images if image.source in wanted)


def split_study(plan: StudyPlan, prepared: Prepared) -> Split:
    """Split the inside images, and sample those that the scale uses.

    Raises:
        UsageError: the sizes cannot be met, or the split leaks.
    """
    inside = images_inside(plan, prepared)
    complete = split_images(inside, by=plan.by, shares=SHARES, counts=plan.counts, seed=plan.seed)
    split = scaled_split(complete, plan.scale, plan.seed)
    check_split(split, prepared.images, prepared.content)
    return split


def pre_train_study(name: str, plan: StudyPlan, folder: StudyFolder, watch: TrainingWatch) -> None:
    """Make one of the three pre-trained models.

    Raises:
        UsageError, InvalidModel, CannotWrite: as `pre_train_on_pictures`.
    """
    out = folder.pre_trained(name)
    if (out / ABOUT).is_file():  # the plan guarantees that its inputs are the same
        load_trained(out)
        return
    if PRE_TRAININGS[name].schedule is None:
        convert_colour(plan.published, out)
        return
    training = plan_for(name, plan.scale, seed=plan.seed, device=plan.device)
    pre_train_on_pictures(
        training,
        plan.published,
        plan.pictures,
        out,
        watch=with_event_files(watch, out / EVENTS, accuracy_name="validation top-1"),
    )


def fine_tune_study(
    candidate: Candidate, material: Material, folder: StudyFolder, watch: TrainingWatch
) -> Scores:
    """Train one of the nine candidates, or read its scores.

    Raises:
        UsageError, InvalidModel, CannotWrite: as `train_candidate`.
    """
    out = folder.candidate(candidate)
    return train_candidate(
        candidate,
        load_trained(folder.pre_trained(candidate.pre_training)),
        material,
        out,
        features=folder.features(candidate.pre_training),
        differs=pictures_in_words(folder.pre_trained(candidate.pre_training)),
        watch=with_event_files(watch, out / EVENTS),
    )
