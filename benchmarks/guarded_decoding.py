"""What it costs that decoders run in processes with limits, which are replaced when they die.

    python benchmarks/guarded_decoding.py [--corpus .bench/corpus] [--rounds 5] [--seconds 10]

Reads the same files with the same number of processes in turn: by the pool of `cxrview classify`,
which hands out one file at a time, watches its time and limits its memory, and by
`multiprocessing.Pool`, which does none of this and hands out sixteen. Both use memory in the same
way, and give the squares that the model takes to this process. The start of processes is not
counted. Prints one JSON object a line: files a second of both, medians of the rounds, and by how
much the pool with limits is slower in percent, the median of the rounds' ratios.
"""

import argparse
import json
import multiprocessing
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from functools import partial
from itertools import cycle, islice
from pathlib import Path

from corpus import SMALL_JPEG, each_file, make_corpus
from cxrview.classify.chest_rule import load_chest_rule
from cxrview.classify.decode_pool import DecodePool
from cxrview.classify.decode_worker import read_file
from cxrview.classify.options import ClassifyOptions, read_settings_of
from cxrview.classify.read_settings import ReadSettings
from cxrview.classify.wire import Decoded, DecodedImage
from cxrview.workers.cores import cores_for
from cxrview.workers.memory import tune_malloc

IMAGES = 4
SIDE = 256
AT_A_TIME = 16
"""Files that `multiprocessing.Pool` hands out at once."""
WARM_UP = 64
"""Files that are read before the time is taken: the processes start and load their libraries."""
Read = Callable[[list[str]], Iterator[Decoded | None]]


def main() -> None:
    """Measure each format, and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--corpus", type=Path, default=Path(".bench/corpus"))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=10.0, help="of one run, roughly")
    given = parser.parse_args()
    corpus = make_corpus(given.corpus, IMAGES)
    formats = {
        "native": corpus["native"],
        SMALL_JPEG: corpus[SMALL_JPEG],
        "mixed": list(each_file(corpus)),
    }
    settings = read_settings_of(ClassifyOptions(key=b"0" * 32), SIDE)
    for name, files in formats.items():
        rates: list[tuple[float, float]] = []
        count = 4 * WARM_UP
        for number in range(given.rounds + 1):  # the first only finds how many files to read
            paths = list(map(str, islice(cycle(files), count)))
            guarded, plain = rate(in_guarded(settings), paths), rate(in_plain(settings), paths)
            if number:
                rates.append((guarded, plain))
            count = WARM_UP + max(WARM_UP, round(plain * given.seconds))
        slower = [1 - one / other for one, other in rates]
        print(
            json.dumps(
                {
                    "format": name,
                    "files": count,
                    "with limits, files/s": round(statistics.median(r[0] for r in rates), 1),
                    "without, files/s": round(statistics.median(r[1] for r in rates), 1),
                    "slower %": round(100 * statistics.median(slower), 1),
                    "from %": round(100 * min(slower), 1),
                    "to %": round(100 * max(slower), 1),
                }
            ),
            flush=True,
        )


def rate(processes: AbstractContextManager[Read], paths: list[str]) -> float:
    """Return files a second after the first `WARM_UP` of them."""
    with processes as read:
        began, done = 0.0, 0
        for one in read(paths):
            if one is None:
                continue
            assert isinstance(one, DecodedImage) and one.pixels is not None
            done += 1
            if done == WARM_UP:
                began = time.perf_counter()
        assert done == len(paths)
        return (done - WARM_UP) / (time.perf_counter() - began)


@contextmanager
def in_guarded(settings: ReadSettings) -> Iterator[Read]:
    """Read in the processes of `cxrview classify`."""
    cores = cores_for(None)
    with DecodePool(cores.count, settings, cores, timeout_s=60, starts_all=True) as pool:
        yield pool.decode_all


@contextmanager
def in_plain(settings: ReadSettings) -> Iterator[Read]:
    """Read in processes without limits, of `multiprocessing.Pool`."""
    mapped = replace(settings, options=replace(settings.options, is_mapped=True))
    read_one = partial(read_file, settings=mapped, rule=load_chest_rule(settings.chest_rule))
    spawn = multiprocessing.get_context("spawn")
    with spawn.Pool(cores_for(None).count, initializer=tune_malloc) as pool:
        yield lambda paths: pool.imap(read_one, paths, AT_A_TIME)


if __name__ == "__main__":
    main()
