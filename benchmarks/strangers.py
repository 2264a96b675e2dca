"""How many images that are not chest radiographs get a view.

Usage: python benchmarks/strangers.py DATA

DATA has pretraining/imagenet-samples.tar (1,000 photographs, one of each ILSVRC class, of which the
test partition counts), pretraining/tiny-imagenet.tar (its 2,000 validation pictures of 64 x 64
pixels, on which no model here was trained) and labels.csv with rows that say not-chest; of these,
patients of the test partition count. Headers are ignored: only the pixels decide.
"""

import sys
from pathlib import Path

import numpy as np

from cxrview.classify.model import Model, load_model
from cxrview.dataset.labels import read_not_chest
from cxrview.dataset.natural.photographs import read_photographs
from cxrview.dataset.natural.pictures import find_pictures
from cxrview.errors import CxrviewError
from cxrview.image import read_radiograph, squash
from cxrview.terms import Partition


def main(data: Path) -> None:
    """Measure and print."""
    model = load_model("googlenet", precision="fp32", device="cpu")
    rows, pixels = read_photographs(data / "pretraining" / "imagenet-samples.tar")
    is_test = [row.partition is Partition.TEST for row in rows]
    tell("photographs (ImageNet samples, test partition)", model, list(pixels[is_test]))
    soft = [
        squash(read_radiograph(picture.read()).pixels)
        for picture in find_pictures(data / "pretraining" / "tiny-imagenet.tar")
        if picture.partition is Partition.VALIDATION
    ]
    tell("photographs (Tiny ImageNet)", model, soft)
    others = [o for o in read_not_chest(data / "labels.csv") if o.partition is Partition.TEST]
    for source in sorted({other.source for other in others}):
        of = [read_radiograph(str(data / o.file)).pixels for o in others if o.source == source]
        tell(f"test patients of {source}", model, [squash(pixels) for pixels in of])


def tell(what: str, model: Model, pixels: list[np.ndarray]) -> None:
    """Print how many get a view, and how many of these are outside the review band."""
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
