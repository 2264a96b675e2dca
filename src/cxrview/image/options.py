"""Options of reading a file."""

from dataclasses import dataclass
from pathlib import Path

from cxrview.image.limits import Limits


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadOptions:
    """How a file is read.

    Attributes:
        exact: include padding values in the minimum and maximum, as DCMTK does, and always decode
            all pixels.
        is_mapped: map local DICOM files into memory rather than read them: only for a process that
            may die when the file is truncated meanwhile.
        limits: bounds on the file.
        header_terms: a CSV file with your own table of what headers call frontal and lateral; the
            published one where None.
    """

    exact: bool = False
    is_mapped: bool = False
    limits: Limits = Limits()
    header_terms: Path | None = None
