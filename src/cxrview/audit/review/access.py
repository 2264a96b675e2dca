"""Access to a review: the address that was printed holds a token, which becomes a cookie."""

import hmac
import secrets
from hashlib import sha256
from typing import Annotated

from fastapi import Depends, HTTPException, Request, Response


class Access:
    """Checks that a browser has the token of this server, which is drawn when it starts."""

    def __init__(self) -> None:
        self.token = secrets.token_urlsafe(24)
        self.csrf = secrets.token_urlsafe(24)
        """Sent with every request that changes something; pages of other sites cannot read it."""
        # Cookies ignore ports: two servers on one machine must not share one.
        self._cookie = f"cxrview_audit_{sha256(self.token.encode()).hexdigest()[:8]}"

    def is_right(self, token: str) -> bool:
        """Whether it is the token, compared in constant time."""
        return hmac.compare_digest(token.encode("utf-8", "surrogatepass"), self.token.encode())

    def has_cookie(self, request: Request) -> bool:
        """Whether a request has the cookie."""
        return self.is_right(request.cookies.get(self._cookie, ""))

    def set_cookie(self, response: Response) -> None:
        """Let the browser that gets this response in until it is closed."""
        response.set_cookie(self._cookie, self.token, httponly=True, samesite="strict")


def allowed(request: Request) -> None:
    """Let a request in.

    Raises:
        HTTPException: 401, it has no valid cookie; 403, it would change something without the
            token of a page.
    """
    access: Access = request.app.state.access
    if not access.has_cookie(request):
        raise HTTPException(401, "Open the address that cxrview printed in the terminal.")
    sent = request.headers.get("x-csrf-token", "").encode("utf-8", "surrogatepass")
    if request.method == "POST" and not hmac.compare_digest(sent, access.csrf.encode()):
        raise HTTPException(403, "This page is of an earlier server. Reload it.")


Allowed = Annotated[None, Depends(allowed)]
