"""`ClassifyOptions`: the settings of a run, from keywords or the command line."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

from cxrview.classify.calibration_file import read_calibration
from cxrview.classify.promise import Promise, promise_of_calibration, promise_of_card
from cxrview.classify.read_settings import ReadSettings
from cxrview.errors import UsageError
from cxrview.image import Limits, ReadOptions
from cxrview.image.pseudonyms import default_key_path, load_or_make_key
from cxrview.records.calibration import Calibration
from cxrview.records.model_card import ModelCard
from cxrview.records.risk_curve import Head
from cxrview.sources.paths import local_path
from cxrview.workers.memory import LIMIT_BYTES

NO_REVIEW = (math.inf, math.inf)
"""A review band that contains no PFI: every image is decided."""
_SETS_BAND = ("review_band", "max_error", "calibration")
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
        max_error: largest share of errors among the views that are decided, above 0 and below 1,
            with 95 % confidence by the calibration images of the model card; it sets the review
            band. None for no such promise.
        calibration: of `cxrview calibrate`, or its file: sets the review band so that the promise
            of the calibration is kept; None for none.
        promise: what `max_error` or `calibration` comes to for one model; filled in by `resolved`.

    Raises:
        UsageError: a value is out of range, or two of `review_band`, `max_error` and `calibration`
            are given.
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
    max_error: float | None = None
    calibration: Calibration | Path | None = None
    promise: Promise | None = None

    def __post_init__(self) -> None:
        band = self.review_band
        if band and tuple(band) != NO_REVIEW and not 0 <= band[0] <= band[1] <= 100:
            raise UsageError(
                f"a review band is LOW HIGH with 0 <= LOW <= HIGH <= 100; got {band[0]} {band[1]}"
            )
        if self.chest_cutoff is not None and not 0 <= self.chest_cutoff <= 100:
            raise UsageError(f"a chest cutoff is 0 to 100 percent; got {self.chest_cutoff}")
        given = [name for name in _SETS_BAND if getattr(self, name) is not None]
        if len(given) > 1:
            raise UsageError(
                f"{' and '.join(given)} exclude each other: each decides which images go to review",
                "Give one of them",
            )
        if self.max_error is not None and not 0 < self.max_error < 1:
            raise UsageError(f"a largest error is above 0 and below 1; got {self.max_error}")
        for name in ("workers", "readers", "timeout_seconds", "bytes_per_second", "memory_bytes"):
            value = getattr(self, name)
            if value is not None and not value > 0:
                raise UsageError(f"{name} is above 0; got {value}")

    @property
    def thresholds(self) -> Mapping[Head, float | None]:
        """Threshold of each head with a promise, percent; see `Promise`. Empty without one."""
        return {} if self.promise is None else self.promise.thresholds

    @property
    def pose_thresholds(self) -> Mapping[str, float]:
        """Those of `thresholds` that are not about the view, by name; 100 decides nothing."""
        return {
            str(head): 100.0 if threshold is None else threshold
            for head, threshold in self.thresholds.items()
            if head is not Head.VIEW
        }

    def resolved(
        self,
        card: ModelCard,
        paths: Sequence[str] = (),
        *,
        second: ModelCard | None = None,
        reads_key: bool = True,
    ) -> Self:
        """Fill in settings that are None: from the model card, the paths, and the key file.

        Args:
            card: of the model, with review band and chest cutoff.
            paths: arguments of the run; a URL among them raises the number of readers.
            second: card of the second model of a cascade; None for a single model.
            reads_key: read the key file, or create it; otherwise there are no pseudonyms.

        Returns:
            Options in which None means only "no limit", "no promise" or "the one in the package";
            in a cascade also "as on the card of the model that decides".

        Raises:
            UsageError: the key file cannot be read or created, a calibration belongs to another
                model or other settings, the card cannot promise `max_error`, or
                `chest_cutoff` is not the card's beside `max_error`.
        """
        key = None
        if reads_key and not self.identify:
            path = self.key_file()
            key = load_or_make_key(path) if path else self.key
        promise = self._promise(card, second)
        band, cutoff = self.review_band, self.chest_cutoff
        if promise is not None:
            band = promise.review_band(*((card, second) if second else (card,)))
        if not card.second:  # in a cascade each model has its own
            band = card.review_band if band is None else band
            cutoff = card.chest_cutoff if cutoff is None else cutoff
        has_url = any(path != "-" and not local_path(path) for path in paths)
        return replace(
            self,
            review_band=band,
            chest_cutoff=cutoff,
            key=key,
            readers=self.readers or (READERS_OF_URLS if has_url else None),
            max_error=None,
            calibration=None,
            promise=promise or self.promise,
        )

    def _promise(self, card: ModelCard, second: ModelCard | None) -> Promise | None:
        if self.max_error is not None:
            self._need_chest_cutoff_of(*filter(None, (card, second)))
            return promise_of_card(card, self.max_error, second)
        if self.calibration is None:
            return None
        from cxrview.classify.conditions import decision_conditions

        calibration = self.calibration
        if not isinstance(calibration, Calibration):
            calibration = read_calibration(calibration)
        return promise_of_calibration(calibration, decision_conditions(card, self, second))

    def _need_chest_cutoff_of(self, *cards: ModelCard) -> None:
        """Refuse a cutoff that decides other images than those counted in the cards."""
        cutoffs = {card.chest_cutoff for card in cards} - {None}
        if self.chest_cutoff is not None and cutoffs - {self.chest_cutoff}:
            raise UsageError(
                "--max-error (max_error) and --chest-cutoff (chest_cutoff) exclude each other: "
                "the errors were counted with the chest cutoff of the model card",
                "Leave out one of them, or use cxrview calibrate on a result of this cutoff",
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
