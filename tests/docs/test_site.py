"""Builds the documentation site and follows every link of the Markdown."""

import json
import os
import re
import subprocess
import sys
from collections import Counter
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
LINK = re.compile(r"\]\((?![a-z]+:)(?P<target>[^)#\s]*)(#(?P<anchor>[^)\s]*))?\)")
LOADED = re.compile(
    r"<(?:script|img|iframe|source|audio|video|embed)[^>]+?src=[\"']?(?:https?:)?//"
    r"|<link[^>]+rel=[\"']?(?:stylesheet|preload|preconnect|icon|modulepreload)[^>]+?href=[\"']?"
    r"(?:https?:)?//"
    r"|url\([\"']?(?:https?:)?//|@import\s+[\"'](?:https?:)?//"
)


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.M | re.S)
    seen: Counter[str] = Counter()
    found = set()
    for title in re.findall(r"^#{1,6} (.+)$", text, re.MULTILINE):
        plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", title).lower()
        slug = re.sub(r"[^\w\- ]", "", plain).strip().replace(" ", "-")
        found.add(f"{slug}-{seen[slug]}" if seen[slug] else slug)
        seen[slug] += 1
    return found


def test_links_lead_to_files_and_headings():
    broken = []
    for page in PAGES:
        for link in LINK.finditer(page.read_text(encoding="utf-8")):
            target = (page.parent / link["target"]) if link["target"] else page
            if not target.exists():
                broken.append(f"{page.relative_to(ROOT)}: {link['target']}")
            elif target.suffix == ".md" and link["anchor"] not in {None, *anchors(target)}:
                broken.append(f"{page.relative_to(ROOT)}: {link[0]}")

    assert broken == []


def test_every_page_is_linked_from_the_index():
    index = ROOT / "docs" / "index.md"
    linked = {
        (index.parent / link["target"]).resolve()
        for link in LINK.finditer(index.read_text(encoding="utf-8"))
    }
    pages = {page for page in PAGES if page != index and page.is_relative_to(index.parent)}
    below = {ROOT / "docs" / "reproduction" / "CLAIM.md"}  # linked from the page of its study

    assert pages - linked - below == set()


def test_readme_has_fewer_than_600_words():
    assert len((ROOT / "README.md").read_text(encoding="utf-8").split()) < 600


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The built site."""
    if not find_spec("mkdocs"):
        pytest.skip("needs mkdocs: pip install --group docs")
    folder = tmp_path_factory.mktemp("site")
    built = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--quiet", "--site-dir", str(folder)],
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.returncode == 0, built.stdout + built.stderr
    return folder


@pytest.mark.slow
def test_site_loads_nothing_from_elsewhere(site):
    files = [*site.rglob("*.html"), *site.rglob("*.css")]
    loading = [
        f"{path.relative_to(site)}: {found[0]}"
        for path in files
        if (found := LOADED.search(path.read_text(encoding="utf-8")))
    ]

    assert files
    assert loading == []


@pytest.mark.slow
def test_site_has_the_docstrings_of_the_public_names(site):
    page = (site / "reference" / "python-api.html").read_text(encoding="utf-8")

    assert 'id="cxrview.api.classify"' in page
    assert "Raises" in page


ANSWERS = {
    "what does first_of_frames mean": "questions.html#what-does-first_of_frames-mean",
    "how do I join two machines' results": "how-do-i-join-the-results-of-two-machines",
    "which Python call classifies one array": "which-python-call-classifies-one-array",
    "what do I do with review rows": "what-do-i-do-with-review-rows",
    "what is exit code 1": "reference/exit-codes.html",
    "how do I run behind a proxy": "how-do-i-run-behind-a-proxy",
    "does it send anything anywhere": "does-it-send-anything-anywhere",
    "how do I undo a label": "how-do-i-undo-a-label",
    "what does PFI 37 mean": "what-does-a-pfi-of-37-mean",
    "where is the failures file": "where-is-the-failures-file",
    "first_of_frames": "what-does-first_of_frames-mean",
    "truncated": "reference/failure-codes.html",
    "exit code": "reference/exit-codes.html",
    "proxy": "start/install.html#behind-a-proxy",
    "Windows": "start/install.html#windows-and-macos",
    "GPU": "start/install.html#gpu",
    "join results": "how-do-i-join-the-results-of-two-machines",
    "lost key": "how-to/privacy.html#the-key",
    "kappa": "how-do-i-compute-kappa",
    "resume": "how-do-i-resume-a-run-that-was-stopped",
    "privacy": "how-to/privacy.html",
    "convert weights": "where-do-i-get-the-published-weights",
    "wrong headers": "how-do-i-find-wrong-headers",
    "MIMIC": "metadata-table",
    "array": "which-python-call-classifies-one-array",
}
"""What a user types into the search, and what must be found; a part of the address is enough."""
SHOWN = 2
"""A person looks at the first pages that are found, and at the first sections of each."""


@pytest.mark.slow
def test_search_finds_the_answer_first_or_second(site, program):
    script = Path(__file__).with_name("search_site.js")
    asked = subprocess.run(
        [program("nodejs"), str(script), str(site)],
        input="\n".join(ANSWERS),
        capture_output=True,
        text=True,
        check=True,
    )
    found = [json.loads(line) for line in asked.stdout.splitlines()]

    assert len(found) == len(ANSWERS)
    missed = {
        question: pages[:SHOWN]
        for (question, wanted), pages in zip(ANSWERS.items(), found, strict=True)
        if not any(wanted in place for page in pages[:SHOWN] for place in page[:SHOWN])
    }
    assert missed == {}


def test_loaded_finds_scripts_fonts_and_style_sheets():
    assert LOADED.search('<script src="https://unpkg.com/x.js">')
    assert LOADED.search('<link rel="stylesheet" href="//fonts.example/a.css">')
    assert LOADED.search("src: url(https://fonts.example/a.woff2)")
    assert not LOADED.search('<a href="https://doi.org/1">')
