"""The server of a review as a process: killing it loses no decision that it acknowledged."""

import json
import subprocess
import sys
from collections import Counter

import pytest

from cxrview.errors import UsageError
from cxrview.results.columns import COLUMNS
from cxrview.results.tables import write_table

KILL = """
import os, random, re, secrets, signal, sys, threading, time
from pathlib import Path

import httpx

from cxrview.audit.review.serve import serve_review

table, kills = Path(sys.argv[1]), int(sys.argv[2])
acknowledged = []


def serve(out):
    def ready(started):
        os.write(out, (started.address + os.linesep).encode())

    serve_review(table, port=0, reader="ann", when_ready=ready)


def decide(address, tab):
    with httpx.Client(base_url=address.split("?")[0], timeout=10) as client:
        try:
            page = client.get("/", params={"token": address.split("=")[1]}).text
            token = re.search('name="csrf" content="([^"]+)"', page)[1]
            while True:
                items = client.get("/api/next", params={"tab": tab, "count": 3}).json()["items"]
                acts = [
                    {"uid": secrets.token_hex(16), "showing": item["showing"], "act": "accept"}
                    for item in items
                ]
                headers = {"X-CSRF-Token": token}
                sent = client.post("/api/decisions", json={"actions": acts}, headers=headers)
                acknowledged.extend(sent.json()["written"])
        except httpx.TransportError:
            return


draw = random.Random(1)
for _ in range(kills):
    inlet, outlet = os.pipe()
    child = os.fork()
    if not child:
        serve(outlet)
        os._exit(0)
    os.close(outlet)
    with open(inlet) as printed:
        address = printed.readline().strip()
    browsers = [threading.Thread(target=decide, args=[address, tab]) for tab in "ab"]
    before = len(acknowledged)
    for browser in browsers:
        browser.start()
    while len(acknowledged) < before + 3:
        time.sleep(0.001)
    time.sleep(draw.random() / 20)
    os.kill(child, signal.SIGKILL)
    for browser in browsers:
        browser.join()
    os.waitpid(child, 0)
print(*acknowledged)
"""


def disagreement(path: str) -> dict[str, object]:
    known = {"path": path, "decision": "classified", "view": "lateral", "pfi": 1.5}
    return dict.fromkeys(COLUMNS) | known | {"agreement": "disagrees"}


@pytest.mark.slow
def test_serve_review_loses_nothing_acknowledged_when_killed_20_times(tmp_path):
    """Two browsers decide at once; the last line of the log may be incomplete each time."""
    pytest.importorskip("fastapi", reason="needs the extra audit: pip install '.[audit]'")
    write_table(tmp_path / "views.parquet", (disagreement(f"{n}.dcm") for n in range(4_000)))
    ran = subprocess.run(
        [sys.executable, "-c", KILL, str(tmp_path / "views.parquet"), "20"],
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert ran.returncode == 0, ran.stderr
    acknowledged = ran.stdout.split()
    lines = (tmp_path / "views.decisions.jsonl").read_text().splitlines()
    written = Counter(line["uid"] for line in map(json.loads, lines) if line["act"] == "decide")

    assert len(acknowledged) >= 60
    assert set(acknowledged) <= set(written)
    assert max(written.values()) == 1


def test_serve_review_refuses_a_result_that_does_not_exist(tmp_path):
    pytest.importorskip("fastapi", reason="needs the extra audit: pip install '.[audit]'")

    from cxrview.audit.review.serve import serve_review

    with pytest.raises(UsageError, match="does not exist"):
        serve_review(tmp_path / "views.parquet")
    assert list(tmp_path.iterdir()) == []
