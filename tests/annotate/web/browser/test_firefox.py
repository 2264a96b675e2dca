"""A smoke run in Debian's Firefox, driven by the protocol that it speaks itself (Marionette)."""

import json
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow
PATIENCE_SECONDS = 90
PORT_FILE = "MarionetteActivePort"


class Firefox:
    """One headless browser; what a script of the page gives comes back as plain values."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_SECONDS)
        self._number = 0
        self._answer()  # what it greets with
        self.say("WebDriver:NewSession", capabilities={})

    def say(self, command: str, **what: Any) -> Any:
        self._number += 1
        message = json.dumps([0, self._number, command, what]).encode()
        self._socket.sendall(b"%d:%s" % (len(message), message))
        _, _, error, value = self._answer()
        assert error is None, error
        return value["value"] if isinstance(value, dict) and "value" in value else value

    def go(self, address: str) -> None:
        self.say("WebDriver:Navigate", url=address)

    def run(self, script: str) -> Any:
        return self.say("WebDriver:ExecuteScript", script=f"return {script}", args=[])

    def wait_for(self, script: str) -> None:
        last = time.monotonic() + PATIENCE_SECONDS
        while not self.run(script):
            assert time.monotonic() < last, f"it never came to be: {script}"
            time.sleep(0.1)

    def press(self, key: str) -> None:
        keys = [{"type": kind, "value": key} for kind in ("keyDown", "keyUp")]
        actions = [{"type": "key", "id": "keyboard", "actions": keys}]
        self.say("WebDriver:PerformActions", actions=actions)

    def close(self) -> None:
        self._socket.close()

    def _answer(self) -> Any:
        size = b""
        while not size.endswith(b":"):
            size += self._socket.recv(1)
        left, parts = int(size[:-1]), []
        while left:
            parts.append(self._socket.recv(left))
            left -= len(parts[-1])
        return json.loads(b"".join(parts))


@pytest.fixture
def firefox(program: Callable[[str], str], tmp_path: Path) -> Iterator[Firefox]:
    """A Firefox with nothing in its profile."""
    profile = tmp_path / "profile"
    profile.mkdir()
    (profile / "user.js").write_text('user_pref("marionette.port", 0);\n')
    command = [program("firefox-esr"), "--headless", "--marionette", "--no-remote"]
    process = subprocess.Popen(
        [*command, "--profile", str(profile)],
        env={"HOME": str(tmp_path), "PATH": "/usr/bin:/bin", "MOZ_HEADLESS": "1"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        last = time.monotonic() + PATIENCE_SECONDS
        while not (profile / PORT_FILE).is_file() or not (profile / PORT_FILE).read_text():
            if (code := process.poll()) is not None:
                pytest.skip(f"needs a Firefox that starts ({command[0]}: exit code {code})")
            assert time.monotonic() < last, "Firefox did not start"
            time.sleep(0.1)
        browser = Firefox(int((profile / PORT_FILE).read_text()))
        yield browser
        browser.close()
    finally:
        process.terminate()
        process.wait(timeout=60)


def test_firefox_reads_single_images_and_a_grid(serve, firefox):
    served = serve(8)
    shown = "document.querySelector('#message').hidden"
    firefox.go(f"{served.address}/enter#{served.links['Ann']}")
    firefox.wait_for("!document.querySelector('#enter').disabled")
    assert firefox.run("location.hash") == ""
    firefox.run("document.querySelector('#enter').click()")
    firefox.wait_for("location.pathname === '/'")
    firefox.go(f"{served.address}/read")
    firefox.wait_for(shown)
    firefox.press("f")
    served.wait_for_readings(1)
    firefox.wait_for(shown)
    firefox.press("l")
    served.wait_for_readings(2)
    firefox.press("u")
    served.wait_for_readings(3)
    firefox.go(f"{served.address}/grid")
    firefox.wait_for("document.querySelectorAll('.cell canvas').length === 7")
    firefox.press("f")
    firefox.wait_for("!document.querySelector('[data-act=confirm]').disabled")
    firefox.press("\ue007")  # Enter
    firefox.wait_for("document.querySelector('#message').textContent.includes('Thank you')")

    readings = served.wait_for_readings(10)
    assert [one.act for one in readings[:3]] == ["label", "label", "undo"]
    assert len({one.image_id for one in readings}) == 8
    assert firefox.run("document.querySelector('#fault').hidden")
