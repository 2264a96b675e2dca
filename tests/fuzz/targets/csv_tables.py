"""Tables that a user names: labels, claims, header terms and settled labels."""

import csv
import gzip
import tempfile
from pathlib import Path

from cxrview.claims.claim_table import read_claims
from cxrview.claims.collections import COLLECTIONS
from cxrview.csv_files import read_csv_columns, read_csv_rows
from cxrview.dataset.labels import read_labels, read_not_chest
from cxrview.errors import UsageError
from cxrview.image.dicom.view_position import load_table
from cxrview.writeback.person_views import read_settled_labels

_LABELS = "file,patient,view,label\na.png,1,frontal,PA\nb.png,2,lateral,LL\nc.png,3,not-chest,\n"
_TERMS = "# version 1\nkind,value,scheme,view,note\nposition,PA,,frontal,why\n"
_NIH = "Image Index,View Position,Patient ID\n1.png,PA,7\n2.png,AP,\n"


def seeds() -> tuple[bytes, ...]:
    """Every kind of table, separator and encoding."""
    return (
        _LABELS.encode(),
        _LABELS.replace(",", ";").encode("utf-8-sig"),
        ("sep=;\n" + _LABELS.replace(",", ";")).encode("utf-16"),
        _LABELS.replace(",", "\t").replace("\n", "\r\n").encode(),
        gzip.compress(_LABELS.encode()),
        _TERMS.encode(),
        _NIH.encode(),
        (b'"Path";"Frontal/Lateral"\n"a/b.jpg";"Frontal"\n'),
    )


def check(data: bytes) -> None:
    """Read it as each of the tables: rows, or an error that says what is wrong with it."""
    name = "table.csv.gz" if data[:2] == b"\x1f\x8b" else "table.csv"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(data)
        for image in ("a.png", "b.png", "c.png"):
            (Path(folder) / image).touch()
        for read in (read_labels, read_not_chest, load_table, read_settled_labels):
            try:
                read(path)
            except UsageError as error:
                assert str(path) in error.reason
        for columns in COLLECTIONS.values():
            try:
                read_claims(path, columns)
            except UsageError as error:
                assert str(path) in error.reason
        try:  # those are raised to the readers of cxrview's own tables
            read_csv_columns(path)
            list(read_csv_rows(path))
        except (ValueError, csv.Error):
            pass
