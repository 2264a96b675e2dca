"""Scripts and style sheets: those that pages share, and those of one application."""

from pathlib import Path
from typing import Any

from starlette.responses import Response
from starlette.staticfiles import StaticFiles

STATIC = Path(__file__).parent / "static"
"""Scripts and style sheets that pages share."""


class StaticScripts(StaticFiles):
    """Serves scripts and style sheets of two folders under one address.

    Browsers ask at each load whether a file has changed, so that versions of cxrview never mix.

    Args:
        own: folder of the application; a file in it hides a shared one of the same name.
    """

    def __init__(self, own: Path) -> None:
        super().__init__(directory=own, check_dir=False)
        self.all_directories = [own, STATIC]

    def file_response(self, *args: Any, **kwargs: Any) -> Response:
        """Respond with a file that the browser keeps, but asks about at each load."""
        response = super().file_response(*args, **kwargs)
        response.headers["Cache-Control"] = "no-cache"
        return response
