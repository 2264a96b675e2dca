"""All that a user installs may be used in closed programs, and the documentation lists it."""

import importlib.util
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SPEC = importlib.util.spec_from_file_location("licences", ROOT / ".ci" / "licences.py")
assert SPEC and SPEC.loader
licences = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(licences)
PERMISSIVE = {
    *("0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "CC0-1.0", "ISC", "MIT", "MIT-CMU"),
    *("PSF-2.0", "Zlib"),
}


@pytest.mark.parametrize("package", licences.packages())
def test_licence_of_a_runtime_dependency_is_permissive(package):
    named = set(re.split(r" AND | OR ", licences.licence_of(package)))

    assert named <= PERMISSIVE


def test_the_page_lists_every_runtime_dependency():
    assert licences.PAGE.read_text(encoding="utf-8") == licences.page()
