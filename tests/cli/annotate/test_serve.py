"""`cxrview annotate serve` from its first line to its end."""

import re
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from cxrview.errors import UsageError


@pytest.mark.slow
@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_it_says_where_and_ends_when_told_to(room, ending):
    said = room.create().output
    link = re.search(r"anna: http://127.0.0.1:8765(/enter#\S+)", said)[1]
    command = [sys.executable, "-m", "cxrview", "annotate", "serve", "study.db", "--port", "0"]
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


@pytest.mark.slow
def test_images_that_are_gone_are_told_before_anybody_excludes_them(room):
    room.create()
    for k in range(1, room.images):
        Path(room.file(k)).unlink()
    command = [sys.executable, "-m", "cxrview", "annotate", "serve", "study.db", "--port", "0"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as server:
        try:
            server.stdout.readline()
            server.send_signal(signal.SIGINT)
            _, errors = server.communicate(timeout=30)
        finally:
            server.kill()
    assert "39 of 40 images of the study are missing" in errors

    Path(room.file(0)).unlink()
    with pytest.raises(UsageError, match="40 of 40 images of the study are missing"):
        room.run("annotate serve study.db --port 0")


@pytest.mark.parametrize("given", ["--certificate nix.pem", "--certificate bad.pem", "--key x.pem"])
def test_what_is_no_certificate_is_refused_in_a_line(room, given):
    room.create()
    Path("bad.pem").write_text("none\n")

    with pytest.raises(UsageError, match="certificate|bad.pem|nix.pem"):
        room.run(f"annotate serve study.db --port 0 {given}")


def test_other_machines_are_let_in_only_on_purpose(room):
    room.create()

    with pytest.raises(UsageError, match=r"0\.0\.0\.0 can be reached from other machines"):
        room.run("annotate serve study.db --host 0.0.0.0")
