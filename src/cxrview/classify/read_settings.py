"""`ReadSettings`: how a decode worker reads files."""

from dataclasses import dataclass
from pathlib import Path

from cxrview.image.options import ReadOptions
from cxrview.image.pseudonyms import pseudonym
from cxrview.image.resize import SIDE
from cxrview.workers.memory import LIMIT_BYTES


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadSettings:
    """How a decode worker reads files."""

    side: int = SIDE
    """Rows and columns of the model's input."""
    options: ReadOptions = ReadOptions()
    memory_bytes: int = LIMIT_BYTES
    """Address space that a worker may use beyond what it starts with."""
    key: bytes | None = None
    """Key of the patients' pseudonyms; None for no pseudonyms."""
    identify: bool = False
    """Keep real patient ids in place of pseudonyms."""
    skip: bool = True
    """Skip images that the chest rule excludes."""
    chest_rule: Path | None = None
    """File of a user's own rule; None for the one in the package."""

    def patient_key(self, patient_id: str) -> str:
        """Return the value of the column `patient_key` for a patient's id."""
        if self.identify:
            return patient_id
        return pseudonym(self.key, patient_id) if self.key else ""
