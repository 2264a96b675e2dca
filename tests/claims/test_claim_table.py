"""Tables of collections in their own formats."""

import gzip

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cxrview.claims.claim_table import is_missing, read_claims
from cxrview.claims.collections import COLLECTIONS, ClaimColumns, claim_columns
from cxrview.errors import UsageError
from fixtures.claim_tables import CHEXPERT, MIMIC, NIH

TABLES = {"mimic-cxr-jpg": MIMIC, "chexpert": CHEXPERT, "nih": NIH}
CLAIMS = {
    "mimic-cxr-jpg": ["frontal", "lateral", None, "frontal", None],
    "chexpert": ["frontal", "frontal", "lateral", "frontal"],
    "nih": ["frontal", "frontal", "frontal"],
}
PATIENTS = {
    "mimic-cxr-jpg": ["10000032", "10000032", "10000032", "10000764", "10000898"],
    "chexpert": ["00001", "00002", "00002", "00003"],
    "nih": ["1", "1", "3"],
}


@pytest.mark.parametrize("collection", COLLECTIONS)
@pytest.mark.parametrize("form", ["csv", "csv.gz", "parquet", "semicolons", "utf-16"])
def test_read_claims_knows_the_collections(table, tmp_path, collection, form):
    path = table(TABLES[collection], f"{collection}.csv")
    if form == "csv.gz":
        packed = tmp_path / "packed.csv.gz"
        packed.write_bytes(gzip.compress(path.read_bytes()))
        path = packed
    elif form == "parquet":
        rows = [line.split(",") for line in TABLES[collection].replace('""', "'").splitlines()]
        columns = {name: [row[n] for row in rows[1:]] for n, name in enumerate(rows[0]) if name}
        path = tmp_path / "table.parquet"
        pq.write_table(pa.table(columns), path)
    elif form == "semicolons":
        path = table(TABLES[collection].replace(",", ";"), "semicolons.csv")
    elif form == "utf-16":
        path = tmp_path / "utf-16.csv"
        path.write_bytes(TABLES[collection].encode("utf-16"))

    read = read_claims(path, claim_columns(collection))

    assert [one.view for one in read.claims] == CLAIMS[collection]
    assert [one.patient for one in read.claims] == PATIENTS[collection]
    assert read.columns.view == COLLECTIONS[collection].view


@pytest.mark.parametrize(
    "name", ["View Position", "ViewPosition", "view_position", "VIEW POSITION"]
)
def test_read_claims_finds_a_column_however_it_is_spelled(table, name):
    path = table(f"File,{name},Unnamed: 3,Unnamed: 4\na,PA,,\n")

    read = read_claims(path, ClaimColumns(key="file", view="View Position"))

    assert (read.columns.key, read.columns.view) == ("File", name)


def test_read_claims_joins_rows_of_one_key(table):
    path = table("key,view\nx,PA\nx,AP\ny,PA\ny,LL\n,PA\n")

    read = read_claims(path, ClaimColumns(key="key", view="view"))

    assert [(one.key, one.rows, one.view) for one in read.claims] == [
        ("x", 2, "frontal"),
        ("y", 2, None),
    ]
    assert (read.rows, read.without_key, read.values["PA"]) == (5, 1, 3)


@pytest.mark.parametrize(
    ("text", "variable"),
    [
        ("name,view\na,PA\n", "key"),
        ("key,view,view\na,PA,AP\n", "view"),
        ("key,view\n", "table.csv"),
        ("", "key"),
    ],
)
def test_read_claims_refuses_a_table_without_its_columns(table, text, variable):
    with pytest.raises(UsageError, match=variable):
        read_claims(table(text), ClaimColumns(key="key", view="view"))


def test_read_claims_refuses_a_parquet_file_that_is_none(table):
    with pytest.raises(UsageError, match=r"table\.parquet"):
        read_claims(table("key,view\n", "table.parquet"), ClaimColumns(key="key", view="view"))


def test_read_claims_names_the_columns_of_a_parquet_file(tmp_path):
    pq.write_table(pa.table({"dicom": ["a"]}), tmp_path / "table.parquet")

    with pytest.raises(UsageError, match="dicom_id.*dicom"):
        read_claims(tmp_path / "table.parquet", claim_columns("mimic-cxr-jpg"))


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"collection": "chexpert"}, ("Path", "Frontal/Lateral")),
        ({"collection": "chexpert", "view": "AP/PA"}, ("Path", "AP/PA")),
        ({"key": "a", "view": "b"}, ("a", "b")),
    ],
)
def test_claim_columns_lets_a_named_column_replace_that_of_a_collection(given, expected):
    chosen = claim_columns(**given)

    assert (chosen.key, chosen.view) == expected


@pytest.mark.parametrize("given", [{"collection": "padchest"}, {"key": "a"}, {"view": "b"}, {}])
def test_claim_columns_refuses_what_does_not_name_both(given):
    with pytest.raises(UsageError):
        claim_columns(**given)


@pytest.mark.parametrize("text", ["", " ", "nan", "N/A", "None", "NULL", "unknown"])
def test_is_missing_knows_the_words_for_nothing(text):
    assert is_missing(text)
    assert not is_missing(text + "LAO")
