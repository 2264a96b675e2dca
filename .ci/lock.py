#!/usr/bin/env python3
"""Write the versions and hashes of all dependencies into locks/; `make lock` calls this.

`runtime.txt` is for those who install the command alone; `test.txt` is the set with which the
tests run. Each is resolved within the ranges of pyproject.toml, for Python 3.11 on x86-64 Linux.
torch is left out, with NVIDIA's libraries: which build of it fits depends on the machine, and the
Makefile installs it first, by version.

    .ci/lock.py              # keeps every version that still satisfies the ranges
    .ci/lock.py --upgrade    # takes the newest versions
"""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LOCKS = ROOT / "locks"
PLATFORM = "x86_64-unknown-linux-gnu"
PYTHON = "3.11.5"
"""The first of 3.11 that every tool for the documentation supports."""
FLAGS = (
    *("--python-platform", PLATFORM, "--python-version", PYTHON, "--generate-hashes"),
    *("--no-emit-index-url", "--no-emit-find-links", "--no-header", "--no-annotate", "--quiet"),
)
BUILDS = re.compile(r"(torch|triton|nvidia-|cuda-)")
"""What depends on the build of torch."""
HEADER = """\
# Made by .ci/lock.py: exact versions with the SHA-256 of each file, for Python 3.11 on Linux.
# pip install --require-hashes --no-deps -r {name}
"""


def lock(name: str, *what: str) -> None:
    """Resolve dependencies and write one file."""
    path = LOCKS / name
    kept = [] if "--upgrade" in sys.argv else ["--constraint", str(path)] if path.exists() else []
    command = ["uv", "pip", "compile", "pyproject.toml", *what, *FLAGS, *kept]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{path} was not written: {done.stderr}")
    if "://" in done.stdout:
        sys.exit(f"{path} was not written, because it would name an address")
    content = "".join(f"{one}\n" for one in entries(done.stdout) if not BUILDS.match(one))
    path.write_text(HEADER.format(name=f"locks/{name}") + content, encoding="utf-8")


def entries(text: str) -> list[str]:
    """Split what uv printed into one text for each package, with its hashes."""
    return [one for one in re.split(r"\n(?=\S)", text.rstrip("\n")) if one]


def main() -> None:
    """Write both files."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = [word for one in project["optional-dependencies"] for word in ("--extra", one)]
    LOCKS.mkdir(exist_ok=True)
    lock("runtime.txt")
    lock("test.txt", *extras, "--group", "dev", "--group", "docs")


if __name__ == "__main__":
    main()
