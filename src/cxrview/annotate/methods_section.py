"""Write a paragraph for the methods section of a paper from the counts of a study."""

from collections import Counter
from collections.abc import Iterator
from importlib.metadata import version

from cxrview.annotate.agreement import between_readers, within_readers
from cxrview.annotate.database.store import ReadingStore
from cxrview.annotate.effective import effective_readings
from cxrview.annotate.labels import SettledImage, settled_images
from cxrview.annotate.late_readings import count_late
from cxrview.records.annotation import Kappa, Reading
from cxrview.terms import LabelStatus, Method, ReadingRound, Role


def methods_paragraph(store: ReadingStore) -> str:
    """Describe readers, images, repeats, agreement, dates, settlement and irregularities in words.

    Args:
        store: the study.
    """
    counted = list(store.readings())
    settled = settled_images(store)
    sentences = [
        *_design(store, counted, settled),
        *_agreement(store, counted),
        *_settled(settled),
        *_irregular(store, counted),
    ]
    return " ".join(f"{sentence}." for sentence in sentences)


def _design(
    store: ReadingStore, counted: list[Reading], settled: list[SettledImage]
) -> Iterator[str]:
    study = store.study
    # Only effective readings: those that were undone or repeated do not count.
    blind = [r for r in effective_readings(counted).values() if r.round is ReadingRound.BLIND]
    readers = {reading.reader_id for reading in blind}
    labels = ", ".join(choice.name for choice in study.choices)
    if not blind:
        active = [r for r in store.readers() if Role.READER in r.roles and not r.is_retired]
        yield (
            f"{_count(len(settled), 'radiograph')} are to be labelled ({labels}) by "
            f"{_count(len(active), 'reader')}, {_count(study.readings_per_image, 'reading')} an "
            "image; no reading counts yet"
        )
        return
    yield (
        f"{_count(len(settled), 'radiograph')} were labelled ({labels}) by "
        f"{_count(len(readers), 'reader')} independently of each other and without knowledge of "
        f"file, header or model, {_count(study.readings_per_image, 'reading')} an image"
    )
    if study.repeat_share:
        again = sum(slot[3] == 1 for slot in effective_readings(counted))
        yield (
            f"{study.repeat_share:.0%} of the images were shown to the same reader twice, "
            f"unannounced ({_count(again, 'repeat reading')})"
        )
    first, last = min(r.made for r in blind), max(r.made for r in blind)
    imported = sum(reading.how is Method.IMPORT for reading in blind)
    grid = sum(reading.how in (Method.GRID, Method.GRID_EXCEPTION) for reading in blind)
    yield (
        f"The {len(blind):,} blind readings were made from {first:%Y-%m-%d} to "
        f"{last:%Y-%m-%d} (UTC), {grid:,} of them on pages of thumbnails and {imported:,} "
        f"outside of cxrview {version('cxrview')}"
    )


def _agreement(store: ReadingStore, counted: list[Reading]) -> Iterator[str]:
    names = {reader.reader_id: reader.name for reader in store.readers()}
    for (first, second), kappa in between_readers(store.study, counted, store.readers()).items():
        yield f"{names[first]} and {names[second]} agreed on {_kappa(kappa)}"
    for reader_id, kappa in within_readers(store.study, counted, store.readers()).items():
        yield f"{names[reader_id]} repeated {_kappa(kappa)}"


def _kappa(kappa: Kappa) -> str:
    words = f"{kappa.agreed:,} of {kappa.images:,} images"
    if kappa.kappa is None:
        return f"{words} (Cohen's kappa is not defined)"
    if kappa.low is None or kappa.high is None:
        return f"{words} (Cohen's kappa {kappa.kappa:.3f})"
    return (
        f"{words} (Cohen's kappa {kappa.kappa:.3f}, 95 % interval {kappa.low:.3f} to "
        f"{kappa.high:.3f})"
    )


def _settled(settled: list[SettledImage]) -> Iterator[str]:
    how = Counter(one.settled.how for one in settled)
    changed = _count(how[LabelStatus.SECOND_LOOK], "label")
    open_ones = how[LabelStatus.UNREAD] + how[LabelStatus.AWAITING]
    yield (
        f"{how[LabelStatus.AGREED]:,} images were settled by agreement and "
        f"{how[LabelStatus.ADJUDICATED]:,} by an adjudicator; {changed} "
        "were changed afterwards with the model's result known; "
        f"{_count(how[LabelStatus.CONFLICT], 'conflict')} remained and {open_ones:,} images lacked "
        "readings"
    )
    reasons = Counter(one.settled.reason for one in settled if one.settled.reason)
    if reasons:
        listed = ", ".join(f"{reason}: {images}" for reason, images in sorted(reasons.items()))
        yield f"Images excluded: {sum(reasons.values()):,} ({listed})"


def _irregular(store: ReadingStore, counted: list[Reading]) -> Iterator[str]:
    if late := sum(count_late(counted, store.blind_round_closed()).values()):
        yield f"Acts that reached the server after the blind round was closed and count: {late:,}"
    undone = [one for one in store.imports() if one.undone]
    withdrawals = store.withdrawn()
    count = sum(withdrawals.holds(r.reading_id, r.reader_id) for r in store.every_reading())
    withdrawn = sum(reader.is_withdrawn for reader in store.readers())
    if count:
        yield (
            f"Acts withdrawn: {count:,} ({_count(len(undone), 'import')} undone, "
            f"{_count(withdrawn, 'reader')} withdrawn)"
        )
    retired = [one for one in store.readers() if one.is_retired and not one.is_withdrawn]
    if retired := [one for one in retired if Role.READER in one.roles]:
        yield f"{_count(len(retired), 'reader')} left before the end"


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"
