"""A small study behind a server in this process, and people who come to it by HTTP."""

import re
import secrets
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from cxrview.annotate.database.store import ReadingStore, create_readings
from cxrview.annotate.web.app import annotation_app
from cxrview.annotate.web.settings import ServeSettings
from cxrview.records.annotation import AnnotationStudy, Reader, StudyImage
from cxrview.terms import Role, View
from fixtures.visitors import Client

READER, ADJUDICATOR = Role.READER, Role.ADJUDICATOR


class Clock:
    """Stands still until it is moved. It starts now: the store has a clock of its own."""

    def __init__(self) -> None:
        self.time = datetime.now(UTC)

    def __call__(self) -> datetime:
        return self.time

    def move(self, **much: float) -> None:
        self.time += timedelta(**much)


class Visitor(Client):
    """A browser that may be signed in."""

    def enter(self, secret: str) -> "Visitor":
        answer = self.send("/enter", secret=secret)
        assert answer.status_code == 303
        self.csrf = csrf_of(self.get("/").text)
        return self

    def next(self, count: int = 6, tab: str = "one", held: str = "") -> list[str]:
        """Showings that come next."""
        answer = self.get("/api/next", count=count, tab=tab, held=held)
        return [item["showing"] for item in answer.json()["items"]]

    def read(self, *acts: dict[str, Any]) -> Any:
        return self.post("/api/readings", {"readings": list(acts)}).json()


def csrf_of(page: str) -> str:
    found = re.search(r'name="csrf" content="([^"]+)"', page)
    assert found
    return found[1]


@dataclass(kw_only=True)
class Served:
    """A study that is served: as the shell sees it, and as its readers do."""

    store: ReadingStore
    app: Any
    clock: Clock
    secrets: dict[str, str] = field(default_factory=dict)
    readers: dict[str, Reader] = field(default_factory=dict)
    visitors: list[Visitor] = field(default_factory=list)

    def visit(self, name: str = "") -> Visitor:
        """Somebody's browser, signed in where a name is given."""
        visitor = Visitor(self.app)
        self.visitors.append(visitor)
        return visitor.enter(self.secrets[name]) if name else visitor

    def act(self, showing: str, act: str = "label", **said: Any) -> dict[str, Any]:
        """What a page sends."""
        made = self.clock().isoformat()
        said.setdefault("label", "frontal" if act == "label" else "")
        return {"uid": uuid.uuid4().hex, "showing": showing, "act": act, "made": made, **said}

    def read_all(self, name: str, say: Callable[[str], dict[str, Any]]) -> None:
        """Have a reader read everything; `say` gives what is said of a path."""
        visitor, reader = self.visit(name), self.readers[name]
        state = self.app.state.study_state
        while showings := visitor.next(50):
            paths = [state.images[state.place_of(reader, one)[0]].path for one in showings]
            acts = [self.act(s, **say(p)) for s, p in zip(showings, paths, strict=True)]
            assert not visitor.read(*acts)["refused"]


def draw_files(folder: Path, count: int, shape: tuple[int, int] = (48, 40)) -> list[str]:
    """Write small pictures, each another one."""
    folder.mkdir(exist_ok=True)
    rng = np.random.default_rng(1)
    names = [f"Doe_Jane_{number}.png" for number in range(count)]
    for name in names:
        pixels = rng.integers(0, 255, shape, dtype=np.uint8)
        Image.fromarray(pixels).save(folder / name, compress_level=1)
    return names


def create_study(folder: Path, images: int = 8, **study: Any) -> ReadingStore:
    """Make a study of drawn files, with all that a reader may not know."""
    about = AnnotationStudy(
        study_id=secrets.token_hex(16),
        name="Smalls",
        created=datetime.now(UTC),
        root=str(folder / "films"),
        **study,
    )
    store = create_readings(str(folder / "study.db"), about)
    store.add_images(
        StudyImage(
            image_id=secrets.token_hex(8),
            path=name,
            patient="patient-7713",
            source="ward-42",
            study="1.2.840.99999",
            model_view=View.LATERAL,
            model_decision="classified",
            pfi=13.579,
            header_view=View.LATERAL,
        )
        for name in draw_files(folder / "films", images)
    )
    return store


@pytest.fixture
def make_served(tmp_path: Path) -> Iterator[Callable[..., Served]]:
    """Serve a study: number of images, what the study and the settings are to be."""
    made: list[Served] = []

    def make(
        images: int = 8, settings: dict[str, Any] | None = None, folder: str = "", **study: Any
    ) -> Served:
        store = create_study(tmp_path / folder, images, **study)
        clock = Clock()
        people = {"Ada Lovelace": {READER}, "Bo Diddley": {READER, ADJUDICATOR}}
        people["Cy Twombly"] = {ADJUDICATOR}
        added = {name: store.add_reader(name, roles) for name, roles in people.items()}
        app = annotation_app(
            store, ServeSettings(clock=clock, picture_workers=1, **(settings or {}))
        )
        made.append(
            Served(
                store=store,
                app=app,
                clock=clock,
                secrets={name: secret for name, (_, secret) in added.items()},
                readers={name: reader for name, (reader, _) in added.items()},
            )
        )
        return made[-1]

    yield make
    for served in made:
        for visitor in served.visitors:
            visitor.close()
        served.app.state.pictures.close()
        served.store.close()


@pytest.fixture
def served(make_served: Callable[..., Served]) -> Served:
    """Eight images, two readers of whom one adjudicates, and one who only adjudicates."""
    return make_served()
