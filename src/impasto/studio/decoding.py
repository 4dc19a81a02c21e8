"""What strangers upload is decoded in processes of its own, which may crash, hang or run out of memory.

The server talks to them in lines of JSON and counted bytes, so that nothing of theirs is ever executed in it. They stay
warm, for starting one takes seconds.
"""

import json
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, ClassVar

from impasto.errors import ImageError
from impasto.studio.confinement import Confinement

_START_SECONDS = 120.0  # a busy machine may take so long to import what decodes
_LINE, _REPLY = 1 << 16, 256 << 20  # bytes that a line and the pictures of a reply may have
_SECRETS = ("IMPASTO_STUDIO_KEY", "IMPASTO_DATABASE")
_FEW_THREADS = {"MALLOC_ARENA_MAX": "1", "VIPS_CONCURRENCY": "1", "OMP_NUM_THREADS": "1"}  # each reserves addresses


@dataclass(frozen=True)
class Copies:
    """JPEGs of a picture, and the picture's own height and width."""

    jpegs: tuple[bytes, ...]
    shape: tuple[int, int]


Decode = Callable[[Path, Sequence[int], int], Copies]
"""From a file, the long sides of copies and the most pixels to these copies; ImageError if it is no such picture."""


class DecoderPool:
    """Makes copies of pictures in processes apart, a few at a time.

    Args:
        limits: what one picture may cost.
        program: the code of such a process, which ends in a call of :func:`serve`.
        processes: how many there may be.
    """

    USUAL: ClassVar[str] = (
        "import impasto.images.thumbnails; from impasto.studio.decoding import decoded, serve; serve(decoded)"
    )

    def __init__(self, limits: Confinement, program: str = USUAL, processes: int = 2) -> None:
        self._limits = limits
        self._program = program
        self._closed = False
        self._free: queue.LifoQueue[_Process | None] = queue.LifoQueue()
        for _ in range(processes):
            self._free.put(None)

    def copies(self, picture: Path, sides: Sequence[int], max_pixels: int) -> Copies:
        """JPEGs of a picture with at most so many pixels along their long sides, each made from the one before.

        Raises:
            ImageError: if it is no picture, has too many pixels, or costs more than it may.
        """
        process = self._free.get()
        try:
            process = self._living(process)
            return process.ask(picture, sides, max_pixels)
        finally:
            self._give_back(process)

    def warm(self) -> None:
        """Start a process, so that the first picture need not wait for it."""
        process = self._free.get()
        try:
            if not self._closed:
                process = self._living(process)
        except ImageError:
            pass  # the first picture will say so
        finally:
            self._give_back(process)

    def close(self) -> None:
        """End the processes; those at work end with their picture."""
        self._closed = True
        idle = []
        while not self._free.empty():
            idle.append(self._free.get())
        for process in idle:
            if process is not None:
                process.end()
            self._free.put(None)

    def _living(self, process: "_Process | None") -> "_Process":
        """The process, or another one for it."""
        if process is not None and process.lives:
            return process
        if process is not None:
            process.end()  # it has died, and its pipes are still there
        return _Process(self._program, self._limits)

    def _give_back(self, process: "_Process | None") -> None:
        if process is not None and not process.lives:
            process.end()
            process = None
        self._free.put(process)
        if self._closed:  # perhaps while this one was at work
            self.close()


class _Process:
    """One process that decodes, with a clock that ends it when it takes too long."""

    def __init__(self, program: str, limits: Confinement) -> None:
        self._limits = limits
        self._late = False
        surroundings = {name: value for name, value in os.environ.items() if name not in _SECRETS} | _FEW_THREADS
        self._process = subprocess.Popen(  # noqa: S603 - our own program
            [sys.executable, "-c", program, limits.words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=surroundings,
            start_new_session=True,  # the terminal's Ctrl-C is for the server
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._asks, self._answers = self._process.stdin, self._process.stdout
        if self._reply(_START_SECONDS) is None:
            self.end()
            raise ImageError("The program that reads pictures does not start; the studio's owner has to look at it.")

    @property
    def lives(self) -> bool:
        """Whether it can be asked."""
        return self._process.poll() is None

    def ask(self, picture: Path, sides: Sequence[int], max_pixels: int) -> Copies:
        """Have a picture decoded."""
        try:
            request = json.dumps({"picture": os.fspath(picture), "sides": list(sides), "max_pixels": max_pixels})
            self._asks.write(request.encode() + b"\n")
            self._asks.flush()
        except OSError:  # it has died
            reply = None
        else:
            reply = self._reply(self._limits.seconds)
        if reply is None:
            self.end()
            took = f"took longer than {self._limits.seconds:g} seconds to read"
            failed = "made the program that reads pictures fail, perhaps because it needs more memory than it may have"
            raise ImageError(f"The picture {took if self._late else failed}; save it again as a PNG or JPEG.")
        if isinstance(reply, Copies):
            return reply
        if reply.ends:
            self.end()
        raise ImageError(reply.sentence)

    def _reply(self, seconds: float) -> "Copies | _Refused | None":
        """What it answers; None if it dies, says nonsense, or takes too long."""
        clock = threading.Timer(seconds, self._give_up)
        clock.daemon = True
        clock.start()
        try:
            return _read(self._answers)
        except (ValueError, KeyError, TypeError, OSError):
            return None
        finally:
            clock.cancel()

    def _give_up(self) -> None:
        self._late = True
        self._process.kill()

    def end(self) -> None:
        """End it now."""
        self._process.kill()
        self._process.wait()
        for stream in (self._asks, self._answers):
            with suppress(OSError):  # what it was not told any more
                stream.close()


@dataclass(frozen=True)
class _Refused:
    """A picture that could not be read, and whether the process cannot go on."""

    sentence: str
    ends: bool


def _read(stream: IO[bytes]) -> Copies | _Refused | None:
    """One reply: a line of JSON, and the pictures whose lengths it says."""
    line = stream.readline(_LINE)
    if not line.endswith(b"\n"):
        return None
    said = json.loads(line)
    if "error" in said:
        return _Refused(str(said["error"]), bool(said["ends"]))
    sizes, (height, width) = [int(size) for size in said["sizes"]], said["shape"]
    if min(sizes, default=0) < 0 or sum(sizes) > _REPLY:
        return None
    jpegs = tuple(stream.read(size) for size in sizes)
    if [len(jpeg) for jpeg in jpegs] != sizes:
        return None
    return Copies(jpegs, (int(height), int(width)))


def serve(decode: Decode) -> None:
    """Decode what comes on standard input until it ends; what such a process runs.

    Its limits are its first argument. Whatever is printed on the way does not get between the answers.
    """
    limits = Confinement.of(sys.argv[1])
    with os.fdopen(os.dup(1), "wb") as answers:
        os.dup2(2, 1)
        limits.enter()
        _write(answers, {"sizes": [], "shape": [0, 0]})  # it is ready
        for line in sys.stdin.buffer:
            asked = json.loads(line)
            limits.begin(asked["max_pixels"])
            _write(answers, *_answer(decode, asked))


def _write(answers: IO[bytes], said: dict[str, object], jpegs: Sequence[bytes] = ()) -> None:
    answers.write(json.dumps(said).encode() + b"\n")
    answers.writelines(jpegs)
    answers.flush()


def _answer(decode: Decode, asked: dict[str, Any]) -> tuple[dict[str, object], Sequence[bytes]]:
    try:
        made = decode(Path(asked["picture"]), asked["sides"], asked["max_pixels"])
    except ImageError as error:
        return {"error": str(error), "ends": False}, ()
    except OSError as error:
        return {"error": f"The picture cannot be read ({error.strerror}); bring it again.", "ends": False}, ()
    except MemoryError:
        return {"error": "The picture needs more memory to read than it may have; make it smaller.", "ends": True}, ()
    return {"sizes": [len(jpeg) for jpeg in made.jpegs], "shape": made.shape}, made.jpegs


def decoded(picture: Path, sides: Sequence[int], max_pixels: int) -> Copies:
    """Decode a file in this process.

    Raises:
        ImageError: as :func:`impasto.images.read`.
    """
    from impasto.images.thumbnails import thumbnail  # noqa: PLC0415  # takes seconds, and only where decoding happens

    first = thumbnail(picture.read_bytes(), sides[0], max_pixels=max_pixels)
    jpegs = [first.jpeg]
    for side in sides[1:]:
        jpegs.append(thumbnail(jpegs[-1], side).jpeg)
    return Copies(tuple(jpegs), first.shape)
