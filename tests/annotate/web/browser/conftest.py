"""A real server, a real Chromium, and phantoms: what every test of the pages asks for."""

import secrets
import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import pytest

from cxrview.phantom.archive import draw_archive
from cxrview.records.annotation import AnnotationStudy, LabelChoice, Reading, StudyImage
from cxrview.terms import Action, Projection, ReadingRound, Role, View
from fixtures.annotation_server import start_server
from fixtures.browsers import PATIENCE_MS
from fixtures.ports import free_port

READER = frozenset({Role.READER})
MANAGER = frozenset({Role.MANAGER})
SENIOR = frozenset({Role.READER, Role.ADJUDICATOR})


@dataclass
class Served:
    """A study, the process that serves it, and the ways in for its readers."""

    where: Path
    port: int
    links: dict[str, str]
    login_hours: float = 12
    process: BaseProcess | None = None
    pages: list[Any] = field(default_factory=list)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        self.process = start_server(self.where, self.port, self.login_hours)

    def kill(self) -> None:
        """By SIGKILL: it writes nothing more."""
        assert self.process is not None
        self.process.kill()
        self.process.join()

    def stop(self) -> None:
        assert self.process is not None
        self.process.terminate()
        self.process.join(timeout=30)
        assert not self.process.is_alive()

    def enter(self, context: Any, name: str, page: str = "/read") -> Any:
        """Come in by the secret link and open a page."""
        tab = context.new_page()
        tab.goto(f"{self.address}/enter#{self.links[name]}")
        tab.get_by_role("button", name="Sign in").click()
        tab.wait_for_url(f"{self.address}/")
        tab.goto(self.address + page)
        return tab

    def readings(self, act: Action | None = None) -> list[Reading]:
        """What is on the disk."""
        from cxrview.annotate.database.store import open_readings

        with closing(open_readings(str(self.where))) as store:
            return [one for one in store.readings() if act in (None, one.act)]

    def write(self, readings: Iterable[Reading]) -> None:
        """Append readings, as an import does while the study is served."""
        self.log(lambda store: store.add_readings(readings))

    def log(self, change: Callable[[Any], Any]) -> Any:
        """Change the study as the shell does while it is served, or look into it."""
        from cxrview.annotate.database.store import open_readings

        with closing(open_readings(str(self.where))) as store:
            return change(store)

    def wait_for_readings(self, count: int, act: Action | None = None) -> list[Reading]:
        """Readings once there are so many; more of them, or the same twice, fail."""
        last = time.monotonic() + PATIENCE_MS / 1000
        while len(found := self.readings(act)) < count and time.monotonic() < last:
            time.sleep(0.05)
        assert len(found) == count
        assert max(Counter(one.uid for one in found).values(), default=1) == 1
        return found


@pytest.fixture(scope="session")
def phantoms(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Forty small phantoms, frontal and lateral: eight that are drawn, each under five names."""
    folder = tmp_path_factory.mktemp("phantoms")
    draw_archive(
        folder / "drawn",
        patients=4,
        projections=[Projection.PA, Projection.LL],
        size=(160, 132),
        syntaxes=["native"],
        strangers=False,
        damages=[],
    )
    for number in range(5):
        shutil.copytree(folder / "drawn", folder / "archive" / f"box-{number}")
    return folder / "archive"


@pytest.fixture
def serve(phantoms: Path, tmp_path: Path) -> Iterator[Callable[..., Served]]:
    """Serve a study of so many phantoms; the servers end with the test."""
    pytest.importorskip("fastapi", reason="needs the extra annotate: pip install '.[annotate]'")
    running: list[Served] = []

    def serve_study(
        count: int,
        readers: dict[str, frozenset[Role]] | None = None,
        *,
        images: Sequence[StudyImage] | None = None,
        choices: str = "",
        login_hours: float = 12,
        **about: Any,
    ) -> Served:
        where = tmp_path / f"study-{len(running)}.sqlite"
        links = create_study(
            where, phantoms, count, readers or {"Ann": READER}, images, choices, about
        )
        served = Served(where, free_port(), links, login_hours)
        served.start()
        running.append(served)
        return served

    yield serve_study
    for served in running:
        served.stop()


def create_study(
    where: Path,
    phantoms: Path,
    count: int,
    readers: dict[str, frozenset[Role]],
    images: Sequence[StudyImage] | None,
    choices: str,
    about: dict[str, Any],
) -> dict[str, str]:
    """Write a study down; returns each reader's secret."""
    from cxrview.annotate.database.store import create_readings

    study = AnnotationStudy(
        study_id=secrets.token_hex(16),
        name="Phantoms",
        created=datetime.now(UTC),
        root=str(phantoms),
        **about,
    )
    if choices:
        pairs = [part.split(":") for part in choices.split(",")]
        study = replace(study, choices=tuple(LabelChoice(name=n, key=k) for n, k in pairs))
    with closing(create_readings(str(where), study)) as store:
        store.add_images(images or study_images(phantoms)[:count])
        return {name: store.add_reader(name, roles)[1] for name, roles in readers.items()}


def study_images(phantoms: Path) -> list[StudyImage]:
    """The phantoms as images of a study."""
    files = sorted(path for path in phantoms.rglob("*") if path.is_file())
    return [
        StudyImage(image_id=secrets.token_hex(8), path=str(path.relative_to(phantoms)))
        for path in files
    ]


@pytest.fixture
def study_of() -> Callable[[Path], list[StudyImage]]:
    """Make images of a study from a folder of phantoms."""
    return study_images


@pytest.fixture
def roles() -> dict[str, frozenset[Role]]:
    """Two readers, the senior of whom settles conflicts, as in the paper."""
    return {"Ann": READER, "Bo": SENIOR}


@pytest.fixture
def read_study(serve: Callable[..., Served], phantoms: Path) -> Served:
    """A study of twelve images that Ann and Bo have read: they differ about three, and flagged two.

    Eva manages it, Carl was retired, and the model sees every image as lateral.
    """
    images = [
        replace(one, model_view=View.LATERAL, pfi=7.25, model_decision="classified")
        for one in study_images(phantoms)[:12]
    ]
    people = {"Ann": READER, "Bo": SENIOR, "Eva": MANAGER, "Carl": READER}
    served = serve(12, people, images=images)
    served.write(
        _blind(reader_id, image, number)
        for reader_id in (1, 2)
        for number, image in enumerate(images)
    )
    served.write(
        replace(
            _blind(1, image, 12), act=Action.FLAG, label="", note="rotated: is this a lateral view?"
        )
        for image in images[:2]
    )
    served.log(lambda store: store.retire_reader(4))
    return served


def _blind(reader_id: int, image: StudyImage, number: int) -> Reading:
    """A label: frontal, but lateral by Bo for the first three images."""
    return Reading(
        uid=secrets.token_hex(16),
        reader_id=reader_id,
        image_id=image.image_id,
        round=ReadingRound.BLIND,
        act=Action.LABEL,
        label="lateral" if reader_id == 2 and number < 3 else "frontal",
        note="arms raised, patient turned" if number == 1 else "",
        made=datetime.now(UTC),
    )


READER_PAGES = ("/", "/read", "/grid", "/keys", "/my-readings", "/adjudicate", "/agreement")
READER_PAGES += ("/flagged", "/second-look")
CHANGES = [f"/admin/readers/1/{change}" for change in ("link", "retire", "withdraw")]
MANAGER_PAGES = ("/admin", "/admin/closing", "/admin/readers/4/restore", *CHANGES)
Visited = Iterator[tuple[str, Any]]


@pytest.fixture
def visit_pages(
    serve: Callable[..., Served],
    read_study: Served,
    browser: Callable[..., Any],
    roles: dict[str, frozenset[Role]],
) -> Callable[..., Visited]:
    """Open every page, in a study that is begun, then one that is read, then closed."""

    def visit(**options: Any) -> Visited:
        new = serve(6, {**roles, "Eva": MANAGER})
        yield from _pages("new", new, browser(**options), "Bo", READER_PAGES)
        yield from _pages("new", new, browser(**options), "Eva", ("/admin", "/admin/closing"))
        everything = (*READER_PAGES, "/my-readings?show=flagged")
        yield from _pages("read", read_study, browser(**options), "Bo", everything)
        yield from _pages("read", read_study, browser(**options), "Eva", MANAGER_PAGES)
        read_study.log(lambda store: store.close_blind_round(datetime.now(UTC)))
        time.sleep(1.5)  # the server looks once a second for what the shell did
        after = ("/", "/read", "/grid", "/my-readings", "/second-look")
        yield from _pages("closed", read_study, browser(**options), "Bo", after)
        yield from _pages("closed", read_study, browser(**options), "Eva", MANAGER_PAGES[:2])
        stranger = browser(**options).new_page()
        for address in ("/sign-in", "/enter", "/nowhere"):
            stranger.goto(new.address + address)
            yield address, stranger

    return visit


def _pages(
    state: str, served: Served, context: Any, name: str, addresses: Sequence[str]
) -> Visited:
    page = served.enter(context, name, "/keys")
    for address in addresses:
        page.goto(served.address + address)
        page.wait_for_load_state("networkidle")
        yield f"{state}, {name}: {address}", page
    context.close()


@pytest.fixture
def small_pages() -> Callable[[Any], None]:
    """Have the grid of a browser show pages of eight: four of them in a study of phantoms."""

    def shrink(context: Any) -> None:
        def serve_script(route: Any) -> None:
            answer = route.fetch()
            text = answer.text()
            assert "CELLS = 60" in text
            route.fulfill(response=answer, body=text.replace("CELLS = 60", "CELLS = 8"))

        context.route("**/static/grid_session.js", serve_script)

    return shrink


@pytest.fixture
def slow_down() -> Callable[[Any, str, float], None]:
    """Let every answer of these addresses come so many milliseconds late."""

    def slow(context: Any, pattern: str, milliseconds: float) -> None:
        context.add_init_script(f"""
          {{
            const fetched = window.fetch;
            window.fetch = async (address, options) => {{
              const answer = await fetched(address, options);
              if (String(address).includes({pattern!r})) {{
                await new Promise((resolve) => setTimeout(resolve, {milliseconds}));
              }}
              return answer;
            }};
          }}
        """)

    return slow
