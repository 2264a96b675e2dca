"""The programs that the tests of the service start: the service, Orthanc, storescu and storescp."""

import copy
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pydicom
from pydicom.uid import generate_uid

from cxrview.phantom.archive import draw_archive
from cxrview.service.store.counting import count_all
from cxrview.service.store.schema import open_ledger

SERVICE, ORTHANC, ORTHANC_HTTP = 11112, 4242, 8042
STORESCU = """[[TransferSyntaxes]]
[Uncompressed]
TransferSyntax1 = LocalEndianExplicit
TransferSyntax2 = LittleEndianImplicit
[[PresentationContexts]]
[Radiographs]
PresentationContext1 = ComputedRadiographyImageStorage\\Uncompressed
PresentationContext2 = DigitalXRayImageStorageForPresentation\\Uncompressed
[[Profiles]]
[Default]
PresentationContexts = Radiographs
"""
OTHER_VIEW = {"PA": "LL", "AP": "LL", "LL": "PA", "RL": "PA"}
QUIET_SECONDS = 600
Report = dict[str, Any]


def dcmtk(name: str) -> str:
    """Return the path of a program of DCMTK.

    pynetdicom installs programs of the same names, which come first on the PATH of an environment
    that is activated.
    """
    own = Path(sys.executable).parent
    places = [one for one in os.get_exec_path() if Path(one) != own]
    return shutil.which(name, path=os.pathsep.join(places)) or name


class Bench:
    """A folder with images, a configuration, and the programs that run.

    Args:
        folder: for everything.
        images: number of images of one study; each has another Instance Number.
        more: further lines of the configuration.
        queue: folder of the queue.
    """

    def __init__(
        self, folder: Path, images: int, more: str = "", queue: Path | None = None
    ) -> None:
        self.folder, self.queue = folder, queue or folder / "queue"
        self.films = draw_films(folder / "films", images)
        self.config = folder / "serve.toml"
        self.config.write_text(
            f'[queue]\nfolder = "{self.queue}"\nmin_free_mb = 4\n'
            f'[dicom]\nsenders = ["CR1"]\nport = {SERVICE}\n'
            f'[destinations.pacs]\nhost = "127.0.0.1"\nport = {ORTHANC}\nae_title = "ORTHANC"\n'
            f"first_wait_seconds = 1\nlongest_wait_seconds = 5\n{more}"
        )
        (folder / "storescu.cfg").write_text(STORESCU)
        self.service: subprocess.Popen[str] | None = None
        self.archive: subprocess.Popen[bytes] | None = None
        """Orthanc, or what stands in for it."""
        self.acknowledged: set[Path] = set()
        self.moments, self.unequal, self.corrected = 0, 0, 0
        self._is_over = threading.Event()
        self._observer = threading.Thread(target=self._observe, daemon=True)

    def start_service(self) -> None:
        """Start the service, and wait until it listens."""
        with (self.folder / "service.log").open("a") as log:
            self.service = subprocess.Popen(
                [sys.executable, "-m", "cxrview", "serve", str(self.config)],
                stdout=subprocess.DEVNULL,
                stderr=log,
                text=True,
            )
        wait_for_port(SERVICE)

    def kill_service(self) -> None:
        """Kill the service with -9."""
        assert self.service
        self.service.kill()
        self.service.wait()

    def start_orthanc(self, **settings: Any) -> None:
        """Start Orthanc on the database of this folder, and wait until it listens."""
        path = self.folder / "orthanc.json"
        database = str(self.folder / "orthanc")
        path.write_text(
            json.dumps(
                {
                    "StorageDirectory": database,
                    "IndexDirectory": database,
                    "HttpPort": ORTHANC_HTTP,
                    "DicomPort": ORTHANC,
                    "RemoteAccessAllowed": False,
                    "AuthenticationEnabled": False,
                    "DicomAlwaysAllowStore": True,
                    "Plugins": [],
                    **settings,
                }
            )
        )
        with (self.folder / "orthanc.log").open("a") as log:
            self.archive = subprocess.Popen(
                [shutil.which("Orthanc") or "/usr/sbin/Orthanc", str(path)], stdout=log, stderr=log
            )
        wait_for_port(ORTHANC)

    def start_storescp(self, classes: Sequence[str]) -> Path:
        """Start storescp in place of Orthanc; return the folder of what it stores.

        Args:
            classes: that it accepts, by the names of DCMTK.
        """
        profile, folder = self.folder / "storescp.cfg", self.folder / "storescp"
        contexts = ["VerificationSOPClass", *classes]
        profile.write_text(
            "[[TransferSyntaxes]]\n[Any]\nTransferSyntax1 = LocalEndianExplicit\n"
            "TransferSyntax2 = LittleEndianImplicit\n[[PresentationContexts]]\n[Some]\n"
            + "".join(
                f"PresentationContext{number} = {name}\\Any\n"
                for number, name in enumerate(contexts, 1)
            )
            + "[[Profiles]]\n[Default]\nPresentationContexts = Some\n"
        )
        folder.mkdir()
        self.archive = subprocess.Popen(
            [dcmtk("storescp"), "-od", str(folder), "-xf", str(profile), "Default", str(ORTHANC)]
        )
        wait_for_port(ORTHANC)
        return folder

    def stop_archive(self) -> None:
        """End Orthanc, or what stands in for it."""
        if self.archive:
            end(self.archive)
            self.archive = None

    def stop(self) -> None:
        """End all programs."""
        if self.service:
            end(self.service)
        self.stop_archive()

    def send(self, films: list[Path], name: str = "0") -> list[Path]:
        """Send films by one storescu, until it ends; return those that were acknowledged."""
        listed = self.folder / f"send-{name}"
        shutil.rmtree(listed, ignore_errors=True)
        listed.mkdir()
        for film in films:
            (listed / film.name).symlink_to(film)
        done = subprocess.run(
            [dcmtk("storescu"), "-v", "-nh", "-aet", "CR1", "-aec", "CXRVIEW", "-to", "60"]
            + ["-xf", str(self.folder / "storescu.cfg"), "Default", "+sd"]
            + ["127.0.0.1", str(SERVICE), str(listed)],
            capture_output=True,
            text=True,
        )
        taken, current = [], None
        for line in (done.stdout + done.stderr).splitlines():
            if found := re.search(r"Sending file: (.+)$", line):
                current = films[0].parent / Path(found[1]).name
            elif "Received Store Response (Success)" in line and current:
                taken.append(current)
                current = None
        self.acknowledged.update(taken)
        return taken

    def send_all(self, senders: int) -> None:
        """Send all films by parallel senders, each again until it is acknowledged."""

        def one(number: int) -> None:
            left = self.films[number::senders]
            while left:
                taken = set(self.send(left, str(number)))
                left = [film for film in left if film not in taken]
                if left:
                    time.sleep(0.5)
                    wait_for_port(SERVICE, QUIET_SECONDS)

        threads = [threading.Thread(target=one, args=(number,)) for number in range(senders)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def counts(self) -> Any:
        """The counts of the ledger, read as by another process."""
        connection = open_ledger(self.queue / "ledger.sqlite")
        try:
            return count_all(connection)
        finally:
            connection.close()

    def wait_until(self, holds: Callable[[Any], bool], seconds: float = QUIET_SECONDS) -> bool:
        """Wait until the counts are as wanted."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if holds(self.counts()):
                return True
            time.sleep(0.05)
        return False

    @contextmanager
    def observed(self) -> Iterator[None]:
        """Check in the background, all the time, that the counts add up."""
        self._observer.start()
        try:
            yield
        finally:
            self._is_over.set()
            self._observer.join()

    def _observe(self) -> None:
        while not self._is_over.wait(0.1):
            if (self.queue / "ledger.sqlite").exists():
                self.moments += 1
                self.unequal += not self.counts().adds_up

    def in_orthanc(self) -> Counter[int]:
        """How often each Instance Number is stored."""
        address = f"http://127.0.0.1:{ORTHANC_HTTP}/instances?expand"
        with urllib.request.urlopen(address) as answer:
            found = [one["MainDicomTags"] for one in json.load(answer)]
        # A corrected copy has a new UID, which cxrview makes from a name.
        self.corrected = sum(one["SOPInstanceUID"].startswith("2.25.") for one in found)
        return Counter(int(one["InstanceNumber"]) for one in found)

    def report(self) -> Report:
        """What was sent, what arrived, and whether the counts add up, with `passed`."""
        stored, counts = self.in_orthanc(), self.counts()
        sent = {number_of(film) for film in self.acknowledged}
        lost = sorted(sent - set(stored))
        doubled = [number for number, times in stored.items() if times > 1]
        return {
            "acknowledged": len(sent),
            "lost": len(lost),
            "doubled": len(doubled),
            "in_orthanc": sum(stored.values()),
            "corrected": self.corrected,
            "received": counts.received,
            "classified": counts.classified,
            "stored": counts.stored,
            "dead": counts.dead,
            "repeated": counts.repeated,
            "conflicting": counts.conflicting,
            "moments_observed": self.moments,
            "moments_not_adding_up": self.unequal,
            "passed": counts.adds_up and not (lost or doubled or self.unequal),
        }


class Relay:
    """Hands connections on, and waits before each piece that comes back.

    Args:
        port: to listen on.
        target: port to connect to.
        seconds: waited before each piece of an answer.
    """

    def __init__(self, port: int, target: int, seconds: float) -> None:
        self._target, self._seconds = target, seconds
        self._socket = socket.create_server(("127.0.0.1", port))
        threading.Thread(target=self._accept, daemon=True).start()

    def stop(self) -> None:
        """Accept no more."""
        self._socket.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._socket.accept()
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", self._target))
            for source, sink, wait in ((client, server, 0.0), (server, client, self._seconds)):
                threading.Thread(target=self._copy, args=(source, sink, wait), daemon=True).start()

    def _copy(self, source: socket.socket, sink: socket.socket, wait: float) -> None:
        try:
            while data := source.recv(65536):
                time.sleep(wait)
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            sink.close()


def draw_films(folder: Path, images: int) -> list[Path]:
    """Draw a few radiographs, and write each many times, as images of one study of their own.

    Every second one names the other view in its header, so that it is to be corrected.
    """
    drawn = folder.with_name("drawn")
    syntaxes = ["native", "implicit"]
    draw_archive(
        drawn,
        patients=4,
        header_faults=["none"],
        size=(256, 256),
        seed=5,
        syntaxes=syntaxes,
        strangers=False,
        damages=[],
    )
    sources = [
        dataset
        for path in sorted(drawn.rglob("IM*"))
        if (dataset := pydicom.dcmread(path)).get("ViewPosition") in OTHER_VIEW
    ]
    folder.mkdir()
    study, films = generate_uid(), []
    for number in range(1, images + 1):
        dataset = copy.deepcopy(sources[number // 2 % len(sources)])
        dataset.StudyInstanceUID = study
        dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = generate_uid(
            "1.2.826.0.1.3680043.8.498."
        )
        dataset.InstanceNumber = number
        if number % 2:
            dataset.ViewPosition = OTHER_VIEW[dataset.ViewPosition]
            if "ViewCodeSequence" in dataset:
                del dataset.ViewCodeSequence
        path = folder / f"{number:06}.dcm"
        dataset.save_as(path)
        films.append(path)
    return films


def number_of(film: Path) -> int:
    """The Instance Number of a film."""
    return int(film.stem) if film.stem.isdigit() else 0


def wait_for_port(port: int, seconds: float = 120.0) -> None:
    """Wait until something listens."""
    end_at = time.monotonic() + seconds
    while time.monotonic() < end_at:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise TimeoutError(f"nothing listens on port {port}")


def end(*processes: "subprocess.Popen[Any]") -> None:
    """End programs, and wait for them."""
    for process in processes:
        process.send_signal(signal.SIGTERM)
        process.wait(60)
