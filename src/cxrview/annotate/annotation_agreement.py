"""How far a study's readers agree and how quickly they read, by their names and ready for JSON."""

from dataclasses import asdict
from typing import Any

from cxrview.annotate.agreement import between_readers, within_readers
from cxrview.annotate.database.store import ReadingStore
from cxrview.annotate.lateness import count_late
from cxrview.annotate.pace import pace

Json = dict[str, Any]


def agreement_of(store: ReadingStore) -> Json:
    """Kappa between and within readers, and each reader's pace.

    Returns:
        `study`; `between`, for each two readers `first`, `second` and the fields of `Kappa`;
        `within`, for each who read hidden repeats `reader` and the same; `pace`, for each who
        read here `reader` and what `ReaderPace` tells of `single` and `grid`; `late`, for each
        who has some `reader` and `acts` of the blind round that came after its closing and count.
    """
    readers, readings = store.readers(), list(store.readings())
    names = {reader.reader_id: reader.name for reader in readers}
    between = between_readers(store.study, readings, readers)
    within = within_readers(store.study, readings, readers)
    late = count_late(readings, store.blind_round_closed())
    return {
        "study": store.study.name,
        "between": [
            {"first": names[a], "second": names[b], **asdict(kappa)}
            for (a, b), kappa in between.items()
        ],
        "within": [{"reader": names[a], **asdict(kappa)} for a, kappa in within.items()],
        "pace": [{"reader": names[a], **asdict(of)} for a, of in pace(readings).items()],
        "late": [{"reader": names[a], "acts": n} for a, n in late.items()],
    }
