"""The service over HTTP, in this process or behind a socket, with the model of the package."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from fixtures.http_service import OPTIONS, SECONDS, Listening, Service
from fixtures.visitors import Client

pytest.importorskip("prometheus_client", reason="needs the extra serve: pip install '.[serve]'")

from cxrview.classify.model import load_model  # noqa: E402
from cxrview.service.configuration import HttpSettings  # noqa: E402
from cxrview.service.engine import Engine  # noqa: E402
from cxrview.service.http.app import service_app  # noqa: E402
from cxrview.service.http.batch_jobs import BatchJobs  # noqa: E402
from cxrview.service.http.server import service_server  # noqa: E402


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    """One engine for the tests of a module: its processes take a second to start."""
    model = load_model()
    with Engine(model, OPTIONS.resolved(model.card)) as engine:
        yield engine


@pytest.fixture
def make_service(
    engine: Engine, tmp_path: Path, visit: Callable[..., Client]
) -> Iterator[Callable[..., Service]]:
    """Make the application with settings of [http]."""
    made: list[Service] = []

    def make(
        roots: tuple[Path, ...] = (), of: Engine | None = None, more: Any = None, **settings: Any
    ) -> Service:
        folder = tmp_path / "service"
        jobs = BatchJobs(of or engine, folder / "jobs", roots).start()
        http = replace(HttpSettings(roots=roots, max_body_mb=1), **settings)
        app = service_app(of or engine, jobs, http, folder, **(more or {}))
        made.append(Service(app, visit(app), jobs, folder))
        return made[-1]

    yield make
    for service in made:
        service.jobs.close()


@pytest.fixture
def service(make_service: Callable[..., Service]) -> Service:
    return make_service()


@pytest.fixture
def picture(tmp_path: Path) -> Callable[..., Path]:
    """Write a grey picture in a format of PIL."""

    def write(name: str = "film.png", seed: int = 1, side: int = 300) -> Path:
        path = tmp_path / name
        pixels = np.random.default_rng(seed).integers(0, 255, (side, side - 20), dtype=np.uint8)
        Image.fromarray(pixels).save(path)
        return path

    return write


@pytest.fixture
def listen(make_service: Callable[..., Service]) -> Iterator[Callable[..., Listening]]:
    """Serve the application on a port of this machine."""
    ended: list[Callable[[], None]] = []

    def start(**settings: Any) -> Listening:
        service = make_service(**settings)
        ready, ports = threading.Event(), []

        def note(address: str) -> None:
            ports.append(int(address.rpartition(":")[2]))
            ready.set()

        server = service_server(service.app, host="127.0.0.1", port=0, when_ready=note)
        thread = threading.Thread(target=server.run)
        thread.start()

        def end() -> None:
            server.end()
            thread.join(SECONDS)
            assert not thread.is_alive()

        ended.append(end)
        assert ready.wait(SECONDS)
        return Listening(ports[0], service)

    yield start
    for end in ended:
        end()
