"""What a study is made of: all that its result depends on."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cxrview.atomic_files import write_atomic
from cxrview.errors import UsageError
from cxrview.paper.network_files import file_sha256
from cxrview.paper.pretrain_run import PictureSource
from cxrview.paper.scale import Scale


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyPlan:
    """Images, weights, scale and seed of one run of the paper's study."""

    labels: Path
    """CSV as `dataset.labels` reads it."""
    published: Path
    """The published GoogLeNet as arrays, .npz."""
    pictures: PictureSource
    """For the two grey pre-trainings."""
    scale: Scale
    seed: int = 0
    sources: tuple[str, ...] = ()
    """Inside the study; where empty, all that are not external."""
    external: Path | None = None
    """Labels file of the external test images; None for that of the study."""
    external_sources: tuple[str, ...] = ()
    """Of the external images, only these; all where empty."""
    sample: int | None = None
    """External images drawn by seed; the paper: 1,000. All where None."""
    headers: Path | None = None
    """Table of headers, as `dataset.headers` reads it."""
    by: str = "patient"
    """How to split: `patient`, or `image` as the paper did."""
    counts: tuple[int, int, int] | None = None
    """Images in training, validation and test; 60, 20, 20 % where None."""
    as_published: bool = False
    """Pass every image through JPEG first, as the paper's conversion did."""
    device: str = "cpu"
    workers: int = 2
    """Processes and threads that read."""
    is_drawn: bool = False
    """Radiographs and pictures are drawn."""

    @property
    def is_external_inside(self) -> bool:
        """Whether the external images stand in the labels file of the study."""
        return self.external is None or self.external.resolve() == self.labels.resolve()

    @property
    def conditions(self) -> dict[str, str]:
        """What another run must have in common to go on with this one's folder."""
        files = {
            "labels": self.labels,
            "published": self.published,
            "classes": self.pictures.classes,
            "external": self.external,
            "headers": self.headers,
        }
        return {
            **{name: file_sha256(path) if path else "" for name, path in files.items()},
            "scale": self.scale.name,
            "seed": str(self.seed),
            "sources": json.dumps(self.sources),
            "external_sources": json.dumps(self.external_sources),
            "sample": str(self.sample),
            "split": f"{self.by} {self.counts}",
            "as_published": str(self.as_published),
        }


def check_plan(path: Path, conditions: Mapping[str, str]) -> None:
    """Refuse a folder in which a run of other conditions stands.

    Raises:
        UsageError: the folder holds another study; the message says what differs.
    """
    if not path.is_file():
        return
    try:
        standing = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        standing = {}
    differ = [name for name, value in conditions.items() if standing.get(name) != value]
    if differ:
        raise UsageError(
            f"{path.parent} holds another study: {', '.join(differ)} differ",
            "Go on with the same, or name a new folder",
        )


def keep_plan(path: Path, conditions: Mapping[str, str]) -> None:
    """Write down what a run is made of.

    Raises:
        CannotWrite: the disk took no more.
    """
    write_atomic(path, json.dumps(conditions, indent=2) + "\n")
