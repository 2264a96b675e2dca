"""The pool of decode processes: outcomes in order, and processes that die."""

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cxrview.dataset.decode import Squashed, squash_file
from cxrview.dataset.decode_pool import squash_files
from cxrview.dataset.decode_worker import pack, unpack
from cxrview.records.classification import Failure
from cxrview.records.dataset import HeaderFacts
from cxrview.terms import View

KILLING = """
import os, signal
from cxrview.dataset import decode

def fetch_or_die(path, local, options, fetch=decode.fetch_local):
    if local.read_bytes() == b"poison":
        os.kill(os.getpid(), signal.SIGKILL)
    return fetch(path, local, options)

decode.fetch_local = fetch_or_die
"""


@pytest.fixture
def draw(tmp_path):
    def draw(name: str, grey: int) -> Path:
        path = tmp_path / name
        gradient = np.full((40, 30), grey, np.uint8) + np.arange(30, dtype=np.uint8)
        Image.fromarray(gradient).save(path)
        return path

    return draw


class Pipe:
    """The answers of a worker, as bytes in memory."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def receive(self, length: int) -> bytes:
        taken, self._data = self._data[:length], self._data[length:]
        return taken


def same(one, other) -> bool:
    if isinstance(one, Failure) or isinstance(other, Failure):
        return one == other
    facts = ("file_sha256", "pixel_sha256", "warnings", "header")
    return np.array_equal(one.pixels, other.pixels) and all(
        getattr(one, name) == getattr(other, name) for name in facts
    )


def test_squash_files_gives_the_outcomes_of_squash_file_in_order(draw, tmp_path):
    paths = [draw(f"{k}.png", 10 * k) for k in range(20)]
    paths.insert(7, tmp_path / "missing.png")

    outcomes = list(squash_files(paths, workers=2))

    assert len(outcomes) == 21 and all(map(same, outcomes, map(squash_file, paths)))


def test_squash_files_of_no_files_gives_nothing():
    assert list(squash_files([])) == []


def test_a_worker_that_dies_costs_the_file_that_it_reads(draw, tmp_path, monkeypatch):
    """The killer is planted: no known file kills the decoders."""
    site = tmp_path / "site"
    site.mkdir()
    (site / "sitecustomize.py").write_text(KILLING)
    monkeypatch.setenv("PYTHONPATH", f"{site}:{os.environ.get('PYTHONPATH', '')}")
    paths = [draw(f"{name}.png", 50) for name in "abcdef"]
    for poisoned in (paths[1], paths[4]):
        poisoned.write_bytes(b"poison")

    outcomes = list(squash_files(paths))

    codes = [getattr(outcome, "code", "read") for outcome in outcomes]
    assert codes == ["read", "decoder_crash", "read", "read", "decoder_crash", "read"]


def test_squash_files_ends_its_processes_when_the_caller_stops_early(draw):
    before = children_of(os.getpid())
    outcomes = squash_files([draw(f"{k}.png", k) for k in range(40)], workers=2)
    next(outcomes)
    children = children_of(os.getpid()) - before

    outcomes.close()

    assert children and not children & children_of(os.getpid())


def children_of(parent: int) -> set[int]:
    tasks = Path(f"/proc/{parent}/task").iterdir()
    return {int(pid) for task in tasks for pid in (task / "children").read_text().split()}


@pytest.mark.parametrize("view", [None, View.LATERAL])
def test_unpack_gives_what_pack_took(view):
    squashed = Squashed(
        pixels=np.arange(6, dtype=np.uint8).reshape(2, 3),
        file_sha256="ab",
        pixel_sha256="cd",
        warnings=("constant_image",),
        header=HeaderFacts(manufacturer="ACME", view=view),
    )

    assert same(unpack(Pipe(pack(squashed))), squashed)


def test_unpack_of_a_cut_outcome_raises():
    failure = Failure(path="\udcff.png", code="truncated", reason="it ends", advice="")
    packed = pack(failure)

    assert unpack(Pipe(packed)) == failure
    with pytest.raises(EOFError):
        unpack(Pipe(packed[:-1]))
