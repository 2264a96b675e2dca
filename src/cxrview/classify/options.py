"""`ClassifyOptions`: the settings of a run, from keywords or the command line."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

from cxrview.classify.read_settings import ReadSettings
from cxrview.errors import UsageError
from cxrview.image import Limits, ReadOptions
from cxrview.image.pseudonyms import default_key_path, load_or_make_key
from cxrview.records.model_card import ModelCard
from cxrview.sources.paths import local_path
from cxrview.workers.memory import LIMIT_BYTES

NO_REVIEW = (math.inf, math.inf)
"""A review band that contains no PFI: every image is decided."""
READERS_OF_URLS = 8
"""Minimum number of processes that open files if a path is a URL: each waits for the network."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassifyOptions:
    """How files are read and decided. Only `workers` and `readers` change no row.

    Attributes:
        review_band: lowest and highest PFI in percent, both inclusive, that are sent to review
            instead of being decided; None for the model card's. `NO_REVIEW` decides every image.
            chest_cutoff: minimum `chest` in percent, 0 to 100, for an image to get a view; None for
            the model card's, 0 refuses nothing.
            skip_by_header: skip images whose header says that they are not chest radiographs.
            chest_rule: a TOML file with your own rule for which images are skipped; None for the
            published one.
            header_terms: a CSV file with your own table of header terms for frontal and lateral;
            None for the published one.
        exact: decode every pixel, and window as DCMTK does, padding values included.
        limits: limits on one file; a larger file is a failure.
        memory_bytes: address space that one reading process may use beyond what it starts with.
        timeout_seconds: time limit for one file.
        key: key of the patients' pseudonyms, or the file that holds it, which is created on first
        use; None for `~/.config/cxrview/patient.key`. The same key gives the same pseudonyms.
        identify: write real patient ids into `patient_key` in place of pseudonyms.
        workers: cores to use for decoding and the model together; None for all, and never more
            than there are.
            readers: processes that open files, if slow storage needs more of them than `workers`.
            None for one per core, and at least 8 if a path is a URL.
            bytes_per_second: limit on reading, for all processes together; None for no limit.

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
        """Fill in settings that are None: from the model card, the paths, and the key file.

        Args:
            card: of the model, with review band and chest cutoff.
            paths: arguments of the run; a URL among them raises the number of readers.
            reads_key: read the key file, or create it; otherwise there are no pseudonyms.

        Returns:
            Options in which None means only "no limit" or "the one in the package".

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
        """Return the file that holds the key; None for real ids, or if the key itself is given.

        Raises:
            UsageError: no file is named, and the user has no home folder.
        """
        if self.identify or isinstance(self.key, bytes):
            return None
        return Path(self.key) if self.key else default_key_path()


def read_settings_of(options: ClassifyOptions, side: int) -> ReadSettings:
    """Return the settings for the processes that read files.

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
