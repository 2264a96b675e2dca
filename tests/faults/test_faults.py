"""Each fault in small: `make faults` injects it a hundred times."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parents[1]
RUNS = os.environ.get("CXRVIEW_FAULT_RUNS", "3")
NAMED = ("classify", "writeback")


@pytest.fixture(scope="module")
def namespace() -> None:
    """Skip where disks cannot be mounted."""
    root = [] if os.geteuid() == 0 else ["--map-root-user"]
    command = ["unshare", *root, "--mount", "true"]
    if not shutil.which("unshare") or subprocess.run(command, capture_output=True).returncode:
        pytest.skip("needs the right to mount disks: unshare --mount, as root or in a namespace")


def inject(fault: str, *options: str, runs: str = RUNS) -> dict:
    command = [sys.executable, "-m", "faults", fault, "--runs", runs, "--images", "60", *options]
    path = os.pathsep.join([str(TESTS), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        command, env=os.environ | {"PYTHONPATH": path}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMED)
@pytest.mark.parametrize("signal", ["sigkill", pytest.param("sigterm", marks=pytest.mark.nightly)])
def test_a_stopped_run_resumes_to_the_same_output(namespace, signal, name):
    found = inject(f"{signal}-{name}")

    assert found["runs"] == int(RUNS) <= found["stops"]
    assert found["lost"] == found["doubled"] == 0


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMED)
def test_a_run_resumes_when_a_full_disk_has_space_again(namespace, name):
    found = inject(f"full-{name}", runs="2")

    assert found["exit code 3"] == found["runs"]
    assert found["lost"] == found["doubled"] == 0


@pytest.mark.slow
@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(f"{kind}-{name}", marks=pytest.mark.nightly)
        for kind in ("changing", "clock", "vanishing")
        for name in NAMED
    ]
    + ["read-only-classify", "read-only-writeback", "loops", "unreadable"],
)
def test_a_fault_loses_and_doubles_nothing(namespace, fault):
    if fault.startswith("clock") and not shutil.which("cc"):
        pytest.skip("needs cc: apt-get install gcc libc6-dev")

    assert inject(fault, runs="1")["passed"]


@pytest.mark.nightly
@pytest.mark.slow
@pytest.mark.parametrize("fault", ["many-folders", "many-in-one-folder"])
def test_memory_does_not_grow_with_the_number_of_files(namespace, fault):
    assert inject(fault, "--files", "20000")["passed"]
