"""Counts the images at each step of a study, for the paper's Fig 1."""

from collections.abc import Iterable
from pathlib import Path

from cxrview.dataset.augment.variants import VARIANTS
from cxrview.dataset.labels import read_labels
from cxrview.paper.figures.flow import AugmentedCounts, ExternalSet, Flow, ImageCounts
from cxrview.paper.reproduce import StudyResult
from cxrview.paper.stages import images_inside
from cxrview.records.dataset import Label, PreparedImage
from cxrview.terms import Partition, View


def count_flow(studied: StudyResult) -> Flow:
    """Count labelled, unreadable, left-out and partitioned images, inside and external."""
    plan, split = studied.plan, studied.split
    inside = images_inside(plan, studied.prepared)
    sources = {image.source for image in inside}
    labelled = [
        label for label in read_labels(plan.labels, need_patients=False) if label.source in sources
    ]
    readable = {image.file for image in inside}
    unreadable = sum(label.file not in readable for label in labelled)
    placed = {part: set(split.files(part)) for part in Partition}
    partitions = {
        part: _count(image for image in inside if image.file in files)
        for part, files in placed.items()
    }
    in_partitions = sum(part.images for part in partitions.values())
    each = {Partition.TRAINING: len(VARIANTS), Partition.VALIDATION: len(plan.scale.variants)}
    return Flow(
        labelled=_count(labelled),
        unreadable=unreadable,
        left_out=len(labelled) - unreadable - in_partitions,
        partitions=partitions,
        made={
            part: AugmentedCounts(
                progenitors=partitions[part].images, images=partitions[part].images * variants
            )
            for part, variants in each.items()
        },
        accuracies={c: scores.accuracy for c, scores in studied.choice.validated.items()},
        chosen=studied.choice.chosen,
        externals=tuple(_externals(studied)),
        note=studied.choice.scale_words,
    )


def _externals(studied: StudyResult) -> Iterable[ExternalSet]:
    plan, external = studied.plan, studied.images.external
    if not len(external):
        return
    path: Path = plan.labels if plan.external is None else plan.external
    of_file = read_labels(path, need_patients=False)
    for source in sorted({image.source for image in external.images}):
        yield ExternalSet(
            name=source,
            labelled=_count(label for label in of_file if label.source == source),
            drawn=_count(image for image in external.images if image.source == source),
        )


def _count(images: Iterable[Label | PreparedImage]) -> ImageCounts:
    known = list(images)
    frontal = sum(image.view is View.FRONTAL for image in known)
    return ImageCounts(
        images=len(known),
        patients=len({image.patient for image in known} - {""}),
        frontal=frontal,
        lateral=len(known) - frontal,
    )
