"""From a file, a folder or a pattern to a :class:`Clip`."""

import glob
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image, ImageSequence
from torch import Tensor

from impasto import images
from impasto.errors import ImageError, VideoError
from impasto.files import is_file, is_folder
from impasto.images.folder import ENDINGS
from impasto.libraries import library, reason, understood
from impasto.videos.clip import MAX_FRAMES, VIDEOS, Clip, cuts, grid_of

RATE = Fraction(25)
"""Frames per second of pictures that say nothing of time."""

_PILLOW = (".webp", ".png", ".apng")  # moving pictures that libav does not read, or not with their times
_FILMS = (".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi")
_BRIGHT = {16: "PQ", 18: "HLG"}  # transfer functions of ITU-R BT.2100
_HIGH = 720  # rows from which players take unlabeled colors for those of high definition


def read(source: str | Path, rate: Fraction | float | None = None) -> Clip:
    """The video in a file, a folder of frames, or a pattern such as ``frames/*.png``.

    Every frame is decoded once, for only that tells how many there are, when they are shown, and where shots begin.

    Args:
        source: where it is. Frames of a folder or a pattern are taken in the order of the numbers in their names.
        rate: frames per second of a folder or a pattern; 25 unless given.

    Raises:
        VideoError: if it cannot be read, has no frame, or frames of several sizes.
        SettingsError: if a rate is given for a file, which has its own.
        MissingExtraError: if PyAV is not installed.
    """
    path = Path(source)
    if is_folder(path) or (not is_file(path) and re.search(r"[*?\[]", str(source))):
        return _stills(path, str(source), RATE if rate is None else Fraction(rate).limit_denominator(1001))
    if rate is not None:
        raise VideoError(f"{path} says itself when its frames are shown; leave the rate out.")
    sha256 = VIDEOS.sha256(path)
    if path.suffix.lower() in _PILLOW:
        return _animation(path, sha256)
    return _film(path, sha256)


def is_video(source: str | Path) -> bool:
    """Whether a name is that of a video: of a file that is no still picture, of a folder, or a pattern of several files."""
    path = Path(source)
    if not is_file(path):
        return is_folder(path) or len(_named(str(source))) > 1
    if path.suffix.lower() not in (*_PILLOW, ".gif"):
        return path.suffix.lower() in _FILMS
    try:
        with Image.open(path) as picture:
            return bool(getattr(picture, "is_animated", False))
    except OSError:
        return False


# Films: containers that libav knows


@dataclass(frozen=True, eq=False, kw_only=True)
class Film(Clip):
    """A file that libav decodes."""

    def decoded(self, first: int = 0) -> Iterator[Tensor]:
        """One after the other from the beginning of the file, for seeking is not exact in all of them."""
        av = library("av", "A video", "video")
        with av.open(str(self.path)) as container:
            for index, frame in enumerate(_decoding(container)):
                if index >= len(self):
                    return
                if index >= first:
                    yield upright(frame)


def upright(frame: Any) -> Tensor:
    """A decoded frame as it is shown, on white, but for the proportions of its pixels: (1, 3, H, W) in [0, 1]."""
    unlabeled = frame.colorspace in (0, 2)
    colors = {"src_colorspace": "ITU709"} if unlabeled and frame.height >= _HIGH else {}
    seen_through = any(part.is_alpha for part in frame.format.components)
    values = torch.from_numpy(frame.reformat(format="rgba" if seen_through else "rgb24", **colors).to_ndarray())
    pixels = values.permute(2, 0, 1)[None].float() / 255
    if seen_through:
        pixels = torch.lerp(torch.ones_like(pixels[:, :3]), pixels[:, :3], pixels[:, 3:])
    return torch.rot90(pixels, round(frame.rotation / 90) % 4, (2, 3)).contiguous()


def _decoding(container: Any) -> Iterator[Any]:
    """The frames of a container's first stream of pictures, as far as they can be decoded."""
    stream = next(stream for stream in container.streams.video if not _is_cover(stream))
    stream.thread_type = "AUTO"
    yield from container.decode(stream)


def _is_cover(stream: Any) -> bool:
    """Whether a stream is the cover of a sound file."""
    return "attached_pic" in str(getattr(stream, "disposition", "")).lower()


@dataclass
class _Scan:
    """What is found out of a film while its frames are decoded once."""

    path: Path
    usual: Fraction
    times: list[Fraction] = field(default_factory=list)
    grids: list[Tensor] = field(default_factory=list)
    size: tuple[int, int] = (0, 0)
    rotation: int = 0
    transfer: int = 0
    bits: int = 8
    last: Fraction = Fraction(0)
    damage: str = ""

    def see(self, frame: Any) -> None:
        """The next frame."""
        count = len(self.times)
        if not count:
            self.size, self.rotation = (frame.height, frame.width), round(frame.rotation / 90) % 4
            self.transfer, self.bits = int(getattr(frame, "color_trc", 0) or 0), frame.format.components[0].bits
        if (frame.height, frame.width) != self.size:
            raise VideoError(
                f"Frame {count + 1} of {self.path} has {frame.width} x {frame.height} pixels and the frames before "
                f"{self.size[1]} x {self.size[0]}; cut the video there and paint the parts."
            )
        if count == MAX_FRAMES:
            raise VideoError(f"{self.path} has more than {MAX_FRAMES} frames; cut it into parts.")
        self.last = _duration(frame, self.usual)
        self.times.append(_shown(frame, self.times, self.usual))
        self.grids.append(grid_of(_tiny(frame)))

    @property
    def notes(self) -> Iterator[str]:
        """Sentences on what was found and not used."""
        if self.damage:
            yield f"{self.path.name} is damaged after frame {len(self.times)} ({self.damage}); what comes before was painted."
        if self.transfer in _BRIGHT:
            yield (
                f"{self.path.name} has high dynamic range ({_BRIGHT[self.transfer]}); its samples are painted as if it had "
                "not, so it looks dull. Convert it to standard range first for its true colors."
            )
        elif self.bits > 8:
            yield f"{self.path.name} has {self.bits} bits per sample; the painted video has 8."


def _film(path: Path, sha256: str) -> Clip:
    av = library("av", "A video", "video")
    try:
        with av.open(str(path)) as container:
            _check_kind(path, container)
            stream = next(stream for stream in container.streams.video if not _is_cover(stream))
            ratio = stream.sample_aspect_ratio or stream.codec_context.sample_aspect_ratio or Fraction(1)
            sound = bool(container.streams.audio)
            found = _scanned(container, _Scan(path, stream.average_rate or RATE))
    except av.error.FFmpegError as error:
        raise VideoError(
            f"{path} cannot be read as a video ({reason(error)}); give an mp4, mov, mkv, webm or gif."
        ) from None
    if not found.times:
        raise VideoError(f"{path} has no frame that can be decoded; give a whole video.")
    height, width = found.size[0], max(1, round(found.size[1] * ratio))
    start = found.times[0]
    return Film(
        path=path,
        name=path.name,
        sha256=sha256,
        shape=(width, height) if found.rotation % 2 else (height, width),
        times=tuple(time - start for time in found.times),
        end=found.times[-1] - start + found.last,
        shots=cuts(found.grids),
        start=start,
        sound=sound,
        notes=tuple(found.notes),
    )


def _check_kind(path: Path, container: Any) -> None:
    if all(_is_cover(stream) for stream in container.streams.video):
        raise VideoError(f"{path} has no pictures; give a video.")
    if container.format.name.endswith("_pipe") or container.format.name == "image2":
        raise VideoError(f"{path} is a single picture and no video; use impasto stylize, or give a video.")


def _scanned(container: Any, scan: _Scan) -> _Scan:
    """What all frames say, up to the first that cannot be decoded."""
    av = library("av", "A video", "video")
    try:
        for frame in _decoding(container):
            scan.see(frame)
    except av.error.FFmpegError as error:
        if not scan.times:
            raise
        scan.damage = reason(error)
    return scan


def _shown(frame: Any, times: list[Fraction], usual: Fraction) -> Fraction:
    """When a frame is shown; where the file does not say it, or goes back, a frame's time after the one before."""
    following = times[-1] + 1 / usual if times else Fraction(0)
    if frame.pts is None or frame.time_base is None:
        return following
    at = frame.pts * frame.time_base
    return at if not times or at > times[-1] else following


def _duration(frame: Any, usual: Fraction) -> Fraction:
    length = (frame.duration or 0) * (frame.time_base or 0)
    return Fraction(length) if length else 1 / usual


def _tiny(frame: Any) -> Tensor:
    values = torch.from_numpy(frame.reformat(width=64, height=36, format="rgb24", interpolation="AREA").to_ndarray())
    return values.permute(2, 0, 1)[None].float() / 255


# Moving pictures that Pillow knows


@dataclass(frozen=True, eq=False, kw_only=True)
class Animation(Clip):
    """An animated WebP or PNG."""

    def decoded(self, first: int = 0) -> Iterator[Tensor]:
        """One after the other: later frames are painted over earlier ones."""
        with Image.open(self.path) as picture:
            for index, frame in enumerate(ImageSequence.Iterator(picture)):
                if index >= len(self):
                    return
                if index >= first:
                    yield _of_pillow(frame)


def _of_pillow(frame: Image.Image) -> Tensor:
    """On white, where it is transparent."""
    shown = frame.convert("RGBA")
    white = Image.new("RGBA", shown.size, "white")
    white.alpha_composite(shown)
    return torch.from_numpy(np.array(white.convert("RGB"))).permute(2, 0, 1)[None].float() / 255


def _animation(path: Path, sha256: str) -> Clip:
    times: list[Fraction] = []
    grids: list[Tensor] = []
    at = Fraction(0)
    with (
        understood(VideoError, f"{path} cannot be read as a moving picture", "write it again"),
        Image.open(path) as picture,
    ):
        shape = (picture.height, picture.width)
        for frame in ImageSequence.Iterator(picture):
            if len(times) == MAX_FRAMES:
                raise VideoError(f"{path} has more than {MAX_FRAMES} frames; cut it into parts.")
            times.append(at)
            grids.append(grid_of(_of_pillow(frame)))
            length = frame.info.get("duration") or 1000 / RATE
            at += Fraction(length).limit_denominator(1000) / 1000
    if len(times) < 2:
        raise VideoError(f"{path} is a single picture and no video; use impasto stylize, or give a video.")
    return Animation(
        path=path, name=path.name, sha256=sha256, shape=shape, times=tuple(times), end=at, shots=cuts(grids)
    )


# Folders and patterns of pictures


@dataclass(frozen=True, eq=False, kw_only=True)
class Stills(Clip):
    """Pictures, one a frame."""

    files: tuple[Path, ...]

    def decoded(self, first: int = 0) -> Iterator[Tensor]:
        """Each from its own file."""
        for file in self.files[first:]:
            yield _still(file)


def _still(file: Path) -> Tensor:
    try:
        return images.read(file).pixels
    except ImageError as error:
        raise VideoError(str(error)) from None


def _stills(path: Path, source: str, rate: Fraction) -> Clip:
    if rate <= 0:
        raise VideoError(f"A rate of {float(rate):g} frames per second was given; give one above 0, such as 25.")
    names = path.iterdir() if is_folder(path) else _named(source)
    files = sorted((file for file in names if file.suffix.lower() in ENDINGS and is_file(file)), key=natural)
    if not files:
        raise VideoError(f"{source} has no pictures; give a folder or a pattern of frames, or a video.")
    digest, small, shape = hashlib.sha256(), [], None
    for file in files:
        digest.update(images.hash_file(file).encode())
        frame = _still(file)
        if shape not in (None, tuple(frame.shape[2:])):
            raise VideoError(
                f"{file} has {frame.shape[3]} x {frame.shape[2]} pixels and the frames before {shape[1]} x {shape[0]}; "
                "give frames of one size."
            )
        shape = (frame.shape[2], frame.shape[3])
        small.append(grid_of(frame))
    assert shape is not None
    return Stills(
        path=path,
        name=path.name,
        sha256=digest.hexdigest(),
        shape=shape,
        times=tuple(index / rate for index in range(len(files))),
        end=len(files) / rate,
        shots=cuts(small),
        files=tuple(files),
    )


def _named(pattern: str) -> list[Path]:
    """The files that a pattern names, absolute or not."""
    return [Path(name) for name in glob.glob(pattern)]  # noqa: PTH207


def natural(file: Path) -> list[tuple[int, int, str]]:
    """A key by which names are ordered as people count.

    >>> sorted([Path("b10.png"), Path("b9.png"), Path("a11.png")], key=natural)
    [PosixPath('a11.png'), PosixPath('b9.png'), PosixPath('b10.png')]
    """
    return [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in re.split(r"(\d+)", file.name) if part]
