"""The process in which cases are tried, so that one that kills it is known and the campaign goes on.

Its arguments are a folder and the media to come. When it has imported them it says ``{}``. It is told cases on standard
input, ``MEDIUM SEED INDEX`` a line, and answers each with a line of JSON. What the package says
on the streams meanwhile is caught, for a room that reads and writes files has nothing to say there.
"""

import json
import os
import resource
import shutil
import signal
import sys
import time
import traceback
import warnings
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TextIO

from cases import MEGABYTE, Medium, Odd, digest_of, generator
from kinds import medium

from impasto.errors import ImpastoError

ADDRESSES = 12_000 * MEGABYTE
"""What the process may map: a wild allocation fails instead of taking the machine down."""


@dataclass
class Answer:
    """What came of a case.

    Args:
        outcome: one of the words of :mod:`cases`, or ``fault``.
        fault: which property did not hold, and how.
        story: what was done to the input.
        seconds: of the processor.
        memory: bytes that the process grew by at most.
    """

    outcome: str
    fault: str = ""
    story: str = ""
    seconds: float = 0.0
    memory: int = 0


def lay(odd: Odd, folder: Path) -> Path:
    """Write the files of a case, and beside them others that are nobody's business."""
    inputs, theirs = folder / "in", folder / "theirs"
    inputs.mkdir(parents=True)
    (folder / "out").mkdir()
    for name, data in odd.files.items():
        (inputs / name).parent.mkdir(parents=True, exist_ok=True)
        (inputs / name).write_bytes(data)
    (theirs / "result_files").mkdir(parents=True)
    (theirs / "result_files" / "page.html").write_text("a saved page")
    (theirs / ".hidden").write_bytes(b"\0\1")
    (theirs / "link").symlink_to("nowhere")
    return inputs / odd.entry


def peak() -> int:
    """The most memory that the process has had since :func:`forget_peak`, in bytes."""
    try:
        lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) * 1024
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def forget_peak() -> None:
    """Begin to measure anew, where the system can."""
    try:
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    except OSError:
        return


def judged(kind: Medium, odd: Odd, folder: Path, chance: Any, said: TextIO) -> Answer:
    """Try one case and hold every property against it."""
    path = lay(odd, folder)
    before, story = digest_of(folder / "in") | digest_of(folder / "theirs"), "; ".join(odd.story)
    said.seek(0)
    said.truncate()
    forget_peak()
    base, began = peak(), time.process_time()
    try:
        answer = Answer(kind.attempt(odd, path, folder / "out", chance))
    except (Exception, SystemExit, KeyboardInterrupt) as error:  # noqa: BLE001 - any at all is what is looked for
        late = "refused too late: " if isinstance(error, ImpastoError) else ""
        answer = Answer("fault", late + "".join(traceback.format_exception(error))[-3000:])
    answer.seconds, answer.memory, answer.story = time.process_time() - began, peak() - base, story
    sys.stdout.flush()
    sys.stderr.flush()
    if answer.outcome == "fault":
        return answer
    said.seek(0)
    words = said.read(4000)
    after = digest_of(folder / "in") | digest_of(folder / "theirs")
    troubles = {
        f"said: {words}": bool(words) and not odd.words,
        f"grew by {answer.memory // MEGABYTE} MB": answer.memory > kind.memory,
        f"touched: {sorted(set(before.items()) ^ set(after.items()))}"[:1500]: before != after,
    }
    answer.fault = "; ".join(text for text, holds in troubles.items() if holds)
    return Answer(**{**asdict(answer), "outcome": "fault" if answer.fault else answer.outcome})


def serve(scratch: Path, names: Sequence[str]) -> None:
    """Answer until there is nothing more to try."""
    answers, questions = os.fdopen(os.dup(1), "w"), os.fdopen(os.dup(0))
    with (scratch / "said").open("w+", errors="replace") as said:
        os.dup2(said.fileno(), 1)
        os.dup2(said.fileno(), 2)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        resource.setrlimit(resource.RLIMIT_AS, (ADDRESSES, ADDRESSES))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        signal.signal(signal.SIGINT, signal.default_int_handler)  # background shells ignore it, and hand that down
        warnings.simplefilter("always")
        for quiet in (DeprecationWarning, PendingDeprecationWarning, ImportWarning, ResourceWarning):
            warnings.simplefilter("ignore", quiet)  # which nobody who runs the command sees
        for name in names:
            medium(name)
        print("{}", file=answers, flush=True)
        for line in questions:
            name, seed, index = line.split()
            folder = scratch / f"case{index}"
            odd = medium(name).make(generator(name, int(seed), int(index), "make"))
            answer = judged(medium(name), odd, folder, generator(name, int(seed), int(index), "attempt"), said)
            print(json.dumps(asdict(answer)), file=answers, flush=True)
            os.chdir(scratch)
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    serve(Path(sys.argv[1]), sys.argv[2:])
