"""Odd files and command lines made from a seed, tried on impasto, with figures at the end.

    python tests/hostile/campaign.py --seed 7 --pictures 10000 --faults build/faults
    python tests/hostile/campaign.py --seed 7 --only pictures:1234
    python tests/hostile/campaign.py --again build/faults/pictures-7-1234

Each input that breaks a property is kept under the folder ``--faults`` with what was done to it and what came of it.
Exit code 0 if every property held.
"""

import argparse
import contextlib
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cases import Odd, generator
from kinds import NAMES
from kinds import medium as kind_of
from worker import judged

PATIENCE = 10.0
"""Seconds of the processor that one case may take."""
WALL = 90.0
"""Seconds after which a case that uses no processor hangs, too."""
_MOST = 1500  # cases before a worker is replaced
_TICKS = os.sysconf("SC_CLK_TCK")
_MB = 2**20


class Worker:
    """A process that tries cases; one that dies or hangs is replaced."""

    def __init__(self, scratch: Path, media: Sequence[str]) -> None:
        self.scratch = scratch
        self.media = media
        self.tried = 0
        self._process: subprocess.Popen[str] | None = None

    def ready(self) -> None:
        """Have a process that has imported everything, which takes long and is no case's fault."""
        if self._process is None or self.tried >= _MOST:
            self.close()
            self._process, self.tried = self._started(), 0
            self._answer(patience=600)

    def ask(self, medium: str, seed: int, index: int) -> dict[str, Any]:
        """What came of a case; a crash and a hang are answers too."""
        self.ready()
        self.tried += 1
        began = time.monotonic()
        answer = self._answer(f"{medium} {seed} {index}", patience=PATIENCE)
        return {"seconds": time.monotonic() - began, "memory": 0, "story": "", **answer}

    def close(self) -> None:
        """End the process."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None

    def _started(self) -> "subprocess.Popen[str]":
        shutil.rmtree(self.scratch, ignore_errors=True)
        self.scratch.mkdir(parents=True)
        words = [sys.executable, str(Path(__file__).with_name("worker.py")), str(self.scratch), *self.media]
        surroundings = {
            **os.environ,
            "OMP_NUM_THREADS": "1",
            "VIPS_CONCURRENCY": "1",
            "COLUMNS": "100",
            "PYTHONWARNINGS": "",
        }
        return subprocess.Popen(
            words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=surroundings, start_new_session=True
        )

    def _answer(self, question: str = "", *, patience: float) -> dict[str, Any]:
        process = self._process
        assert process is not None
        assert process.stdin is not None
        assert process.stdout is not None
        if question:
            process.stdin.write(f"{question}\n")
            process.stdin.flush()
        used, began = self._used(), time.monotonic()
        while not select.select([process.stdout], [], [], 0.25)[0]:
            if self._used() - used > 2 * patience or time.monotonic() - began > max(WALL, patience):
                self.close()
                return {"outcome": "fault", "fault": f"hangs: no answer after {time.monotonic() - began:.0f} s"}
        line = process.stdout.readline()
        if not line:
            code = process.wait()
            said = (self.scratch / "said").read_text(errors="replace")[-1500:]
            self.close()
            return {"outcome": "fault", "fault": f"the process died with exit code {code}: {said}"}
        return dict(json.loads(line))

    def _used(self) -> float:
        """Seconds of the processor so far."""
        assert self._process is not None
        try:
            fields = Path(f"/proc/{self._process.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        except OSError:
            return 0.0
        return (int(fields[11]) + int(fields[12])) / _TICKS


@dataclass
class Figures:
    """What is counted of one medium."""

    outcomes: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0
    slowest: tuple[float, str] = (0.0, "")
    largest: tuple[int, str] = (0, "")

    @property
    def tried(self) -> int:
        """How many cases."""
        return sum(self.outcomes.values())

    def add(self, case: str, answer: dict[str, Any]) -> None:
        """Count an answer."""
        self.outcomes[answer["outcome"]] = self.outcomes.get(answer["outcome"], 0) + 1
        self.seconds += answer["seconds"]
        what = f"{case} ({answer['story'][:100]})"
        self.slowest = max(self.slowest, (answer["seconds"], what))
        self.largest = max(self.largest, (answer["memory"], what))

    def line(self, medium: str) -> str:
        """The figures, for reading."""
        found = ", ".join(f"{count} {outcome}" for outcome, count in sorted(self.outcomes.items()))
        return (
            f"{medium}: {self.tried} tried, {found}; {self.seconds:.0f} s; slowest {self.slowest[0]:.2f} s: {self.slowest[1]}; "
            f"most memory {self.largest[0] / _MB:.0f} MB: {self.largest[1]}"
        )


def spread(amounts: dict[str, int]) -> Iterator[tuple[str, int]]:
    """Cases of all media in turn, so that any beginning is spread over everything: the medium and its number."""
    places = [((number + 0.5) / count, medium, number) for medium, count in amounts.items() for number in range(count)]
    for _, medium, number in sorted(places):
        yield medium, number


def campaign(amounts: dict[str, int], seed: int, faults: Path, seconds: float, first: int = 0) -> dict[str, Figures]:
    """Try so many cases of each medium, or as many as there is time for, and keep what is at fault."""
    figures = {medium: Figures() for medium, count in amounts.items() if count}
    with (
        tempfile.TemporaryDirectory(prefix="hostile-") as scratch,
        contextlib.closing(Worker(Path(scratch) / "work", [*figures])) as worker,
        contextlib.suppress(KeyboardInterrupt),  # the figures so far are worth having
    ):
        worker.ready()
        began = time.monotonic()
        for medium, number in spread(amounts):
            if time.monotonic() - began > seconds:
                break
            case = (medium, seed, first + number)
            answer = worker.ask(*case)
            figures[medium].add(":".join(map(str, case)), answer)
            if answer["outcome"] == "fault":
                keep(faults, *case, answer)
    return figures


def keep(faults: Path, medium: str, seed: int, index: int, answer: dict[str, Any]) -> None:
    """Save the input of a case at fault, and print which it is."""
    folder = faults / f"{medium}-{seed}-{index}"
    odd = kind_of(medium).make(generator(medium, seed, index, "make"))
    for name, data in odd.files.items():
        (folder / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "in" / name).write_bytes(data)
    folder.mkdir(parents=True, exist_ok=True)
    own = {"words": odd.words, "story": "; ".join(odd.story)}
    facts = {"medium": medium, "seed": seed, "index": index, "entry": odd.entry, **answer, **own}
    (folder / "fault.json").write_text(json.dumps(facts, indent=2))
    print(f"FAULT {medium}:{seed}:{index} ({'; '.join(odd.story)[:300]})\n  {answer['fault'][-700:]}", flush=True)


def again(folder: Path) -> dict[str, Any]:
    """Try a kept input once more, as it is in its files."""
    facts = json.loads((folder / "fault.json").read_text())
    files = {
        str(path.relative_to(folder / "in")): path.read_bytes() for path in (folder / "in").rglob("*") if path.is_file()
    }
    odd = Odd(files, facts["entry"], facts["story"].split("; "), facts["words"])
    chance = generator(facts["medium"], facts["seed"], facts["index"], "attempt")
    with tempfile.TemporaryDirectory(prefix="hostile-") as scratch, tempfile.TemporaryFile("w+") as said:
        answer = judged(kind_of(facts["medium"]), odd, Path(scratch) / "case", chance, said)
    return {"outcome": answer.outcome, "fault": answer.fault, "seconds": answer.seconds, "memory": answer.memory}


def main() -> int:
    """Read the command line and run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--first", type=int, default=0, help="the first case's number")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="stop after so long")
    parser.add_argument("--faults", type=Path, default=Path(tempfile.gettempdir()) / "impasto-faults")
    parser.add_argument("--only", metavar="MEDIUM:INDEX", help="one case")
    parser.add_argument("--again", type=Path, metavar="FOLDER", help="a kept input")
    for medium in NAMES:
        parser.add_argument(f"--{medium}", type=int, default=0, metavar="N")
    given = parser.parse_args()
    if given.again:
        print(json.dumps(found := again(given.again), indent=2))
        return int(found["outcome"] == "fault")
    amounts, first = {medium: getattr(given, medium) for medium in NAMES}, given.first
    if given.only:
        medium, _, index = given.only.partition(":")
        amounts, first = {medium: 1}, int(index)
    figures = campaign(amounts, given.seed, given.faults, given.seconds, first)
    for medium, found in figures.items():
        print(found.line(medium))
    failed = sum(found.outcomes.get("fault", 0) for found in figures.values())
    print(f"{sum(found.tried for found in figures.values())} tried, {failed} failed")
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
