"""How refusals stand in the OpenAPI description."""

from typing import Any

from cxrview.service.http.records import RefusalBody

_WORDS = {
    400: "The request is malformed.",
    401: "The token is missing or wrong.",
    404: "It does not exist.",
    408: "The client is too slow.",
    409: "Not in this state.",
    413: "The file is too large.",
    415: "The file is not an image that cxrview reads, or the body is compressed.",
    422: "The file or the request is invalid.",
    429: "Too many requests, or too many jobs.",
    503: "The service is not ready.",
    504: "It took too long.",
    507: "The disk is full.",
}


def refusals(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Describe the refusals of a route.

    Args:
        statuses: of HTTP, that the route may answer with.
    """
    return {status: {"model": RefusalBody, "description": _WORDS[status]} for status in statuses}
