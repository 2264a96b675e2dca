"""Where the tables of public collections hold the view of an image, and which image it is of.

Column names and values: MIMIC-CXR-JPG 2.0.0 (`mimic-cxr-2.0.0-metadata.csv.gz`), CheXpert
(`train.csv`, `valid.csv`) and NIH ChestX-ray14 (`Data_Entry_2017.csv`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from cxrview.errors import UsageError
from cxrview.sources.patient_source import PatientSource
from cxrview.terms import View


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimColumns:
    """Columns of a metadata table, and the words that a corrected table uses."""

    key: str
    """Says which image a row is of: a file name, with its ending or without, a path, or a SOP
    Instance UID."""
    view: str
    """Holds the view, such as PA or Lateral."""
    has_root_folder: bool = False
    """Keys begin with the collection's own folder, which may have another name on the disk."""
    patient: PatientSource = field(default_factory=PatientSource)
    """Where the patient of a row is found; nowhere by default."""
    frontal: str = "frontal"
    """What a corrected cell of a frontal image says. A model of two classes does not tell PA from
    AP."""
    lateral: str = "lateral"
    """What that of a lateral image says."""

    def word(self, view: View) -> str:
        """What a corrected cell says."""
        return self.frontal if view is View.FRONTAL else self.lateral


COLLECTIONS: Mapping[str, ClaimColumns] = MappingProxyType(
    {
        "mimic-cxr-jpg": ClaimColumns(
            key="dicom_id",
            view="ViewPosition",
            patient=PatientSource(column="subject_id"),
            frontal="FRONTAL",
            lateral="LATERAL",
        ),
        "chexpert": ClaimColumns(
            key="Path",
            view="Frontal/Lateral",
            has_root_folder=True,
            patient=PatientSource(pattern=r"patient(\d+)"),
            frontal="Frontal",
            lateral="Lateral",
        ),
        "nih": ClaimColumns(
            key="Image Index",
            view="View Position",
            patient=PatientSource(column="Patient ID"),
            frontal="FRONTAL",
            lateral="LATERAL",
        ),
    }
)


def claim_columns(collection: str = "", key: str = "", view: str = "") -> ClaimColumns:
    """Choose the columns: those of a collection, by name, or both.

    Args:
        collection: one of COLLECTIONS; empty for another table.
        key: column that takes the place of the collection's.
        view: likewise.

    Raises:
        UsageError: the collection is not known, or a column is named by neither.
    """
    if collection and collection not in COLLECTIONS:
        raise UsageError(f"--collection {collection} is not known", f"Use {', '.join(COLLECTIONS)}")
    if collection:
        preset = COLLECTIONS[collection]
        return replace(preset, key=key or preset.key, view=view or preset.view)
    if not key or not view:
        raise UsageError(
            "the columns of --claims are not named",
            f"Add --claim-key and --claim-view, or --collection {'|'.join(COLLECTIONS)}",
        )
    return ClaimColumns(key=key, view=view)


def column_options(columns: ClaimColumns) -> list[str]:
    """The options by which a command finds these columns: those of `claim_columns`.

    Args:
        columns: of a collection or of another table, perhaps as they are spelled in a table.
    """
    options = []
    for name, preset in COLLECTIONS.items():
        if replace(preset, key=columns.key, view=columns.view) == columns:
            options = ["--collection", name]
    return [*options, "--claim-key", columns.key, "--claim-view", columns.view]
