"""The server as a process of its own: where it listens, and that killing it loses nothing."""

import os
import re
import select
import signal
import subprocess
import sys
import threading
import uuid
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from cxrview.annotate.database.store import create_readings, open_readings
from cxrview.annotate.verify import verify_study
from cxrview.annotate.web.run import serve_annotation
from cxrview.errors import UsageError
from cxrview.records.annotation import AnnotationStudy, Reading, StudyImage
from cxrview.terms import Action, ReadingRound, Role

SERVE = """
import sys
from cxrview.annotate.web.run import serve_annotation
from cxrview.annotate.web.settings import ServeSettings
from cxrview.annotate.database.store import open_readings
serve_annotation(
    open_readings(sys.argv[1]), ServeSettings(picture_workers=1), port=int(sys.argv[2]),
    when_ready=lambda address: print(address, flush=True))
"""


class Process:
    """A server that was started from a shell."""

    def __init__(self, study: Path | str, port: int = 0) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", SERVE, str(study), str(port)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        ready, _, _ = select.select([self.process.stdout], [], [], 120)
        assert ready and self.process.stdout
        self.address = self.process.stdout.readline().strip()

    def end(self, how: int) -> str:
        """Give what it wrote besides its address."""
        self.process.send_signal(how)
        said = "".join(self.process.communicate(timeout=60))
        assert self.process.returncode in (0, -how)
        return said


def enter(address: str, secret: str) -> tuple[httpx.Client, str]:
    client = httpx.Client(base_url=address, timeout=60, follow_redirects=True)
    page = client.post("/enter", data={"secret": secret}).text
    found = re.search(r'name="csrf" content="([^"]+)"', page)
    assert found
    return client, found[1]


def act(showing: str) -> dict[str, str]:
    made = datetime.now(UTC).isoformat()
    return {
        "uid": uuid.uuid4().hex,
        "showing": showing,
        "act": "label",
        "label": "frontal",
        "made": made,
    }


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.org"])
def test_other_machines_come_in_only_where_somebody_says_so(served, host):
    with pytest.raises(UsageError, match="other machines"):
        serve_annotation(served.store, host=host)


def test_an_address_that_is_taken_is_told_once(make_served, tmp_path, caplog):
    for folder in ("here", "there"):
        (tmp_path / folder).mkdir()
        served = make_served(folder=folder)
    process = Process(tmp_path / "here" / "study.db")
    try:
        with pytest.raises(UsageError, match="cannot listen on"):
            serve_annotation(served.store, port=int(process.address.rpartition(":")[2]))
    finally:
        process.end(signal.SIGKILL)
    assert caplog.text == ""


@pytest.mark.slow
def test_a_second_server_of_a_study_is_refused(served, tmp_path):
    """Each knows only of its own tabs, and would show readers what the other shows them."""
    process = Process(tmp_path / "study.db")
    try:
        with pytest.raises(UsageError, match="served by another process"):
            serve_annotation(served.store, port=0)
    finally:
        process.end(signal.SIGKILL)
    process = Process(tmp_path / "study.db")  # nothing is left behind by one that was killed

    assert process.end(signal.SIGTERM) == ""


@pytest.mark.slow
def test_a_server_that_is_told_to_end_ends_and_has_logged_no_secret(served, tmp_path):
    process = Process(tmp_path / "study.db")
    client, _ = enter(process.address, served.secrets["Ada Lovelace"])
    client.get(f"/enter/{served.secrets['Ada Lovelace']}")
    showing = client.get("/api/next", params={"tab": "a"}).json()["items"][0]["showing"]
    assert client.get(f"/api/picture/{showing}").status_code == 200
    client.close()

    assert process.end(signal.SIGTERM) == ""


@pytest.mark.slow
def test_killed_again_and_again_it_loses_nothing_and_doubles_nothing(make_served, tmp_path):
    """Two readers go on sending whatever was not confirmed, as the page's queue does."""
    served = make_served(images=60)
    study = tmp_path / "study.db"
    process = Process(study)
    port = int(process.address.rpartition(":")[2])
    sent: dict[str, dict[str, str]] = {}
    confirmed: set[str] = set()
    over = threading.Event()

    def read(name: str) -> None:
        client, csrf = enter(process.address, served.secrets[name])
        queue: list[dict[str, str]] = []
        while not over.is_set():
            try:
                if not queue:
                    told = client.get("/api/next", params={"tab": name[:2], "count": 3}).json()
                    queue = [act(item["showing"]) for item in told["items"]]
                    sent.update((one["uid"], one) for one in queue)
                    if not queue:
                        break
                answer = client.post(
                    "/api/readings", json={"readings": queue}, headers={"X-CSRF-Token": csrf}
                ).json()
                assert not answer["refused"]
                confirmed.update(answer["written"])
                queue = []
            except httpx.TransportError:
                over.wait(0.05)
        client.close()

    threads = [
        threading.Thread(target=read, args=[name]) for name in ("Ada Lovelace", "Bo Diddley")
    ]
    for thread in threads:
        thread.start()
    for kill in range(3):
        while len(confirmed) < 20 * (kill + 1):
            assert any(thread.is_alive() for thread in threads)
            over.wait(0.005)
        process.end(signal.SIGKILL)
        process = Process(study, port)
    for thread in threads:
        thread.join(120)
    over.set()
    process.end(signal.SIGTERM)
    readings = list(served.store.readings())

    assert {reading.uid for reading in readings} == confirmed == set(sent)
    assert len({(reading.reader_id, reading.image_id) for reading in readings}) == 120
    assert len(readings) == 120


@pytest.mark.slow
def test_a_killed_server_still_refuses_a_blind_change_to_a_revealed_image(where, tmp_path):
    """Bo reads and settles: after having seen what Ada says, Bo's own reading stays as it is."""
    secrets = differing_study(where, tmp_path)
    process = Process(where)
    bo, csrf = enter(process.address, secrets["Bo"])
    own = read_all(bo, csrf, "lateral")
    assert bo.get("/api/conflict", params={"tab": "a"}).json()["item"]["sides"]
    bo.close()
    process.end(signal.SIGKILL)
    process = Process(where)
    bo, csrf = enter(process.address, secrets["Bo"])
    again = [act(showing) for showing in own]
    refused = send(bo, csrf, again)["refused"]
    bo.close()
    process.end(signal.SIGTERM)

    assert len(refused) == 1 and "what other readers say" in refused[0]["why"]
    with closing(open_readings(where)) as store:
        (revealed,) = store.reveals()
        assert (revealed.reader_id, revealed.images) == (2, 1)
        assert not [p for p in verify_study(store).problems if "had been shown" in p]


def differing_study(where: str, folder: Path) -> dict[str, str]:
    """Make a study of three images, which Ada has read."""
    about = AnnotationStudy(
        study_id="8" * 32, name="killed", created=datetime.now(UTC), root=str(folder)
    )
    with closing(create_readings(where, about)) as store:
        store.add_images(StudyImage(image_id=f"{n:016x}", path=f"{n}.png") for n in range(3))
        roles = {"Ada": {Role.READER}, "Bo": {Role.READER, Role.ADJUDICATOR}}
        added = {name: store.add_reader(name, held) for name, held in roles.items()}
        store.add_readings(
            Reading(
                uid=f"{n:032x}",
                reader_id=added["Ada"][0].reader_id,
                image_id=f"{n:016x}",
                round=ReadingRound.BLIND,
                act=Action.LABEL,
                label="frontal",
                made=datetime.now(UTC),
            )
            for n in range(3)
        )
    return {name: secret for name, (_, secret) in added.items()}


def read_all(client: httpx.Client, csrf: str, label: str) -> list[str]:
    """Label everything on the reader's list; returns the showings."""
    items = client.get("/api/next", params={"tab": "a", "count": 50}).json()["items"]
    showings = [item["showing"] for item in items]
    assert not send(client, csrf, [{**act(one), "label": label} for one in showings])["refused"]
    return showings


def send(client: httpx.Client, csrf: str, readings: list[dict[str, str]]) -> Any:
    headers = {"X-CSRF-Token": csrf}
    return client.post("/api/readings", json={"readings": readings}, headers=headers).json()


def test_nobody_else_on_the_machine_reads_the_study(served, tmp_path):
    served.visit("Ada Lovelace")

    assert {path.stat().st_mode & 0o077 for path in tmp_path.glob("study.db*")} == {0}
    assert os.access(tmp_path / "study.db", os.R_OK)
