"""Hook of MkDocs: the pages of `docs/` link to files outside of it, and the site must, too.

The address of the repository is not fixed, so links cannot point to it. ARCHITECTURE.md and the
like become pages below `project/`; other files that a page links to, such as a table of the
package, are copied below `files/` as they are. The Markdown stays readable in the repository.
"""

import re
from pathlib import Path
from posixpath import normpath, relpath
from typing import Any

from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parents[1]
PROJECT_PAGES = ("ARCHITECTURE.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md")
LAST_IN_SEARCH = (
    "files/",
    "project/",
    "reference/commands.md",
    "reference/python-api.md",
    "reproduction/CLAIM.md",
)
"""Pages, and folders of pages, that use every word, and would come first in every search."""
LINK = re.compile(r"\]\((?![a-z]+:)(?P<target>[^)#\s]+)(?P<anchor>#[^)\s]*)?\)")


def on_files(files: Files, config: Any) -> Files:
    """Add the project's pages and every linked file from outside of `docs/` to the site."""
    for name in PROJECT_PAGES:
        files.append(_file(config, _place(name), ROOT / name))
    pages = [ROOT / name for name in (*PROJECT_PAGES, *(f"docs/{f.src_uri}" for f in files))]
    linked = {_in_repository(page, found["target"]) for page in pages for found in _links(page)}
    for path in sorted(linked):
        outside = not path.startswith("docs/") and path not in PROJECT_PAGES
        if outside and (ROOT / path).is_file():
            files.append(_file(config, _place(path), ROOT / path))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Point links to where their files lie in the site, and rank pages for the search."""
    here = page.file.src_uri
    if here.startswith(LAST_IN_SEARCH):
        page.meta["search"] = {"boost": 0.001}
    source = next(
        (ROOT / one for one in PROJECT_PAGES if _place(one) == here), ROOT / "docs" / here
    )

    def moved(found: re.Match[str]) -> str:
        path = _in_repository(source, found["target"])
        target = path.removeprefix("docs/") if path.startswith("docs/") else _place(path)
        return f"]({relpath(target, normpath(f'{here}/..'))}{found['anchor'] or ''})"

    return LINK.sub(moved, markdown)


def _file(config: Any, place: str, path: Path) -> File:
    return File.generated(config, place, abs_src_path=str(path))


def _place(path: str) -> str:
    """Where a file from outside of `docs/` lies in the site; paths are relative to the root."""
    return f"project/{path.lower()}" if path in PROJECT_PAGES else f"files/{path}"


def _links(page: Path) -> list[re.Match[str]]:
    if page.suffix != ".md" or not page.is_file():
        return []
    return list(LINK.finditer(page.read_text(encoding="utf-8")))


def _in_repository(page: Path, target: str) -> str:
    """The linked file relative to the root."""
    return normpath(f"{page.parent.relative_to(ROOT).as_posix()}/{target}")
