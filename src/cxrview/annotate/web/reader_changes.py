"""What a manager's change to a reader would mean, counted before the manager confirms it."""

from dataclasses import dataclass
from typing import Literal

from cxrview.annotate.effective import EffectiveReadings
from cxrview.annotate.web.state import StudyState
from cxrview.records.annotation import Reader
from cxrview.terms import Role

ReaderChange = Literal["link", "retire", "withdraw", "restore"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeConsequences:
    """The numbers that the page of a change shows."""

    readings: int
    """Labels and exclusions of the reader, whether they count now or are withdrawn."""
    left: int
    """Blind readings that are still on the reader's list."""
    settled: int
    """Images with a label or an exclusion that rests on a reading of this reader."""
    active: int
    """Readers who would be left to read blind after retiring this one."""
    needed: int
    """Independent readings that an image needs."""


def change_consequences(state: StudyState, reader: Reader) -> ChangeConsequences:
    """Count what a change to a reader would touch.

    Args:
        state: the served study.
        reader: the one to be changed.
    """
    every = state.store.every_reading()
    own = EffectiveReadings(one for one in every if one.reader_id == reader.reader_id)
    reads = Role.READER in reader.roles and not reader.is_retired
    left = state.list_of(reader).left if reads else 0
    with state.lock:
        settled = sum(
            bool(one.label or one.reason)
            and any(reading.reader_id == reader.reader_id for reading in one.readings)
            for one in state.label_statuses.all().values()
        )
    others = [one for one in state.readers if Role.READER in one.roles and not one.is_retired]
    return ChangeConsequences(
        readings=len(own.verdicts),
        left=left,
        settled=settled,
        active=sum(one.reader_id != reader.reader_id for one in others),
        needed=state.study.readings_per_image,
    )
