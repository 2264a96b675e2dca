"""The settings of a run, resolved once: from keywords or the command line to one frozen record."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

from cxrview.classify.read_settings import ReadSettings
from cxrview.errors import UsageError
from cxrview.image import Limits, ReadOptions
from cxrview.image.pseudonyms import default_key_path, load_or_make_key
from cxrview.records import ModelCard
from cxrview.sources.paths import local_path
from cxrview.workers.memory import LIMIT_BYTES

NO_REVIEW = (math.inf, math.inf)
"""A review band that no PFI lies in: every image is decided."""
READERS_OF_URLS = 8
"""Processes that open files where any of them is behind a URL: each waits for the network."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassifyOptions:
    """How files are read and decided. Only `workers` and `readers` change no row.

    Attributes:
        review_band: lowest and highest PFI in percent, both inclusive, that go to review instead of
            being decided; the model card's where None. `NO_REVIEW` decides every image.
        chest_cutoff: least `chest` in percent, 0 to 100, of an image that gets a view; the model
            card's where None, and 0 refuses nothing.
        skip_by_header: leave out images whose header says that they are not chest radiographs.
        chest_rule: a TOML file with your own rule for what is skipped; the published one where
            None.
        header_terms: a CSV file with your own table of what headers call frontal and lateral; the
            published one where None.
        exact: decode every pixel, and window as DCMTK does, padding values included.
        limits: bounds on one file; a larger one is a failure.
        memory_bytes: address space that one reading process may take beyond what it starts with.
        timeout_seconds: how long one file may take.
        key: key of the patients' pseudonyms, or the file that holds it, which is created on first
            use; `~/.config/cxrview/patient.key` where None. The same key gives the same pseudonyms.
        identify: write real patient ids into `patient_key` in place of pseudonyms.
        workers: cores to use for decoding and the model together; all where None, and never more
            than there are.
        readers: processes that open files, where slow storage needs more of them than `workers`.
            Where None, one per core, and at least 8 where a path is a URL.
        bytes_per_second: how fast files may be read, all processes together; unlimited where None.

    Raises:
        UsageError: a value is out of range.
    """

    review_band: tuple[float, float] | None = None
    chest_cutoff: float | None = None
    skip_by_header: bool = True
    chest_rule: Path | None = None
    header_terms: Path | None = None
    exact: bool = False
    limits: Limits = Limits()
    memory_bytes: int = LIMIT_BYTES
    timeout_seconds: float = 60.0
    key: bytes | Path | None = None
    identify: bool = False
    workers: int | None = None
    readers: int | None = None
    bytes_per_second: float | None = None

    def __post_init__(self) -> None:
        band = self.review_band
        if band and tuple(band) != NO_REVIEW and not 0 <= band[0] <= band[1] <= 100:
            raise UsageError(
                f"a review band is LOW HIGH with 0 <= LOW <= HIGH <= 100; got {band[0]} {band[1]}"
            )
        if self.chest_cutoff is not None and not 0 <= self.chest_cutoff <= 100:
            raise UsageError(f"a chest cutoff is 0 to 100 percent; got {self.chest_cutoff}")
        for name in ("workers", "readers", "timeout_seconds", "bytes_per_second", "memory_bytes"):
            value = getattr(self, name)
            if value is not None and not value > 0:
                raise UsageError(f"{name} is above 0; got {value}")

    def resolved(
        self, card: ModelCard, paths: Sequence[str] = (), *, reads_key: bool = True
    ) -> Self:
        """Fill in what is not set: from the model card, the paths, and the key file.

        Args:
            card: of the model; gives review band and chest cutoff.
            paths: what the run was given; a URL among them raises the number of readers.
            reads_key: read the key file, or create it; without it there are no pseudonyms.

        Returns:
            Options of which only those stay None that mean "no limit" or "the package's own".

        Raises:
            UsageError: the key file cannot be read or created.
        """
        key = None
        if reads_key and not self.identify:
            path = self.key_file()
            key = load_or_make_key(path) if path else self.key
        has_url = any(path != "-" and not local_path(path) for path in paths)
        return replace(
            self,
            review_band=card.review_band if self.review_band is None else self.review_band,
            chest_cutoff=card.chest_cutoff if self.chest_cutoff is None else self.chest_cutoff,
            key=key,
            readers=self.readers or (READERS_OF_URLS if has_url else None),
        )

    def key_file(self) -> Path | None:
        """The file that holds the key; None for real ids, and where the key itself is given.

        Raises:
            UsageError: no file is named, and the user has no home folder.
        """
        if self.identify or isinstance(self.key, bytes):
            return None
        return Path(self.key) if self.key else default_key_path()


def read_settings_of(options: ClassifyOptions, side: int) -> ReadSettings:
    """What a reading process is told.

    Args:
        options: without pseudonyms where they are not resolved.
        side: rows and columns that the model takes.
    """
    return ReadSettings(
        side=side,
        options=ReadOptions(
            exact=options.exact, limits=options.limits, header_terms=options.header_terms
        ),
        memory_bytes=options.memory_bytes,
        key=options.key if isinstance(options.key, bytes) else None,
        identify=options.identify,
        skip=options.skip_by_header,
        chest_rule=options.chest_rule,
    )
