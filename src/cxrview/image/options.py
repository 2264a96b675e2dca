"""`ReadOptions`: how a file is read."""

from dataclasses import dataclass
from pathlib import Path

from cxrview.image.limits import Limits


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadOptions:
    """How a file is read.

    Attributes:
        exact: include padding values in the minimum and maximum, as DCMTK does, and always decode
            all pixels.
        is_mapped: map local DICOM files into memory instead of reading them. Only for a process
            that may die if the file is truncated during that time.
            limits: on the file.
            header_terms: a CSV file with your own table of header terms for frontal and lateral;
            None for the published one.
    """

    exact: bool = False
    is_mapped: bool = False
    limits: Limits = Limits()
    header_terms: Path | None = None
