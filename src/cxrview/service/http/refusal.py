"""Refusals: every answer that is not what was asked for, as JSON {code, reason, advice}.

None of them quotes what a client sent, since a header or a file name may name a patient, and none
names a path of this machine.
"""

import errno
from collections.abc import Mapping

from fastapi import HTTPException, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException as StarletteHTTPException
from starlette.responses import JSONResponse, Response

from cxrview.errors import CannotWrite, RunStopped
from cxrview.records.classification import Failure

RETRY_SECONDS = 2
"""Sent as Retry-After to a client that should come back."""


class Refusal(HTTPException):
    """A request that is not carried out.

    Args:
        status: of HTTP.
        code: the kind of refusal in one word, the same in all versions.
        reason: what happened.
        advice: what to do about it.
        headers: of the response, besides those of all responses.
    """

    def __init__(
        self,
        status: int,
        code: str,
        reason: str,
        advice: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(status, reason, dict(headers or {}))
        self.status, self.code, self.reason, self.advice = status, code, reason, advice

    def response(self) -> JSONResponse:
        """The response."""
        content = {"code": self.code, "reason": self.reason, "advice": self.advice}
        return JSONResponse(content, self.status, self.headers)


def busy() -> Refusal:
    """The refusal of a request beyond the limit on requests at a time."""
    return Refusal(
        429,
        "busy",
        "too many requests are being carried out",
        f"Send it again in {RETRY_SECONDS} s",
        {"Retry-After": str(RETRY_SECONDS)},
    )


def too_large(limit_bytes: int, what: str = "the body") -> Refusal:
    """The refusal of a body, or of a part of it, over the limit."""
    return Refusal(
        413,
        "body_too_large",
        f"{what} has more than {limit_bytes:,} bytes",
        "Send one file at a time, or raise http.max_body_mb in the configuration",
    )


def disk_full() -> Refusal:
    """The refusal of a file that the disk did not take."""
    return Refusal(507, "disk_full", "the disk of the service is full or fails", "Free space there")


def for_write_error(error: OSError) -> Refusal:
    """The refusal of a file that could not be written."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO):
        return disk_full()
    return Refusal(500, "internal", "the file could not be written", "Look at the service's log")


def for_stopped(error: RunStopped) -> Refusal:
    """The refusal of a file about which nothing can be said now."""
    if isinstance(error, CannotWrite):
        return disk_full()
    return Refusal(
        503,
        "not_ready",
        "the engine does not classify at the moment",
        "Send it again later; /ready tells when",
        {"Retry-After": str(10 * RETRY_SECONDS)},
    )


_STATUSES = {
    "not_an_image": 415,
    "unsupported": 415,
    "too_large": 413,
    "memory": 413,
    "timeout": 504,
}
"""Of failures; all others are of the content (422)."""
_ADVICE = {
    "too_large": "Raise classify.max_file_mb or max_pixel_mb in the configuration if it is a "
    "radiograph",
    "memory": "Reduce the image, or give the service more memory",
    "timeout": "Raise classify.timeout_seconds in the configuration, or reduce the image",
    "decoder_crash": "The file is probably damaged; check it with another viewer",
}
"""In place of advice that names options of the command."""


def for_failure(failure: Failure) -> Refusal:
    """The refusal of a file that cannot be read as an image, with the code of its failure."""
    return Refusal(
        _STATUSES.get(failure.code, 422),
        failure.code,
        failure.reason,
        _ADVICE.get(failure.code, failure.advice),
    )


_BY_STATUS = {
    400: ("bad_request", "the request is malformed", "Compare it with /openapi.json"),
    403: ("foreign_origin", "the request was sent by a page of another site", ""),
    404: ("not_found", "there is nothing at this address", "Compare it with /openapi.json"),
    405: ("method_not_allowed", "this address has no such method", "See the header Allow"),
    413: ("body_too_large", "the body is too large", "Send one file at a time"),
    421: (
        "unknown_host",
        "the service is not known by this name",
        "Use its IP address, or add the name to http.hosts in the configuration",
    ),
    500: ("internal", "internal error of the service", "Look at its log, and send it again"),
}


def of_status(status: int, _sentence: str = "") -> Response:
    """The response to a status alone; sentences of libraries are not passed on."""
    code, reason, advice = _BY_STATUS.get(status, ("refused", "the request was refused", ""))
    return Refusal(status, code, reason, advice).response()


def handle_refusal(_: Request, error: Exception) -> Response:
    """Answer a `Refusal`."""
    assert isinstance(error, Refusal)
    return error.response()


def handle_http_exception(_: Request, error: Exception) -> Response:
    """Answer an error of the framework, such as an unknown address."""
    assert isinstance(error, StarletteHTTPException)
    response = of_status(error.status_code)
    response.headers.update(error.headers or {})
    return response


def handle_invalid(_: Request, error: Exception) -> Response:
    """Name the fields that are invalid, never their values."""
    assert isinstance(error, RequestValidationError)
    fields = sorted({_field(one["loc"]) for one in error.errors()})
    return Refusal(
        422,
        "invalid_request",
        f"invalid: {', '.join(fields)}",
        "Compare the request with /openapi.json",
    ).response()


_KNOWN_PLACES = ("body", "query", "path")


def _field(location: tuple[int | str, ...]) -> str:
    """Name a field of ours; another name in the body is the client's own text."""
    names = [part for part in location if isinstance(part, str)]
    place = names[0] if names and names[0] in _KNOWN_PLACES else "request"
    known = ("root", "folder", "offset", "limit", "format", "job")
    return names[1] if len(names) > 1 and names[1] in known else f"the {place}"
