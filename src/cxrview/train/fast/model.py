"""The fast model: depthwise-separable convolutions on one grey channel, with six heads.

The layers are those of MobileNetV1 (Howard et al., MobileNets: Efficient Convolutional Neural
Networks for Mobile Vision Applications, arXiv:1704.04861, 2017, table 1), with one input channel
and a smaller width. Batch normalisation (Ioffe and Szegedy 2015) follows each convolution; the
exported model has none, because it is folded into the convolution.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn

FIRST = 32
"""Output channels of the first convolution, at width 1."""
BLOCKS = (
    (64, 1),
    (128, 2),
    (128, 1),
    (256, 2),
    (256, 1),
    (512, 2),
    *[(512, 1)] * 5,
    (1024, 2),
    (1024, 1),
)
"""Output channels at width 1, and stride, of each depthwise-separable block."""
TURNS = 4
"""Answers of the head `turn`: quarter turns clockwise, 0 to 3."""
GREY_MEAN, GREY_SCALE = 127.5, 64.0
"""Subtracted from each pixel, and what the difference is divided by."""


class Logits(NamedTuple):
    """Logits of the six heads for a batch of n pictures."""

    frontal: Tensor
    """Shape (n,)."""
    chest: Tensor
    """Shape (n,): whether it is a chest radiograph."""
    turn: Tensor
    """Shape (n, 4): by how many quarters the upright picture was turned clockwise."""
    mirrored: Tensor
    """Shape (n,): whether left and right of a frontal radiograph are exchanged."""
    inverted: Tensor
    """Shape (n,): whether bone is dark."""
    projection_ap: Tensor
    """Shape (n,): whether a frontal radiograph is AP and not PA."""


class FastModel(nn.Module):
    """Fourteen convolutional layers and blocks, global average pooling, six linear heads.

    Args:
        width: multiplies the number of channels of every layer; above 0.

    Input of `forward`: float, shape (n, 1, 224, 224), grey minus GREY_MEAN, divided by GREY_SCALE.
    """

    def __init__(self, width: float) -> None:
        super().__init__()
        channels = _scaled(FIRST, width)
        self.first = ConvBatchNorm(1, channels, 3, stride=2)
        blocks = []
        for standard, stride in BLOCKS:
            wider = _scaled(standard, width)
            blocks.append(SeparableBlock(channels, wider, stride))
            channels = wider
        self.blocks = nn.ModuleList(blocks)
        self.frontal = nn.Linear(channels, 1)
        self.chest = nn.Linear(channels, 1)
        self.turn = nn.Linear(channels, TURNS)
        self.mirrored = nn.Linear(channels, 1)
        self.inverted = nn.Linear(channels, 1)
        self.projection_ap = nn.Linear(channels, 1)
        self.apply(_initialise)

    def forward(self, pictures: Tensor) -> Logits:
        """Logits of a batch."""
        features = self.features(pictures)
        return Logits(
            frontal=self.frontal(features)[:, 0],
            chest=self.chest(features)[:, 0],
            turn=self.turn(features),
            mirrored=self.mirrored(features)[:, 0],
            inverted=self.inverted(features)[:, 0],
            projection_ap=self.projection_ap(features)[:, 0],
        )

    def features(self, pictures: Tensor) -> Tensor:
        """The input of the heads, shape (n, channels)."""
        x: Tensor = self.first(pictures)
        for block in self.blocks:
            x = block(x)
        return x.mean(dim=(2, 3))


class ConvBatchNorm(nn.Module):
    """A convolution without bias, batch normalisation, ReLU."""

    def __init__(
        self, channels: int, wider: int, side: int, *, stride: int = 1, groups: int = 1
    ) -> None:
        super().__init__()
        self.conv = nn.Conv2d(
            channels, wider, side, stride, padding=side // 2, groups=groups, bias=False
        )
        self.norm = nn.BatchNorm2d(wider)

    def forward(self, x: Tensor) -> Tensor:
        """Output of the layer, shape (n, wider, rows, columns)."""
        return torch.relu(self.norm(self.conv(x)))


class SeparableBlock(nn.Module):
    """A 3 x 3 convolution of each channel, then a 1 x 1 convolution across channels."""

    def __init__(self, channels: int, wider: int, stride: int) -> None:
        super().__init__()
        self.depthwise = ConvBatchNorm(channels, channels, 3, stride=stride, groups=channels)
        self.pointwise = ConvBatchNorm(channels, wider, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Output of the block, shape (n, wider, rows, columns)."""
        y: Tensor = self.pointwise(self.depthwise(x))
        return y


def decayed(model: FastModel) -> tuple[list[nn.Parameter], list[nn.Parameter]]:
    """Divide the parameters into those with weight decay and those without.

    Returns:
        Weights of heads and of convolutions across channels; then depthwise weights, which are few
        (Howard 2017, section 3.2), parameters of batch normalisation, and biases.
    """
    with_decay: list[nn.Parameter] = []
    without: list[nn.Parameter] = []
    for name, parameter in model.named_parameters():
        is_across = parameter.ndim > 1 and "depthwise" not in name
        (with_decay if is_across else without).append(parameter)
    return with_decay, without


def _scaled(channels: int, width: float) -> int:
    return max(4, round(channels * width / 4) * 4)


def _initialise(layer: nn.Module) -> None:
    if isinstance(layer, nn.Conv2d):
        nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")
    elif isinstance(layer, nn.Linear):
        nn.init.normal_(layer.weight, std=0.01)
        nn.init.zeros_(layer.bias)
