"""Trains only the fully connected layer, on features that the frozen trunk computes once.

The trunk does not change, and so its features do not either: thirty epochs take one pass of the
trunk instead of thirty. `tests/paper/test_train_head.py` compares the weights with those of the
slow way.
"""

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from cxrview.callbacks import ignore
from cxrview.paper.epochs import CHECKPOINT_EVERY, Images, Training, set_rate, sgd
from cxrview.train.batch import centre_crop
from cxrview.train.checkpoint import restore_checkpoint, save_checkpoint
from cxrview.train.googlenet import DROPOUT, GoogLeNet
from cxrview.train.loop import as_input, bf16_arithmetic, seed_dropout


def trunk_features(
    model: GoogLeNet,
    images: Images,
    count: int,
    *,
    batch: int = 32,
    device: str = "cpu",
    is_bf16: bool = False,
    watch: Callable[[int], None] = ignore,
) -> NDArray[np.float32]:
    """Compute the input of the classifier for each image.

    Args:
        model: pre-trained.
        images: takes the number of an image, gives its squashed pixels, (256, 256) uint8.
        count: of images.
        batch: images at a time.
        device: of the trunk.
        is_bf16: compute in bf16, otherwise in float32.
        watch: called with how many more images are done.

    Returns:
        Shape (count, 1024), float32, of centre crops.
    """
    model.eval().to(device)
    features = np.empty((count, model.classifier.in_features), np.float32)
    with torch.inference_mode(), bf16_arithmetic(device, is_on=is_bf16):
        for start in range(0, count, batch):
            stop = min(start + batch, count)
            pixels = centre_crop(np.stack([images(k) for k in range(start, stop)]))
            found = model.features(as_input(pixels).to(device))
            features[start:stop] = found.float().cpu().numpy()
            watch(stop - start)
    return features


def pfi_of_features(model: GoogLeNet, features: NDArray[np.float32]) -> NDArray[np.float64]:
    """Compute the PFI in percent, shape (n,), with the classifier of a two-class model."""
    classifier = model.classifier.to("cpu")
    with torch.inference_mode():
        probability = classifier(torch.from_numpy(features)).softmax(dim=1)[:, 1]
    pfi: NDArray[np.float64] = 100 * probability.double().numpy()
    return pfi


def train_classifier(model: GoogLeNet, features: NDArray[np.float32], training: Training) -> None:
    """Train the classifier of a model in place; its trunk stays unchanged.

    Args:
        model: its trunk computed the features.
        features: shape (n, 1024), in the order of the numbers in the batches.
        training: batches, schedule and checkpoint; the pixels of its batches are not used.

    Raises:
        InvalidModel: the checkpoint belongs to another training.
    """
    classifier, batches, schedule = model.classifier, training.batches, training.schedule
    classifier.train().to("cpu")
    optimiser = sgd(classifier, schedule)
    done = restore_checkpoint(training.checkpoint, classifier, optimiser, training.belongs)
    total = schedule.epochs * batches.steps
    shown, order = -1, batches.order(0)
    for number in range(done, total):
        epoch, step = divmod(number, batches.steps)
        if epoch != shown:
            shown, order = epoch, batches.order(epoch)
        chosen = order[step * batches.batch : (step + 1) * batches.batch]
        set_rate(optimiser, schedule.rate_at(epoch))
        seed_dropout(training.seed, number)
        seen = functional.dropout(torch.from_numpy(features[chosen]), DROPOUT)
        truth = torch.from_numpy(batches.classes[chosen])
        loss = functional.cross_entropy(classifier(seen), truth)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        training.report(number + 1, loss.item())
        # A step takes a fraction of a millisecond: saving more often would take most of the time.
        if (number + 1) % (CHECKPOINT_EVERY * 20) == 0 or number + 1 == total:
            save_checkpoint(
                training.checkpoint, classifier, optimiser, training.belongs, number + 1
            )
