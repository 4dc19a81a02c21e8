"""
Solid textures
==============

.. image:: /pictures/solid-texture.jpg

A block whose slices look like a picture wherever it is cut: marbled paper, and the brush strokes of a painted sky.

By script: ``python examples/solid_texture.py marble -o block.tif [--size 64]``. With ``--sparse 2`` only every second
slice along each axis has a say, to see what becomes of the others: they are left behind, which is why all are used.
"""

import argparse
from pathlib import Path

import torch
from torch import Tensor

from impasto.aims.initial_image import starting_image
from impasto.descent import Descent, Level
from impasto.engines import Part, Slices, WeightedSum
from impasto.optimizers import LBFGS
from impasto.runs.solids.solid import SolidTexture, synthesize_block
from paintings import paint

LAYERS = {"conv1_1": 1.0, "conv2_1": 1.0, "conv3_1": 1.0}


def exemplar(name: str) -> Tensor:
    """Marbled paper, or a part of a painted sky, (1, 3, H, W)."""
    if name == "marble":
        return paint("marble", (256, 256))
    return paint("swirl", (512, 512))[..., 20:180, 200:360]


def every(step: int, first: int, run: SolidTexture, side: int) -> WeightedSum:
    """Every so many slices along each axis."""
    engine = run.targets(run.encoder).bare_engine_at((side,) * 3)
    return WeightedSum([Part(Slices(axis, first, None, step), engine, step / (3 * side)) for axis in range(3)])


def sparse(style: Tensor, side: int, step: int, evaluations: int) -> None:
    """Descend with some slices alone, and say how far the loss of these and of the others falls below the noise's."""
    run = SolidTexture.of(style, side, style_layers=LAYERS, coarsest=side)
    seen, unseen = every(step, 0, run, side), every(step, 1, run, side)
    white = torch.rand(1, 3, side, side, side, generator=torch.Generator().manual_seed(0))
    start = starting_image(run.settings, None, [style], (side,) * 3)
    block = white
    for snapshot in Descent([Level((side,) * 3, evaluations)], lambda _: seen, LBFGS()).run(start):
        block = snapshot.best
    for name, engine in (("used", seen), ("unused", unseen)):
        print(f"{name} slices: {engine.measure(white).value / engine.measure(block).value:.1f} times below noise")


def main() -> None:
    """Make a block, or try some slices alone."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", choices=["marble", "sky"])
    parser.add_argument("-o", "--output", type=Path, default=Path("block.tif"))
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--evaluations", type=int, nargs="+", default=[60, 140])
    parser.add_argument("--sparse", type=int)
    options = parser.parse_args()
    style = exemplar(options.name)
    if options.sparse:
        sparse(style, options.size, options.sparse, options.evaluations[0])
        return
    result = synthesize_block(style, options.size, style_layers=LAYERS, evaluations=tuple(options.evaluations))
    result.save(options.output, pictures=True)
    print(", ".join(f"{name} {value:.4g}" for name, value in result.measures.items() if value is not None))


if __name__ == "__main__":
    main()
