"""The first of the three pre-trained models: the published colour weights, as they are.

Source: paper, section 3.
"""

from pathlib import Path
from typing import Any

from cxrview.atomic_files import locked_new_folder
from cxrview.digests import file_sha256
from cxrview.paper.pretrain import PUBLISHED_CLASSES
from cxrview.paper.trained_model import begin_training, finish_training
from cxrview.train.googlenet import GoogLeNet
from cxrview.train.published import load_published


def convert_colour(published: Path, out: Path) -> GoogLeNet:
    """Store the published colour weights as the first of the three pre-trained models.

    Args:
        published: as for `load_published`.
        out: folder; gets weights.safetensors and about.json.

    Raises:
        InvalidModel: an array is missing or does not fit.
        UsageError: the folder belongs to another training, or another process is writing it.
        CannotWrite: the disk is full or not writable.
    """
    model = GoogLeNet(PUBLISHED_CLASSES, auxiliary=False)
    load_published(published, model, with_classifier=True)
    published_sha256 = file_sha256(published)
    about: dict[str, Any] = {
        "pre_training": "colour",
        "shown": "1,281,167 colour pictures of 1,000 classes, by those who published the weights",
        "published_sha256": published_sha256,
        "differs_from_the_paper": [],
        "schedule": None,
        "top_1_before": None,
        "top_1_after": None,
        "classes": None,
    }
    with locked_new_folder(out, "training in"):
        begin_training(out, {"pre_training": "colour", "published_sha256": published_sha256})
        finish_training(out, model, about)
    return model
