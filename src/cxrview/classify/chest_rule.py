"""The rule that skips images which are not chest radiographs by their DICOM header."""

import tomllib
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files
from pathlib import Path

from cxrview.errors import UsageError
from cxrview.records.classification import Instance


@dataclass(frozen=True, kw_only=True)
class ChestRule:
    """A published, versioned rule; chest_rule.toml explains its entries."""

    version: str
    modalities: tuple[str, ...]
    sop_classes: tuple[str, ...]
    body_parts: tuple[str, ...]

    def reason_to_skip(self, instance: Instance) -> str | None:
        """Return why an image is not a chest radiograph, as a warning code; None if it may be one.

        A PNG, JPEG or TIFF file has no header that could exclude it.
        """
        if not instance.transfer_syntax and not instance.sop_class_uid:
            return None
        if any(_is_below(instance.sop_class_uid, one) for one in self.sop_classes):
            return "skipped_by_sop_class"
        if instance.modality.upper() not in self.modalities:
            return "skipped_by_modality"
        part = "".join(filter(str.isalnum, instance.body_part.upper()))
        return "skipped_by_body_part" if part in self._parts else None

    @cached_property
    def _parts(self) -> frozenset[str]:
        return frozenset(self.body_parts)


def load_chest_rule(path: Path | None = None) -> ChestRule:
    """Read a rule; by default the one in the package.

    Raises:
        UsageError: the file cannot be read or lacks an entry.
    """
    source = path or files("cxrview.classify").joinpath("chest_rule.toml")
    try:
        fields = tomllib.loads(source.read_text(encoding="utf-8"))
        return ChestRule(
            version=str(fields["version"]),
            modalities=_words(fields["modalities"]),
            sop_classes=_words(fields["sop_classes"]),
            body_parts=_words(fields["body_parts"]),
        )
    except (OSError, KeyError, TypeError, ValueError, RecursionError) as error:
        raise UsageError(
            f"{path} is not a chest rule: it needs version, modalities, sop_classes and body_parts",
            "The last three are lists of texts; start from chest_rule.toml in the package",
        ) from error


def _words(values: object) -> tuple[str, ...]:
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise TypeError
    return tuple(value.strip().upper() for value in values)


def _is_below(uid: str, root: str) -> bool:
    return uid == root or uid.startswith(root + ".")
