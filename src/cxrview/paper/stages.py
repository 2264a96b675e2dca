"""The stages of a study up to the nine candidates: each goes on where it was stopped."""

from pathlib import Path

from cxrview.dataset.prepare import prepare_images
from cxrview.dataset.split import SHARES, check_split, split_images
from cxrview.errors import UsageError
from cxrview.paper.candidates import PRE_TRAININGS, Candidate
from cxrview.paper.epochs import Watch as EpochsWatch
from cxrview.paper.folder import StudyFolder
from cxrview.paper.material import Material
from cxrview.paper.network_files import ABOUT, load_trained
from cxrview.paper.plan import StudyPlan
from cxrview.paper.pretrain import Watch as PreTrainWatch
from cxrview.paper.pretrain import convert_colour, plan_for
from cxrview.paper.pretrain_run import pictures_in_words, pre_train_on_pictures
from cxrview.paper.scale import scaled_split
from cxrview.paper.top_1 import Top1
from cxrview.paper.train_candidate import train_candidate
from cxrview.records import Prepared, PreparedImage, Scores, Split
from cxrview.train.watch import StudyWatch, event_writer

EVENTS = "events"


def prepare_study(
    plan: StudyPlan, folder: StudyFolder, watch: StudyWatch
) -> tuple[Prepared, Prepared | None]:
    """Read and squash all images: those of the study, and external ones from another file.

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
    """Sources of the external test set; where none is named in the study's own labels file, all
    that are not inside.

    Raises:
        UsageError: there is none left.
    """
    if plan.external_sources or plan.external is None or not plan.is_external_inside:
        return plan.external_sources
    rest = {image.source for image in prepared.images} - set(plan.sources)
    if not plan.sources or not rest:
        raise UsageError(
            "the external labels are those of the study, and no source is left for them",
            "Say by --source or --external-source which is which",
        )
    return tuple(sorted(rest))


def images_inside(plan: StudyPlan, prepared: Prepared) -> tuple[PreparedImage, ...]:
    """The images of the study itself.

    Raises:
        UsageError: a source is inside and external, or has no image.
    """
    known = {image.source for image in prepared.images}
    own = external_sources(plan, prepared) if plan.is_external_inside else ()
    own_external = set(own)
    for name in sorted({*plan.sources, *own_external} - known):
        raise UsageError(f"no image is of source {name}", f"There are {', '.join(sorted(known))}")
    if both := set(plan.sources) & own_external:
        raise UsageError(f"source {min(both)} is inside the study and external to it")
    wanted = set(plan.sources) or known - own_external
    return tuple(image for image in prepared.images if image.source in wanted)


def split_study(plan: StudyPlan, prepared: Prepared) -> Split:
    """Split the inside images and leave out what the scale has no use for.

    Raises:
        UsageError: sizes that cannot be met, or a split that leaks.
    """
    inside = images_inside(plan, prepared)
    whole = split_images(inside, by=plan.by, shares=SHARES, counts=plan.counts, seed=plan.seed)
    split = scaled_split(whole, plan.scale, plan.seed)
    check_split(split, prepared.images, prepared.content)
    return split


def pre_train_study(name: str, plan: StudyPlan, folder: StudyFolder, watch: StudyWatch) -> None:
    """Make one of the three pre-trained networks.

    Raises:
        UsageError, InvalidModel, CannotWrite: as `pre_train_on_pictures`.
    """
    out = folder.pre_trained(name)
    if (out / ABOUT).is_file():  # the plan vouches for what it was made of
        load_trained(out)
        return
    if PRE_TRAININGS[name].schedule is None:
        convert_colour(plan.published, out)
        return
    training = plan_for(name, plan.scale, seed=plan.seed, device=plan.device)
    note = event_writer(out / EVENTS)

    def step(number: int, total: int, loss: float) -> None:
        watch.step(number, total, loss)
        note("loss", loss, number)

    def epoch(done: int, top_1: Top1) -> None:
        if top_1.pictures:
            share = top_1.right / top_1.pictures
            watch.epoch(done, training.schedule.epochs, share)
            note("validation top-1", share, done)

    pre_train_on_pictures(
        training,
        plan.published,
        plan.pictures,
        out,
        watch=PreTrainWatch(step=step, epoch=epoch),
        reading=lambda more, total: watch.count(more, total, "pictures read"),
    )


def fine_tune_study(
    candidate: Candidate, material: Material, folder: StudyFolder, watch: StudyWatch
) -> Scores:
    """Train one of the nine, or read what it said.

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
        watch=noted_watch(watch, out / EVENTS),
    )


def noted_watch(watch: StudyWatch, events: Path) -> EpochsWatch:
    """Tell the caller and TensorBoard alike."""
    note = event_writer(events)

    def step(number: int, total: int, loss: float) -> None:
        watch.step(number, total, loss)
        note("loss", loss, number)

    def epoch(done: int, total: int, accuracy: float) -> None:
        watch.epoch(done, total, accuracy)
        note("validation accuracy", accuracy, done)

    return EpochsWatch(step=step, epoch=epoch, images=watch.count)
