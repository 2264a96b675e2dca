"""A small archive, the result that a model gave of it, and what two readers said."""

import csv
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner, Result

from cxrview.annotate.database.store import open_readings
from cxrview.cli.main import app
from cxrview.image.fetch import content_id
from cxrview.results.columns import COLUMNS
from cxrview.results.tables import write_table


class Room:
    """Forty pictures of twenty patients in `archive`, frontal and lateral in turn.

    `views.parquet` is what a model said: 4 is called lateral, wrongly, and 36 to 39 went to review.
    `readings.csv` is what anna and ben said: they differ on 0, and both exclude 1.
    """

    images = 40

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        rng = np.random.default_rng(0)
        for k in range(self.images):
            path = folder / self.file(k)
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(rng.integers(0, 256, (16, 16), np.uint8)).save(path)
        write_table(folder / "views.parquet", [self._row(k) for k in range(self.images)])
        self.write_csv("readings.csv", ("file", "reader", "label", "reason"), self._readings())

    def run(self, command: str, *more: object, code: int = 0) -> Result:
        """Run a command of cxrview; `code` is its exit code, or 2 for an error that is raised."""
        words = [*command.split(), *map(str, more)]
        done = CliRunner().invoke(app, words, catch_exceptions=False)
        assert done.exit_code == code, done.output
        return done

    def create(self, *more: object) -> Result:
        """Make study.db of all that the model was asked about, for anna, ben and ada."""
        readers = "--reader anna --reader ben --reader ada:adjudicator"
        return self.run(f"annotate create study.db --from views.parquet {readers}", *more)

    def create_read(self, *more: object) -> None:
        """The same, read by anna and ben, with one conflict left."""
        self.create(*more)
        self.run("annotate import study.db readings.csv")

    def study(self, where: str = "study.db"):
        """All that a study holds: its record, images, readers and readings."""
        store = open_readings(where)
        try:
            return store.study, store.images(), store.readers(), list(store.readings())
        finally:
            store.close()

    def write_csv(self, name: str, columns, lines) -> Path:
        with (self.folder / name).open("w", newline="") as file:
            csv.writer(file).writerows([columns, *lines])
        return self.folder / name

    def read_csv(self, name: str) -> list[dict[str, str]]:
        with (self.folder / name).open(newline="") as file:
            return list(csv.DictReader(file))

    def file(self, k: int) -> str:
        return f"archive/{'here' if k < 30 else 'there'}/{k:02}.png"

    def view(self, k: int) -> str:
        return "lateral" if k % 2 else "frontal"

    def _row(self, k: int) -> dict[str, object]:
        called = "lateral" if k == 4 else self.view(k)
        is_sure = k < 36
        known = {
            "path": self.file(k),
            "patient_key": f"patient{k // 2}",
            "study_instance_uid": f"1.2.{k // 4}",
            "header_view": "frontal",
            "decision": "classified" if is_sure else "review",
            "view": called if is_sure else None,
            "pfi": (99.0 if called == "frontal" else 1.0) if is_sure else 50.0,
            "content_id": content_id((self.folder / self.file(k)).read_bytes()),
        }
        return {name: known.get(name) for name in COLUMNS}

    def _readings(self):
        for k in range(self.images):
            for reader in ("anna", "ben"):
                said = "lateral" if (k, reader) == (0, "ben") else self.view(k)
                reason = "uninterpretable" if k == 1 else ""
                yield self.file(k), reader, "" if reason else said, reason


@pytest.fixture
def room(tmp_path, monkeypatch) -> Room:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "settings"))
    return Room(tmp_path)
