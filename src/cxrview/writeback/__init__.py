"""Corrected DICOM from a result: copies with the right view, reports, and a list of changes.

from cxrview.writeback import write_back

write_back("views.parquet", "corrected")
"""

from cxrview.writeback.person_views import PersonView, read_settled_labels, views_of_decisions
from cxrview.writeback.run import WritebackResult, preview, write_back
from cxrview.writeback.settings import ConflictingPosition, CorrectionSettings, WritebackForm

__all__ = [
    "ConflictingPosition",
    "CorrectionSettings",
    "PersonView",
    "WritebackForm",
    "WritebackResult",
    "preview",
    "read_settled_labels",
    "views_of_decisions",
    "write_back",
]
