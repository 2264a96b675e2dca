#!/usr/bin/env python3
"""Run what failed in the last tests once more, alone: `failed_again.py --most 5 [PYTEST ARG...]`.

Exit code: 0 if all pass now; 1 if a test fails again, if more than --most failed, if a test was
skipped, or if the last run ended before its tests. Prints what failed first, so that it can be
mended.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

CACHE = Path(".pytest_cache/v")


def main() -> int:
    """Run them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--most", type=int, required=True)
    options, pytest_arguments = parser.parse_known_args()
    failed = sorted(_last("cache/lastfailed") or {})
    print(f"{len(failed)} failed beside other tests:", *failed[:50], sep="\n  ", flush=True)
    if not _last("cxrview/only_failures") or not 0 < len(failed) <= options.most:
        return 1
    alone = [sys.executable, "-m", "pytest", *failed, *pytest_arguments]
    return 1 if subprocess.run(alone).returncode else 0


def _last(name: str) -> Any:
    """Return what the last test run noted, or None."""
    path = CACHE / name
    return json.loads(path.read_text()) if path.exists() else None


if __name__ == "__main__":
    sys.exit(main())
