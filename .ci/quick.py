#!/usr/bin/env python3
"""Lint the files that changed and run the tests that concern them; `make quick` calls this.

What changed is what git sees against the last commit; on a clean tree, what the last commit
changed. The tests of a module are the file of its name in `tests/` and every test file that
imports it. A change that no test file names gets the smoke set.
"""

import re
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = Path("src/cxrview")
SMOKE = [
    "tests/test_architecture.py",
    "tests/classify/test_decide.py",
    "tests/image/test_window.py",
    "tests/results/test_tables.py",
    "tests/test_stats.py",
]
MAX_TEST_FILES = 12
"""More than that say that the module is used everywhere: then `make test` is the right command."""


def changed_files() -> list[Path]:
    """Files that differ from the last commit, or that the last commit changed; existing ones."""
    names = git("diff", "--name-only", "HEAD") + git("ls-files", "--others", "--exclude-standard")
    names = names or git("diff", "--name-only", "HEAD~1", "HEAD")
    return [Path(name) for name in sorted(set(names)) if (ROOT / name).is_file()]


def git(*words: str) -> list[str]:
    """The lines that a git command prints."""
    done = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


def tests_of(changed: list[Path]) -> list[str]:
    """Test files to run, as pytest takes them."""
    chosen = {str(p) for p in changed if re.fullmatch(r"tests/.*test_\w+\.py", str(p))}
    modules = [p for p in changed if p.is_relative_to(PACKAGE) and p.suffix == ".py"]
    tests = {p: p.read_text("utf-8") for p in (ROOT / "tests").rglob("test_*.py")}
    for module in modules:
        inner = module.relative_to(PACKAGE)
        mirrored = Path("tests") / inner.with_name(f"test_{inner.name}")
        named = mentions(inner)
        users = [str(p.relative_to(ROOT)) for p, text in tests.items() if named.search(text)]
        chosen |= set(users) if len(users) <= MAX_TEST_FILES else set()
        chosen |= {str(mirrored)} if (ROOT / mirrored).exists() else set()
    smoke = [name for name in SMOKE if (ROOT / name).exists()]
    return sorted(chosen | {smoke[0]}) if chosen else smoke


def mentions(module: Path) -> re.Pattern[str]:
    """What an import of a module looks like.

    Args:
        module: its file, relative to the package.
    """
    parts = ("cxrview", *module.with_suffix("").parts)
    parts = parts[:-1] if parts[-1] == "__init__" else parts
    dotted, (folder, name) = ".".join(parts), (".".join(parts[:-1]), parts[-1])
    return re.compile(
        rf"^\s*(from {re.escape(dotted)} import|import {re.escape(dotted)}\b"
        rf"|from {re.escape(folder)} import [^\n]*\b{re.escape(name)}\b)",
        re.MULTILINE,
    )


def run(*words: str) -> int:
    """Run a tool of the environment that this script runs in, and print its command."""
    print("$", *words, flush=True)
    return subprocess.run([sys.executable, "-m", *words], cwd=ROOT, check=False).returncode


def main() -> int:
    """Exit code 0 where everything passed."""
    began = time.monotonic()
    changed = changed_files()
    python = [str(p) for p in changed if p.suffix == ".py"]
    failed = 0
    if python:
        failed += run("ruff", "check", *python)
        failed += run("ruff", "format", "--check", *python)
    failed += run("pytest", "-q", "-n", "auto", "-m", "not slow and not gpu", *tests_of(changed))
    print(f"{len(changed)} files changed; {time.monotonic() - began:.0f} s")
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
