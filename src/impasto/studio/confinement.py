"""Limits that a process puts on itself, where the system knows such limits: memory and processor time."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

try:
    import resource
except ImportError:  # Windows
    resource = None  # type: ignore[assignment]

_SPARE = 512 << 20  # bytes that libraries need whatever they decode


@dataclass
class Confinement:
    """What one picture in a process may cost.

    Windows knows no such limits and macOS does not heed the one on memory; the time is kept everywhere, for whoever
    waits ends the process.

    Args:
        bytes_per_pixel: memory for every pixel that the picture may have, beside that which the process has already.
        seconds: of processor time, and until the answer.
    """

    bytes_per_pixel: int = 48
    seconds: float = 30.0

    def __post_init__(self) -> None:
        self._taken: int | None = None

    @property
    def words(self) -> str:
        """As an argument of a process."""
        return json.dumps(asdict(self))

    @classmethod
    def of(cls, words: str) -> "Confinement":
        """From an argument of a process."""
        return cls(**json.loads(words))

    def enter(self) -> None:
        """Remember what this process has, which is not counted; and let no crash leave a copy of it on the disk."""
        if resource is not None:
            self._taken = _taken()
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))

    def begin(self, pixels: int) -> None:
        """Begin with a picture of at most so many pixels: from here on this process may take no more than is due to it."""
        if resource is None:
            return
        used = resource.getrusage(resource.RUSAGE_SELF)
        _limit(resource.RLIMIT_CPU, int(used.ru_utime + used.ru_stime + self.seconds) + 1)
        if self._taken is not None:
            _limit(resource.RLIMIT_AS, self._taken + _SPARE + self.bytes_per_pixel * pixels)


def _limit(what: int, most: int) -> None:
    hard = resource.getrlimit(what)[1]
    resource.setrlimit(what, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))


def _taken() -> int | None:
    """Bytes of addresses that this process has, or None where the system does not say."""
    try:
        return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0]) * resource.getpagesize()
    except OSError:
        return None
