"""The baseline: style transfer as the usual tutorial writes it. float32, autograd, torch.optim.LBFGS, clamp at the end."""

from collections.abc import Callable, Mapping

import torch
import torch.nn.functional as nnf
from torch import Tensor

STYLE = ("conv1_1", "conv2_1", "conv3_1", "conv4_1", "conv5_1")
COUNTS = (2, 2, 4, 4, 1)
PLAN = [[f"conv{block}_{number + 1}" for number in range(count)] for block, count in enumerate(COUNTS, start=1)]


class Plain:
    """The notebook's objective by autograd.

    Args:
        weights: name to (weight, bias), with the image's own affine map under ``entry``.
        content: (1, 3, H, W) in [0, 1].
        style: likewise.
        pool: ``max`` or ``avg``.
    """

    def __init__(self, weights: Mapping[str, tuple[Tensor, Tensor]], content: Tensor, style: Tensor, pool: str) -> None:
        self.weights = weights
        self.pool: Callable[[Tensor, int], Tensor] = nnf.max_pool2d if pool == "max" else nnf.avg_pool2d
        with torch.no_grad():
            self.content = self.features(content)["conv4_2"]
            styles = self.features(style)
            self.grams = {name: self.gram(styles[name]) for name in STYLE}

    def features(self, image: Tensor) -> dict[str, Tensor]:
        """Every activation by name."""
        matrix, offset = self.weights["entry"]
        x = nnf.conv2d(image, matrix[:, :, None, None], offset)
        found = {}
        for block, names in enumerate(PLAN):
            if block:
                x = self.pool(x, 2)
            for name in names:
                x = nnf.relu(nnf.conv2d(x, *self.weights[name], padding=1))
                found[name] = x
        return found

    @staticmethod
    def gram(features: Tensor) -> Tensor:
        """F F^T / M by a batched product."""
        batch, channels, height, width = features.shape
        flat = features.view(batch, channels, height * width)
        return torch.bmm(flat, flat.transpose(1, 2)).div_(height * width)

    def loss(self, image: Tensor) -> Tensor:
        """The notebook's total loss."""
        found = self.features(image)
        style = [1e3 / g.shape[-1] ** 2 * nnf.mse_loss(self.gram(found[name]), g) for name, g in self.grams.items()]
        return torch.stack([*style, nnf.mse_loss(found["conv4_2"], self.content)]).sum()

    def value_and_gradient(self, image: Tensor) -> tuple[float, Tensor]:
        """One evaluation."""
        leaf = image.clone().requires_grad_()
        loss = self.loss(leaf)
        loss.backward()
        assert leaf.grad is not None
        return loss.item(), leaf.grad

    def run(self, start: Tensor, evaluations: int, listen: Callable[[int, float, Tensor], None]) -> Tensor:
        """The usual loop; ``listen`` gets the evaluation's number, its loss and the unclamped image."""
        image = start.clone().requires_grad_()
        optimizer = torch.optim.LBFGS([image])
        count = 0

        def closure() -> float:
            nonlocal count
            optimizer.zero_grad()
            loss = self.loss(image)
            loss.backward()
            count += 1
            listen(count, loss.item(), image.detach())
            return loss.item()

        while count < evaluations:
            optimizer.step(closure)
        return image.detach().clamp(0, 1)
