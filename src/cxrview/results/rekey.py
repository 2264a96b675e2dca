"""Replaces the patients' pseudonyms in the rows of complete results, or removes them.

A pseudonym cannot be computed from another one: unless the row holds the patient's real id, the
id is read again from the header of the file.
"""

import re
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from typing import Protocol

from cxrview.errors import UnreadableImage, UsageError
from cxrview.image import open_image
from cxrview.image.dicom.header_only import read_header
from cxrview.image.failure import DAMAGE_ERRORS
from cxrview.image.pseudonyms import IDENTIFIED, key_condition, pseudonym
from cxrview.results.columns import Row, from_printable
from cxrview.sources.paths import absolute

_AT_ONCE, _THREADS = 256, 8
_NAMED = 5
"""Files named in an error."""


class Patients(Protocol):
    """Replaces the patients in the rows of results that are joined."""

    @property
    def condition(self) -> str:
        """The condition `patients` of the joined result."""

    def change(self, rows: Iterable[Row], patients: str, folder: str) -> Iterator[Row]:
        """Yield rows with other pseudonyms.

        Args:
            rows: of one result, by COLUMNS.
            patients: the condition `patients` of the result.
            folder: what relative paths are relative to; the working folder if empty.
        """

    def need_all(self) -> None:
        """Check, after all rows were yielded, that all could be changed.

        Raises:
            UsageError: some could not be changed.
        """


class WithoutPatients:
    """Leaves `patient_key` empty in all rows."""

    condition = "left out"

    def change(self, rows: Iterable[Row], patients: str, folder: str) -> Iterator[Row]:
        """Yield rows without patients; see `Patients`."""
        return (row | {"patient_key": None} for row in rows)

    def need_all(self) -> None:
        """Nothing can be missing."""


@dataclass(slots=True, kw_only=True)
class Rekey:
    """Gives all rows pseudonyms made with one key.

    Rows under that key stay as they are, and real ids are turned into pseudonyms. For all other
    rows the header of the file is read again. The file counts as the same if its SOP Instance UID
    is that of the row; otherwise its bytes must have the `content_id` of the row.
    """

    key: bytes
    leaves_out: bool = False
    """Leave out the patients of files that cannot be read again, instead of raising an error."""
    missing: int = 0
    """Number of files that are missing, unreadable or replaced."""
    named: list[str] = field(default_factory=list)
    """The first of these."""

    @property
    def condition(self) -> str:
        """The key, and the number of files without a patient; see `Patients`."""
        missing = f" (headers not read again: {self.missing})" if self.missing else ""
        return key_condition(self.key) + missing

    def change(self, rows: Iterable[Row], patients: str, folder: str) -> Iterator[Row]:
        """Yield rows under the key; see `Patients`."""
        if patients == key_condition(self.key):
            return iter(rows)
        if patients == IDENTIFIED:
            return (
                row | {"patient_key": self._pseudonym(row["patient_key"] or "") or None}
                for row in rows
            )
        return self._read_again(iter(rows), patients, folder)

    def need_all(self) -> None:
        """See `Patients`."""
        if not self.missing or self.leaves_out:
            return
        named = ", ".join(self.named)
        more = f" and {self.missing - len(self.named)} more" if self.missing > _NAMED else ""
        raise UsageError(
            "headers that cannot be read again, of files that are missing, unreadable or replaced: "
            f"{self.missing}, namely {named}{more}",
            "Make them readable under these paths; or leave out the patients of these files with "
            "--without-patients in addition to --rekey",
        )

    def _read_again(self, rows: Iterator[Row], patients: str, folder: str) -> Iterator[Row]:
        # In a result with pseudonyms, a row without one belongs to a file without a patient, such
        # as a PNG.
        has_all = re.fullmatch(r"key [0-9a-f]+", patients) is not None

        def read(row: Row) -> str | None:
            if has_all and not row["patient_key"]:
                return ""
            return self._pseudonym_of_file(row, folder)

        with ThreadPoolExecutor(_THREADS) as threads:  # they wait for the disk
            while some := list(islice(rows, _AT_ONCE)):
                for row, found in zip(some, threads.map(read, some), strict=True):
                    if found is None:
                        self._note_missing(row["path"])
                    yield row | {"patient_key": found or None}

    def _note_missing(self, path: str) -> None:
        self.missing += 1
        if len(self.named) < _NAMED:
            self.named.append(path)

    def _pseudonym_of_file(self, row: Row, folder: str) -> str | None:
        """Return None if the file cannot be read, or is not that of the row any more."""
        path = absolute(from_printable(row["path"]), folder)
        uid, content = row["sop_instance_uid"], row["content_id"]
        try:
            header = read_header(path, patient_key=self._pseudonym) if uid else None
            if header and header.sop_instance_uid == uid:
                return header.patient_key
            whole = open_image(path, patient_key=self._pseudonym).instance
        except (UnreadableImage, MemoryError, *DAMAGE_ERRORS):  # damaged since it was classified
            return None
        # Either may be empty: a URL that was read in part has no digest.
        is_same = (uid and whole.sop_instance_uid == uid) or (
            content and whole.content_id == content
        )
        return whole.patient_key if is_same else None

    def _pseudonym(self, patient_id: str) -> str:
        return pseudonym(self.key, patient_id)
