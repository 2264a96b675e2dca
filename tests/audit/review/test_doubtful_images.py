import tracemalloc

import pytest

from cxrview.audit.review.doubtful_images import (
    Reason,
    read_doubtful_images,
    sort_doubtful_images,
)
from cxrview.claims.claimed_rows import ClaimSource
from cxrview.claims.collections import ClaimColumns
from cxrview.results.columns import COLUMNS, MERGED_COLUMNS
from cxrview.results.tables import write_table
from cxrview.terms import View


def row(path, **values):
    known = {"path": path, "decision": "classified", "view": "lateral", "pfi": 1.5}
    return dict.fromkeys(MERGED_COLUMNS) | known | {"agreement": "disagrees"} | values


def test_sort_doubtful_images_puts_disagreements_first_and_the_most_doubtful_before_others():
    rows = [
        row("sure"),
        row("review", decision="review", view=None, agreement=None, pfi=45.0),
        row("unsure", pfi=30.0),
        row("agrees", agreement="agrees"),
        row("silent", agreement="silent"),
        row("skipped", decision="skipped", view=None),
        row("no chest", decision="not_chest", view=None, agreement=None),
        row("even", decision="review", view=None, agreement=None, pfi=50.0),
    ]

    assert [one.path for one in sort_doubtful_images(rows)] == ["unsure", "sure", "even", "review"]


@pytest.mark.parametrize(
    ("pfi", "proposed"), [(49.9, View.LATERAL), (50.0, View.FRONTAL), (None, View.FRONTAL)]
)
def test_sort_doubtful_images_proposes_the_more_probable_view_in_the_review_band(pfi, proposed):
    (image,) = sort_doubtful_images([row("a", decision="review", view=None, pfi=pfi)])

    assert (image.reason, image.proposed) == (Reason.REVIEW, proposed)


def test_sort_doubtful_images_lists_a_path_once_and_a_labelled_image_as_such():
    rows = [row("a"), row("a", decision="labelled", view_origin="readers")]
    (image,) = sort_doubtful_images(rows)

    assert image.is_labelled


def test_showing_contains_no_part_of_the_path():
    (image,) = sort_doubtful_images([row("films/Doe_Jane.dcm")])

    assert len(image.showing) == 16 and int(image.showing, 16) >= 0


@pytest.mark.parametrize("name", ["views.parquet", "views.csv", "views.jsonl"])
def test_read_doubtful_images_reads_every_format(tmp_path, name):
    write_table(tmp_path / name, [{n: row("a")[n] for n in COLUMNS}])

    assert [one.path for one in read_doubtful_images(tmp_path / name)] == ["a"]


def test_read_doubtful_images_takes_the_views_of_a_metadata_table(tmp_path):
    rows = [row("a.png", agreement="agrees"), row("b.png", agreement="disagrees")]
    write_table(tmp_path / "views.parquet", ({n: one[n] for n in COLUMNS} for one in rows))
    (tmp_path / "table.csv").write_text("file,view\na.png,AP\nb.png,LL\n")
    columns = ClaimColumns(key="file", view="view")
    claims = ClaimSource(table=tmp_path / "table.csv", columns=columns)
    (image,) = read_doubtful_images(tmp_path / "views.parquet", claims)

    assert (image.path, image.header, image.header_view) == ("a.png", "AP", View.FRONTAL)


@pytest.mark.slow
def test_read_doubtful_images_keeps_100_000_disagreements_in_little_memory(tmp_path):
    table = tmp_path / "views.parquet"
    path = "films/2021/ward/PAT{:07}/STUDY001/SERIES01/IM0001.dcm"
    write_table(table, (row(path.format(n), content_id=f"{n:032x}") for n in range(100_000)))
    tracemalloc.start()
    images = read_doubtful_images(table)
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert len(images) == 100_000
    assert kept < 60 << 20
