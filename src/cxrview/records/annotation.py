"""An annotation study: its images, readers, readings and labels."""

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
"""Why an image gets no label (paper, section 1: three were uninterpretable). The last one is about
the file and not its content: it is missing, truncated or empty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelChoice:
    """One label that a reader may give, and its key."""

    name: str
    """As in every table: `frontal`, `PA`."""
    key: str
    """One lower-case letter or digit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AnnotationStudy:
    """The settings of one study."""

    study_id: str
    """32 random hexadecimal digits."""
    name: str
    created: datetime
    """UTC."""
    choices: tuple[LabelChoice, ...] = (
        LabelChoice(name="frontal", key="f"),
        LabelChoice(name="lateral", key="l"),
    )
    seed: int = 0
    """Of each reader's order and of the hidden repeats."""
    readings_per_image: int = 2
    """Independent readings before an image can be settled; 2 in the paper."""
    repeat_share: float = 0.0
    """Share of images shown to the same reader a second time, unannounced; 0 to 1."""
    root: str = ""
    """Folder that the images' paths are relative to; empty if they are URLs or absolute."""
    about: Mapping[str, Any] = field(default_factory=dict)
    """How the images were sampled: source table, seed, strata; for publications."""

    def __post_init__(self) -> None:
        names, keys = [c.name for c in self.choices], [c.key for c in self.choices]
        if len(names) < 2 or len(set(names)) < len(names) or len(set(keys)) < len(keys):
            raise ValueError("a label set needs at least two labels with different names and keys")
        if self.readings_per_image < 1 or not 0 <= self.repeat_share <= 1:
            raise ValueError(
                "readings per image must be at least 1, and the share of repeats 0 to 1"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyImage:
    """One image of a study. Only `image_id` ever reaches a reader's browser."""

    image_id: str
    """16 random hexadecimal digits, unrelated to file, patient and order."""
    path: str
    """Relative to the study's root, absolute, or an fsspec URL."""
    source: str = ""
    patient: str = ""
    """Name or pseudonym; empty if unknown."""
    study: str = ""
    content_id: str = ""
    """Digest of the file's bytes, as in a result of `classify`."""
    stratum: str = ""
    """The stratum that it was sampled from, such as `review|open-i`; empty without strata."""
    weight: float = 1.0
    """Images of the archive that it represents: size of the stratum over images sampled from it."""
    model_view: str = ""
    """The model's view, shown only after the blind round; empty if there is none."""
    model_decision: str = ""
    pfi: float | None = None
    """Percent, 0 to 100."""
    header_view: View | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """A reader of the study. One person may have both roles, as in the paper."""

    reader_id: int
    name: str
    roles: frozenset[Role]
    is_retired: bool = False
    """The reader cannot read any more; earlier readings count unless they are withdrawn."""
    is_withdrawn: bool = False
    """None of the reader's readings count."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """The session of a signed-in reader."""

    reader: Reader
    csrf: str = field(repr=False)
    """Token that forms and scripts of the reader's pages must send."""
    expires: datetime
    """UTC."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One action of one reader; never changed, never deleted."""

    reading_id: int = 0
    """Order in which readings were stored, from 1; 0 if it is not stored yet."""
    uid: str
    """32 hexadecimal digits, random in the browser, so that a reading sent twice is stored once."""
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
    """Of `UNDO`: the uid of the reading that is undone."""
    how: Method = Method.SINGLE
    shown: datetime | None = None
    """UTC, by the reader's clock; None if unknown, as in an import."""
    made: datetime
    """UTC, by the reader's clock, but not after `received` if it was sent by a browser."""
    received: datetime | None = None
    """UTC, by the server's clock; None if it is not stored yet."""
    milliseconds: int | None = None
    """From the display of the image to the key; None if unknown. In a grid: the time of the page
    divided by its images."""
    display: Mapping[str, Any] = field(default_factory=dict)
    """View settings: `window`, `level`, `invert`, `zoom`, `rotation`."""
    skew_seconds: float | None = None
    """Delay of the browser's clock against the server's, already added to `made` and `shown`;
    None if not measured."""

    def __post_init__(self) -> None:
        needs = {Action.LABEL: self.label, Action.EXCLUDE: self.reason, Action.UNDO: self.undoes}
        if not needs.get(self.act, "-"):
            raise ValueError(f"a reading of {self.act} lacks its value")
        if self.act is Action.EXCLUDE and self.reason not in EXCLUSION_REASONS:
            raise ValueError(f"{self.reason!r} is not a reason for an exclusion")
        if self.occasion not in (0, 1):
            raise ValueError(f"an image is shown once or twice; got occasion {self.occasion}")


@dataclass(frozen=True, slots=True, kw_only=True)
class LogEntry:
    """One event of a study; never changed, never deleted."""

    entry_id: int
    """Order in which events were stored, from 1."""
    happened: datetime
    """UTC, by the clock of the server or the command."""
    what: StudyEvent
    reader_id: int | None = None
    """The reader concerned; None if it is not about one reader."""
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedFile:
    """One import of readings: those with the numbers `first` to `last`."""

    number: int
    """From 1, in the order of the imports."""
    file: str
    """Name without its folder; empty for an import by an earlier version."""
    happened: datetime
    """UTC."""
    first: int
    last: int
    undone: datetime | None = None
    """When its readings were withdrawn; None if they count."""

    @property
    def readings(self) -> int:
        """Number of readings."""
        return self.last - self.first + 1


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedReading:
    """A reading in a table, before its file and reader are looked up in the study."""

    where: str
    """Place in the table, such as `line 12`."""
    file: str
    """As in the table."""
    reader: str
    says: str
    """A label, or a word for an exclusion; empty if only a reason is given."""
    reason: str = ""
    note: str = ""
    made: datetime | None = None
    """UTC; None if unknown."""
    milliseconds: int | None = None
    is_blind: bool = True
    """False for an adjudication or a second look in a table of cxrview."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """The label status of one image."""

    image_id: str
    how: LabelStatus
    label: str = ""
    """Empty unless settled with a label."""
    reason: str = ""
    """Empty unless settled as excluded."""
    readings: tuple[Reading, ...] = ()
    """The effective reading of each reader, by reader id, then the adjudicator's."""

    @property
    def is_settled(self) -> bool:
        """Whether it has a label or an exclusion."""
        return bool(self.label or self.reason)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kappa:
    """Cohen's kappa of two sets of readings of the same images."""

    kappa: float | None
    """-1 to 1; None if both gave the same label to all images, which leaves it undefined."""
    low: float | None
    """Lower end of its 95 % interval, -1 to `kappa`; see `stats.cohen_kappa`."""
    high: float | None
    """Upper end, `kappa` to 1."""
    images: int
    agreed: int
    labels: tuple[str, ...]
    """Labels of the rows and columns of `table`, in order."""
    table: tuple[tuple[int, ...], ...]
    """Images by the first (rows) and the second (columns) label."""
