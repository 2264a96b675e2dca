"""GoogLeNet as Szegedy et al. published it (CVPR 2015), layer for layer as Caffe's BVLC model.

Parameters carry Caffe's names with `/` for `.`, so that published arrays load by name:
`inception_3a.5x5_reduce.weight` is Caffe's `inception_3a/5x5_reduce`.
"""

import hashlib
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from cxrview.train.batch_rows import BatchRows
from cxrview.train.max_pool import halve, pool_neighbours


class InceptionWidths(NamedTuple):
    """Output channels of the six convolutions of one inception module (Szegedy 2015, table 1)."""

    one: int
    three_reduce: int
    three: int
    five_reduce: int
    five: int
    pool: int

    @property
    def total(self) -> int:
        """Channels of the module's output."""
        return self.one + self.three + self.five + self.pool


INCEPTIONS = {
    "3a": InceptionWidths(64, 96, 128, 16, 32, 32),
    "3b": InceptionWidths(128, 128, 192, 32, 96, 64),
    "4a": InceptionWidths(192, 96, 208, 16, 48, 64),
    "4b": InceptionWidths(160, 112, 224, 24, 64, 64),
    "4c": InceptionWidths(128, 128, 256, 24, 64, 64),
    "4d": InceptionWidths(112, 144, 288, 32, 64, 64),
    "4e": InceptionWidths(256, 160, 320, 32, 128, 128),
    "5a": InceptionWidths(256, 160, 320, 32, 128, 128),
    "5b": InceptionWidths(384, 192, 384, 48, 128, 128),
}
POOL_BEFORE = frozenset({"4a", "5a"})
"""Modules whose input is halved by max pooling first."""
AUXILIARY_AFTER = {"4a": "loss1", "4d": "loss2"}

LRN_SIZE, LRN_ALPHA, LRN_BETA = 5, 1e-4, 0.75
DROPOUT, AUXILIARY_DROPOUT = 0.4, 0.7


class Outputs(NamedTuple):
    """Logits, shape (n, classes) each; the auxiliary ones are None outside training."""

    main: Tensor
    loss1: Tensor | None
    loss2: Tensor | None
    chest: Tensor | None
    """Shape (n,): whether it is a chest radiograph. None if the model has no such output."""


class GoogLeNet(nn.Module):
    """22 weight layers, nine inception modules, two auxiliary classifiers.

    Args:
        classes: number of classes.
        auxiliary: build the two auxiliary classifiers, which only training uses.
        chest: build a second output on the same trunk: is it a chest radiograph? (Ours.)

    Input of `forward`: float, shape (n, 3, 224, 224), channels blue, green, red, minus their mean.
    """

    def __init__(self, classes: int, *, auxiliary: bool = True, chest: bool = False) -> None:
        super().__init__()
        self.stem = nn.ModuleDict(
            {
                "conv1": nn.ModuleDict({"7x7_s2": nn.Conv2d(3, 64, 7, stride=2, padding=3)}),
                "conv2": nn.ModuleDict(
                    {
                        "3x3_reduce": nn.Conv2d(64, 64, 1),
                        "3x3": nn.Conv2d(64, 192, 3, padding=1),
                    }
                ),
            }
        )
        channels = 192
        modules: dict[str, nn.Module] = {}
        heads: dict[str, nn.Module] = {}
        for name, widths in INCEPTIONS.items():
            modules[name] = Inception(channels, widths)
            channels = widths.total
            if auxiliary and name in AUXILIARY_AFTER:
                heads[AUXILIARY_AFTER[name]] = AuxiliaryClassifier(channels, classes)
        self.inceptions = nn.ModuleDict(modules)
        self.auxiliaries = nn.ModuleDict(heads)
        self.classifier = nn.Linear(channels, classes)
        self.chest = nn.Linear(channels, 1) if chest else None
        self.apply(_initialise)

    def forward(self, radiographs: Tensor, rows: BatchRows | None = None) -> Outputs:
        """Logits of a batch; the auxiliary ones only while training.

        Args:
            radiographs: see the class.
            rows: which rows of a batch they are, if other processes compute the others; None for
                a complete batch.
        """
        features, auxiliary = self._trunk(radiographs, rows)
        shown = drop_out(features, DROPOUT, rows) if self.training else features
        chest = None if self.chest is None else self.chest(shown)[:, 0]
        return Outputs(
            self.classifier(shown), auxiliary.get("loss1"), auxiliary.get("loss2"), chest
        )

    def features(self, radiographs: Tensor) -> Tensor:
        """The input of the classifier, shape (n, 1024), before dropout."""
        return self._trunk(radiographs)[0]

    def trunk(self) -> dict[str, Tensor]:
        """The weights below the classifiers, by name."""
        return {
            key: tensor
            for key, tensor in self.state_dict().items()
            if not key.startswith(("classifier.", "auxiliaries.", "chest."))
        }

    def fingerprint(self) -> str:
        """SHA-256 of the trunk's weights, as hexadecimal."""
        digest = hashlib.sha256()
        for key, tensor in self.trunk().items():
            digest.update(key.encode())
            digest.update(tensor.cpu().contiguous().numpy().tobytes())
        return digest.hexdigest()

    def _trunk(
        self, radiographs: Tensor, rows: BatchRows | None = None
    ) -> tuple[Tensor, dict[str, Tensor]]:
        x = self._stem(radiographs)
        auxiliary: dict[str, Tensor] = {}
        for name, inception in self.inceptions.items():
            x = inception(halve(x) if name in POOL_BEFORE else x)
            head = AUXILIARY_AFTER.get(name)
            if self.training and head and head in self.auxiliaries:
                auxiliary[head] = self.auxiliaries[head](x, rows)
        return x.mean(dim=(2, 3)), auxiliary  # 7 x 7 average pooling

    def _stem(self, x: Tensor) -> Tensor:
        layer = self.stem.get_submodule
        x = local_response_norm(halve(functional.relu(layer("conv1.7x7_s2")(x))))
        x = functional.relu(layer("conv2.3x3_reduce")(x))
        return halve(local_response_norm(functional.relu(layer("conv2.3x3")(x))))


class Inception(nn.Module):
    """Four branches side by side, joined along the channels."""

    def __init__(self, channels: int, widths: InceptionWidths) -> None:
        super().__init__()
        self.layers = nn.ModuleDict(
            {
                "1x1": nn.Conv2d(channels, widths.one, 1),
                "3x3_reduce": nn.Conv2d(channels, widths.three_reduce, 1),
                "3x3": nn.Conv2d(widths.three_reduce, widths.three, 3, padding=1),
                "5x5_reduce": nn.Conv2d(channels, widths.five_reduce, 1),
                "5x5": nn.Conv2d(widths.five_reduce, widths.five, 5, padding=2),
                "pool_proj": nn.Conv2d(channels, widths.pool, 1),
            }
        )

    def forward(self, x: Tensor) -> Tensor:
        """Shape (n, channels, rows, columns) to (n, widths.total, rows, columns)."""
        layers = self.layers
        pooled = pool_neighbours(x)
        three = functional.relu(layers["3x3_reduce"](x))
        five = functional.relu(layers["5x5_reduce"](x))
        branches = [layers["1x1"](x), layers["3x3"](three), layers["5x5"](five)]
        return functional.relu(torch.cat([*branches, layers["pool_proj"](pooled)], dim=1))


class AuxiliaryClassifier(nn.Module):
    """Gives the middle of the model a gradient; left out after training."""

    def __init__(self, channels: int, classes: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, 128, 1)
        self.fc = nn.Linear(128 * 4 * 4, 1024)
        self.classifier = nn.Linear(1024, classes)

    def forward(self, x: Tensor, rows: BatchRows | None = None) -> Tensor:
        """Shape (n, channels, 14, 14) to (n, classes); rows as for `GoogLeNet.forward`."""
        x = functional.avg_pool2d(x, 5, stride=3, ceil_mode=True)
        x = functional.relu(self.conv(x)).flatten(1)
        x = functional.relu(self.fc(x))
        if self.training:
            x = drop_out(x, AUXILIARY_DROPOUT, rows)
        logits: Tensor = self.classifier(x)
        return logits


def drop_out(x: Tensor, share: float, rows: BatchRows | None = None) -> Tensor:
    """Dropout of training, which drops of each row what it would drop in the complete batch.

    So a training on several processes, which have the same state of random numbers, drops what a
    single process does.

    Args:
        x: shape (rows of this process, columns).
        share: of the values that are dropped, 0 to 1.
        rows: which rows of the batch they are; None for all.
    """
    if rows is None or rows.count == 1:
        return functional.dropout(x, share)
    kept = functional.dropout(x.new_ones(rows.total, *x.shape[1:]), share)
    return x * kept[rows.part]


def local_response_norm(x: Tensor) -> Tensor:
    """Local response normalisation across channels: x / (1 + alpha/5 * sum of 5 squares)^0.75.

    The sum is a convolution with a band of ones: a matrix product, forwards and backwards. Torch's
    implementation uses 3-D average pooling, which makes the model about three times slower.
    """
    # Torch leaves `apply` without types.
    normalised: Tensor = _LocalResponseNorm.apply(x)  # type: ignore[no-untyped-call]
    return normalised


class _LocalResponseNorm(torch.autograd.Function):
    """With an explicit gradient, which takes a third of the passes that autograd needs."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        total = _sum_neighbours(x * x).mul_(LRN_ALPHA / LRN_SIZE).add_(1)
        scale = _to_the_minus_beta(total)
        ctx.save_for_backward(x, total, scale)
        return x * scale

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        (gradient,) = gradients
        x, total, scale = ctx.saved_tensors
        through = _sum_neighbours(gradient * x * scale / total)  # the band is symmetric
        slope: Tensor = gradient * scale - 2 * LRN_BETA * LRN_ALPHA / LRN_SIZE * x * through
        return slope


def _to_the_minus_beta(total: Tensor) -> Tensor:
    """`total.pow(-LRN_BETA)`, of values from 1 up.

    Square roots take half the time of a power on CPUs. In bf16 both round to the same for every
    value (`tests/train/test_googlenet.py`); an image at a time stays in the processor's cache.
    """
    if total.dtype != torch.bfloat16 or total.device.type != "cpu":
        return total.pow(-LRN_BETA)
    scale = torch.empty_like(total)
    for image, out in zip(total, scale, strict=True):
        root = image.float().rsqrt_()
        out.copy_(root.mul_(root.sqrt()))
    return scale


def _sum_neighbours(x: Tensor) -> Tensor:
    """Sum of each channel with the two before and the two after it."""
    channels = x.shape[1]
    band = torch.ones(channels, channels, dtype=x.dtype, device=x.device)
    band = band.tril(LRN_SIZE // 2).triu(-(LRN_SIZE // 2))
    total: Tensor = functional.conv2d(x, band[:, :, None, None])
    return total


def _initialise(layer: nn.Module) -> None:
    if isinstance(layer, nn.Conv2d | nn.Linear):
        nn.init.xavier_uniform_(layer.weight)
        bias = layer.get_parameter("bias")
        nn.init.constant_(bias, 0.2 if isinstance(layer, nn.Conv2d) else 0.0)
