"""An annotation study: its images, its readers, what they said, and what came of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from cxrview.terms import Action, LabelStatus, Method, ReadingRound, Role, StudyEvent, View

EXCLUSION_REASONS = (
    "uninterpretable",
    "not a chest radiograph",
    "duplicate",
    "other",
    "cannot be displayed",
)
"""Why an image gets no label (paper, section 1: three were uninterpretable). The last is of a file
and not of what it shows: it is missing, cut or empty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelChoice:
    """One label that a reader may give, and the key that gives it."""

    name: str
    """As it stands in every table: `frontal`, `PA`."""
    key: str
    """One lower-case letter or digit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AnnotationStudy:
    """What all readers of one study have in common."""

    study_id: str
    """32 hexadecimal digits, drawn when it was created."""
    name: str
    created: datetime
    """UTC."""
    choices: tuple[LabelChoice, ...] = (
        LabelChoice(name="frontal", key="f"),
        LabelChoice(name="lateral", key="l"),
    )
    seed: int = 0
    """Of every reader's own order and of the hidden repeats."""
    readings_per_image: int = 2
    """Independent readings before an image can be settled; the paper's is 2."""
    repeat_share: float = 0.0
    """Share of images shown to the same reader a second time, unannounced; 0 to 1."""
    root: str = ""
    """Folder that the images' paths are relative to; empty where they are URLs or absolute."""
    about: Mapping[str, Any] = field(default_factory=dict)
    """How the images were drawn: source table, seed, strata; for those who publish the labels."""

    def __post_init__(self) -> None:
        names, keys = [c.name for c in self.choices], [c.key for c in self.choices]
        if len(names) < 2 or len(set(names)) < len(names) or len(set(keys)) < len(keys):
            raise ValueError("a label set has at least two labels, each with its own name and key")
        if self.readings_per_image < 1 or not 0 <= self.repeat_share <= 1:
            raise ValueError("readings per image are at least 1, the share of repeats is 0 to 1")


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyImage:
    """One image of a study. Only `image_id` ever reaches a reader's browser."""

    image_id: str
    """16 hexadecimal digits, drawn at random: tells nothing of file, patient or order."""
    path: str
    """Relative to the study's root, absolute, or an fsspec URL."""
    source: str = ""
    patient: str = ""
    """Name or pseudonym; empty where nobody knows."""
    study: str = ""
    content_id: str = ""
    """Digest of the file's bytes, as in a result of `classify`."""
    stratum: str = ""
    """Which stratum it was drawn from, such as `review|open-i`; empty without strata."""
    weight: float = 1.0
    """Images of the archive that it stands for: stratum's size over images drawn from it."""
    model_view: str = ""
    """What the model said, shown after the blind round only; empty where it was not asked."""
    model_decision: str = ""
    pfi: float | None = None
    """Percent, 0 to 100."""
    header_view: View | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """Somebody who reads. One person may hold both roles, as in the paper."""

    reader_id: int
    name: str
    roles: frozenset[Role]
    is_retired: bool = False
    """Reads no more; what was read before counts unless it is withdrawn."""
    is_withdrawn: bool = False
    """None of the reader's readings counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """A reader who is in."""

    reader: Reader
    csrf: str = field(repr=False)
    """What a form or script of the reader's pages has to send along."""
    expires: datetime
    """UTC."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One act of one reader, as it was written down; never changed, never deleted."""

    reading_id: int = 0
    """Order in which they were written, from 1; 0 where it is not written yet."""
    uid: str
    """32 hexadecimal digits that whoever made it drew, so that sent twice is written once."""
    reader_id: int
    image_id: str
    round: ReadingRound
    occasion: int = 0
    """0, or 1 for a hidden repeat."""
    act: Action
    label: str = ""
    """Of `LABEL`: one of the study's labels."""
    reason: str = ""
    """Of `EXCLUDE`: one of EXCLUSION_REASONS."""
    note: str = ""
    undoes: str = ""
    """Of `UNDO`: the uid of the reading that is taken back."""
    how: Method = Method.SINGLE
    shown: datetime | None = None
    """UTC, by the reader's clock; None where nobody knows, as of an import."""
    made: datetime
    """UTC, by the reader's clock, but not after `received` where it came by a browser."""
    received: datetime | None = None
    """UTC, by the server's clock; None where it is not written yet."""
    milliseconds: int | None = None
    """From the image painted to the key; None where nobody knows. Of a grid: of its page, shared
    out evenly."""
    display: Mapping[str, Any] = field(default_factory=dict)
    """View settings when it was made: `window`, `level`, `invert`, `zoom`, `rotation`."""
    skew_seconds: float | None = None
    """What the browser measured its clock to be behind the server's, already added to `made` and
    `shown`; None where it did not measure."""

    def __post_init__(self) -> None:
        needs = {Action.LABEL: self.label, Action.EXCLUDE: self.reason, Action.UNDO: self.undoes}
        if not needs.get(self.act, "-"):
            raise ValueError(f"an act of {self.act} lacks what it says")
        if self.act is Action.EXCLUDE and self.reason not in EXCLUSION_REASONS:
            raise ValueError(f"no reason for an exclusion: {self.reason!r}")
        if self.occasion not in (0, 1):
            raise ValueError(f"an image is shown once or twice; got occasion {self.occasion}")


@dataclass(frozen=True, slots=True, kw_only=True)
class LogEntry:
    """One thing that was done to a study; never changed, never deleted."""

    entry_id: int
    """Order in which they were written, from 1."""
    happened: datetime
    """UTC, by the clock of the server or the shell."""
    what: StudyEvent
    reader_id: int | None = None
    """Whom it concerns; None where it concerns everybody."""
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedFile:
    """One import of readings: those with the numbers `first` to `last`, written in one go."""

    number: int
    """From 1, in the order of the imports."""
    file: str
    """Name without its folder; empty for one by a cxrview that did not keep it."""
    happened: datetime
    """UTC."""
    first: int
    last: int
    undone: datetime | None = None
    """When its readings were withdrawn; None where they count."""

    @property
    def readings(self) -> int:
        """How many were written."""
        return self.last - self.first + 1


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedReading:
    """What somebody said of a file elsewhere, before it is known whether the study has both."""

    where: str
    """In the table that it was read from, such as `line 12`."""
    file: str
    """As written there."""
    reader: str
    says: str
    """A label, or a word for an exclusion; empty where only a reason is given."""
    reason: str = ""
    note: str = ""
    made: datetime | None = None
    """UTC; None where nobody knows."""
    milliseconds: int | None = None
    is_blind: bool = True
    """False of an adjudication or a second look that cxrview wrote there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """Where one image stands."""

    image_id: str
    how: LabelStatus
    label: str = ""
    """Empty unless settled with a label."""
    reason: str = ""
    """Empty unless settled as excluded."""
    readings: tuple[Reading, ...] = ()
    """What it rests on: each reader's standing reading, by reader id, then the adjudicator's."""

    @property
    def is_settled(self) -> bool:
        """Whether it has a label or an exclusion that stands."""
        return bool(self.label or self.reason)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kappa:
    """Cohen's kappa of two sets of readings of the same images."""

    kappa: float | None
    """-1 to 1; None where both said one and the same of everything, which leaves it undefined."""
    low: float | None
    """Of its 95 % interval, -1 to `kappa`; see `stats.cohen_kappa`."""
    high: float | None
    """The other end, `kappa` to 1."""
    images: int
    agreed: int
    labels: tuple[str, ...]
    """Rows and columns of `table`, in its order."""
    table: tuple[tuple[int, ...], ...]
    """Images by what the first (rows) and the second (columns) said."""
