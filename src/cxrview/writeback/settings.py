"""How a write-back is carried out; recorded with its result."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from importlib.metadata import version

_LONGEST = 64
"""Characters of a LO value (PS3.5 section 6.2)."""


class ConflictingPosition(StrEnum):
    """What becomes of a View Position that contradicts the view."""

    EMPTY = "empty"
    """It is left without a value, as PS3.3 C.8.11.5.1.1 asks for consistency."""
    KEEP = "keep"
    """It stays, beside a View Code Sequence that says otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrectionSettings:
    """How one file is corrected.

    Raises:
        ValueError: the time has no offset from UTC, or a text is not one ASCII value of LO.
    """

    modified: datetime = field(default_factory=lambda: datetime.now().astimezone())
    """With its offset from UTC: Attribute Modification DateTime (0400,0562). One moment for a
    whole run, so that a resumed run ends in the same bytes."""
    system: str = field(default_factory=lambda: f"cxrview {version('cxrview')}")
    """Modifying System (0400,0563), such as `cxrview 0.1.0`: 1 to 64 ASCII characters."""
    software_version: str = field(default_factory=lambda: version("cxrview"))
    """Of cxrview: Software Versions (0018,1020) of the contributing equipment, likewise."""
    keep_uid: bool = False
    """Keep SOP Instance UID (0008,0018), for managers of an archive who replace in place."""
    deidentified: bool = False
    """Leave out what PS3.15 table E.1-1 removes: Original Attributes Sequence, Contribution
    DateTime and Contribution Description."""
    position: ConflictingPosition = ConflictingPosition.EMPTY

    def __post_init__(self) -> None:
        if self.modified.tzinfo is None:
            raise ValueError("the time of a modification needs its offset from UTC")
        for text in (self.system, self.software_version):
            if not (text.isascii() and text.isprintable() and "\\" not in text):
                raise ValueError("a system and a version are ASCII without backslashes")
            if not 0 < len(text) <= _LONGEST:
                raise ValueError(f"a system and a version have 1 to {_LONGEST} characters")

    @property
    def date_time(self) -> str:
        """`modified` as a DICOM DT value (PS3.5 section 6.2)."""
        return self.modified.strftime("%Y%m%d%H%M%S.%f%z")


class WritebackForm(StrEnum):
    """What a write-back makes of its findings."""

    COPIES = "copies"
    """Corrected copies of the files, in a new folder."""
    SR = "sr"
    """One structured report a study; images stay as they are."""
    CHANGES = "changes"
    """A list of the changes alone, as CSV and JSON Lines."""
