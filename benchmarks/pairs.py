"""What is delivered, pair by pair: a default run of impasto against 500 evaluations of the usual optimizer.

    python benchmarks/pairs.py FOLDER [--size 512] [--evaluations 500] [--objective default notebook] [--pairs 1 2 3 4 5 6]
        [--ours 160]

FOLDER has tubingen.jpg and vangogh_starry_night.jpg, the_scream.jpg and shipwreck.jpg; three pairs are bundled.
Two objectives per pair: ``default``, that of ``impasto stylize`` (normalized network, average pooling, reflect padding), and
``notebook``, the paper author's (original network, maximum pooling, zero padding). The usual optimizer is torch.optim.LBFGS
in float32 on unbounded pixels from the photo, 0 to 1 or the notebook's 0 to 255, clamped at the end; it gets the same
objective and, so that six pairs do not take a day, impasto's own float32 evaluations, whose values and gradients are those
of autograd. Ours: the levels and evaluations of a default run, or as many as ``--ours`` says, in bf16, in fp32, and in fp32
on the last level alone. Every loss is that of the 8-bit picture, in float32. Prints JSON lines.
"""

import argparse
import itertools
import json
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch
from torch import Tensor

from impasto import images, machine
from impasto.descent import Descent
from impasto.encoders import Encoder
from impasto.engines import Engine
from impasto.images import Picture
from impasto.optimizers import LBFGS
from impasto.pyramid import resize
from impasto.runs.pictures.stylize import Transfer
from impasto.samples import painting, photo
from machine_report import report

sys.path.insert(0, str(Path(__file__).parent.parent / "examples"))
from gatys_notebook import notebook_encoder, notebook_engine

PRECISIONS = {
    "bf16": (torch.bfloat16, torch.bfloat16),
    "last level fp32": (torch.bfloat16, torch.float32),  # the same start there, so that only the precision differs
    "fp32": (torch.float32, torch.float32),
}
Engines = Callable[[torch.dtype], Callable[[tuple[int, ...]], Engine]]


def pairs(folder: Path) -> list[tuple[str, Picture, Picture]]:
    """Photos and paintings from a folder of measuring pictures, and bundled ones."""
    found = [("tubingen.jpg", name) for name in ("vangogh_starry_night.jpg", "the_scream.jpg", "shipwreck.jpg")]
    outside = [(a, b, images.read(folder / a), images.read(folder / b)) for a, b in found if (folder / b).exists()]
    names = (("rocket", "swirl"), ("chelsea", "glass"), ("coffee", "marble"))
    inside = [(a, b, images.read(photo(a)), images.read(painting(b))) for a, b in names]
    return [(f"{a} in {b}", content, style) for a, b, content, style in (*outside, *inside)]


def default_engines(run: Transfer) -> Engines:
    """The objective of a default run at any size and precision."""

    def at(dtype: torch.dtype) -> Callable[[tuple[int, ...]], Engine]:
        return run.targets(
            Encoder(run.stack, run.parameters, pooling=run.settings.pooling, padding=run.settings.padding, dtype=dtype)
        ).bare_engine_at

    return at


def notebook_engines(run: Transfer) -> Engines:
    """The notebook's objective at any size and precision; the painting is seen at the photo's size."""

    def at(dtype: torch.dtype) -> Callable[[tuple[int, ...]], Engine]:
        def engine(shape: tuple[int, ...]) -> Engine:
            scale = max(shape) / max(run.styles[0].shape)
            seen = tuple(max(16, round(side * scale)) for side in run.styles[0].shape)
            style, content = resize(run.styles[0].pixels, seen), resize(run.canvas.pixels, shape)
            return notebook_engine(content, style, notebook_encoder(dtype))

        return engine

    return at


def usual(engine: Engine, content: Tensor, evaluations: int, units: float) -> Tensor:
    """The picture that the usual optimizer delivers; its first step depends on the ``units`` that 1 has in pixels."""
    pixels = (content * units).requires_grad_()
    optimizer = torch.optim.LBFGS([pixels])
    count = 0

    def closure() -> float:
        nonlocal count
        found = engine.evaluate(pixels.detach() / units)
        assert found.gradient is not None
        pixels.grad = found.gradient / units
        count += 1
        return found.value

    while count < evaluations:
        optimizer.step(closure)
    return (pixels.detach() / units).clamp(0, 1)


def ours(run: Transfer, engines: Engines, coarse: torch.dtype, last: torch.dtype) -> Tensor:
    """The picture that a run delivers whose last level may have another precision than those below."""
    below, above = engines(coarse), engines(last)

    def engine_at(shape: tuple[int, ...]) -> Engine:
        return (above if shape == run.levels[-1].shape else below)(shape)

    descent = Descent(run.levels, engine_at, LBFGS(), run.lift)
    *_, end = descent.run(resize(run.canvas.pixels, run.levels[0].shape))
    return end.best


def measure(name: str, run: Transfer, engines: Engines, evaluations: int, units: float) -> dict[str, object]:
    """Delivered losses and seconds of ours and of the usual optimizer."""
    exact = engines(torch.float32)(run.levels[-1].shape)
    line: dict[str, object] = {"pair": name, "levels": [[*level.shape, level.evaluations] for level in run.levels]}

    def put(word: str, paint: Callable[[], Tensor]) -> None:
        began = time.perf_counter()
        image = paint()
        line[f"seconds {word}"] = round(time.perf_counter() - began, 1)
        line[word] = exact.measure(images.quantize(image)).value

    for word, kinds in PRECISIONS.items():
        put(word, partial(ours, run, engines, *kinds))
    if evaluations:
        photo = resize(run.canvas.pixels, run.levels[-1].shape)
        put("usual", lambda: usual(exact, photo, evaluations, units))
    return line


def main() -> None:
    """Measure every pair under every objective."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--evaluations", type=int, default=500, help="of the usual optimizer; 0 leaves it out")
    parser.add_argument("--objective", nargs="+", default=["default", "notebook"], choices=["default", "notebook"])
    parser.add_argument("--pairs", nargs="+", type=int, help="which of those that are there, by number")
    parser.add_argument("--ours", nargs="+", type=int, help="evaluations per level, instead of the default")
    options = parser.parse_args()
    machine.keep_freed_memory()
    kinds = {"default": (default_engines, 1.0), "notebook": (notebook_engines, 255.0)}
    known = pairs(options.folder)
    for objective, (name, content, style) in itertools.product(
        options.objective, [known[number - 1] for number in options.pairs or range(1, len(known) + 1)]
    ):
        run = Transfer.of(content, style, size=options.size, evaluations=options.ours)
        engines, units = kinds[objective]
        line = measure(name, run, engines(run), options.evaluations, units)
        print(json.dumps({"objective": objective, **line}), flush=True)
    print(json.dumps({"machine": report()}))


if __name__ == "__main__":
    main()
