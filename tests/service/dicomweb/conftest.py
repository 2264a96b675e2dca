"""A service with a STOW-RS entrance behind a socket, and drawn films to send to it."""

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

pytest.importorskip("dicomweb_client", reason="needs the extra serve: pip install '.[serve]'")

from cxrview.classify.model import load_model  # noqa: E402
from cxrview.phantom.archive import draw_archive  # noqa: E402
from cxrview.service.configuration import HttpSettings  # noqa: E402
from cxrview.service.dicomweb.stow_endpoint import STUDIES, stow_router  # noqa: E402
from cxrview.service.engine import Engine  # noqa: E402
from cxrview.service.http.app import service_app  # noqa: E402
from cxrview.service.http.batch_jobs import BatchJobs  # noqa: E402
from cxrview.service.http.server import service_server  # noqa: E402
from cxrview.service.store import Store  # noqa: E402
from fixtures.http_service import OPTIONS, SECONDS  # noqa: E402

MOST_PART_BYTES = 200_000


@pytest.fixture(scope="session")
def films(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Four small radiographs as DICOM, in different transfer syntaxes."""
    folder = tmp_path_factory.mktemp("drawn") / "films"
    draw_archive(folder, patients=2, size=(128, 105), strangers=False, damages=["none"])
    found = [path for path in sorted(folder.rglob("*")) if path.is_file()][:4]
    assert len(found) == 4
    assert all(path.stat().st_size < MOST_PART_BYTES for path in found)
    return found


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(tmp_path / "queue")
    yield store
    store.close()


@pytest.fixture(scope="session")
def engine() -> Engine:
    """An engine that is not started: objects that arrive wait."""
    model = load_model()
    return Engine(model, OPTIONS.resolved(model.card))


@dataclass
class Entrance:
    """A service that takes objects by STOW-RS."""

    url: str
    port: int
    store: Store
    folder: Path

    def kept(self) -> int:
        """Files in the queue, complete or not."""
        return sum(path.is_file() for name in ("parts", "objects") for path in self._in(name))

    def _in(self, name: str) -> Iterator[Path]:
        return (self.folder / name).rglob("*")


@contextmanager
def serving(store: Store, engine: Engine, folder: Path, **settings: object) -> Iterator[Entrance]:
    """Serve on a port of this machine; `settings` are those of [http]."""
    jobs = BatchJobs(engine, folder / "jobs", ()).start()
    http = HttpSettings(max_body_mb=1, **settings)
    app = service_app(
        engine,
        jobs,
        http,
        folder / "service",
        store=store,
        routers=[stow_router(store, most_part_bytes=MOST_PART_BYTES)],
        file_paths={STUDIES: http.max_body_mb << 20},
    )
    ready, addresses = threading.Event(), []

    def note(address: str) -> None:
        addresses.append(address)
        ready.set()

    server = service_server(app, host="127.0.0.1", port=0, when_ready=note)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        assert ready.wait(SECONDS)
        port = int(addresses[0].rpartition(":")[2])
        yield Entrance(f"http://127.0.0.1:{port}/dicom-web", port, store, folder / "queue")
    finally:
        server.end()
        thread.join(SECONDS)
        jobs.close()
        assert not thread.is_alive()


@pytest.fixture
def make_entrance(
    store: Store, engine: Engine, tmp_path: Path
) -> Iterator[Callable[..., Entrance]]:
    with ExitStack() as stack:
        yield lambda **settings: stack.enter_context(serving(store, engine, tmp_path, **settings))


@pytest.fixture
def entrance(make_entrance: Callable[..., Entrance]) -> Entrance:
    return make_entrance()


@pytest.fixture(scope="module")
def shared_entrance(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Entrance]:
    """One for the tests of a module that find it empty and leave it empty."""
    folder = tmp_path_factory.mktemp("shared")
    with closing(Store(folder / "queue")) as store, serving(store, engine, folder) as entrance:
        yield entrance
