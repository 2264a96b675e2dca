"""Time of each stage on one core, measured with the package's functions.

Usage: python benchmarks/stages.py FOLDER [IMAGES [FORMAT...]]

FOLDER has the corpus of benchmarks/corpus.py. Prints milliseconds of processor time per image:
`read` opens the file (bytes, checksum, header), `decode` gives the full image (with inflating a
deflated file), `shrink` squashes it, `decode + shrink` is what a worker really does for both,
`infer` runs the model. Two of it at once show how cores slow each other down.
"""

import os
import sys
from pathlib import Path

from cxrview.workers.cores import ONE_THREAD

os.environ.update(ONE_THREAD)  # as in a worker, before any library is loaded

from corpus import make_corpus  # noqa: E402
from cxrview.capacity.stages import measure_inference, measure_reading, squashed  # noqa: E402
from cxrview.classify.model import load_model  # noqa: E402


def main(folder: Path, images: int, formats: list[str]) -> None:
    """Measure and print."""
    model = load_model()
    side = model.card.input_side
    corpus = make_corpus(folder, images)
    names = ("read", "decode", "shrink", "decode_and_shrink")
    print(f"{'ms':18}" + "".join(f"{name.replace('_and_', ' + '):>17}" for name in names))
    for format_name in formats or corpus:
        stages = measure_reading(corpus[format_name], side)
        columns = "".join(f"{1000 * getattr(stages, name):17.1f}" for name in names)
        print(f"{format_name:18}{columns}")
    infer = measure_inference(model, squashed(corpus["native"], side))
    print(f"{'infer':18}{1000 * infer:17.1f}")


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 4, sys.argv[3:])
