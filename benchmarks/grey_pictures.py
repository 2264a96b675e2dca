"""Top-1 accuracy of the pre-trained models of a study on grey pictures.

Usage: python benchmarks/grey_pictures.py DATA STUDY

STUDY is the folder of `cxrview reproduce`, with colour and grey pre-training done. Counts top-1 on

- soft pictures: the held-out pictures of the study, in STUDY;
- sharp pictures: DATA/pretraining/imagenet-samples.tar, one picture of each ILSVRC class, on which
  no model of a study is trained in grey (the published model was trained on them in colour).

A model is run on pictures of the classes that it was trained on in grey, and has to find the class
among only these, or among all its outputs. The colour model is run on the same pictures.
"""

import sys
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

import numpy as np
import torch
from numpy.typing import NDArray

from cxrview.dataset.natural.photographs import read_photographs
from cxrview.dataset.natural.store import open_pictures
from cxrview.errors import CxrviewError
from cxrview.paper.candidates import PRE_TRAININGS
from cxrview.paper.folder import StudyFolder
from cxrview.paper.pretrain_run import PICTURES
from cxrview.paper.trained_model import load_trained, read_about
from cxrview.terms import Partition
from cxrview.train.batch import centre_crop
from cxrview.train.googlenet import GoogLeNet
from cxrview.train.loop import as_input

AT_ONCE = 50


def main(data: Path, study: Path) -> None:
    """Print a line for each model, kind of picture and choice of outputs."""
    folder = StudyFolder(root=study)
    rows, sharp = read_photographs(data / "pretraining" / "imagenet-samples.tar")
    of_sharp = [PurePosixPath(row.file).stem for row in rows]
    thousand = read_about(folder.pre_trained("grey"))["classes"]  # also those of the colour model
    for name in [row.name for row in PRE_TRAININGS.values() if row.schedule]:
        classes = read_about(folder.pre_trained(name))["classes"]
        kept = open_pictures(folder.pre_trained(name) / PICTURES)
        held_out = kept.rows(Partition.VALIDATION)
        kinds = {
            "soft": (kept.pixels[held_out], [kept.wnids[k] for k in kept.classes[held_out]]),
            "sharp": (sharp, of_sharp),
        }
        for model, outputs in ((name, classes), ("colour", thousand)):
            loaded = load_trained(folder.pre_trained(model))
            for kind, (pixels, truth) in kinds.items():
                is_shown = np.isin(truth, kept.wnids)
                wnids = [wnid for wnid, shown in zip(truth, is_shown, strict=True) if shown]
                logits = logits_of(loaded, pixels[is_shown])
                own = np.isin(outputs, kept.wnids)
                among_own = np.where(own, logits, -np.inf)
                print(
                    f"{kind:5} pictures of the {own.sum()} classes of {name}: {model:11} "
                    f"{count(among_own, wnids, outputs)} of {len(wnids)} among these, "
                    f"{count(logits, wnids, outputs)} among its {len(outputs)}",
                    flush=True,
                )


def logits_of(model: GoogLeNet, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Compute logits, shape (n, outputs), of the centre crops of pixels, shape (n, 256, 256)."""
    model.eval()
    with torch.inference_mode():
        parts = [
            model(as_input(centre_crop(pixels[k : k + AT_ONCE]))).main.numpy()
            for k in range(0, len(pixels), AT_ONCE)
        ]
    return np.concatenate(parts)


def count(logits: NDArray[np.float32], truth: Sequence[str], outputs: Sequence[str]) -> int:
    """Count the pictures whose class has the highest logit."""
    return int(np.sum(np.array(outputs)[logits.argmax(axis=1)] == np.array(truth)))


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    try:
        main(Path(sys.argv[1]), Path(sys.argv[2]))
    except CxrviewError as error:
        sys.exit(str(error))
