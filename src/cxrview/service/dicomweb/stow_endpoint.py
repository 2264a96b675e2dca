"""The STOW-RS entrance (PS3.18 section 10.5): objects are written to the disk while they arrive."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pydicom
from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from cxrview.errors import CannotWrite
from cxrview.service.dicomweb.multipart import MultipartFiles
from cxrview.service.http.refusal import Refusal, for_write_error
from cxrview.service.http.responses import refusals
from cxrview.service.log import log_event
from cxrview.service.store import Store
from cxrview.writeback.header import quiet_pydicom

ENTRANCE = "stow"
STUDIES = "/dicom-web/studies"
"""The path of the entrance."""
_JSON = "application/dicom+json"
_UID = re.compile(r"[0-9.]{1,64}")
_OUT_OF_RESOURCES, _OTHER_STUDY, _NOT_UNDERSTOOD = 0xA700, 0xA900, 0xC000
"""PS3.4 table B.2-1; PS3.18 section 10.5.3 takes the same for Failure Reason."""
_BODY: dict[str, Any] = {
    "required": True,
    "content": {
        'multipart/related; type="application/dicom"': {
            "schema": {"type": "string", "format": "binary"}
        }
    },
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stored:
    """What became of one part: 0 for stored, otherwise its Failure Reason."""

    failure: int
    sop_class_uid: str = ""
    sop_instance_uid: str = ""


def stow_router(store: Store, *, most_part_bytes: int) -> APIRouter:
    """Make the routes.

    Args:
        store: takes the objects. An object is listed as stored once it is in the store.
        most_part_bytes: of one object.
    """
    router = APIRouter(tags=["DICOMweb"])
    how: dict[str, Any] = {
        "openapi_extra": {"requestBody": _BODY},
        "responses": refusals(400, 401, 408, 413, 415, 429, 507)
        | {
            200: {"description": "All objects are stored", "content": {_JSON: {}}},
            202: {"description": "Some objects are stored", "content": {_JSON: {}}},
            409: {"description": "No object is stored", "content": {_JSON: {}}},
        },
        "response_class": Response,
    }

    @router.post(STUDIES, summary="Store objects (STOW-RS)", **how)
    async def store_objects(request: Request) -> Response:
        """Send DICOM files as the parts of multipart/related.

        The answer lists each object as stored or failed. Nothing is kept of a request that is
        malformed or incomplete.
        """
        return await _receive(request, store, most_part_bytes, "")

    @router.post(f"{STUDIES}/{{study}}", summary="Store objects of one study (STOW-RS)", **how)
    async def store_objects_of_study(request: Request, study: str) -> Response:
        """The same; an object of another study fails."""
        return await _receive(request, store, most_part_bytes, study)

    return router


async def _receive(request: Request, store: Store, most_part_bytes: int, study: str) -> Response:
    parts = MultipartFiles(request.headers.get("content-type", ""), store.new_part, most_part_bytes)
    try:
        declared = request.headers.get("content-length", "0")
        store.check_space(int(declared) if declared.isdecimal() else 0)
        async for piece in request.stream():
            if piece:
                await run_in_threadpool(parts.write, piece)
        parts.finish()
        return await run_in_threadpool(_store_all, parts.files, store, study)
    except ClientDisconnect:
        raise Refusal(400, "bad_request", "the body is incomplete", "Send it again") from None
    except OSError as error:
        raise for_write_error(error) from error
    finally:
        await run_in_threadpool(parts.discard)


def _store_all(files: Sequence[Path], store: Store, study: str) -> Response:
    return _answer([_store(path, store, study) for path in files])


def _store(path: Path, store: Store, study: str) -> _Stored:
    """Hand one object to the store."""
    try:
        with quiet_pydicom():
            header = pydicom.dcmread(
                path,
                stop_before_pixels=True,
                specific_tags=["SOPClassUID", "SOPInstanceUID", "StudyInstanceUID"],
            )
            uids = (str(header.get("SOPClassUID", "")), str(header.get("SOPInstanceUID", "")))
            its_study = str(header.get("StudyInstanceUID", ""))
    except Exception:  # pydicom raises many types on a malformed header
        return _failed(_NOT_UNDERSTOOD)
    if not all(_UID.fullmatch(uid) for uid in uids):
        return _failed(_NOT_UNDERSTOOD)
    if study and its_study != study:
        return _failed(_OTHER_STUDY, *uids)
    size = path.stat().st_size
    try:
        receipt = store.accept(path, ENTRANCE)
    except CannotWrite:
        return _failed(_OUT_OF_RESOURCES, *uids)
    log_event("received", entrance=ENTRANCE, state=str(receipt.arrival), bytes=size)
    return _Stored(failure=0, sop_class_uid=uids[0], sop_instance_uid=uids[1])


def _failed(failure: int, sop_class_uid: str = "", sop_instance_uid: str = "") -> _Stored:
    log_event("refused", entrance=ENTRANCE, status=failure)
    return _Stored(failure=failure, sop_class_uid=sop_class_uid, sop_instance_uid=sop_instance_uid)


def _answer(found: Sequence[_Stored]) -> Response:
    """The response of PS3.18 section 10.5.3, as JSON of annex F."""
    stored = [one for one in found if not one.failure]
    failed = [one for one in found if one.failure and one.sop_instance_uid]
    others = [one for one in found if one.failure and not one.sop_instance_uid]
    content: dict[str, Any] = {"00081190": {"vr": "UR"}}
    if failed:
        content["00081198"] = _sequence(failed)
    if stored:
        content["00081199"] = _sequence(stored)
    if others:
        content["0008119A"] = _sequence(others)
    status = 200 if len(stored) == len(found) else 202 if stored else 409
    return Response(json.dumps(content), status, media_type=_JSON)


def _sequence(found: Sequence[_Stored]) -> dict[str, Any]:
    return {"vr": "SQ", "Value": [_item(one) for one in found]}


def _item(one: _Stored) -> dict[str, Any]:
    item: dict[str, Any] = {}
    if one.sop_instance_uid:
        item["00081150"] = {"vr": "UI", "Value": [one.sop_class_uid]}
        item["00081155"] = {"vr": "UI", "Value": [one.sop_instance_uid]}
    if one.failure:
        item["00081197"] = {"vr": "US", "Value": [one.failure]}
    return item
