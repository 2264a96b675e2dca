"""The service with Orthanc's DICOMweb plug-in; `test_orthanc.py` runs these tests."""

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import date
from io import BytesIO
from pathlib import Path

import pydicom
import pytest
import requests

from cxrview.service.configuration import DestinationKind, DestinationSettings, PollSettings
from cxrview.service.delivery.sender import DestinationDown, OutgoingObject
from cxrview.service.dicomweb.poll import PeerDown, Poller
from cxrview.service.dicomweb.stow_client import StowSender
from cxrview.service.dicomweb.taken import TakenObjects
from cxrview.service.store import Store
from fixtures.orthanc import Orthanc, running_orthanc
from fixtures.outgoing import outgoing
from fixtures.ports import free_port

SECONDS = 60


@pytest.fixture(scope="module")
def orthanc(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Orthanc]:
    with running_orthanc(tmp_path_factory.mktemp("orthanc") / "it") as orthanc:
        yield orthanc


@pytest.fixture(autouse=True)
def empty(orthanc: Orthanc) -> None:
    for one in orthanc.identifiers():
        requests.delete(f"{orthanc.url}/instances/{one}", timeout=SECONDS).raise_for_status()


def changed(film: Path, target: Path, **elements: object) -> Path:
    """A copy with other values in its header."""
    dataset = pydicom.dcmread(film)
    for name, value in elements.items():
        setattr(dataset, name, value)
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    dataset.save_as(target)
    return target


def today_copies(films: list[Path], folder: Path) -> list[Path]:
    """Films of today, whose modality is CR."""
    today = f"{date.today():%Y%m%d}"
    folder.mkdir(exist_ok=True)
    return [
        changed(film, folder / f"{number}.dcm", StudyDate=today, Modality="CR")
        for number, film in enumerate(films)
    ]


def poller(url: str, store: Store, folder: Path, **settings: object) -> Poller:
    return Poller(
        "archive",
        PollSettings(url=url, **{"every_seconds": 0.2, **settings}),
        store,
        TakenObjects.of_peer(folder, "archive"),
    )


def data_set_of(path: Path) -> pydicom.Dataset:
    return pydicom.dcmread(path)


def test_poller_takes_what_arrives_once(orthanc, store, films, tmp_path):
    copies = today_copies(films, tmp_path / "copies")
    one = poller(orthanc.dicomweb, store, tmp_path)
    for path in copies[:2]:
        orthanc.store(path)

    assert one.take_new() == 2
    assert one.take_new() == 0
    orthanc.store(copies[2])
    orthanc.store(copies[0])  # again
    assert one.take_new() == 1
    one.take_new()
    again = poller(orthanc.dicomweb, store, tmp_path)  # after a restart
    assert again.take_new() == 0

    queued = store.next_to_classify(10)
    assert {one.entrance for one in queued} == {"poll:archive"}
    assert sorted(str(data_set_of(one.path).SOPInstanceUID) for one in queued) == sorted(
        str(data_set_of(path).SOPInstanceUID) for path in copies[:3]
    )
    for taken in queued:
        original = next(
            path
            for path in map(data_set_of, copies)
            if path.SOPInstanceUID == data_set_of(taken.path).SOPInstanceUID
        )
        assert data_set_of(taken.path).PixelData == original.PixelData
        assert data_set_of(taken.path).file_meta.TransferSyntaxUID == (
            original.file_meta.TransferSyntaxUID
        )
    assert store.counts().repeated == 0


def test_poller_takes_an_image_that_was_not_noted_without_doubling_it(
    orthanc, store, films, tmp_path
):
    """As after a crash between the store and the note."""
    (path,) = today_copies(films[:1], tmp_path / "copies")
    orthanc.store(path)
    poller(orthanc.dicomweb, store, tmp_path).take_new()
    for file in tmp_path.glob("taken-*"):
        file.unlink()

    assert poller(orthanc.dicomweb, store, tmp_path).take_new() == 1
    counts = store.counts()
    assert (counts.received, counts.repeated) == (1, 1)


def test_poller_leaves_other_days_modalities_and_its_own_copies(orthanc, store, films, tmp_path):
    old, other, own, wanted = today_copies(films, tmp_path / "copies")
    changed(old, old, StudyDate="20200101", StudyInstanceUID="1.2.3.1")
    changed(other, other, Modality="CT", StudyInstanceUID="1.2.3.2", SeriesInstanceUID="1.2.3.4")
    equipment = pydicom.Dataset()
    equipment.Manufacturer = equipment.ManufacturerModelName = "cxrview"
    changed(own, own, ContributingEquipmentSequence=[equipment])
    for path in (old, other, own, wanted):
        orthanc.store(path)
    one = poller(orthanc.dicomweb, store, tmp_path)

    one.take_new()

    (queued,) = store.next_to_classify(10)
    assert data_set_of(queued.path).SOPInstanceUID == data_set_of(wanted).SOPInstanceUID
    assert one.take_new() == 0


def test_poller_goes_on_after_the_server_was_away(store, films, tmp_path):
    (path,) = today_copies(films[:1], tmp_path / "copies")
    with running_orthanc(tmp_path / "another") as another:
        port = int(another.url.rpartition(":")[2])
        one = poller(another.dicomweb, store, tmp_path)
        one.take_new()
    with pytest.raises(PeerDown):
        one.take_new()

    with running_orthanc(tmp_path / "another", HttpPort=port):
        requests.post(f"http://127.0.0.1:{port}/instances", data=path.read_bytes(), timeout=SECONDS)
        assert one.take_new() == 1


def test_poller_runs_as_a_thread_and_ends(orthanc, store, films, tmp_path):
    one = poller(orthanc.dicomweb, store, tmp_path)
    one.start()
    (path,) = today_copies(films[:1], tmp_path / "copies")
    orthanc.store(path)
    end = time.monotonic() + SECONDS
    while not store.counts().received and time.monotonic() < end:
        time.sleep(0.05)
    one.stop()
    one.join(SECONDS)

    assert store.counts().received == 1
    assert not one.is_alive()


def test_stow_sender_stores_in_orthanc(orthanc, films):
    sender = StowSender(DestinationSettings(kind=DestinationKind.DICOMWEB, url=orthanc.dicomweb))
    sender.check()

    objects = [outgoing(film) for film in films]
    answers = list(sender.send(objects)) + list(sender.send(objects))  # a repetition is stored, too

    assert all(one.is_stored for one in answers), answers
    assert len(orthanc.identifiers()) == len(films)
    assert sorted(orthanc.files()) == sorted(film.read_bytes() for film in films)


def test_stow_sender_reports_an_orthanc_that_refuses(orthanc, films, tmp_path):
    """An object without a patient ID is refused by this version, or stored: never both."""
    broken = tmp_path / "broken.dcm"
    broken.write_bytes(films[0].read_bytes()[:700])  # without pixels and identity
    good = outgoing(films[0])
    bad = OutgoingObject(
        delivery=good.delivery,
        path=broken,
        sop_class_uid=good.sop_class_uid,
        sop_instance_uid=good.sop_instance_uid,
        transfer_syntax=good.transfer_syntax,
    )
    sender = StowSender(DestinationSettings(kind=DestinationKind.DICOMWEB, url=orthanc.dicomweb))

    first, second = list(sender.send([bad, good]))

    assert first.is_stored == (len(orthanc.identifiers()) == 2)
    assert second.is_stored


def test_stow_sender_reports_that_orthanc_has_no_dicomweb_there(orthanc, films):
    sender = StowSender(
        DestinationSettings(kind=DestinationKind.DICOMWEB, url=f"{orthanc.url}/nothing")
    )

    with pytest.raises(DestinationDown):
        sender.check()


def test_stow_entrance_takes_what_a_peer_of_orthanc_sends(entrance, films, tmp_path):
    """Orthanc's DICOMweb client sends chunked bodies, several objects in one request."""
    servers = {"cxrview": {"Url": entrance.url, "HasDelete": False, "ChunkedTransfers": True}}
    with running_orthanc(tmp_path / "peer", DicomWeb={"Servers": servers}) as peer:
        for film in films:
            peer.store(film)

        answer = peer.post(
            "dicom-web/servers/cxrview/stow",
            {"Resources": peer.identifiers(), "Synchronous": True},
        )

    assert answer.ok, answer.text
    queued = entrance.store.next_to_classify(10)
    assert sorted(one.path.read_bytes() for one in queued) == sorted(
        film.read_bytes() for film in films
    )


def test_stow_entrance_takes_from_four_senders_at_a_time(entrance, films):
    """Every sender sends every film: each is kept once."""
    from dicomweb_client import DICOMwebClient

    def send() -> None:
        client = DICOMwebClient(entrance.url)
        client.store_instances([pydicom.dcmread(film) for film in films])

    senders = [threading.Thread(target=send) for _ in range(4)]
    for one in senders:
        one.start()
    for one in senders:
        one.join(SECONDS)

    counts = entrance.store.counts()
    assert (counts.received, counts.repeated) == (len(films), 3 * len(films))
    assert entrance.kept() == len(films)


def wait_until(is_done, seconds: float = SECONDS) -> None:
    end = time.monotonic() + seconds
    while not is_done() and time.monotonic() < end:
        time.sleep(0.1)
    assert is_done()


def run_service(configuration: Path) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "cxrview", "serve", str(configuration)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def counts_of(configuration: Path) -> str:
    command = [sys.executable, "-m", "cxrview", "serve", "counts", str(configuration)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_the_service_takes_from_one_archive_and_stores_in_another(orthanc, films, tmp_path):
    """Polled, classified, corrected, stored by STOW-RS and confirmed; each image once, also after
    the service was killed and started again."""
    copies = today_copies(films, tmp_path / "copies")
    port = free_port()
    with running_orthanc(tmp_path / "target") as target:
        configuration = tmp_path / "serve.toml"
        configuration.write_text(
            f"""
            [queue]
            folder = "{tmp_path / "service"}"
            [http]
            port = {port}
            [classify]
            patient_key = "{tmp_path / "key"}"
            [poll.source]
            url = "{orthanc.dicomweb}"
            every_seconds = 0.5
            [destinations.target]
            kind = "dicomweb"
            url = "{target.dicomweb}"
            """
        )
        (tmp_path / "key").write_bytes(b"k" * 32)
        for path in copies[:2]:
            orthanc.store(path)
        first = run_service(configuration)
        wait_until(lambda: len(target.identifiers()) == 2)
        first.kill()
        first.communicate()
        for path in copies[2:]:
            orthanc.store(path)
        second = run_service(configuration)
        try:
            wait_until(lambda: len(target.identifiers()) == len(copies))
            wait_until(lambda: f"{len(copies)} stored + 0 to be" in counts_of(configuration))
            page = requests.get(f"http://127.0.0.1:{port}/", timeout=SECONDS).text
            ready = requests.get(f"http://127.0.0.1:{port}/ready", timeout=SECONDS)
        finally:
            second.terminate()
            out, log = second.communicate(timeout=SECONDS)

        stored = [pydicom.dcmread(BytesIO(content)) for content in target.files()]
    assert "target" in page and ready.ok
    assert f"{len(copies)} deliveries = {len(copies)} stored + 0 to be stored + 0 dead" in out
    assert sorted(one.PixelData for one in stored) == sorted(
        data_set_of(path).PixelData for path in copies
    )
    assert all(str(one.PatientID) not in log + page for one in stored)
    assert all(str(one.SOPInstanceUID) not in log + page for one in stored)
