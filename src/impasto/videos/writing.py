"""From painted frames to a video: encoded, with the times and the sound of the clip that they are of."""

import heapq
import json
import math
import os
import secrets
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import chain, islice, pairwise
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from impasto.errors import SettingsError, VideoError
from impasto.files import not_written, try_place, whole_file, whole_folder, wordless
from impasto.libraries import library, reason, usual_priority
from impasto.videos.clip import VIDEOS, Clip, Keyframes
from impasto.videos.frames import to_levels

Pixels = NDArray[np.uint8]
"""A frame, (H, W, 3)."""

CODECS = {"h264": "libx264", "hevc": "libx265", "av1": "libsvtav1", "vp9": "libvpx-vp9"}
"""Codecs by the word for them, and who encodes them."""

_CONTAINERS = {
    # by ending: libav's name, codecs (the first is usual), and the codec of sound that cannot be copied
    ".mp4": ("mp4", ("h264", "hevc", "av1"), "aac"),
    ".m4v": ("mp4", ("h264", "hevc"), "aac"),
    ".mov": ("mov", ("h264", "hevc"), "aac"),
    ".mkv": ("matroska", ("h264", "hevc", "av1", "vp9"), "libopus"),
    ".webm": ("webm", ("vp9", "av1"), "libopus"),
}
_PILLOW = {".gif": "GIF", ".webp": "WEBP", ".png": "PNG", ".apng": "PNG"}
SUFFIXES = (*_CONTAINERS, *_PILLOW)
"""Endings of the names of videos that can be written; a name without one is that of a folder of frames."""

QUALITY = 90
"""Of 100, unless asked for otherwise: brush strokes and no artifacts."""

_SAID = "recipe.json"  # in a folder of frames
_PALETTE = 24  # frames that the colors of a GIF are chosen from
_TRIAL = 3  # frames that are encoded to see whether it can be done
_FINEST = 90_000  # units of time in a second, at most
_BT709 = 1  # the number of its colors, in libav
_QUANTIZERS = {"libx264": (51, 12), "libx265": (51, 14), "libsvtav1": (63, 18), "libvpx-vp9": (63, 15)}
"""At quality 0 and at 100; at 90 differences stop to be seen."""
_SPEEDS = {
    "libx264": {"preset": "medium"},
    "libx265": {"preset": "medium", "x265-params": "log-level=error"},
    "libsvtav1": {"preset": "6"},
    "libvpx-vp9": {"deadline": "good", "cpu-used": "2", "row-mt": "1"},
}


@dataclass(frozen=True, eq=False)
class Painted:
    """The painted frames of a clip: all of them, or the first ones.

    Args:
        like: the clip whose times and sound the video has.
        count: how many there are.
        frame: gives one by its number, (H, W, 3).
    """

    like: Clip
    count: int
    frame: Callable[[int], Pixels]

    def frames(self) -> Iterator[Pixels]:
        """One after the other."""
        return map(self.frame, range(self.count))

    @cached_property
    def shape(self) -> tuple[int, int]:
        """Height and width."""
        height, width = self.frame(0).shape[:2]
        return height, width

    @cached_property
    def spans(self) -> tuple[tuple[Fraction, Fraction], ...]:
        """When each is shown, and until when."""
        return tuple(pairwise((*self.like.times, self.like.end)))[: self.count]


def write(
    path: Path,
    painted: Painted,
    *,
    recipe: Mapping[str, Any] | None = None,
    codec: str | None = None,
    quality: int | None = None,
    sound: bool = True,
) -> tuple[str, ...]:
    """Write painted frames as a video; a file that is there is replaced as a whole or not at all.

    Args:
        path: a name that ends in one of SUFFIXES; one without an ending is a folder of PNG files.
        painted: the frames, of one size with even sides.
        recipe: how it was made.
        codec: one of CODECS that the container can hold; its usual one unless given.
        quality: 1 to 100, of codecs that lose something; 90 unless given.
        sound: whether the sound is taken along: copied, or encoded again where the container cannot hold it.

    Returns:
        Sentences on what it has no room for.

    Raises:
        VideoError: if it cannot be written.
        SettingsError: for a codec or a quality that cannot be had.
    """
    check_name(path, codec, quality)
    suffix, said = path.suffix.lower(), json.dumps(dict(recipe)) if recipe else ""
    try:
        if suffix in _CONTAINERS:
            return _write_whole(path, painted, said, codec, QUALITY if quality is None else quality, sound=sound)
        if not suffix:
            _write_folder(path, painted, said)
        else:
            with whole_file(path) as stream:
                _write_pillow(stream, painted, _PILLOW[suffix], said)
    except OSError as error:
        raise VideoError(not_written(path, error)) from error
    return (f"{path.name} has no sound: such a file holds none.",) if painted.like.sound and sound else ()


def check_name(path: Path, codec: str | None = None, quality: int | None = None) -> None:
    """Refuse a name, codec or quality that cannot be had, before anything is read.

    Raises:
        VideoError: for the name.
        SettingsError: for the codec or the quality.
    """
    suffix = path.suffix.lower()
    if suffix and suffix not in SUFFIXES:
        raise VideoError(f"{path.name} does not end like a video; choose one of {', '.join(SUFFIXES)}.")
    if suffix in _CONTAINERS:
        _, allowed, _ = _CONTAINERS[suffix]
        if codec is not None and codec not in allowed:
            raise SettingsError(f"A {suffix} file holds {', '.join(allowed)} here, not {codec}; choose one of them.")
    elif codec is not None or quality is not None:
        what = "codec" if codec is not None else "quality"
        raise SettingsError(f"The {what} cannot take effect in {path.name}; leave it out, or choose .mp4.")
    if quality is not None and not 1 <= quality <= 100:
        raise SettingsError(f"The quality is {quality}; give 1 to 100.")
    if suffix:
        VIDEOS.replace(path, None)
    else:
        _check_folder(path)


def _check_folder(path: Path) -> None:
    """A folder of frames is new, empty, or one that was written here: nobody misses it if it is replaced."""
    VIDEOS.check_name(path)
    if not os.path.lexists(path):
        try:
            try_place(path)
        except OSError as error:
            raise VideoError(not_written(path, error)) from error
        return
    ours = path.is_dir() and not path.is_symlink()
    if ours and any(path.iterdir()):
        try:
            ours = "impasto" in json.loads((path / _SAID).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            ours = False
    if not ours:
        raise VideoError(
            f"{path} is there already and is no folder of frames that impasto made; choose another name, or one that ends "
            "like a video, in .mp4."
        )


def check_writable(path: Path, like: Clip, shape: tuple[int, int], **storage: Any) -> tuple[str, ...]:
    """Raise now what :func:`write` would raise: a few frames are written beside the file, with sound and recipe.

    Returns:
        What it would.

    Raises:
        VideoError: as there.
    """
    trial = path.with_name(f".impasto-{secrets.token_hex(8)}{path.suffix}")
    gray = Painted(like, min(_TRIAL, len(like)), lambda index: np.full((*shape, 3), 64 * (index + 1), np.uint8))
    try:
        notes = write(trial, gray, **storage)
    except VideoError as error:
        raise VideoError(str(error).replace(str(trial), str(path))) from None
    finally:
        if trial.is_dir():
            shutil.rmtree(trial, ignore_errors=True)
        trial.unlink(missing_ok=True)
    return tuple(note.replace(trial.name, path.name) for note in notes)


def read_recipe(path: Path) -> dict[str, Any] | None:
    """How the video in a file says that it was made, or None.

    Raises:
        VideoError: if it cannot be read.
    """
    if path.is_dir():
        return _recipe((path / _SAID).read_text(encoding="utf-8")) if (path / _SAID).is_file() else None
    if path.suffix.lower() in _PILLOW:
        return _recipe(_said_by_pillow(path))
    av = library("av", "A video", "video")
    try:
        with av.open(str(path)) as container:
            return _recipe(str(container.metadata.get("comment") or container.metadata.get("COMMENT") or ""))
    except av.error.FFmpegError as error:
        raise VideoError(f"{path} cannot be read as a video ({reason(error)}); give one.") from None


def _recipe(text: str) -> dict[str, Any] | None:
    try:
        found = json.loads(text)
    except ValueError:
        return None
    return found if isinstance(found, dict) and "impasto" in found else None


def _said_by_pillow(path: Path) -> str:
    """The comment of a moving picture; "" if there is none, or it is a picture of another kind."""
    try:
        with Image.open(path) as picture:
            found = picture.info.get("comment") or picture.info.get("xmp") or ""
    except OSError:
        return ""
    return found.decode(errors="replace") if isinstance(found, bytes) else str(found)


# Containers of libav


def _write_whole(
    path: Path, painted: Painted, said: str, codec: str | None, quality: int, *, sound: bool
) -> tuple[str, ...]:
    """A film under another name, for libav wants to read it again at the end, and then in the file's place."""
    beside = path.with_name(f".impasto-{secrets.token_hex(8)}{path.suffix}")
    try:
        notes = _write_film(beside, painted, said, codec, quality, sound=sound)
        with whole_file(path) as stream, beside.open("rb") as made:
            shutil.copyfileobj(made, stream)
    except VideoError as error:
        raise VideoError(str(error).replace(str(beside), str(path))) from None
    finally:
        beside.unlink(missing_ok=True)
    return notes


def _write_film(
    path: Path, painted: Painted, said: str, codec: str | None, quality: int, *, sound: bool
) -> tuple[str, ...]:
    av = library("av", "A video", "video")
    kind, allowed, instead = _CONTAINERS[path.suffix.lower()]
    options = {"fflags": "+bitexact"}  # else some say when they were made, or draw a number
    if kind in ("mp4", "mov"):
        options["movflags"] = "+faststart+use_metadata_tags"
    with wordless(), ExitStack() as stack:  # some encoders say on standard error what they are
        try:
            output = stack.enter_context(av.open(str(path), "w", format=kind, container_options=options))
            if said:
                output.metadata["comment"] = said
            tracks = [_pictures(output, CODECS[codec or allowed[0]], painted, quality)]
            notes: tuple[str, ...] = ()
            if painted.like.sound and sound:
                source = stack.enter_context(av.open(str(painted.like.path)))
                heard = source.streams.audio[0]
                copied = heard.codec_context.name in output.supported_codecs
                tracks.append((_copied if copied else _encoded_again)(output, source, heard, painted, instead))
                notes = () if copied else (f"The sound was encoded again, as {instead}, which {path.suffix} can hold.",)
            for packet in heapq.merge(*tracks, key=_begins):  # so that the muxer need not wait for the other track
                output.mux(packet)
        except av.error.FFmpegError as error:
            raise VideoError(f"{path} cannot be encoded ({reason(error)}); choose another format.") from error
    return notes


def _begins(packet: Any) -> float:
    at = packet.pts if packet.dts is None else packet.dts
    return -math.inf if at is None else float(at * packet.time_base)


def _pictures(output: Any, encoder: str, painted: Painted, quality: int) -> Iterator[Any]:
    """The packets of the pictures."""
    av = library("av", "A video", "video")
    base = _time_base(painted.like.times)
    stream = output.add_stream(encoder, rate=painted.like.rate.limit_denominator(1001))
    height, width = painted.shape
    stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
    coder = stream.codec_context
    coder.time_base = stream.time_base = base
    worst, best = _QUANTIZERS[encoder]
    quantizer = str(round(worst + (best - worst) * quality / 100))
    coder.options = {"crf": quantizer, **_SPEEDS[encoder]}
    coder.color_primaries = coder.color_trc = coder.colorspace = _BT709
    coder.color_range = 1  # of broadcasts: 16 to 235
    with usual_priority():
        coder.open()

    def packets() -> Iterator[Any]:
        for pixels, (begin, end) in zip(painted.frames(), painted.spans, strict=True):
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24").reformat(
                format="yuv420p", dst_colorspace="ITU709", dst_color_range="MPEG"
            )
            frame.time_base, frame.pts = base, round(begin / base)
            frame.duration = max(1, round(end / base) - frame.pts)
            yield from stream.encode(frame)
        yield from stream.encode(None)

    return packets()


def _time_base(times: Sequence[Fraction]) -> Fraction:
    """A unit in which all times are whole, if there is a fair one."""
    common = math.lcm(*(time.denominator for time in times))
    return Fraction(1, common) if common <= _FINEST else Fraction(1, _FINEST)


def _copied(output: Any, source: Any, heard: Any, painted: Painted, instead: str) -> Iterator[Any]:  # noqa: ARG001
    """The packets of the sound as they are, as long as there are pictures."""
    stream = output.add_stream_from_template(heard)

    def packets() -> Iterator[Any]:
        for packet in source.demux(heard):
            if packet.dts is None:
                continue
            shift = round(painted.like.start / packet.time_base)
            packet.pts, packet.dts = packet.pts - shift, packet.dts - shift
            if packet.pts * packet.time_base >= painted.spans[-1][1]:
                break
            packet.stream = stream
            yield packet

    return packets()


def _encoded_again(output: Any, source: Any, heard: Any, painted: Painted, instead: str) -> Iterator[Any]:
    """The packets of the sound in another codec."""
    av = library("av", "A video", "video")
    stream = output.add_stream(instead, rate=48_000)
    stream.layout = "stereo" if heard.codec_context.channels > 1 else "mono"
    sampler = av.AudioResampler(format=stream.format, layout=stream.layout, rate=48_000)

    def packets() -> Iterator[Any]:
        first, count = None, 0
        end = painted.spans[-1][1]
        for frame in chain(source.decode(heard), (None,)):
            if frame is not None and first is None and frame.pts is not None:
                first = frame.pts * frame.time_base - painted.like.start
            if frame is not None:
                frame.pts = None
            for part in sampler.resample(frame):
                part.time_base = Fraction(1, 48_000)
                part.pts = round((first or 0) * 48_000) + count
                count += part.samples
                if part.pts >= end * 48_000:
                    break
                yield from stream.encode(part)
        yield from stream.encode(None)

    return packets()


# Moving pictures of Pillow, and folders


@dataclass(frozen=True)
class _Pictures:
    """All frames but the first as Pillow's pictures; anew every time, for Pillow goes through them more than once."""

    painted: Painted
    made: Callable[[Image.Image], Image.Image]

    def __iter__(self) -> Iterator[Image.Image]:
        return map(self.made, map(Image.fromarray, islice(self.painted.frames(), 1, None)))


def _write_pillow(stream: BinaryIO, painted: Painted, kind: str, said: str) -> None:
    made = _quantizer(painted) if kind == "GIF" else Image.Image.copy
    lengths = [max(20, round(float(end - begin) * 1000)) for begin, end in painted.spans]
    options: dict[str, Any] = {"comment": said.encode()} if kind == "GIF" else {"quality": 90, "xmp": said.encode()}
    if kind == "PNG":
        options = {"pnginfo": PngInfo()}
        options["pnginfo"].add_text("comment", said)
    first, rest = made(Image.fromarray(painted.frame(0))), _Pictures(painted, made)
    first.save(stream, kind, save_all=True, append_images=rest, duration=lengths, loop=0, **options)


def _quantizer(painted: Painted) -> Callable[[Image.Image], Image.Image]:
    """Brings pictures to 256 colors, the same for all: else flat parts would flicker."""
    step = max(1, len(painted.spans) // _PALETTE)
    some = np.concatenate([pixels[::2, ::2] for pixels in islice(painted.frames(), 0, None, step)])
    palette = Image.fromarray(some).quantize(256, Image.Quantize.MEDIANCUT)
    return lambda picture: picture.quantize(palette=palette, dither=Image.Dither.FLOYDSTEINBERG)


def _write_folder(path: Path, painted: Painted, said: str) -> None:
    """Frames by their numbers; keyframes as EbSynth wants them, in ``keys``, with the clip's frames in ``frames``."""
    with whole_folder(path) as folder:
        (folder / _SAID).write_text(said or json.dumps({"impasto": ""}), encoding="utf-8")
        like = painted.like
        if not isinstance(like, Keyframes):
            _write_numbered(folder, range(painted.count), painted.frames())
            return
        for name in ("keys", "frames"):
            (folder / name).mkdir()
        _write_numbered(folder / "keys", like.numbers, painted.frames())
        _write_numbered(folder / "frames", range(len(like.whole)), map(to_levels, like.whole.frames(painted.shape)))


def _write_numbered(folder: Path, numbers: Iterable[int], frames: Iterable[Pixels]) -> None:
    for number, pixels in zip(numbers, frames, strict=False):
        Image.fromarray(pixels).save(folder / f"{number:06d}.png")
