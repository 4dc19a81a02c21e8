"""Clips whose motion is known exactly."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
import torch

from impasto import images, samples
from impasto.pyramid import resize
from impasto.videos.clip import Clip


class Scene:
    """A camera that moves over a photo by whole pixels, while a square of noise crosses the view.

    Frame t shows the photo from column 2 t and row t on, and the square, 20 pixels wide, at (30, 10 + 4 t).
    """

    shape, side, top = (64, 96), 20, 30

    def __init__(self, count=6):
        photo = resize(images.read(samples.photo("astronaut")).pixels, (64 + count, 96 + 2 * count))
        square = torch.rand(1, 3, self.side, self.side, generator=torch.Generator().manual_seed(5))
        square = resize(resize(square, (7, 7)), (self.side, self.side)).clamp(0, 1)
        self.frames = []
        for time in range(count):
            frame = photo[:, :, time : time + 64, 2 * time : 2 * time + 96].clone()
            frame[:, :, self.top : self.top + self.side, self.left(time) : self.left(time) + self.side] = square
            self.frames.append((frame * 255).round() / 255)

    def left(self, time):
        """The column where the square begins."""
        return 10 + 4 * time

    def inside(self, time):
        """Where the square is, (H, W)."""
        mask = torch.zeros(self.shape, dtype=torch.bool)
        mask[self.top : self.top + self.side, self.left(time) : self.left(time) + self.side] = True
        return mask

    def flow(self, time):
        """The exact flow from a frame to the one before, (2, H, W)."""
        flow = torch.tensor([2.0, 1.0]).view(2, 1, 1).expand(2, *self.shape).clone()  # a point was further on
        flow[:, self.inside(time)] = torch.tensor([-4.0, 0.0]).view(2, 1)
        return flow

    def hidden(self, time):
        """Where nothing in the frame before is what the frame shows, (H, W)."""
        flow = self.flow(time)
        y, x = torch.meshgrid(torch.arange(64), torch.arange(96), indexing="ij")
        x, y = (x + flow[0]).long(), (y + flow[1]).long()
        outside = (x < 0) | (y < 0) | (x > 95) | (y > 63)
        covered = self.inside(time - 1)[y.clamp(0, 63), x.clamp(0, 95)] & ~self.inside(time)
        return outside | covered


@pytest.fixture(scope="session")
def scene():
    """Six frames."""
    return Scene()


class Given(Clip):
    """A clip of tensors."""

    def decoded(self, first=0):
        """They are there already."""
        yield from self.path_frames[first:]


@pytest.fixture(scope="session")
def clip_of():
    """A function from frames to a clip of 25 a second."""

    def clip(frames, shots=(0,)):
        made = Given(
            path=Path("given"),
            name="given",
            sha256="0" * 64,
            shape=tuple(frames[0].shape[2:]),
            times=tuple(Fraction(index, 25) for index in range(len(frames))),
            end=Fraction(len(frames), 25),
            shots=shots,
        )
        object.__setattr__(made, "path_frames", frames)
        return made

    return clip


@pytest.fixture(scope="session")
def pixels_of():
    """A function from a frame (1, 3, H, W) to samples (H, W, 3)."""
    return lambda frame: (frame[0] * 255).round().byte().permute(1, 2, 0).contiguous().numpy()


@pytest.fixture(scope="session")
def film(tmp_path_factory, scene, pixels_of):
    """A function that writes an MP4 of the scene: at given times in units of 1/100 s, turned, with a tone or without."""

    def written(name="film.mp4", times=None, sound=False, size=None, codec="libx264"):
        path = tmp_path_factory.mktemp("films") / name
        times = [4 * index for index in range(len(scene.frames))] if times is None else times
        with av.open(str(path), "w") as output:
            stream = output.add_stream(codec, rate=25)
            stream.width, stream.height = (96, 64) if size is None else size
            stream.pix_fmt = "yuv420p"
            stream.codec_context.time_base = Fraction(1, 100)
            track = output.add_stream("aac", rate=8000) if sound else None
            for at, frame in zip(times, scene.frames, strict=False):
                shown = av.VideoFrame.from_ndarray(pixels_of(frame), format="rgb24").reformat(
                    width=stream.width, height=stream.height, format="yuv420p"
                )
                shown.pts, shown.time_base = at, Fraction(1, 100)
                output.mux(stream.encode(shown))
            output.mux(stream.encode(None))
            if track is not None:
                length = round(8000 * (times[-1] + 4) / 100)
                tone = (np.sin(np.arange(length) / 3)[None] / 2).astype(np.float32)
                heard = av.AudioFrame.from_ndarray(tone, format="fltp", layout="mono")
                heard.sample_rate, heard.pts, heard.time_base = 8000, 0, Fraction(1, 8000)
                output.mux(track.encode(heard))
                output.mux(track.encode(None))
        return path

    return written
