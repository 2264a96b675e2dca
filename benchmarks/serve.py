"""The service beside DCMTK's storescp: rate, time from last byte to stored, memory and handles.

    python benchmarks/serve.py                       # rate and times
    python benchmarks/serve.py --minutes 20          # and a mixed load, with memory and handles
    python benchmarks/serve.py --minutes 60 --faults # and faults in it

Everything runs on loopback, with drawn radiographs. The rate is a ratio of one run: the same films,
by the same number of senders, to the service and to storescp alone, in turn. Load of other programs
slows both; it is printed. Exit code 1: an image was lost, or the counts do not add up.
"""

import argparse
import contextlib
import http.client
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pydicom
from pydicom.uid import generate_uid
from pynetdicom import AE, evt
from pynetdicom.presentation import build_context

from cxrview.phantom.archive import draw_archive
from cxrview.service.dicom.answers import keep_answers
from cxrview.service.store.counting import count_all
from cxrview.service.store.schema import open_ledger
from process_tree import Sampler, kill_a_child, sample, summary
from serve_programs import STORESCU, dcmtk, end, wait_for_port

QUIET_SECONDS = 1800
AWAY_SECONDS = 10.0
PAUSES = {
    "batch_job": 20.0,
    "status_page": 2.0,
    "metrics": 2.0,
    "killed_decoder": 20.0,
    "archive_away": 60.0,
}
"""Seconds between requests of a kind; 0.2 for others."""
IDLE_SECONDS = 75
"""Longer than `cxrview.service.engine.IDLE_SECONDS`."""


def main() -> int:
    """Measure, and print one JSON object for each part."""
    options = _options()
    with tempfile.TemporaryDirectory() as name:
        bench = Bench(Path(name), options.images, options.size)
        report("machine", cores=os.cpu_count(), load=os.getloadavg(), films=options.images)
        rate(bench, options.senders, options.repeats)
        times(bench, options.singles)
        with bench.service():
            if options.minutes:
                mixed(bench, options.minutes, with_faults=options.faults)
            time.sleep(IDLE_SECONDS)
            report("idle", **asdict(sample(bench.pid)))
        counts = bench.counts()
        report("counts", adds_up=counts.adds_up, words=counts.in_words(), load=os.getloadavg())
        return 0 if counts.adds_up and not counts.waiting and not counts.to_be_stored else 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=200)
    parser.add_argument("--size", type=int, default=1024, help="rows; columns are 0.82 of it")
    parser.add_argument("--senders", type=int, default=4)
    parser.add_argument("--repeats", type=int, default=3, help="runs of each; medians are printed")
    parser.add_argument("--singles", type=int, default=60, help="images sent one by one")
    parser.add_argument("--minutes", type=float, default=0.0, help="of mixed load")
    parser.add_argument("--faults", action="store_true", help="in it: kills, and an archive away")
    return parser.parse_args()


def report(part: str, **values: Any) -> None:
    """Print one line of JSON."""
    print(json.dumps({"part": part, **values}), flush=True)


class Bench:
    """A folder with films, the service, and the archive behind it.

    Args:
        folder: for everything.
        images: number of films.
        size: rows of each.
    """

    def __init__(self, folder: Path, images: int, size: int) -> None:
        self.folder, self.images = folder, images
        self.port, self.archive_port, self.http_port = _free_ports(3)
        self.archive = Archive(self.archive_port)
        drawn = folder / "drawn"
        draw_archive(
            drawn,
            patients=4,
            size=(size, round(0.82 * size)),
            syntaxes=["native"],
            strangers=False,
            damages=[],
        )
        self.sources = [pydicom.dcmread(path) for path in sorted(drawn.rglob("IM*"))]
        self.film = min(drawn.rglob("IM*")).read_bytes()
        self.config = folder / "serve.toml"
        self.config.write_text(
            f'[queue]\nfolder = "{folder / "queue"}"\nmin_free_mb = 4\n'
            f'[dicom]\nsenders = ["CR1"]\nport = {self.port}\n'
            f'[http]\nport = {self.http_port}\nroots = ["{drawn}"]\n'
            f'[classify]\npatient_key = "{folder / "patient.key"}"\n'
            f'[correction]\nkeep_uid = true\n[destinations.archive]\nhost = "127.0.0.1"\n'
            f'port = {self.archive_port}\nae_title = "ARCHIVE"\n'
        )
        (folder / "storescu.cfg").write_text(STORESCU)
        self.process: subprocess.Popen[bytes] | None = None

    def films(self, number: int, folder: Path) -> list[Path]:
        """Write films with UIDs of their own, so that the service has not seen them."""
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        written = []
        for index in range(number):
            dataset = self.new_film(index)
            written.append(folder / f"{index:06}.dcm")
            dataset.save_as(written[-1])
        return written

    def new_film(self, index: int) -> pydicom.Dataset:
        """One of the drawn films, with a new UID."""
        dataset = self.sources[index % len(self.sources)]
        dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = generate_uid()
        return dataset

    @property
    def pid(self) -> int:
        """The main process of the service, which runs."""
        assert self.process
        return self.process.pid

    @contextlib.contextmanager
    def service(self) -> Iterator[None]:
        """Run the service in the block."""
        with (self.folder / "service.log").open("a") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "cxrview", "serve", str(self.config)],
                stdout=subprocess.DEVNULL,
                stderr=log,
            )
        try:
            wait_for_port(self.http_port)
            yield
        finally:
            end(self.process)

    def counts(self) -> Any:
        """The counts of the queue."""
        connection = open_ledger(self.folder / "queue" / "ledger.sqlite")
        try:
            return count_all(connection)
        finally:
            connection.close()

    def wait_until_done(self) -> None:
        """Wait until everything is classified and stored."""
        stop = time.monotonic() + QUIET_SECONDS
        while time.monotonic() < stop:
            counts = self.counts()
            if not counts.waiting and not counts.to_be_stored:
                return
            time.sleep(0.02)
        raise TimeoutError("the queue did not become empty")


class Archive:
    """A destination that takes everything, and notes when.

    Args:
        port: to listen on.
    """

    def __init__(self, port: int) -> None:
        self.stored: dict[str, float] = {}
        entity = AE("ARCHIVE")
        for uid in ("1.2.840.10008.5.1.4.1.1.1", "1.2.840.10008.5.1.4.1.1.1.1"):
            entity.add_supported_context(uid, ["1.2.840.10008.1.2.1", "1.2.840.10008.1.2"])
        entity.add_supported_context("1.2.840.10008.1.1")
        self._entity, self._port = entity, port
        self._listen()

    def be_away(self, seconds: float) -> None:
        """Refuse connections for a while."""
        self._server.shutdown()
        time.sleep(seconds)
        self._listen()

    def _listen(self) -> None:
        self._server: Any = self._entity.start_server(
            ("127.0.0.1", self._port), block=False, evt_handlers=[(evt.EVT_C_STORE, self._take)]
        )

    def _take(self, event: Any) -> int:
        self.stored[str(event.request.AffectedSOPInstanceUID)] = time.monotonic()
        return 0x0000


def rate(bench: Bench, senders: int, repeats: int) -> None:
    """Send the same films to storescp and to the service, in turn."""
    found: dict[str, list[float]] = {"storescp": [], "acknowledged": [], "stored": []}
    for _ in range(repeats):
        films = bench.films(bench.images, bench.folder / "films")
        with _storescp(bench) as port:
            found["storescp"].append(_send(bench, films, senders, port, "ANY"))
        with bench.service():
            _warm_up(bench)
            before = bench.counts().stored
            began = time.monotonic()
            found["acknowledged"].append(_send(bench, films, senders, bench.port, "CXRVIEW"))
            bench.wait_until_done()
            found["stored"].append(time.monotonic() - began)
            assert bench.counts().stored - before == len(films)
    seconds = {name: statistics.median(values) for name, values in found.items()}
    report(
        "rate",
        images_per_second={name: round(bench.images / one, 1) for name, one in seconds.items()},
        ratio_acknowledged=round(seconds["storescp"] / seconds["acknowledged"], 3),
        ratio_stored=round(seconds["storescp"] / seconds["stored"], 3),
        load=os.getloadavg(),
    )


def times(bench: Bench, singles: int) -> None:
    """Time from the last byte of an image to its storing by the archive."""
    with bench.service():
        _warm_up(bench)
        unhurried = _timed(bench, singles, lambda sent: _until_stored(bench, sent))
        together = _timed(bench, singles, lambda sent: None)
        bench.wait_until_done()
        report(
            "last byte to stored",
            one_by_one_s=_spread(bench, unhurried),
            one_after_the_other_s=_spread(bench, together),
            load=os.getloadavg(),
        )


def mixed(bench: Bench, minutes: float, *, with_faults: bool) -> None:
    """C-STORE, REST, batch jobs, the status page, broken files and broken clients, for a while."""
    over = threading.Event()
    done: Counter[str] = Counter()
    loads = {
        "c_store": lambda: _store_some(bench),
        "rest": lambda: _post(bench, bench.film),
        "broken_file": lambda: _post(bench, bench.film[:5000]),
        "batch_job": lambda: _job(bench),
        "status_page": lambda: _get(bench, "/"),
        "metrics": lambda: _get(bench, "/metrics"),
        "aborted_upload": lambda: _abort(bench, bench.film),
    }
    if with_faults:
        loads["killed_decoder"] = lambda: kill_a_child(bench.pid)
        loads["archive_away"] = lambda: bench.archive.be_away(AWAY_SECONDS)

    def repeat(name: str) -> None:
        while not over.wait(PAUSES.get(name, 0.2)):
            try:
                loads[name]()
                done[name] += 1
            except Exception as error:  # is printed, and the load goes on
                done[f"{name}: {type(error).__name__}"] += 1

    threads = [threading.Thread(target=repeat, args=(name,)) for name in loads]
    for thread in threads:
        thread.start()
    sampler = Sampler(bench.pid)
    sampler.start()
    time.sleep(60 * minutes)
    sampler.stop()
    over.set()
    for thread in threads:
        thread.join()
    bench.wait_until_done()
    report(
        "mixed load",
        minutes=minutes,
        requests=dict(sorted(done.items())),
        **summary(sampler.samples),
        load=os.getloadavg(),
    )


def _store_some(bench: Bench) -> None:
    with _association(bench) as send:
        for index in range(5):
            send(bench.new_film(index))


def _post(bench: Bench, content: bytes) -> None:
    _ask(bench, "POST", "/classify", content, (200, 422, 429))


def _get(bench: Bench, path: str) -> bytes:
    return _ask(bench, "GET", path, None, (200,))


def _job(bench: Bench) -> None:
    kinds = {"Content-Type": "application/json"}
    body = json.dumps({"root": "drawn"}).encode()
    job = json.loads(_ask(bench, "POST", "/jobs", body, (202,), kinds))["job"]
    while json.loads(_get(bench, f"/jobs/{job}"))["state"] in ("queued", "running"):
        time.sleep(0.2)
    _get(bench, f"/jobs/{job}/table?format=csv")
    _ask(bench, "DELETE", f"/jobs/{job}", None, (204,))


def _ask(
    bench: Bench,
    method: str,
    path: str,
    body: bytes | None,
    statuses: tuple[int, ...],
    headers: dict[str, str] | None = None,
) -> bytes:
    connection = http.client.HTTPConnection("127.0.0.1", bench.http_port, timeout=120)
    try:
        connection.request(method, path, body, headers or {})
        answer = connection.getresponse()
        content = answer.read()
    finally:
        connection.close()
    if answer.status not in statuses:
        raise RuntimeError(f"{method} {path}: {answer.status}")
    return content


def _abort(bench: Bench, content: bytes) -> None:
    with socket.create_connection(("127.0.0.1", bench.http_port)) as connection:
        head = (
            f"POST /classify HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(content)}\r\n\r\n"
        )
        connection.sendall(head.encode() + content[:1000])


def _send(bench: Bench, films: list[Path], senders: int, port: int, title: str) -> float:
    """Send films by parallel storescu; return the seconds until all were acknowledged."""
    parts = []
    for number in range(senders):
        part = bench.folder / f"part-{number}"
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir()
        for film in films[number::senders]:
            (part / film.name).symlink_to(film)
        parts.append(part)
    began = time.monotonic()
    processes = [
        subprocess.Popen(
            [
                dcmtk("storescu"),
                "-aet",
                "CR1",
                "-aec",
                title,
                "-xf",
                str(bench.folder / "storescu.cfg"),
            ]
            + ["Default", "+sd", "127.0.0.1", str(port), str(part)]
        )
        for part in parts
    ]
    if any([process.wait() for process in processes]):
        raise RuntimeError("storescu failed")
    return time.monotonic() - began


@contextlib.contextmanager
def _storescp(bench: Bench) -> Iterator[int]:
    folder = bench.folder / "storescp"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    (port,) = _free_ports(1)
    process = subprocess.Popen([dcmtk("storescp"), "--fork", "-od", str(folder), str(port)])
    try:
        wait_for_port(port)
        yield port
    finally:
        end(process)


def _warm_up(bench: Bench) -> None:
    """Start the decode processes, as in the middle of a day."""
    for _ in range(4):
        _post(bench, bench.film)


def _timed(bench: Bench, number: int, pause: Callable[[str], None]) -> dict[str, float]:
    """Send images by one association; return by UID when the last byte was sent."""
    sent = {}
    with _association(bench) as send:
        for index in range(number):
            dataset = bench.new_film(index)
            sent[str(dataset.SOPInstanceUID)] = send(dataset)
            pause(str(dataset.SOPInstanceUID))
    return sent


def _until_stored(bench: Bench, uid: str) -> None:
    stop = time.monotonic() + QUIET_SECONDS
    while uid not in bench.archive.stored and time.monotonic() < stop:
        time.sleep(0.002)


def _spread(bench: Bench, sent: dict[str, float]) -> dict[str, float]:
    seconds = sorted(bench.archive.stored[uid] - at for uid, at in sent.items())
    return {
        "median": round(statistics.median(seconds), 3),
        "95 %": round(statistics.quantiles(seconds, n=20)[-1], 3),
    }


@contextlib.contextmanager
def _association(bench: Bench) -> Iterator[Callable[[pydicom.Dataset], float]]:
    """Yield what sends one image, and returns when its last byte was sent."""
    last = [0.0]

    def note(_: Any) -> None:
        last[0] = time.monotonic()

    entity = AE("CR1")
    contexts = {(one.SOPClassUID, one.file_meta.TransferSyntaxUID) for one in bench.sources}
    association = entity.associate(
        "127.0.0.1",
        bench.port,
        contexts=[build_context(*one) for one in sorted(contexts)],
        ae_title="CXRVIEW",
        evt_handlers=[(evt.EVT_DATA_SENT, note)],
    )
    if not association.is_established:
        raise RuntimeError("the service rejected the association")

    keep_answers(association)

    def send(dataset: pydicom.Dataset) -> float:
        if association.send_c_store(dataset).Status != 0x0000:
            raise RuntimeError("the service refused an image")
        return last[0]

    try:
        yield send
    finally:
        association.release()


def _free_ports(number: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(number)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


if __name__ == "__main__":
    sys.exit(main())
