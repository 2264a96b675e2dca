"""`cxrview annotate serve` from its first line to its end."""

import re
import signal
import subprocess
import sys
import urllib.request

import pytest

from cxrview.errors import UsageError


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_it_says_where_and_ends_when_told_to(room, ending):
    said = room.create().output
    link = re.search(r"anna: (/enter/\S+)", said)[1]
    command = [sys.executable, *["-m", "cxrview", "annotate", "serve", "study.db", "--port", "0"]]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as server:
        try:
            address = re.search(r"http://127\.0\.0\.1:\d+", server.stdout.readline())[0]
            with urllib.request.urlopen(address + link) as answer:
                page = answer.read().decode()
            server.send_signal(ending)
            more, errors = server.communicate(timeout=30)
        finally:
            server.kill()

    assert "<form" in page
    assert (server.returncode, more, errors) == (0, "", "")


def test_other_machines_are_let_in_only_on_purpose(room):
    room.create()

    with pytest.raises(UsageError, match=r"0\.0\.0\.0 can be reached from other machines"):
        room.run("annotate serve study.db --host 0.0.0.0")
