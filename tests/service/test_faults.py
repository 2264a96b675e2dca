"""The faults of benchmarks/serve_faults.py in small: real Orthanc and DCMTK, kill -9, full disk."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "benchmarks" / "serve_faults.py"


@pytest.fixture(scope="module")
def namespace(program) -> None:
    """Skip where Orthanc or DCMTK is missing, or a network of its own cannot be made."""
    for name in ("Orthanc", "storescu", "storescp"):
        program(name)
    root = [] if os.geteuid() == 0 else ["--map-root-user"]
    command = ["unshare", *root, "--net", "--mount", "ip", "link", "set", "lo", "up"]
    if subprocess.run(command, capture_output=True).returncode:
        pytest.skip("needs a network namespace: apt-get install iproute2")


def run(fault: str, *options: str) -> dict:
    done = subprocess.run(
        [sys.executable, str(SCRIPT), fault, *options], capture_output=True, text=True, timeout=900
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)


@pytest.mark.slow
def test_an_acknowledged_image_survives_kill_9(namespace):
    found = run("kill", "--images", "60", "--kills", "3")

    assert found["in_orthanc"] == found["acknowledged"] == found["classified"] == 60


@pytest.mark.slow
@pytest.mark.parametrize(
    "fault",
    [
        *("aborted", "commitment", "duplicates", "full", "refused"),
        *(pytest.param(fault, marks=pytest.mark.nightly) for fault in ("slow", "stopped")),
    ],
)
def test_a_fault_loses_and_doubles_nothing(namespace, fault):
    assert run(fault, "--images", "16")["passed"]
