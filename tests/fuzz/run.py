"""Fuzz the targets for a time: `make fuzz`.

Usage: python tests/fuzz/run.py [TARGET...] [--seconds N] [--corpus FOLDER] [--seed N]
       [--no-atheris]

Each target runs in a separate process for its share of the seconds: with atheris, which follows
which lines a change reaches (libFuzzer), or where that cannot be imported with the changes of
`mutate` alone. Inputs that fail are kept below FOLDER, by default .fuzz; the exit code is 1 then.
"""

import argparse
import importlib.util
import random
import subprocess
import sys
import time
import warnings
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from fuzz.bounds import MOST_BYTES, MOST_SECONDS, bounded
from fuzz.catalogue import NAMES, load_target
from fuzz.mutate import mutate


def main() -> int:
    """Run every target, or be the process of one."""
    options = parsed()
    if options.child:
        return run_target(options)
    names = options.target or list(NAMES)
    share = max(1, options.seconds // len(names))
    failed = []
    for name in names:
        print(f"== {name}, {share} s", flush=True)
        command = [sys.executable, __file__, "--child", name, "--seconds", str(share)]
        command += ["--corpus", str(options.corpus), "--seed", str(options.seed)]
        command += ["--no-atheris"] if options.no_atheris else []
        if subprocess.run(command).returncode:
            failed.append(name)
    print(f"failed: {', '.join(failed)}" if failed else "no target failed")
    return 1 if failed else 0


def run_target(options: argparse.Namespace) -> int:
    """Run one target in this process."""
    warnings.simplefilter("ignore")
    if options.no_atheris or not importlib.util.find_spec("atheris"):
        return run_by_seed(options)
    return run_by_coverage(options)


def run_by_seed(options: argparse.Namespace) -> int:
    """Apply `mutate` until the time is over; the number of an input is enough to repeat it."""
    target = load_target(options.child)
    seeds, end, number = target.seeds(), time.monotonic() + options.seconds, 0
    faults = 0
    while time.monotonic() < end:
        rng = random.Random(f"{options.seed}/{number}")
        data = mutate(rng.choice(seeds), seeds, rng)
        try:
            with bounded():
                target.check(data)
        except Exception as error:
            faults += 1
            file = kept(options.corpus, target.name, f"fault-{options.seed}-{number}", data)
            print(f"{file}: {type(error).__name__}: {error}", flush=True)
        number += 1
    print(f"{target.name}: {number:,} inputs, {faults} faults")
    return 1 if faults else 0


def run_by_coverage(options: argparse.Namespace) -> int:
    """Run libFuzzer on the target; it does not return."""
    import atheris

    with atheris.instrument_imports(include=["cxrview"]):
        target = load_target(options.child)
        for data in target.seeds():
            kept(options.corpus, target.name, f"seed-{hash_of(data)}", data)
    folder = options.corpus / target.name

    def check(data: bytes) -> None:
        with bounded():
            target.check(data)

    def change(data: bytes, most: int, seed: int) -> bytes:
        """Half of the changes are ours, which know the formats."""
        rng = random.Random(seed)
        if rng.random() < 0.5:
            return atheris.Mutate(data, most)
        return mutate(data or b"\0", target.seeds(), rng)[:most]

    arguments = [
        sys.argv[0],
        f"-max_total_time={options.seconds}",
        f"-artifact_prefix={folder}/fault-",
        f"-timeout={int(3 * MOST_SECONDS)}",
        f"-rss_limit_mb={(2 * MOST_BYTES) >> 20}",
        "-max_len=200000",
        f"-seed={options.seed + 1}",
        "-print_final_stats=1",
        "-verbosity=0",
        str(folder),
    ]
    atheris.Setup(arguments, check, custom_mutator=change)
    atheris.Fuzz()
    return 0


def hash_of(data: bytes) -> str:
    """A name for an input."""
    import hashlib

    return hashlib.sha256(data).hexdigest()[:16]


def kept(corpus: Path, target: str, name: str, data: bytes) -> Path:
    """Write an input into the corpus of a target."""
    folder = corpus / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(data)
    return folder / name


def parsed() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("target", nargs="*", choices=[*NAMES, []])
    parser.add_argument("--seconds", type=int, default=3600)
    parser.add_argument("--corpus", type=Path, default=Path(".fuzz"))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--no-atheris", action="store_true")
    parser.add_argument("--child", choices=NAMES, help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
