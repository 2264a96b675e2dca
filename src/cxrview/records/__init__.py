"""Every record that crosses from one room to another: frozen, checked, knowing nothing of files."""

from cxrview.records.annotated import (
    EXCLUSION_REASONS,
    AnnotationStudy,
    ForeignReading,
    Kappa,
    LabelChoice,
    Login,
    Reader,
    Reading,
    Settled,
    StudyImage,
)
from cxrview.records.archive import Failure, Instance, Prediction, Radiograph
from cxrview.records.archive_error import (
    ArchiveError,
    LabelledRow,
    SampledShare,
    StratumCount,
)
from cxrview.records.assessed import (
    Assessed,
    Assessment,
    ChiSquared,
    Interval,
    ReliabilityBin,
    Slice,
    TwoByTwo,
)
from cxrview.records.labelled import (
    HeaderFacts,
    Label,
    Materialised,
    NotChest,
    Prepared,
    PreparedImage,
    Split,
    Variant,
)
from cxrview.records.model import SMOKE_TEST, Cutoff, ModelCard
from cxrview.records.modified import Box, ModifiedCount, ModifiedImage
from cxrview.records.scored import Answers, Scores, join_answers

__all__ = [
    "SMOKE_TEST",
    "EXCLUSION_REASONS",
    "AnnotationStudy",
    "Answers",
    "ArchiveError",
    "Assessed",
    "Assessment",
    "Box",
    "ChiSquared",
    "Cutoff",
    "Failure",
    "ForeignReading",
    "HeaderFacts",
    "Instance",
    "Interval",
    "Kappa",
    "Label",
    "LabelChoice",
    "LabelledRow",
    "Login",
    "Materialised",
    "ModelCard",
    "ModifiedCount",
    "ModifiedImage",
    "NotChest",
    "Prediction",
    "Prepared",
    "PreparedImage",
    "Radiograph",
    "Reader",
    "Reading",
    "ReliabilityBin",
    "SampledShare",
    "Scores",
    "Settled",
    "Slice",
    "Split",
    "StratumCount",
    "StudyImage",
    "TwoByTwo",
    "Variant",
    "join_answers",
]
