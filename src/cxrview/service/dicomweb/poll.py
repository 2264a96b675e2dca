"""Takes new images from a DICOMweb server: a query (QIDO-RS) at intervals, then WADO-RS."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import pydicom
import requests
from pydicom import Dataset

from cxrview.errors import CannotWrite
from cxrview.service.configuration import PollSettings
from cxrview.service.delivery.backoff import Backoff
from cxrview.service.dicomweb.client import connect, down_reason, out_of_order_reason
from cxrview.service.dicomweb.taken import TakenObjects
from cxrview.service.log import log_event
from cxrview.service.store import Store
from cxrview.writeback.header import quiet_pydicom

_STUDY, _SERIES, _INSTANCE = "0020000D", "0020000E", "00080018"
_MODALITY, _STUDY_INSTANCES = "00080060", "00201208"
_PAGE = 200
"""Answers of one query, at most."""
_MOST_PAGES = 500
_COMPLETE_LOOK_SECONDS = 3600.0
"""A study whose number of objects did not change is looked into again after so long."""
_KEEP_SECONDS = 30 * 86400.0
"""What was taken is remembered for so long after its study is not listed any more."""
_MADE_BY = "cxrview"
_DOWN = Backoff(first_seconds=5.0, longest_seconds=300.0)
"""Waits while the server does not answer."""


class PeerDown(Exception):
    """The server does not answer, or not as a DICOMweb server.

    Args:
        reason: in words, without header values.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(slots=True)
class _Study:
    """What was seen of a study."""

    objects: int
    """Number Of Study Related Instances."""
    looked_at: float
    """Monotonic time."""


class Poller(threading.Thread):
    """Takes new images of one server until it is stopped.

    Studies of the last days are listed, and their series of the wanted modalities. An object is
    noted as taken once it is in the store, so that a crash costs no image; one that is taken twice
    is recognised by the store. Copies that cxrview corrected are left where they are, or the
    service would classify its own work.

    Args:
        name: of the server in the configuration.
        settings: of the server.
        store: takes the objects.
        taken: remembers them.
        today: the day by which studies are chosen.

    Raises:
        UsageError: a file of the settings cannot be read.
    """

    def __init__(
        self,
        name: str,
        settings: PollSettings,
        store: Store,
        taken: TakenObjects,
        *,
        today: Callable[[], date] = date.today,
    ) -> None:
        super().__init__(name=f"poll {name}", daemon=True)
        self._peer, self._settings, self._store, self._taken = name, settings, store, taken
        self._today = today
        self._client = connect(
            settings.url,
            timeout_seconds=settings.timeout_seconds,
            token_file=settings.token_file,
            user=settings.user,
            password_file=settings.password_file,
            tls=settings.tls,
        )
        self._studies: dict[str, _Study] = {}
        self._stopping = threading.Event()
        self._failures = 0
        self.trouble = ""
        """Why the last look failed; empty if it did not."""

    def stop(self) -> None:
        """End after the object that is being taken."""
        self._stopping.set()

    def run(self) -> None:
        """Look at intervals until stopped."""
        while not self._stopping.is_set():
            try:
                self.take_new()
            except Exception as error:  # an error in cxrview must not end all queries for good
                self._note_trouble(error)
                wait = _DOWN.seconds(self._failures)
            else:
                if self._failures:
                    log_event("peer works again", entrance=self._entrance)
                self._failures, self.trouble = 0, ""
                wait = self._settings.every_seconds
            self._stopping.wait(wait)
        self._taken.close()

    @property
    def _entrance(self) -> str:
        return f"poll:{self._peer}"

    def take_new(self) -> int:
        """Look once; return the number of objects that were taken.

        An object that cannot be taken does not hold up others, and is tried again at the next look.

        Raises:
            PeerDown: the server does not answer.
            CannotWrite: the disk is full.
        """
        number = 0
        listed = dict(self._list_studies())
        for study, objects in listed.items():
            if self._is_known(study, objects):
                continue
            is_complete = True
            for series, uid in self._list_new(study):
                if self._stopping.is_set():
                    return number
                is_taken = self._take(study, series, uid)
                is_complete = is_complete and is_taken
                number += is_taken
            if is_complete and objects:
                self._studies[study] = _Study(objects, time.monotonic())
        self._studies = {uid: one for uid, one in self._studies.items() if uid in listed}
        self._taken.forget(time.time() - _KEEP_SECONDS, listed)
        return number

    def _is_known(self, study: str, objects: int) -> bool:
        known = self._studies.get(study)
        return (
            known is not None
            and known.objects == objects
            and time.monotonic() - known.looked_at < _COMPLETE_LOOK_SECONDS
        )

    def _list_studies(self) -> Iterator[tuple[str, int]]:
        """Study Instance UID and number of objects of each study of the last days."""
        first = self._today() - timedelta(days=self._settings.days - 1)
        # Open at its end: the clock of a modality may be ahead.
        filters = {"StudyDate": f"{first:%Y%m%d}-"}
        for modality in self._settings.modality or ("",):
            more = {"ModalitiesInStudy": modality} if modality else {}
            found = self._search(
                self._client.search_for_studies, _STUDY, search_filters=filters | more
            )
            for study, item in found:
                yield study, _number(item, _STUDY_INSTANCES)

    def _list_new(self, study: str) -> Iterator[tuple[str, str]]:
        """Series and SOP Instance UID of the objects that were not taken."""
        wanted = self._settings.modality
        search = self._client.search_for_series
        for series, item in self._search(search, _SERIES, study_instance_uid=study):
            if wanted and _text(item, _MODALITY) not in wanted:
                continue
            found = self._search(
                self._client.search_for_instances,
                _INSTANCE,
                study_instance_uid=study,
                series_instance_uid=series,
            )
            for one in self._taken.without_taken([uid for uid, _ in found], study):
                yield series, one

    def _search(
        self, search: Callable[..., list[dict[str, Any]]], tag: str, **more: Any
    ) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """UID and answer of everything that a query finds, each once.

        A server may return fewer answers than it has, and one that does not know `offset` returns
        the same ones again: so it is asked until an answer holds nothing new.
        """
        seen: set[str] = set()
        for _ in range(_MOST_PAGES):
            with _raising_peer_down():
                page = search(limit=_PAGE, offset=len(seen), **more)
                named = {uid: item for item in page if (uid := _text(item, tag))}
            new = {uid: item for uid, item in named.items() if uid not in seen}
            if not new:
                return
            yield from new.items()
            seen |= new.keys()

    def _take(self, study: str, series: str, uid: str) -> bool:
        """Take one object; False if it could not be.

        Raises:
            PeerDown: the server does not answer.
            CannotWrite: the disk is full.
        """
        self._store.check_space()
        part = self._store.new_part()
        try:
            dataset = self._retrieve(study, series, uid)
            if dataset is None:
                return False
            if not _is_made_by_cxrview(dataset):
                try:
                    with quiet_pydicom(), _raising_cannot_write():
                        pydicom.dcmwrite(part, dataset)  # elements are written as they were read
                        size = part.stat().st_size
                except CannotWrite:
                    raise
                except Exception as error:  # pydicom raises many types on a malformed object
                    log_event("not taken", entrance=self._entrance, error=type(error).__name__)
                    return False
                del dataset
                receipt = self._store.accept(part, self._entrance)
                log_event(
                    "received", entrance=self._entrance, state=str(receipt.arrival), bytes=size
                )
            self._taken.add(uid, study, time.time())
            return True
        finally:
            part.unlink(missing_ok=True)

    def _retrieve(self, study: str, series: str, uid: str) -> Dataset | None:
        try:
            with quiet_pydicom():
                return self._client.retrieve_instance(
                    study, series, uid, media_types=(("application/dicom", "*"),)
                )
        except requests.HTTPError as error:
            status = getattr(error.response, "status_code", None)
            # 404 of an object says that it was removed since it was listed.
            if status != 404 and (reason := down_reason(error)):
                raise PeerDown(reason) from error
            log_event("not taken", entrance=self._entrance, status=status)
        except requests.RequestException as error:
            if reason := down_reason(error):
                raise PeerDown(reason) from error
            log_event("not taken", entrance=self._entrance, error=type(error).__name__)
        except Exception as error:  # dicomweb-client and pydicom raise many types
            log_event("not taken", entrance=self._entrance, error=type(error).__name__)
        return None

    def _note_trouble(self, error: Exception) -> None:
        reason = "internal error of the poller"
        if isinstance(error, PeerDown):
            reason = error.reason
        elif isinstance(error, CannotWrite):
            reason = "the disk is full or fails"
        self._failures += 1
        self.trouble = reason
        if self._failures == 1:
            log_event(
                "peer fails", entrance=self._entrance, reason=reason, error=type(error).__name__
            )


@contextmanager
def _raising_peer_down() -> Iterator[None]:
    """Raise PeerDown for every failure of a query."""
    try:
        with quiet_pydicom():
            yield
    except requests.RequestException as error:
        status = getattr(error.response, "status_code", None)
        reason = f"it answers a query with HTTP status {status}" if status else "it does not answer"
        raise PeerDown(out_of_order_reason(error) or reason) from error
    except Exception as error:  # dicomweb-client raises many types on an answer it cannot read
        raise PeerDown("its answer to a query cannot be understood") from error


@contextmanager
def _raising_cannot_write() -> Iterator[None]:
    """Raise CannotWrite for an OSError in the block."""
    try:
        yield
    except OSError as error:
        raise CannotWrite(f"the queue cannot be written: {error.strerror}", "Free space") from error


def _is_made_by_cxrview(dataset: Dataset) -> bool:
    """Whether an object is a copy that cxrview corrected (PS3.3 C.12.1)."""
    try:
        equipment = dataset.get("ContributingEquipmentSequence") or ()
        return any(item.get("ManufacturerModelName") == _MADE_BY for item in equipment)
    except Exception:  # pydicom raises many types on a malformed sequence
        return False


def _text(item: Mapping[str, Mapping[str, Any]], tag: str) -> str:
    """The first value of an element of an answer in JSON; empty if there is none."""
    values = item.get(tag, {}).get("Value") or [""]
    return str(values[0])


def _number(item: Mapping[str, Mapping[str, Any]], tag: str) -> int:
    text = _text(item, tag)
    return int(text) if text.isdecimal() else 0
