"""A process that crashes leaves no core file."""

import os
import resource
import subprocess
import sys

import pytest

CRASH = "import os; {}; os.abort()"
PREVENT = "from cxrview.workers.core_files import prevent_core_files; prevent_core_files()"


@pytest.fixture
def core_files_allowed():
    """Let programs that the test starts leave core files, as many a server does."""
    before = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (before[1], before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_CORE, before)


def test_no_core_file_of_a_process_that_aborts(tmp_path, core_files_allowed):
    process = subprocess.Popen([sys.executable, "-c", CRASH.format(PREVENT)], cwd=tmp_path)
    _, status = os.waitpid(process.pid, 0)
    process.returncode = status

    assert os.WIFSIGNALED(status) and not os.WCOREDUMP(status)
    assert list(tmp_path.iterdir()) == []


def test_no_core_file_of_a_process_that_it_started(tmp_path, core_files_allowed):
    start = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {CRASH.format('0')!r}])"
    subprocess.run([sys.executable, "-c", f"{PREVENT}; {start}"], cwd=tmp_path, check=True)

    assert list(tmp_path.iterdir()) == []
