"""What videos show where something was hidden the frame before: `impasto video` against painting every frame for itself.

    python benchmarks/disocclusion.py PAINTING [--size 256] [--frames 10]

The clip is that of examples/moving_camera.py, whose motion is known exactly. A ghost, paint of what was in front, is further
from the clip's frame than paint of what came into sight. Prints JSON, for pixels that came into sight and, to compare, for all
others, on average over the frames after the first:

pixels          root of the mean squared difference to the clip's frame, colors as they are
features        mean of 1 - cosine to the clip's frame at conv2_2, whose features see 14 pixels
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor

import impasto
from impasto.encoders import Encoder, load
from impasto.masks import averaged

sys.path.insert(0, str(Path(__file__).parent.parent / "examples"))

from machine_report import report
from moving_camera import Scene


def errors(encoder: Encoder, painted: Tensor, frame: Tensor, where: Tensor) -> tuple[float, float]:
    """Of pixels and of features, at some pixels (H, W)."""
    squares = (painted - frame).square().mean(1)[0]
    ours, clips = (dict(encoder.features(image, ["conv2_2"]))["conv2_2"] for image in (painted, frame))
    apart = 1 - torch.nn.functional.cosine_similarity(ours, clips)[0]
    shares = averaged(where[None, None].float(), encoder.stack.stride("conv2_2"))[0, 0]
    return float(squares[where].mean() ** 0.5), float((apart * shares).sum() / shares.sum())


def main() -> None:
    """Paint and measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("painting")
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--frames", type=int, default=10)
    options = parser.parse_args()
    scene = Scene(options.size, options.frames)
    levels = [(frame[0].permute(1, 2, 0) * 255).round().byte().numpy() for frame in scene.frames]
    with tempfile.TemporaryDirectory() as folder:
        for index, level in enumerate(levels):
            Image.fromarray(level).save(Path(folder) / f"{index}.png")
        film = impasto.stylize_video(folder, options.painting, size=options.size)
        ours = [torch.from_numpy(x.copy()).permute(2, 0, 1)[None].float() / 255 for x in film.made.frames()]
    alone = [impasto.stylize(level, options.painting, size=options.size).tensor for level in levels[1:]]
    stack, parameters = load("vgg19")
    encoder = Encoder(stack, parameters)
    said: dict[str, object] = {"machine": report()}
    for name, frames in (("video", ours[1:]), ("alone", alone)):
        for place in ("came into sight", "elsewhere"):
            values = []
            for time, frame in enumerate(frames, 1):
                gone = scene.truth(time)[1]
                where = gone if place == "came into sight" else ~gone
                values.append(errors(encoder, frame, scene.frames[time], where))
            pixels, features = (sum(column) / len(column) for column in zip(*values, strict=True))
            said[f"{name}, {place}"] = {"pixels": round(pixels, 4), "features": round(features, 4)}
    print(json.dumps(said, indent=1))


if __name__ == "__main__":
    with torch.no_grad():
        main()
