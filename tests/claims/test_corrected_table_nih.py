"""Real images of NIH ChestX-ray14 and a table in its format, in which errors were planted."""

import csv
import io

import pytest

import cxrview
from cxrview.audit.audit_table import PageSettings, audit_table
from cxrview.claims.claimed_rows import ClaimSource
from cxrview.claims.collections import claim_columns
from cxrview.claims.corrected_table import write_corrected_table
from fixtures.claim_tables import NIH

IMAGES = 24
PLANTED = {3: "LL", 8: "LATERAL", 11: "", 12: ""}
"""What the table claims of some images in place of the truth."""
HEAD = NIH.splitlines()[0]


@pytest.fixture(scope="module")
def collection(shared_data, tmp_path_factory):
    """Images under NIH's own names, and their table."""
    folder = tmp_path_factory.mktemp("nih")
    (folder / "images").mkdir()
    with (shared_data / "labels-nih.csv").open(newline="") as file:
        labels = list(csv.DictReader(file))
    lines = [HEAD]
    for number, row in enumerate(labels[:: len(labels) // IMAGES][:IMAGES]):
        name = row["file"].rpartition("nih-")[2].replace(".jpg", ".png")
        (folder / "images" / name).symlink_to(shared_data / row["file"])
        claim = PLANTED.get(number, row["projection"])
        patient = row["patient"].rpartition("-")[2].lstrip("0")
        lines.append(f"{name},No Finding,0,{patient},058Y,M,{claim},2682,2749,0.143,0.143,")
    (folder / "Data_Entry_2017.csv").write_text("\r\n".join(lines) + "\r\n", newline="")
    cxrview.classify(folder / "images", out=folder / "views.parquet")
    return folder


@pytest.mark.slow
def test_an_audit_finds_what_a_real_table_misses_and_where_it_is_wrong(collection, tmp_path):
    source = ClaimSource(table=collection / "Data_Entry_2017.csv", columns=claim_columns("nih"))

    audit = audit_table(collection / "views.parquet", PageSettings(claims=source))
    done = write_corrected_table(collection / "views.parquet", source, tmp_path / "new.csv")

    decided = audit.counts.agreement.total
    assert decided >= IMAGES - 2  # all are frontal; one or two may go to review
    assert audit.matches.found == IMAGES
    assert {row["header_view_position"] for row in audit.sections[0].rows} <= {"LL", "LATERAL"}
    changes = done.changes
    assert changes["corrected"] == audit.counts.agreement.disagrees > 0
    assert changes["filled"] == audit.counts.agreement.silent > 0
    assert changes["kept"] == audit.counts.agreement.agrees
    old = (collection / "Data_Entry_2017.csv").read_bytes().split(b"\r\n")
    new = (tmp_path / "new.csv").read_bytes().split(b"\r\n")
    assert all(now.startswith(before) for now, before in zip(new, old, strict=True))
    rows = list(csv.DictReader(io.StringIO((tmp_path / "new.csv").read_text(), newline="")))
    for row in rows:
        if row["cxrview_change"] in ("corrected", "filled"):
            assert row["View Position_corrected"] == "FRONTAL"
        else:
            assert row["View Position_corrected"] == row["View Position"]
