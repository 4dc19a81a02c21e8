"""The objective of the paper author's public notebook (leongatys/PytorchNeuralStyleTransfer), minimized inside bounds.

Original network, max pooling, zero padding; style sum_l 1e3 / N_l^2 mean((G - A)^2) at conv1_1 ... conv5_1 with
G = F F^T / M; content mean((F - P)^2) at conv4_2; both images brought to a shorter side of 512 pixels by bilinear
resampling; start from the content; one level; 500 evaluations in float32.

    python examples/gatys_notebook.py PHOTO PAINTING -o out.png

The notebook prints 1388532, 707861, 538045, 469375, 433805, 411658, 395248, 383885, 375129, 368494 at 50, 100, ...
500 evaluations, for unclamped floats.
"""

import argparse
import json
import time
from pathlib import Path

import torch
import torch.nn.functional as nnf
from torch import Tensor

from impasto import images, machine
from impasto.encoders import Encoder, load
from impasto.engines import Engine
from impasto.losses import ContentLoss
from impasto.losses.gram import GramLoss
from impasto.objective import Objective, Term
from impasto.optimizers import LBFGS

FILTERS = {"conv1_1": 64, "conv2_1": 128, "conv3_1": 256, "conv4_1": 512, "conv5_1": 512}


def shorter_side(image: Tensor, side: int) -> Tensor:
    """The image with its shorter side at ``side`` pixels, as torchvision's Resize did it: bilinear with antialiasing."""
    height, width = image.shape[2:]
    scale = side / min(height, width)
    shape = (int(height * scale), int(width * scale))
    return nnf.interpolate(image, shape, mode="bilinear", antialias=True)


def notebook_engine(content: Tensor, style: Tensor, encoder: Encoder, factor: float = 1.0) -> Engine:
    """The notebook's objective; GramLoss is a quarter of mean((G - A)^2), ContentLoss half of mean((F - P)^2).

    Args:
        content: the photo.
        style: the painting.
        encoder: the network.
        factor: what the style's weights are multiplied by.
    """
    with torch.no_grad():
        styles = [
            Term("style", name, GramLoss.of(features), factor * 4 * 1e3 / FILTERS[name] ** 2)
            for name, features in encoder.features(style, list(FILTERS))
        ]
        contents = [Term("content", name, ContentLoss(f), 2.0) for name, f in encoder.features(content, ["conv4_2"])]
    return Engine(encoder, Objective((*styles, *contents)))


def notebook_encoder(dtype: torch.dtype = torch.float32) -> Encoder:
    """The original network with max pooling and zero padding."""
    stack, parameters = load("vgg19-original")
    return Encoder(stack, parameters, pooling="max", padding="zero", dtype=dtype)


def main() -> None:
    """Run it and print the loss as floats and as delivered in 8 bits at every 50th evaluation."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photo", type=Path)
    parser.add_argument("painting", type=Path)
    parser.add_argument("-o", "--output", type=Path, default=Path("gatys-notebook.png"))
    parser.add_argument("--side", type=int, default=512, help="shorter side of both images")
    parser.add_argument("--evaluations", type=int, default=500)
    parser.add_argument("--style", type=float, default=1.0, help="a factor of the style's weights")
    parser.add_argument("--precision", choices=["fp32", "bf16"], default="fp32")
    options = parser.parse_args()
    machine.keep_freed_memory()
    content = shorter_side(images.read(options.photo).pixels, options.side)
    style = shorter_side(images.read(options.painting).pixels, options.side)
    dtype = torch.float32 if options.precision == "fp32" else torch.bfloat16
    exact = notebook_engine(content, style, notebook_encoder(), options.style)
    engine = (
        exact if dtype == torch.float32 else notebook_engine(content, style, notebook_encoder(dtype), options.style)
    )
    optimizer, began, rows = LBFGS(), time.perf_counter(), []
    state = optimizer.init(content, engine.evaluate)
    paused = 0.0
    while state.evaluations < options.evaluations and not state.stalled:
        before = state.evaluations
        state = optimizer.step(state, engine.evaluate, options.evaluations - before)
        if before // 50 != state.evaluations // 50:
            clock = time.perf_counter()
            floats, delivered = (exact.measure(x).value for x in (state.image, images.quantize(state.image)))
            rows.append((state.evaluations, floats, delivered, clock - began - paused))
            print(
                json.dumps(dict(zip(("evaluations", "floats", "delivered", "seconds"), rows[-1], strict=True))),
                flush=True,
            )
            paused += time.perf_counter() - clock
    images.write(options.output, state.image)


if __name__ == "__main__":
    main()
