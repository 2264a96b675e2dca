"""Trains the fully connected layer alone, on features that the frozen trunk computes once.

The trunk does not change, so neither do its features: thirty epochs cost one pass of the trunk
instead of thirty. `tests/train/test_classifier.py` shows that the weights are those of the slow
way.
"""

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from cxrview.paper.epochs import CHECKPOINT_EVERY, Images, Training, set_rate, sgd
from cxrview.train.batch import centre_crop
from cxrview.train.checkpoint import restore_checkpoint, save_checkpoint
from cxrview.train.googlenet import DROPOUT, GoogLeNet
from cxrview.train.loop import as_input, bf16_arithmetic


def trunk_features(
    network: GoogLeNet,
    images: Images,
    count: int,
    *,
    batch: int = 32,
    device: str = "cpu",
    is_bf16: bool = False,
    watch: Callable[[int], None] = lambda more: None,
) -> NDArray[np.float32]:
    """What the classifier sees of each image.

    Args:
        network: pre-trained.
        images: number of an image to its squashed pixels, (256, 256) uint8.
        count: of images.
        batch: images at a time.
        device: where the trunk runs.
        is_bf16: in which arithmetic; float32 otherwise.
        watch: called with how many more images it has seen.

    Returns:
        Shape (count, 1024), float32, of centre crops.
    """
    network.eval().to(device)
    features = np.empty((count, network.classifier.in_features), np.float32)
    with torch.inference_mode(), bf16_arithmetic(device, is_on=is_bf16):
        for start in range(0, count, batch):
            stop = min(start + batch, count)
            pixels = centre_crop(np.stack([images(k) for k in range(start, stop)]))
            found = network.features(as_input(pixels).to(device))
            features[start:stop] = found.float().cpu().numpy()
            watch(stop - start)
    return features


def pfi_of_features(network: GoogLeNet, features: NDArray[np.float32]) -> NDArray[np.float64]:
    """Probability of frontal in percent, shape (n,), by the classifier of a two-class network."""
    classifier = network.classifier.to("cpu")
    with torch.inference_mode():
        probability = classifier(torch.from_numpy(features)).softmax(dim=1)[:, 1]
    pfi: NDArray[np.float64] = 100 * probability.double().numpy()
    return pfi


def train_classifier(network: GoogLeNet, features: NDArray[np.float32], training: Training) -> None:
    """Train the classifier of a network in place; its trunk stays as it is.

    Args:
        network: its trunk computed the features.
        features: shape (n, 1024), of the images that the batches number.
        training: what, how, and where; pixels are not asked for.

    Raises:
        InvalidModel: the checkpoint belongs to another training.
    """
    classifier, batches, schedule = network.classifier, training.batches, training.schedule
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
        torch.manual_seed(training.seed * 1_000_003 + number)
        seen = functional.dropout(torch.from_numpy(features[chosen]), DROPOUT)
        truth = torch.from_numpy(batches.classes[chosen])
        loss = functional.cross_entropy(classifier(seen), truth)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        training.report(number + 1, loss.item())
        # A step takes a fraction of a millisecond: to save more often would be all the work.
        if (number + 1) % (CHECKPOINT_EVERY * 20) == 0 or number + 1 == total:
            save_checkpoint(
                training.checkpoint, classifier, optimiser, training.belongs, number + 1
            )
