"""The pages' scripts that need no browser, tried by node's own test runner."""

import subprocess
from pathlib import Path

PAGES = Path(__file__).parent / "pages"


def test_the_pure_modules_do_what_they_say(program):
    files = sorted(str(path) for path in PAGES.glob("*.test.js"))
    ran = subprocess.run(
        [program("nodejs"), "--import", str(PAGES / "static_folders.js"), "--test", *files],
        capture_output=True,
        text=True,
        timeout=120,
    )

    assert ran.returncode == 0, ran.stdout
    assert "# skipped 0" in ran.stdout and len(files) == 3
