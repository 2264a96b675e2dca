"""Occlusion maps on the page of an audit."""

import pytest

pytest.importorskip("jinja2", reason="needs jinja2: pip install '.[audit]'")

from cxrview.audit.explain_images import MAX_EXPLAINED, explain_images
from cxrview.audit.page import write_audit
from cxrview.classify.model import load_model
from cxrview.results.columns import COLUMNS
from cxrview.results.tables import write_table


@pytest.fixture(scope="module")
def model():
    return load_model()


def a_row(path: str, model_id: str, **facts: object) -> dict[str, object]:
    known = {"path": path, "decision": "review", "pfi": 50.0, "model_id": model_id}
    return dict.fromkeys(COLUMNS) | known | facts


def explained(rows, folder, model):
    return explain_images(rows, folder, model, masks_border=False, on_picture=lambda done: None)


def test_explain_images_says_why_there_is_no_map(film, tmp_path, model):
    mine = model.card.model_id
    rows = [
        a_row(film, "another-model"),
        a_row(str(tmp_path / "missing.png"), mine),
    ]

    found = explained(rows, "", model)

    assert [one.uri for one in found.values()] == ["", ""]
    assert "another model" in found[film].reason
    for answered in (mine, model.second_card.model_id):
        changed = explained([a_row(film, answered, content_id="of another file")], "", model)
        assert (changed[film].uri, "changed" in changed[film].reason) == ("", True)


def test_write_audit_draws_maps_of_the_first_images_under_review(film, tmp_path, model):
    mine = model.card.model_id
    rows = [a_row(film, mine, pfi=50.0)]
    rows += [a_row(str(tmp_path / f"{k}.png"), mine, pfi=60.0) for k in range(MAX_EXPLAINED + 3)]
    table, page = tmp_path / "views.parquet", tmp_path / "audit.html"
    write_table(table, iter(rows))
    read = []

    write_audit(table, page, model=model, on_picture=read.append)

    text = page.read_text(encoding="utf-8")
    assert text.count('class="map"') == 1  # the others are missing
    assert sum(read) == len(rows) + MAX_EXPLAINED
    write_audit(table, page)
    assert 'class="map"' not in page.read_text(encoding="utf-8")
