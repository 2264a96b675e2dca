"""Settle the readings of an image: one label or exclusion, or a conflict for the adjudicator.

A label and an exclusion are a conflict, too. The adjudicator may be a reader of the study, as in
the paper; the readings behind a label show who it was.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import replace

from cxrview.annotate.effective import effective_readings
from cxrview.image.dicom.view_position import view_of_word
from cxrview.records.annotation import AnnotationStudy, Reader, Reading, Settled
from cxrview.terms import Action, LabelStatus, ReadingRound, Role, View

EXCLUDED = "excluded"
"""The class of all exclusions, in addition to the study's labels."""


def settle(
    study: AnnotationStudy,
    image_ids: Iterable[str],
    readings: Iterable[Reading],
    readers: Iterable[Reader],
) -> dict[str, Settled]:
    """Return the label status of each image.

    Args:
        study: has the number of independent readings that an image needs.
        image_ids: the images to settle.
        readings: all of these images, or the effective ones; those of other images are ignored.
        readers: all of the study. Blind readings count only if made by a reader, those
        of later rounds only if made by an adjudicator.

    Source:
        Paper, section 1: two independent readings, conflicts settled by the senior reader.
    """
    roles = {reader.reader_id: reader.roles for reader in readers}
    of: defaultdict[str, list[Reading]] = defaultdict(list)
    for reading in effective_readings(readings).values():
        needed = Role.READER if reading.round is ReadingRound.BLIND else Role.ADJUDICATOR
        if reading.occasion == 0 and needed in roles.get(reading.reader_id, ()):
            of[reading.image_id].append(reading)
    return {image_id: _settle_one(study, image_id, of[image_id]) for image_id in image_ids}


def verdict_of(reading: Reading) -> str:
    """Return the class that a reading gives an image: its label, or the class of all exclusions."""
    return reading.label if reading.act is Action.LABEL else EXCLUDED


def _settle_one(study: AnnotationStudy, image_id: str, readings: list[Reading]) -> Settled:
    blind = sorted(_of_round(readings, ReadingRound.BLIND), key=lambda r: r.reader_id)
    if len(blind) < study.readings_per_image:
        how = LabelStatus.AWAITING if blind else LabelStatus.UNREAD
        return Settled(image_id=image_id, how=how, readings=tuple(blind))
    agreed = len({_verdict(reading) for reading in blind}) == 1
    if agreed:
        settled = _settled(blind[0], LabelStatus.AGREED, blind, reason=_reason(blind))
    else:
        adjudicated = _of_round(readings, ReadingRound.ADJUDICATION)
        if not adjudicated:
            how = LabelStatus.CONFLICT
            return Settled(image_id=image_id, how=how, readings=tuple(blind))
        last = adjudicated[-1]
        settled = _settled(last, LabelStatus.ADJUDICATED, [*blind, last])
    return _looked_at_again(settled, _of_round(readings, ReadingRound.SECOND_LOOK))


def _looked_at_again(settled: Settled, looks: list[Reading]) -> Settled:
    """Apply the last second look; one that confirms the label is recorded with it."""
    if not looks:
        return settled
    last = looks[-1]
    changed = _settled(last, LabelStatus.SECOND_LOOK, [*settled.readings, last])
    if (changed.label, changed.reason) == (settled.label, settled.reason):
        return replace(changed, how=settled.how)
    return changed


def _settled(by: Reading, how: LabelStatus, on: Iterable[Reading], *, reason: str = "") -> Settled:
    is_label = by.act is Action.LABEL
    return Settled(
        image_id=by.image_id,
        how=how,
        label=by.label if is_label else "",
        reason="" if is_label else reason or by.reason,
        readings=tuple(on),
    )


def _verdict(reading: Reading) -> tuple[bool, str]:
    """Return the verdict, such that a label named `excluded` differs from an exclusion."""
    return reading.act is Action.LABEL, verdict_of(reading)


def _reason(blind: list[Reading]) -> str:
    """Return the most frequent reason; of equally frequent ones that of the first reader."""
    counted = Counter(reading.reason for reading in blind)
    return max(counted, key=lambda reason: counted[reason])  # in order of reader id, so the first


def _of_round(readings: list[Reading], of: ReadingRound) -> list[Reading]:
    return sorted((r for r in readings if r.round is of), key=lambda r: r.reading_id)


def label_view(label: str) -> View | None:
    """Return the view of a label: PA, AP are frontal, LL, RL lateral, others as `view_of_word`."""
    return view_of_word(label)
