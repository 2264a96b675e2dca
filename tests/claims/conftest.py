"""Results of classify and tables, written for a test."""

from pathlib import Path

import pytest

from cxrview.results.columns import COLUMNS
from cxrview.results.tables import write_table


@pytest.fixture
def result(tmp_path):
    """Write a result whose images show the views: path to view, or to any columns."""

    def write(images: dict[str, object], name: str = "views.parquet") -> Path:
        rows = []
        for path, shown in images.items():
            facts = shown if isinstance(shown, dict) else {"view": shown}
            view = facts.get("view")
            row = {
                "path": path,
                "decision": "classified" if view else "review",
                "pfi": {"frontal": 99.5, "lateral": 0.5}.get(view, 50.0),
                "agreement": "silent" if view else None,
                "content_id": f"content of {path}",
            }
            rows.append(dict.fromkeys(COLUMNS) | row | facts)
        write_table(tmp_path / name, rows)
        return tmp_path / name

    return write


@pytest.fixture
def table(tmp_path):
    """Write a table as text."""

    def write(text: str, name: str = "table.csv") -> Path:
        path = tmp_path / name
        path.write_text(text, encoding="utf-8", newline="")
        return path

    return write
