"""Labelled images, whether prepared in a store or listed in a labels file."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from cxrview.dataset.labels import read_labels
from cxrview.dataset.split import hash_files
from cxrview.dataset.store import open_prepared
from cxrview.errors import UsageError
from cxrview.records.dataset import Label, PreparedImage


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelledImages:
    """Frontal and lateral images with their labels."""

    images: Sequence[Label | PreparedImage]
    folder: Path
    """Names of files are relative to it."""
    hashes: Mapping[str, str] | None = None
    """File to a hash of what it shows, of a store; None if that must be computed."""

    def of_sources(self, sources: Collection[str]) -> "LabelledImages":
        """Only the images of some sources; all where `sources` is empty.

        Raises:
            UsageError: a source has no image.
        """
        if not sources:
            return self
        unknown = set(sources) - {image.source for image in self.images}
        if unknown:
            raise UsageError(f"no image is of source {', '.join(sorted(unknown))}")
        return replace(self, images=[one for one in self.images if one.source in sources])

    def content(self) -> Mapping[str, str]:
        """File to a hash of what it shows, as `check_split` takes it; may read all files.

        Raises:
            UsageError: a file cannot be read.
        """
        return hash_files(self.images, self.folder) if self.hashes is None else self.hashes


def open_labelled(path: Path) -> LabelledImages:
    """Open a store of `prepare_images` (a folder) or read a labels file (CSV).

    Patients may be unknown.

    Raises:
        UsageError: the folder is not a store, or the labels file cannot be read or has faults.
    """
    if path.is_dir():
        store = open_prepared(path)
        return LabelledImages(images=store.images, folder=path, hashes=store.content)
    return LabelledImages(images=read_labels(path, need_patients=False), folder=path.parent)
