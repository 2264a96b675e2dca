#!/usr/bin/env python3
"""Write the licences of everything that `pip install cxrview` installs into a page of the docs.

The packages are those of locks/runtime.txt; their licences are read from what is installed here.
`make docs` and `make lock` call this.
"""

import re
from importlib.metadata import metadata
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "reference" / "licences.md"
HEAD = """\
# Licences of the dependencies

<!-- Made by .ci/licences.py. -->

What `pip install` of cxrview without extras installs, with the licence that each package declares.
All are permissive: none asks for the source of programs that use it. Of the extras, `postgresql`
is different: psycopg is under the LGPL.

| package | licence |
| --- | --- |
"""
SPDX = {
    "Apache 2.0": "Apache-2.0",
    "Apache Software License": "Apache-2.0",
    "3-Clause BSD License": "BSD-3-Clause",
    "MIT License": "MIT",
    "ISC License": "ISC",
}
"""Names that packages give instead of an SPDX expression."""


def packages() -> list[str]:
    """Return the names of the packages in the lock file."""
    lock = (ROOT / "locks" / "runtime.txt").read_text(encoding="utf-8")
    return re.findall(r"^([a-z0-9-]+)==", lock, flags=re.MULTILINE)


def licence_of(package: str) -> str:
    """Return the SPDX expression of an installed package; a classifier where it has none."""
    facts = metadata(package)
    classifiers = [one for one in facts.get_all("Classifier") or [] if one.startswith("License ::")]
    named = facts.get("License-Expression") or facts.get("License") or ""
    named = named or (classifiers[0].rpartition(":: ")[2] if classifiers else "not declared")
    return SPDX.get(named, named)


def page() -> str:
    """Return the page."""
    return HEAD + "".join(f"| {name} | {licence_of(name)} |\n" for name in packages())


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
