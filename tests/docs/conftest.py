"""What the blocks of the pages are run in."""

import shlex
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def network(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Skip where pip cannot fetch anything."""
    fetch = ["-m", "pip", "download", "--quiet", "--no-deps", "--dest"]
    target = [str(tmp_path_factory.mktemp("fetched")), "packaging"]
    for python in (sys.executable, "python3"):  # an environment need not have pip
        done = subprocess.run([python, *fetch, *target], capture_output=True, check=False)
        if done.returncode == 0:
            return
    pytest.skip("needs the network: python3 -m pip download packaging")


@pytest.fixture(autouse=True)
def examples(shared_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where what is drawn once is kept."""
    monkeypatch.setenv("CXRVIEW_EXAMPLES", str(shared_folder))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An empty folder, with commands and a key for the blocks."""
    programs = tmp_path / "programs"
    programs.mkdir()
    python = shlex.quote(sys.executable)  # the repository may be on a path with a space
    example = shlex.quote(str(Path(__file__).with_name("example_files.py")))
    ours = {
        "cxrview": f"{python} -m cxrview",
        "example": f"{python} {example}",
        "python": python,
    }
    for name, command in ours.items():
        (programs / name).write_text(f'#!/bin/sh\nexec {command} "$@"\n', encoding="utf-8")
        (programs / name).chmod(0o755)
    work = tmp_path / "work"
    work.mkdir()
    return work
