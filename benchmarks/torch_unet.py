"""The same U-Net in PyTorch, as its documentation recommends for CPUs: channels last, bf16 by autocast."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import torch
from torch import nn
from torch.nn import functional


class FReLU(nn.Module):
    """max(x, T(x)), T = 3×3 depthwise convolution with batch normalisation."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.depthwise = nn.Conv2d(width, width, 3, padding=1, groups=width, bias=False)
        self.normalization = nn.BatchNorm2d(width, eps=1e-3, momentum=0.01)

    def forward(self, x: Any) -> Any:
        """FReLU of x."""
        return torch.maximum(x, self.normalization(self.depthwise(x)))


def block(inputs: int, width: int, activation: str) -> nn.Sequential:
    """Convolution, normalisation, activation."""
    activations = {"relu": nn.ReLU, "mish": nn.Mish, "frelu": lambda: FReLU(width)}
    convolution = nn.Conv2d(inputs, width, 3, padding=1)
    nn.init.kaiming_normal_(convolution.weight)
    return nn.Sequential(convolution, nn.BatchNorm2d(width, eps=1e-3, momentum=0.01), activations[activation]())


class UNet(nn.Module):
    """[N, 3, height, width] → logits [N, classes, height, width]."""

    def __init__(self, classes: int, activation: str, w: Sequence[int]) -> None:
        super().__init__()

        def blocks(*widths: int) -> nn.Sequential:
            return nn.Sequential(*(block(a, b, activation) for a, b in pairwise(widths)))

        down = [(3, w[0]), (w[0], w[1]), (w[1], w[2]), (w[2], w[3]), (w[3], w[4], w[4]), (w[4], w[5], w[5])]
        up = [(w[5], w[5]), (w[5] + w[4], w[4], w[4]), *((w[k + 1] + w[k], w[k]) for k in (3, 2, 1))]
        self.down = nn.ModuleList(blocks(*widths) for widths in down)
        self.up = nn.ModuleList(blocks(*widths) for widths in up)
        self.head = nn.Sequential(nn.Conv2d(w[1] + w[0], 2 * w[0], 3, padding=1), nn.Conv2d(2 * w[0], classes, 1))

    def forward(self, x: Any) -> Any:
        """The logits."""
        skips = []
        for number, level in enumerate(self.down):
            x = level(functional.max_pool2d(x, 2) if number else x)
            skips.append(x)
        skips.pop()
        for level in self.up:
            x = functional.interpolate(level(x), scale_factor=2, mode="nearest")
            x = torch.cat([x, skips.pop()], dim=1)
        return self.head(x)


def trainer(classes: int, activation: str, precision: str, w: Sequence[int]) -> Any:
    """A function that trains one step on images uint8 [N, height, width, 3] and labels int8 [N, height, width]."""
    model = UNet(classes, activation, w).to(memory_format=torch.channels_last)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, amsgrad=True, eps=1e-7)

    def step(images: Any, labels: Any) -> float:
        x = (torch.from_numpy(images).permute(0, 3, 1, 2).float() / 255).contiguous(memory_format=torch.channels_last)
        y = torch.from_numpy(labels).long()
        optimizer.zero_grad(set_to_none=True)
        with torch.autocast("cpu", torch.bfloat16, enabled=precision == "mixed_bfloat16"):
            logits = model(x)
        loss = functional.cross_entropy(logits.float(), y, ignore_index=-1)
        loss.backward()
        optimizer.step()
        return float(loss)

    return step
