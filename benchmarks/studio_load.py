"""How quickly a studio answers while fifty clients submit and watch, and a worker paints.

python benchmarks/studio_load.py [--seconds 120] [--clients 50]

Starts ``impasto studio`` with one worker on a free port and a folder of its own. Every client brings two pictures,
submits a job, follows its stream of events, and meanwhile asks every half second for the job, its preview, the list of
jobs or the session; when its job is over it submits another. Prints the times of all answers by kind, the errors, and
the server's memory along the way. The queue is longer than the worker can paint, which is the point.
"""

import argparse
import asyncio
import io
import itertools
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from PIL import Image

PAUSE = 0.5  # seconds between two questions of a client


class Load:
    """What is measured."""

    def __init__(self, address: str, seconds: float) -> None:
        self.address, self.end = f"{address}/api/v1", time.monotonic() + seconds
        self.times: defaultdict[str, list[float]] = defaultdict(list)
        self.errors: Counter[str] = Counter()
        self.events = self.over = 0

    @property
    def going(self) -> bool:
        """Whether there is time left."""
        return time.monotonic() < self.end

    async def ask(
        self,
        http: httpx.AsyncClient,
        kind: str,
        method: str,
        path: str,
        *,
        good: tuple[int, ...] = (200, 201),
        **arguments: Any,
    ) -> httpx.Response | None:
        """A request, timed."""
        began = time.perf_counter()
        try:
            answer = await http.request(method, path, **arguments)
        except httpx.HTTPError as error:
            self.errors[f"{kind}: {type(error).__name__}"] += 1
            return None
        self.times[kind].append(time.perf_counter() - began)
        if answer.status_code not in good:
            self.errors[f"{kind}: {answer.status_code} {answer.text[:80]}"] += 1
            return None
        return answer

    async def client(self, number: int) -> None:
        """One of the fifty."""
        async with httpx.AsyncClient(base_url=self.address, timeout=30) as http:
            references = []
            for seed in (2 * number, 2 * number + 1):
                answer = await self.ask(http, "upload", "POST", "/pictures", content=picture(seed), headers=BYTES)
                references.append(answer.json()["id"] if answer else "sample:rocket")
            while self.going:
                body = {
                    "inputs": {"content": references[:1], "styles": references[1:]},
                    "settings": {"size": 96, "coarsest": 96, "evaluations": [20]},
                    "title": f"Client {number}",
                }
                answer = await self.ask(http, "submit", "POST", "/jobs", json=body)
                if answer is None:
                    await asyncio.sleep(PAUSE)
                    continue
                identifier = answer.json()["id"]
                watching = asyncio.create_task(self.watch(http, identifier))
                await self.question(http, identifier, watching)
                watching.cancel()
                await asyncio.gather(watching, return_exceptions=True)

    async def question(self, http: httpx.AsyncClient, identifier: str, watching: asyncio.Task[None]) -> None:
        """Ask one thing after the other until the job is over."""
        turn = 0
        while self.going and not watching.done():
            turn += 1
            kind = ("job", "preview", "list", "job", "session")[turn % 5]
            path = {"job": f"/jobs/{identifier}", "preview": f"/jobs/{identifier}/preview", "list": "/jobs"}
            good = (200, 409) if kind == "preview" else (200,)  # there may be none yet
            await self.ask(http, kind, "GET", path.get(kind, "/session"), good=good)
            await asyncio.sleep(PAUSE)

    async def watch(self, http: httpx.AsyncClient, identifier: str) -> None:
        """Follow a job's events to its end."""
        try:
            async with http.stream("GET", f"/jobs/{identifier}/events") as answer:
                async for line in answer.aiter_lines():
                    self.events += line.startswith("data: ")
            self.over += 1
        except httpx.HTTPError as error:
            self.errors[f"watch: {type(error).__name__}"] += 1


BYTES = {"content-type": "application/octet-stream"}


def picture(seed: int) -> bytes:
    """A small picture that nobody else has."""
    rng = np.random.default_rng(seed)
    small = Image.fromarray(rng.integers(0, 255, (8, 8, 3), dtype=np.uint8)).resize(
        (256, 192), Image.Resampling.BICUBIC
    )
    out = io.BytesIO()
    small.save(out, "PNG")
    return out.getvalue()


def memory(process: subprocess.Popen[str]) -> float:
    """The server's resident memory, in MB."""
    lines = Path(f"/proc/{process.pid}/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS"))


def main(options: argparse.Namespace) -> None:
    """Start a studio, load it, and print what was measured."""
    with tempfile.TemporaryDirectory() as home:
        command = [sys.executable, "-m", "impasto", "studio", "--home", home, "--port", "0", "--no-browser"]
        began = time.monotonic()
        process = subprocess.Popen([*command, "--max-queue", "5000"], stdout=subprocess.PIPE, text=True)
        try:
            assert process.stdout is not None
            found = re.search(r"https?://[^ ]+", process.stdout.readline())
            assert found, "the studio did not say where it is"
            address = found[0]
            print(f"up after {time.monotonic() - began:.2f} s")
            time.sleep(options.settle)  # the worker starts
            asyncio.run(loaded(Load(address, options.seconds), process, options.clients))
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(60)


async def loaded(load: Load, process: subprocess.Popen[str], clients: int) -> None:
    """Let the clients loose."""
    held = asyncio.create_task(remember(process, load))
    await asyncio.gather(*(load.client(number) for number in range(clients)))
    tell(load, await held)


async def remember(process: subprocess.Popen[str], load: Load) -> list[float]:
    """The server's memory every five seconds."""
    found = []
    while load.going:
        found.append(memory(process))
        await asyncio.sleep(5)
    return found


def tell(load: Load, held: list[float]) -> None:
    """Print a table."""
    print(f"{'answer':10} {'count':>7} {'median':>9} {'95%':>9} {'worst':>9}")
    for kind, times in [*sorted(load.times.items()), ("all", [*itertools.chain(*load.times.values())])]:
        ordered = sorted(times)
        shown = (statistics.median(ordered), ordered[int(0.95 * (len(ordered) - 1))], ordered[-1])
        print(f"{kind:10} {len(times):7} " + " ".join(f"{1000 * value:6.0f} ms" for value in shown))
    print(f"events {load.events}, jobs over {load.over}, errors {dict(load.errors) or 'none'}")
    print("server's memory, MB: " + " ".join(f"{value:.0f}" for value in held))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=120)
    parser.add_argument("--clients", type=int, default=50)
    parser.add_argument("--settle", type=float, default=15, help="Seconds before the clients come.")
    main(parser.parse_args())
