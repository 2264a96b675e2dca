"""Remarks that belong to the numbers of an assessment, such as unread files."""

from collections.abc import Iterator, Sequence

from cxrview.assess.classifiers import HEADER, SET, VALIDATION
from cxrview.assess.header import CLAIM
from cxrview.assess.images import AssessmentImages, ImageSet
from cxrview.dataset.split import partition_of
from cxrview.records.model_card import ModelCard
from cxrview.records.scores import Scores
from cxrview.reports.format import format_count
from cxrview.terms import Partition

_PUBLISHED_RULE = "cxrview.dataset.partition"


def assessment_remarks(
    images: AssessmentImages,
    card: ModelCard,
    scores: Sequence[Scores],
    *,
    baselines: bool,
    second: ModelCard | None = None,
) -> tuple[str, ...]:
    """Report unread files, images that the model was trained on, and headers that name no view.

    Args:
        images: of the assessment.
        card: of the model.
        scores: of every classifier.
        baselines: whether headers should be assessed.
        second: card of the second model of a cascade.
    """
    return (
        *_of_smoke_test(card),
        *_unread(images),
        *_seen_before(images, card),
        *(_seen_before(images, second) if second else ()),
        *(_headers(images, scores) if baselines else ()),
    )


def _of_smoke_test(card: ModelCard) -> Iterator[str]:
    if card.is_smoke_test:
        yield (
            f"{card.model_id} was made at --scale smoke, a test of the software: its figures mean "
            "nothing"
        )


def images_trained_on(one: ImageSet, card: ModelCard) -> int:
    """Count the images that a model was trained on, as far as its card tells.

    Known only for a model that was trained by the published rule of partitions on the same labels
    as the store; 0 for any other.
    """
    by_rule = _PUBLISHED_RULE in (card.about.partitions or "")
    labels = one.store.about.get("labels_sha256")
    if not by_rule or labels is None or labels != card.about.labels_sha256:
        return 0
    patients = [image.patient for image in one.images if image.patient]
    return sum(partition_of(patient) is Partition.TRAINING for patient in patients)


def _unread(images: AssessmentImages) -> Iterator[str]:
    stores = {id(one.store): one.store for one in images.scored if len(one)}
    if unread := sum(len(store.failures) for store in stores.values()):
        yield f"{format_count(unread, 'labelled files')} could not be read: not in any count"


def _seen_before(images: AssessmentImages, card: ModelCard) -> Iterator[str]:
    for one in images.scored:
        if seen := images_trained_on(one, card):
            yield (
                f"{card.model_id} was trained on {format_count(seen)} of the "
                f"{format_count(len(one), one.name + ' images')}: its accuracy on them says "
                "nothing about new patients"
            )


def _headers(images: AssessmentImages, scores: Sequence[Scores]) -> Iterator[str]:
    asked = sum(len(one) for one in images.scored if one.name != VALIDATION)
    found = [one for one in scores if one.classifier == HEADER]
    if not found:
        yield "headers are not assessed: too few of the images have one"
        return
    test = found[0].where(found[0].facts[SET] != VALIDATION)
    silent = int((test.facts[CLAIM] == "").sum())
    yield (
        f"headers are assessed on the {format_count(len(test))} of {format_count(asked)} test "
        f"images that have one; {format_count(silent)} of these name no view, which counts as "
        "wrong at their word"
    )
