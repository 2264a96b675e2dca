"""How much of what is no chest radiograph gets a view.

Usage: python benchmarks/strangers.py DATA

DATA holds pretraining/imagenet-samples.tar (1,000 photographs, one of each class of ILSVRC) and
labels.csv with rows that say not-chest; of these, patients of the test partition count. The output
for chests has learnt from no photograph. Headers are not asked: the picture alone decides.
"""

import sys
import tarfile
from pathlib import Path

import numpy as np
from PIL import Image

from cxrview.classify.runtime import Model, load_model
from cxrview.dataset.labels import read_not_chest
from cxrview.errors import CxrviewError
from cxrview.image import read_radiograph, squash
from cxrview.terms import Partition


def main(data: Path) -> None:
    """Print the figures."""
    model = load_model(precision="fp32", device="cpu")
    tell("photographs (ImageNet samples, in grey)", model, read_photographs(data))
    others = [o for o in read_not_chest(data / "labels.csv") if o.partition is Partition.TEST]
    for source in sorted({other.source for other in others}):
        of = [read_radiograph(str(data / o.file)).pixels for o in others if o.source == source]
        tell(f"test patients of {source}", model, [squash(pixels) for pixels in of])


def read_photographs(data: Path) -> list[np.ndarray]:
    """All of them, grey, squashed."""
    with tarfile.open(data / "pretraining" / "imagenet-samples.tar") as samples:
        files = [samples.extractfile(member) for member in samples if member.isfile()]
        return [squash(np.asarray(Image.open(file).convert("L"))) for file in files if file]


def tell(what: str, model: Model, pixels: list[np.ndarray]) -> None:
    """One line: how many are called a view, and how many of these outside the review band."""
    answers = model.answer(np.stack(pixels))
    least = model.card.chest_cutoff or 0.0
    is_chest = np.full(len(pixels), True) if answers.chest is None else answers.chest >= least
    low, high = model.card.review_band
    is_sure = is_chest & ((answers.pfi < low) | (answers.pfi > high))
    print(
        f"{what}: {len(pixels):,}, called a chest {is_chest.sum():,} "
        f"({100 * is_chest.mean():.1f} %), given a view {is_sure.sum():,} "
        f"({100 * is_sure.mean():.1f} %)"
    )


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    try:
        main(Path(sys.argv[1]))
    except (CxrviewError, OSError) as error:
        sys.exit(f"the pictures cannot be read: {error}")
