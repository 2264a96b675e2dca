"""The inputs and settings of a study that its result depends on."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cxrview.dataset.natural.pictures import find_pictures, listing_sha256
from cxrview.dataset.split import check_split_by
from cxrview.digests import file_sha256
from cxrview.errors import UsageError
from cxrview.json_file import read_json, write_json
from cxrview.paper.pretrain_run import PictureSource
from cxrview.paper.scale import Scale

PICTURES = "pictures"
"""The condition that plans of older versions lack."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyPlan:
    """Images, weights, scale and seed of one run of the paper's study.

    Raises:
        UsageError: `by` is not patient, image or rule.
    """

    labels: Path
    """CSV as `dataset.labels` reads it."""
    published: Path
    """The published GoogLeNet as arrays, .npz."""
    pictures: PictureSource
    """For the two grey pre-trainings."""
    scale: Scale
    seed: int = 0
    sources: tuple[str, ...] = ()
    """Sources inside the study; if empty, all that are not external."""
    external: Path | None = None
    """Labels file of the external test images; None for the study's."""
    external_sources: tuple[str, ...] = ()
    """Sources of the external images; all if empty."""
    sample: int | None = None
    """Number of external images sampled by seed; the paper: 1,000. All if None."""
    headers: Path | None = None
    """Table of headers, as `dataset.labels.read_headers` reads it."""
    by: str = "patient"
    """How to split: by `patient`, or by `image` as the paper did."""
    counts: tuple[int, int, int] | None = None
    """Images in training, validation and test; 60, 20, 20 % if None."""
    as_published: bool = False
    """Compress every image as JPEG first, as the paper's conversion did."""
    device: str = "cpu"
    workers: int = 2
    """Processes and threads that read images."""
    is_drawn: bool = False
    """Radiographs and pictures are drawn phantoms."""

    def __post_init__(self) -> None:
        """Refuse what the split would refuse only after all images were read."""
        check_split_by(self.by)

    @property
    def is_external_inside(self) -> bool:
        """Whether the external images are in the labels file of the study."""
        return self.external is None or self.external.resolve() == self.labels.resolve()

    @property
    def conditions(self) -> dict[str, str]:
        """What a run must have in common with this one to resume its folder.

        Raises:
            UsageError: the pictures do not exist, or are not a tree of classes.
        """
        files = {
            "labels": self.labels,
            "published": self.published,
            "classes": self.pictures.classes,
            "external": self.external,
            "headers": self.headers,
        }
        return {
            **{name: file_sha256(path) if path else "" for name, path in files.items()},
            PICTURES: listing_sha256(find_pictures(self.pictures.pictures)),
            "scale": self.scale.name,
            "seed": str(self.seed),
            "sources": json.dumps(self.sources),
            "external_sources": json.dumps(self.external_sources),
            "sample": str(self.sample),
            "split": f"{self.by} {self.counts}",
            "as_published": str(self.as_published),
        }


def check_plan(path: Path, conditions: Mapping[str, str]) -> None:
    """Refuse the folder of a run with other conditions.

    A plan without a record of the pictures, of an older version, is accepted with any.

    Raises:
        UsageError: the folder belongs to another study; the message names what differs.
    """
    if not path.is_file():
        return
    try:
        found = read_json(path)
    except ValueError:
        found = {}
    found.setdefault(PICTURES, conditions[PICTURES])
    differ = [name for name, value in conditions.items() if found.get(name) != value]
    if differ:
        raise UsageError(
            f"{path.parent} belongs to another study, which differs in {', '.join(differ)}",
            "Resume with the same, or choose a new folder",
        )


def write_plan(path: Path, conditions: Mapping[str, str]) -> None:
    """Write the conditions of a run.

    Raises:
        CannotWrite: the disk is full or not writable.
    """
    write_json(path, conditions)
