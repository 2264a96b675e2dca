"""`cxrview serve`: the commands around the service; tests/service has the service itself."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from pynetdicom import AE
from typer.testing import CliRunner

from cxrview.cli.main import app
from cxrview.errors import UsageError
from cxrview.service.records import Form, ImageState, PlannedDelivery, Result
from cxrview.service.store import Store

LEFT_OPEN = "ignore:Exception ignored in. <socket:pytest.PytestUnraisableExceptionWarning"
"""pynetdicom leaves the socket of a connection that was refused to the garbage collector."""
CONFIG = """\
[queue]
folder = "queue"
min_free_mb = 0

[dicom]
senders = ["CR1"]
port = 0

[destinations.pacs]
host = "127.0.0.1"
port = {port}
ae_title = "PACS"
"""


@pytest.fixture
def config(tmp_path) -> Path:
    path = tmp_path / "serve.toml"
    path.write_text(CONFIG.format(port=1))
    return path


def run(*args: object):
    return CliRunner().invoke(app, ["serve", *map(str, args)])


def leave_dead_letter(folder: Path) -> None:
    store = Store(folder)
    part = store.new_part()
    part.write_bytes(b"an object")
    store.accept(part, "dicom")
    (image,) = store.next_to_classify(1)
    planned = (PlannedDelivery(destination="pacs", form=Form.ORIGINAL),)
    row = {"code": "not_an_image"}
    result = Result(state=ImageState.FAILED, row=row, rule="all", deliveries=planned)
    store.record_outcomes({image.id: result})
    (delivery,) = store.next_to_deliver("pacs", 1)
    store.record_failed(delivery, "refused", wait_seconds=0, most_tries=1)
    store.close()


def test_counts_prints_both_equations(config):
    leave_dead_letter(config.parent / "queue")

    done = run("counts", config)

    assert done.exit_code == 0
    assert done.stdout.splitlines()[:2] == [
        "1 received = 0 classified + 0 review + 0 refused + 0 waiting + 1 failed",
        "1 deliveries = 0 stored + 0 to be stored + 1 dead",
    ]
    assert "failed: 1 not_an_image" in done.stdout
    assert re.search(r"^pacs: 0 stored, 0 waiting, 1 dead", done.stdout, re.MULTILINE)


def test_retry_empties_the_dead_letters(config):
    leave_dead_letter(config.parent / "queue")

    done = run("retry", config, "--destination", "pacs")

    assert (done.exit_code, done.stdout) == (0, "1 dead letter to be sent again\n")
    assert "1 to be stored + 0 dead" in run("counts", config).stdout


def test_retry_of_an_unknown_destination_is_a_usage_error(config):
    assert isinstance(run("retry", config, "--destination", "pax").exception, UsageError)


@pytest.mark.filterwarnings(LEFT_OPEN)
@pytest.mark.parametrize("words", [["--check"], ["run", "--check"]])
def test_check_reports_a_destination_that_does_not_answer(config, words):
    done = run(*words, config)

    assert done.exit_code == 1
    assert re.search(r"^pacs: it does not answer", done.stdout, re.MULTILINE)


def test_check_sends_each_destination_a_c_echo(config):
    archive = AE(ae_title="PACS")
    archive.add_supported_context("1.2.840.10008.1.1")
    server = archive.start_server(("127.0.0.1", 0), block=False)
    config.write_text(CONFIG.format(port=server.socket.getsockname()[1]))

    done = run(config, "--check")

    archive.shutdown()
    assert (done.exit_code, done.stdout.splitlines()[0]) == (0, "pacs: answers")


def test_a_mistake_in_the_configuration_is_named(config):
    config.write_text(config.read_text().replace("ae_title", "aetitle"))

    with pytest.raises(UsageError, match=r"line 12: destinations\.pacs\.aetitle: "):
        raise run(config).exception


@pytest.mark.slow
def test_a_service_ends_cleanly_and_locks_its_queue(config):
    command = [sys.executable, "-m", "cxrview", "serve", str(config)]
    environment = os.environ | {"PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    ) as service:
        first = service.stdout.readline()
        second = subprocess.run(command, capture_output=True, text=True)
        service.send_signal(signal.SIGHUP)
        rest, log = service.communicate(timeout=60)

    assert first.startswith("listening at CXRVIEW@127.0.0.1:")
    assert (second.returncode, service.returncode) == (2, 0)
    assert "another process is serving" in second.stderr
    assert "0 received = " in rest
    assert "error" not in log
