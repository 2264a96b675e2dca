"""The lock files hold exact versions with hashes, within the ranges of pyproject.toml."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
ENTRY = re.compile(
    r"(?P<name>[a-z0-9-]+)==(?P<version>[^ ]+)(?P<hashes>( \\\n    --hash=sha256:[0-9a-f]{64})+)\n"
)
INSTALLED_FIRST = {"torch"}
"""By the Makefile: its build depends on the machine."""


def locked(name: str) -> dict[str, str]:
    """Read a lock file; every line of it must belong to an entry with hashes."""
    text = (ROOT / "locks" / name).read_text(encoding="utf-8")
    text = re.sub(r"^#.*\n", "", text, flags=re.MULTILINE)
    entries = list(ENTRY.finditer(text))
    assert "".join(entry[0] for entry in entries) == text
    return {entry["name"]: entry["version"] for entry in entries}


def ranges(name: str) -> list[Requirement]:
    """Return the direct dependencies that a lock file must satisfy."""
    project, groups = PROJECT["project"], PROJECT["dependency-groups"]
    texts = [*project["dependencies"]]
    if name == "test.txt":
        texts += [text for extra in project["optional-dependencies"].values() for text in extra]
        texts += groups["dev"] + groups["docs"]
    return [one for one in map(Requirement, texts) if one.name not in INSTALLED_FIRST]


@pytest.mark.parametrize("name", ["runtime.txt", "test.txt"])
def test_every_direct_dependency_is_locked_within_its_range(name):
    versions = locked(name)

    missing = [str(one) for one in ranges(name) if canonicalize_name(one.name) not in versions]
    outside = [
        f"{one}, locked {versions[canonicalize_name(one.name)]}"
        for one in ranges(name)
        if str(one) not in missing and versions[canonicalize_name(one.name)] not in one.specifier
    ]

    assert missing == [] and outside == [], "make lock writes the files again"


def test_both_files_lock_the_same_versions():
    assert locked("runtime.txt").items() <= locked("test.txt").items()
