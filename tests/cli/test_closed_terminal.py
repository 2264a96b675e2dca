"""A command whose terminal is closed, as by a connection that broke."""

import os
import pty
import select
import subprocess
import sys
import time

import numpy as np
import pytest
from PIL import Image

from cxrview.results.tables import each_row

BEGUN_BYTES = 60_000
"""Size of a journal with some rows; without them it has some pages of 4 KiB."""


@pytest.mark.slow
def test_classify_keeps_its_rows_when_its_terminal_is_closed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    archive, journal = tmp_path / "archive", tmp_path / "views.csv.journal"
    archive.mkdir()
    rng = np.random.default_rng(0)
    for number in range(200):
        Image.fromarray(rng.integers(0, 256, (64, 64), np.uint8)).save(archive / f"{number}.png")
    command = [sys.executable, "-m", "cxrview", "classify", "archive", "--out", "views.csv"]
    process, terminal = pty.fork()
    if process == 0:
        os.execv(command[0], command)
    end = time.monotonic() + 60
    while not (journal.exists() and journal.stat().st_size > BEGUN_BYTES):
        if select.select([terminal], [], [], 0.01)[0]:
            os.read(terminal, 65536)
        assert time.monotonic() < end
    os.close(terminal)
    os.waitpid(process, 0)

    rows = len(list(each_row(tmp_path / "views.csv")))
    resumed = subprocess.run([*command, "--resume"], capture_output=True)

    assert 0 < rows < 200
    assert resumed.returncode == 0
    assert len(list(each_row(tmp_path / "views.csv"))) == 200
