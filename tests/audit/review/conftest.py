"""A small result with disagreements and review images, and a review of it in this process."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from cxrview.audit.review.doubtful_images import read_doubtful_images
from cxrview.audit.review.review_files import ReviewFiles, open_review_files
from cxrview.image.fetch import content_id
from cxrview.results.columns import COLUMNS, Row
from cxrview.results.tables import write_table
from fixtures.visitors import Client


def result_row(path: str, **values: Any) -> Row:
    """An image that shows a lateral view and whose header says PA."""
    known = {
        "path": path,
        "header_view_position": "PA",
        "header_view": "frontal",
        "decision": "classified",
        "view": "lateral",
        "pfi": 1.5,
        "agreement": "disagrees",
    }
    return dict.fromkeys(COLUMNS) | known | values


@pytest.fixture
def make_result(tmp_path: Path) -> Callable[..., Path]:
    """Write images and a result about them; returns the result."""

    def make(count: int = 6, **values: Any) -> Path:
        folder = tmp_path / "films"
        folder.mkdir(exist_ok=True)
        rng = np.random.default_rng(1)
        rows = []
        for number in range(count):
            path = folder / f"Doe_Jane_{number}.png"
            pixels = rng.integers(0, 255, (48, 40), dtype=np.uint8)
            Image.fromarray(pixels).save(path, compress_level=1)
            digest = content_id(path.read_bytes())
            rows.append(result_row(str(path), content_id=digest, pfi=number / 10, **values))
        table = tmp_path / "views.parquet"
        write_table(table, rows)
        return table

    return make


class Review:
    """A review that is served to a browser in this process."""

    def __init__(self, files: ReviewFiles) -> None:
        from cxrview.audit.review.app import review_app
        from cxrview.web.settings import PictureSettings

        self.files = files
        settings = PictureSettings(picture_workers=1)
        self.app = review_app(
            read_doubtful_images(files.table), files, reader="ann", settings=settings
        )
        self.client = Client(self.app)

    def enter(self) -> "Review":
        page = self.client.get("/", token=self.app.state.access.token)
        assert page.status_code == 200
        self.client.csrf = self.app.state.access.csrf
        return self

    def next(self, tab: str = "a", **params: Any) -> Any:
        return self.client.get("/api/next", tab=tab, **params).json()

    def showings(self, tab: str = "a", count: int = 6, held: str = "") -> list[str]:
        return [item["showing"] for item in self.next(tab, count=count, held=held)["items"]]

    def decide(self, *actions: dict[str, Any]) -> Any:
        return self.client.post("/api/decisions", {"actions": list(actions)})

    def close(self) -> None:
        self.client.close()
        self.app.state.pictures.close()
        self.files.log.close()


@pytest.fixture
def make_review(make_result: Callable[..., Path]) -> Iterator[Callable[..., Review]]:
    """Serve a review of a new result, or of one that is there."""
    pytest.importorskip("fastapi", reason="needs the extra audit: pip install '.[audit]'")
    made: list[Review] = []

    def make(table: Path | None = None, count: int = 6) -> Review:
        made.append(Review(open_review_files(table or make_result(count))))
        return made[-1].enter()

    yield make
    for review in made:
        review.close()


@pytest.fixture
def review(make_review: Callable[..., Review]) -> Review:
    """A review of six disagreements, opened in a browser."""
    return make_review()
