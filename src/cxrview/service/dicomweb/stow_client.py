"""Send objects by STOW-RS (PS3.18 section 10.5), with dicomweb-client."""

from collections.abc import Generator, Sequence
from typing import Any

import pydicom
import requests
from pydicom import Dataset

from cxrview.service.configuration import DestinationSettings
from cxrview.service.delivery.sender import Answer, DestinationDown, OutgoingObject
from cxrview.service.dicomweb.client import connect, down_reason, out_of_order_reason
from cxrview.writeback.header import quiet_pydicom


class StowSender:
    """Sends objects to one DICOMweb server, one in each request.

    So an object counts as stored only if the server lists it as stored, and one that it refuses
    holds up no other.

    Args:
        settings: of the destination.

    Raises:
        UsageError: a file of the settings cannot be read.
    """

    def __init__(self, settings: DestinationSettings) -> None:
        self._client = connect(
            settings.url,
            timeout_seconds=settings.timeout_seconds,
            token_file=settings.token_file,
            user=settings.user,
            password_file=settings.password_file,
            tls=settings.tls,
        )
        self._client._session.hooks["response"].append(_reduce_content_type)

    def send(self, objects: Sequence[OutgoingObject]) -> Generator[Answer, None, None]:
        """Send objects; see `Sender`."""
        for one in objects:
            yield self._send_one(one)

    def check(self) -> None:
        """Search for one study.

        A server that does not offer searches answers as well, and counts as reachable.

        Raises:
            DestinationDown: it does not answer, or not as a DICOMweb server.
        """
        try:
            with quiet_pydicom():
                self._client.search_for_studies(limit=1)
        except requests.RequestException as error:
            if reason := out_of_order_reason(error):
                raise DestinationDown(reason) from error
            status = getattr(error.response, "status_code", None)
            if status is None or status >= 500:
                raise DestinationDown("it does not answer as a DICOMweb server") from error
        except Exception as error:  # dicomweb-client raises many types on an answer it cannot read
            raise DestinationDown("it does not answer as a DICOMweb server") from error

    def _send_one(self, one: OutgoingObject) -> Answer:
        try:
            with quiet_pydicom():
                dataset = pydicom.dcmread(one.path)
        except Exception:  # pydicom raises many types on a malformed header
            return Answer(is_stored=False, reason="its file cannot be read as DICOM")
        try:
            with quiet_pydicom():  # elements are written as they were read
                answer = self._client.store_instances([dataset])
        except requests.JSONDecodeError:
            return Answer(is_stored=False, reason="its answer cannot be understood")
        except requests.RequestException as error:
            return self._answer_to_failure(error, one)
        except (
            Exception
        ):  # pydicom and dicomweb-client raise many types for what they cannot write or read
            return Answer(is_stored=False, reason="its answer cannot be understood")
        return _answer_about(answer, one)

    def _answer_to_failure(self, error: requests.RequestException, one: OutgoingObject) -> Answer:
        """Find out whether the object or the server is to blame.

        An object that a server cannot store in time must not hold up all others for ever, and the
        outage of a server must not use up the tries of an object.

        Raises:
            DestinationDown: the server does not work.
        """
        if reason := down_reason(error):
            raise DestinationDown(reason) from error
        if not isinstance(error, requests.HTTPError):
            self.check()
            return Answer(is_stored=False, reason="no answer in time or the connection ended")
        if out_of_order_reason(error):
            self.check()
        return _refusal(error.response, one)


def _reduce_content_type(response: requests.Response, **_: Any) -> None:
    """Leave the media type only: dicomweb-client overlooks an answer whose type has parameters."""
    if "Content-Type" in response.headers:
        media_type = response.headers["Content-Type"].partition(";")[0]
        response.headers["Content-Type"] = media_type.strip().lower()


def _answer_about(answer: Dataset, one: OutgoingObject) -> Answer:
    """Find what the server says about an object (PS3.18 table 10.5.3-1, PS3.3 annex)."""
    for item in _items(answer, "ReferencedSOPSequence"):
        if str(item.get("ReferencedSOPInstanceUID", "")) == one.sop_instance_uid:
            warning = _code(item.get("WarningReason"))
            return Answer(
                is_stored=True, reason=f"stored with warning {warning}" if warning else ""
            )
    for item in _items(answer, "FailedSOPSequence"):
        if str(item.get("ReferencedSOPInstanceUID", "")) == one.sop_instance_uid:
            reason = _code(item.get("FailureReason"))
            return Answer(
                is_stored=False, reason=f"refused with status {reason}" if reason else "refused"
            )
    return Answer(is_stored=False, reason="its answer does not list the object as stored")


def _refusal(response: requests.Response | None, one: OutgoingObject) -> Answer:
    """Describe an answer of HTTP status 400 or above; with 409, the body says why."""
    if response is None:
        return Answer(is_stored=False, reason="refused")
    status = response.status_code
    try:
        found = _answer_about(Dataset.from_json(response.json()), one)
    except Exception:  # most such answers are not DICOM JSON, and pydicom raises many types on them
        return Answer(is_stored=False, reason=f"refused with HTTP status {status}")
    if found.is_stored:  # a contradiction, such as of a proxy: it is sent again
        return Answer(is_stored=False, reason=f"refused with HTTP status {status}")
    return found


def _items(answer: Dataset, name: str) -> Sequence[Dataset]:
    items: Sequence[Dataset] = answer.get(name) or ()
    return items


def _code(value: Any) -> str:
    """A status as in PS3.4 and PS3.18, such as `0xA700`; empty for none."""
    return f"0x{value:04X}" if isinstance(value, int) and value else ""
