"""Connect to a DICOMweb server, with dicomweb-client, and describe its failures in words."""

from pathlib import Path
from urllib.parse import urlsplit

import requests
from dicomweb_client import DICOMwebClient
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

from cxrview.errors import UsageError
from cxrview.service.configuration import ClientTls

_NOT_LET_IN = {
    401: "it does not accept the login",
    403: "it does not allow this",
    404: "there is no DICOMweb server at its URL",
    407: "a proxy asks for a login",
}
"""Answers that say nothing about the object that was sent."""
_OUT_OF_ORDER = {
    408: "it does not answer in time",
    429: "it is busy",
    502: "the server behind its proxy does not answer",
    503: "it is not available",
    504: "the server behind its proxy does not answer",
}
"""Answers that may be due to the object, if it is too large to be stored in time."""


def connect(
    url: str,
    *,
    timeout_seconds: float,
    token_file: Path | None = None,
    user: str = "",
    password_file: Path | None = None,
    tls: ClientTls | None = None,
) -> DICOMwebClient:
    """Prepare requests to a server; none is sent yet.

    Proxies and logins of the environment are not used, nor are redirects followed: images go to the
    server of the configuration and nowhere else.

    Args:
        url: such as `https://archive.example/dicom-web`.
        timeout_seconds: to connect, and between two pieces of an answer.
        token_file: with a bearer token.
        user: for a login with password.
        password_file: with the password.
        tls: certificates; None for those of the usual authorities.

    Raises:
        UsageError: a file cannot be read, or the URL is not usable.
    """
    session = requests.Session()
    session.trust_env = False
    session.max_redirects = 0
    if token_file:
        session.headers["Authorization"] = f"Bearer {_read_secret(token_file)}"
    elif user:
        session.auth = (user, _read_secret(password_file) if password_file else "")
    if tls:
        session.verify = str(tls.ca)
        if tls.certificate:
            key = str(tls.key) if tls.key else None
            session.cert = (str(tls.certificate), key) if key else str(tls.certificate)
    try:
        client = DICOMwebClient(url.rstrip("/"), session=session, timeout=timeout_seconds)
    except ValueError as error:
        raise UsageError("the URL of a DICOMweb server is not valid", "Correct it") from error
    # dicomweb-client names the server without its port in the header Host, which some refuse.
    client.host = urlsplit(url).netloc.rpartition("@")[2]
    client.set_http_retry_params(retry=False)
    return client


def down_reason(error: Exception) -> str:
    """Describe why a server does not work; empty if the error may be due to an object.

    Args:
        error: that a request raised.
    """
    if isinstance(error, requests.HTTPError) and error.response is not None:
        return _NOT_LET_IN.get(error.response.status_code, "")
    if isinstance(error, requests.TooManyRedirects):
        return "it redirects to another address"
    if isinstance(error, requests.exceptions.SSLError):
        return "TLS cannot be established"
    if isinstance(error, requests.ConnectTimeout):
        return "it does not answer"
    if isinstance(error, requests.ConnectionError):
        cause = getattr(error.args[0] if error.args else None, "reason", None)
        if isinstance(cause, NewConnectionError | ConnectTimeoutError):
            return "it does not answer"
    return ""


def out_of_order_reason(error: Exception) -> str:
    """Describe why a server did not answer a request that any server answers at once.

    Args:
        error: that the request raised.
    """
    if isinstance(error, requests.JSONDecodeError):
        return "it does not answer as a DICOMweb server"
    if isinstance(error, requests.HTTPError) and error.response is not None:
        status = error.response.status_code
        return down_reason(error) or _OUT_OF_ORDER.get(status, "")
    return down_reason(error) or "it does not answer in time or ends the connection"


def _read_secret(path: Path) -> str:
    """Read a token or password.

    Raises:
        UsageError: it cannot be read, or is not one line of ASCII.
    """
    try:
        secret = path.read_text("ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not ASCII"
        raise UsageError(f"{path} cannot be read: {reason}", "Check its name") from error
    if not secret or not secret.isprintable():
        raise UsageError(f"{path} does not hold a token or password in one line", "Correct it")
    return secret
