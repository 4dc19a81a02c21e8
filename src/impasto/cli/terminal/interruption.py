"""Ctrl-C: the first asks a run to stop and keep its best picture, the second aborts it."""

import os
import signal
import threading
import time
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Any, Self

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interruption:
    """Watches SIGINT and SIGTERM while it is entered.

    Python hears signals in its main thread alone; elsewhere, as in a server that calls us, they are the program's own.
    Before there is a picture, and from the second signal on, a signal raises KeyboardInterrupt where the program is. What
    torchrun passes on of the first is not a second one.

    Args:
        announce: called at the first signal that is a request to stop.
        echo: seconds within which torchrun passes on a signal that its processes have had already.
    """

    def __init__(self, announce: Callable[[], None], echo: float = 2.0) -> None:
        self.announce = announce
        self.echo = echo
        self._asked = False
        self._since = 0.0
        self._picture = False
        self._unsaid = False
        self._before: dict[signal.Signals, Any] = {}

    @property
    def asked(self) -> bool:
        """Whether the run is to stop; what could not be announced when it was asked for, is now."""
        if self._unsaid:
            self._unsaid = False
            self.announce()
        return self._asked

    def expect_picture(self) -> None:
        """From now on there is a picture to keep."""
        self._picture = True

    def __enter__(self) -> Self:
        for number in _SIGNALS if threading.current_thread() is threading.main_thread() else ():
            before = signal.getsignal(number)
            if before is not signal.SIG_IGN:  # nohup and background shells ask for that
                self._before[number] = before
                signal.signal(number, self._receive)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, before in self._before.items():
            signal.signal(number, before)

    def _receive(self, _number: int, _frame: FrameType | None) -> None:
        if self._asked and "TORCHELASTIC_RUN_ID" in os.environ and time.monotonic() - self._since < self.echo:
            return
        if self._asked or not self._picture:
            raise KeyboardInterrupt
        self._asked, self._since = True, time.monotonic()
        try:
            self.announce()
        except RuntimeError:  # it came in the middle of a word on the same stream, where Python takes no other
            self._unsaid = True
