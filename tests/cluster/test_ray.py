"""A real Ray cluster: two raylets on this machine, one of them killed, and the driver killed."""

import filecmp
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import cxrview
from cxrview.phantom.archive import draw_archive
from fixtures.ray_cluster import kill_last_node, two_nodes

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore"),  # of Ray, about files and sockets that it leaves open
]
SECONDS = 600


@pytest.fixture(scope="module")
def films(tmp_path_factory) -> Path:
    """Two hundred small files, most of them copies, and the result of one machine."""
    folder = tmp_path_factory.mktemp("films")
    draw_archive(folder / "archive", patients=27, size=(64, 64))
    drawn = [path for path in (folder / "archive").rglob("*") if path.is_file()]
    for path in drawn:
        for number in range(1, 4):
            shutil.copyfile(path, path.with_name(f"{path.stem}-{number}"))
    options = cxrview.ClassifyOptions(key=folder / "patient.key")
    cxrview.classify(folder / "archive", out=f"{folder}/plain/", options=options)
    return folder


@pytest.fixture(scope="module")
def cluster():
    with two_nodes(has_client_port=True) as nodes:
        yield nodes


def start(films: Path, address: str, out: str, *more: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "cxrview", "classify", str(films / "archive"), "--out", out]
    where = ["--cluster", address, "--key", "patient.key", "--workers", "1"]
    return subprocess.Popen(
        [*command, *where, *more], cwd=films, stderr=subprocess.PIPE, text=True, env=os.environ
    )


def wait_for_blocks(job: Path, count: int, driver: subprocess.Popen[str]) -> None:
    """Wait until the ledger has so many blocks."""
    end = time.monotonic() + SECONDS
    while len(list((job / "ledger").glob("*.json"))) < count:
        assert driver.poll() is None, driver.communicate()[1]
        assert time.monotonic() < end
        time.sleep(0.02)


def need_same(films: Path, out: str) -> None:
    for name in ("plain/part-00000.parquet", "plain.failures.csv"):
        assert filecmp.cmp(films / name, films / name.replace("plain", out), shallow=False), name
    assert not (films / f"{out}.job").exists()


def test_ray_client_gives_the_rows_of_one_machine(films, cluster):
    driver = start(films, cluster.client_address, "client/")
    words = driver.communicate(timeout=SECONDS)[1]

    assert driver.returncode == 1, words
    need_same(films, "client")


def test_killed_driver_and_killed_node_cost_no_row(films, cluster):
    job = films / "killed.job"
    driver = start(films, cluster.address, "killed/")
    wait_for_blocks(job, 2, driver)
    driver.send_signal(signal.SIGKILL)
    driver.wait(SECONDS)
    finished = {path.name: path.read_bytes() for path in (job / "ledger").glob("*.json")}

    driver = start(films, cluster.address, "killed/", "--resume")
    wait_for_blocks(job, len(finished) + 3, driver)
    kill_last_node(cluster)
    kept = {name: (job / "ledger" / name).read_bytes() for name in finished}
    words = driver.communicate(timeout=SECONDS)[1]

    assert driver.returncode == 1, words
    need_same(films, "killed")
    assert kept == finished  # what the first run had finished was not made again
