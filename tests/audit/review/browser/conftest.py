"""`cxrview audit --serve` as a process of its own, on a few phantoms."""

import os
import re
import select
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from cxrview.audit.decisions import read_decisions
from cxrview.phantom.archive import draw_archive
from cxrview.results.columns import COLUMNS
from cxrview.results.tables import write_table
from cxrview.terms import Projection
from fixtures.ports import free_port

START_SECONDS = 120


@dataclass(kw_only=True)
class Served:
    """A result, and the process that serves its review."""

    table: Path
    port: int = field(default_factory=free_port)
    options: tuple[str, ...] = ()
    address: str = ""
    process: "subprocess.Popen[str] | None" = None

    def start(self) -> "Served":
        command = [sys.executable, "-m", "cxrview", "audit", str(self.table), "--serve"]
        command += ["--port", str(self.port), "--reader", "ann", *self.options]
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, text=True, env=os.environ | {"PYTHONUNBUFFERED": "1"}
        )
        assert self.process.stdout
        assert select.select([self.process.stdout], [], [], START_SECONDS)[0]
        found = re.search(r"open (http\S+)", self.process.stdout.readline())
        assert found
        self.address = found[1]
        return self

    def end(self, how: int = signal.SIGINT) -> str:
        """Give what it printed at its end."""
        assert self.process
        self.process.send_signal(how)
        printed, _ = self.process.communicate(timeout=60)
        self.process = None
        return printed

    def open(self, context: Any) -> Any:
        page = context.new_page()
        page.goto(self.address)
        return page

    @property
    def decisions(self) -> list[tuple[str, str]]:
        """Name and decision of each image in the CSV file, the end of the server awaited."""
        csv = self.table.with_suffix(".decisions.csv")
        return [(Path(one.path).name, str(one.decision)) for one in read_decisions(csv)]


@pytest.fixture(scope="session")
def films(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two small phantoms, one frontal and one lateral."""
    folder = tmp_path_factory.mktemp("films")
    draw_archive(
        folder,
        patients=1,
        projections=[Projection.PA, Projection.LL],
        size=(160, 132),
        syntaxes=["native"],
        strangers=False,
        damages=[],
    )
    return sorted(path for path in folder.rglob("IM*") if path.is_file())


@pytest.fixture
def serve(films: list[Path], tmp_path: Path) -> Iterator[Callable[..., Served]]:
    """Serve a result of so many phantoms, in the order 0.dcm, 1.dcm, ..."""
    pytest.importorskip("fastapi", reason="needs the extra audit: pip install '.[audit]'")
    running: list[Served] = []

    def start(count: int = 8, *options: str) -> Served:
        rows = []
        for number in range(count):
            path = tmp_path / f"{number}.dcm"
            shutil.copyfile(films[number % len(films)], path)
            known = {
                "path": str(path),
                "header_view_position": "PA",
                "header_view": "frontal",
                "decision": "classified",
                "view": "lateral",
                "pfi": 10.0 - number,
                "agreement": "disagrees",
            }
            rows.append(dict.fromkeys(COLUMNS) | known)
        write_table(tmp_path / "views.parquet", rows)
        running.append(Served(table=tmp_path / "views.parquet", options=options).start())
        return running[-1]

    yield start
    for served in running:
        if served.process:
            served.end(signal.SIGKILL)
