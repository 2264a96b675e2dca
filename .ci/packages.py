#!/usr/bin/env python3
"""Build wheel and sdist twice, install the wheel in clean environments, and classify there.

The two builds must have the same bytes. One environment has the locked versions of
locks/runtime.txt, checked by their hashes, the other the lowest versions of direct dependencies
that pyproject.toml allows. Later versions of Python that are installed here get an environment
each, with the newest dependencies. Each must give the table that this environment gives, byte for
byte.
`make packages` calls this; it needs uv.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LOCK = ROOT / "locks" / "runtime.txt"
EPOCH = "1767225600"
"""SOURCE_DATE_EPOCH, the time of every file in the archives: 2026-01-01."""
FAILED = 1
"""Exit code of `classify` with a damaged file in the archive."""
LATER = ("3.12", "3.13", "3.14")
"""Versions of Python that are tried where they are installed."""


def run(*words: str | Path, code: int = 0) -> None:
    """Run a program; anything but the expected exit code ends this one."""
    done = subprocess.run(
        [*map(str, words)],
        cwd=ROOT,
        env=os.environ | {"SOURCE_DATE_EPOCH": EPOCH},
        capture_output=True,
        text=True,
    )
    if done.returncode != code:
        sys.exit(f"{' '.join(map(str, words))}: {done.returncode}\n{done.stdout}{done.stderr}")


def build_twice(folder: Path) -> Path:
    """Build into two folders, compare all files, and return the wheel."""
    digests = []
    for name in ("first", "second"):
        run("uv", "build", "--quiet", "--sdist", "--wheel", "--out-dir", folder / name)
        built = sorted(path for path in (folder / name).iterdir() if path.name != ".gitignore")
        digests.append({path.name: sha256(path.read_bytes()).hexdigest() for path in built})
    if digests[0] != digests[1]:
        sys.exit(f"two builds differ: {digests}")
    for name, digest in digests[0].items():
        print(digest, name)
    (wheel,) = (folder / "first").glob("*.whl")
    return wheel


def find_python(version: str) -> Path | None:
    """Return the interpreter of a version of Python, from PATH or pyenv; None without one."""
    name = f"python{version}"
    on_path = shutil.which(name)
    found = [Path(on_path)] if on_path else []
    found += sorted(Path.home().glob(f".pyenv/versions/*/bin/{name}"))
    for path in found:  # pyenv puts programs on PATH that end with an error
        if not subprocess.run([path, "-c", "import ssl, venv"], capture_output=True).returncode:
            return path
    return None


def classify(python: Path, archive: Path, out: Path) -> tuple[bytes, bytes]:
    """Classify by the package of an environment; return the table and the failures."""
    run(python, "-m", "cxrview", "classify", archive, "--out", out, "--overwrite", code=FAILED)
    return out.read_bytes(), out.with_suffix(".failures.csv").read_bytes()


@dataclass(frozen=True, slots=True)
class Trial:
    """What each environment is tried with."""

    folder: Path
    wheel: Path
    archive: Path
    expected: tuple[bytes, bytes]

    def of(self, name: str, interpreter: str | Path, packages: list[str | Path]) -> None:
        """Create an environment, install into it, and classify; another table ends the program."""
        python = self.folder / name / "bin" / "python"
        run("uv", "venv", "--quiet", "--python", interpreter, self.folder / name)
        run("uv", "pip", "install", "--quiet", "--python", python, *packages)
        if name == "locked":
            run("uv", "pip", "install", "--quiet", "--python", python, "--no-deps", self.wheel)
        if classify(python, self.archive, self.folder / f"{name}.csv") != self.expected:
            sys.exit(f"the {name} versions give another table")
        run(python, "-m", "cxrview", "phantom", self.folder / f"drawn-{name}", "--patients", "1")
        print(f"{name} versions: the same table")


def main() -> None:
    """Build, install and compare."""
    folder = Path(tempfile.mkdtemp(prefix="cxrview-packages-"))
    os.environ["XDG_CONFIG_HOME"] = str(folder)
    try:
        wheel, archive = build_twice(folder), folder / "archive"
        run(sys.executable, "-m", "cxrview", "phantom", archive, "--patients", "3")
        expected = classify(Path(sys.executable), archive, folder / "here.csv")
        environments: dict[str, tuple[str | Path, list[str | Path]]] = {
            "locked": ("3.11", ["--no-deps", "--require-hashes", "--requirement", LOCK]),
            "lowest": ("3.11", ["--resolution", "lowest-direct", wheel]),
        }
        for version in LATER:
            if found := find_python(version):
                environments[f"Python {version}, newest"] = (found, [wheel])
            else:
                print(f"Python {version} is not installed here, and was not tried")
        trial = Trial(folder, wheel, archive, expected)
        with ThreadPoolExecutor(2) as threads:
            running = [threads.submit(trial.of, name, *one) for name, one in environments.items()]
        for one in running:
            one.result()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
