"""Several processes for one picture: the same function with another sum.

The first process, rank 0, descends; the others assist. It deals the tiles out and sends each process the region of the
image that its tiles' boxes lie in. Every process summarizes its tiles; the summaries are added in the order of ranks and
the sum goes back to all. Each then pulls its tiles' gradient back and sends that region home, where overlaps are added.
So only regions travel, the image and its gradient once each, and all decisions are rank 0's: processes of different
kinds cannot drift apart.

Messages go through the processors' memory by gloo, whatever device computes: an order as JSON, then tensors' values. They
hold nothing that could be run.
"""

import datetime as dt
import json
import math
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor

from impasto.engines.group import ALONE, Group, Share, dealt
from impasto.errors import RankError, SettingsError
from impasto.storage import Storage
from impasto.tiling import Tile, Window

PATIENCE = 1800.0
"""Seconds that a process waits for another's message before it takes that one for lost."""

_LONGEST = 1e9  # seconds that fit into what gloo waits

DONE = ("done",)
"""The last order."""


class Ranks(Group):
    """The processes that ``torchrun`` started, joined by :func:`process_group`."""

    def __init__(self) -> None:
        self.rank = dist.get_rank()
        self.size = dist.get_world_size()
        self.local = int(_number("LOCAL_WORLD_SIZE", self.size))

    def announce(self, order: tuple[Any, ...]) -> None:
        """Send the others an order: a word, and what belongs to it."""
        for rank in range(1, self.size):
            self.send(rank, (), order)

    def order(self) -> tuple[Any, ...]:
        """Wait for rank 0's next order: a word, and what belongs to it, as plain data with tuples for lists."""
        order, _ = self.receive_from(0)
        return tuple(order)

    def deal(self, cut: Sequence[Tile], image: Tensor, *, gradient: bool) -> Share:
        """Send every process its region of the image; rank 0's own share is cut from the whole."""
        shape = tuple(image.shape[2:])
        shares = dealt(cut, self.size)
        self.announce(("work", shape, gradient))
        for rank in range(1, self.size):
            if shares[rank]:
                self.send(rank, (image[region(shares[rank], shape).index],))
        return Share(shares[0], image, (0,) * len(shape))

    def receive(self, cut: Sequence[Tile], shape: tuple[int, ...]) -> Share:
        """This process's tiles, with the region that rank 0 sends; without tiles there is none."""
        share = dealt(cut, self.size)[self.rank]
        if not share:
            return Share(share, torch.empty(0), (0,) * len(shape))
        _, (image,) = self.receive_from(0)
        return Share(share, image, region(share, shape).start)

    def add(self, sums: list[Tensor]) -> list[Tensor]:
        """The sum in the order of ranks, the same bits for all."""
        if self.rank:
            self.send(0, sums)
            total = self.receive_from(0)[1]
        else:
            total = sums
            for rank in range(1, self.size):
                more = self.receive_from(rank)[1]
                total = (
                    [a + b.to(a.device) for a, b in zip(total, more, strict=True)] if total and more else total or more
                )
            for rank in range(1, self.size):
                self.send(rank, total)
        return [part.to(sums[0].device) for part in total] if sums else total

    def give(self, found: Tensor | None) -> None:
        """Send this process's gradient home, if it has one."""
        if found is not None:
            self.send(0, (found,))

    def collect(self, found: Tensor, cut: Sequence[Tile], image: Tensor, storage: Storage) -> Tensor:
        """Add every process's region to rank 0's gradient."""
        shape = tuple(image.shape[2:])
        for rank, share in enumerate(dealt(cut, self.size)):
            if rank and share:
                _, (part,) = self.receive_from(rank)
                found[region(share, shape).index] += part.to(found.device)
                storage.release()
        return found

    def send(self, rank: int, tensors: Sequence[Tensor], note: Sequence[Any] = ()) -> None:
        """Send another process a note, plain data, and the values of tensors.

        Raises:
            RankError: if the process is lost.
        """
        tensors = [tensor.detach().cpu().contiguous() for tensor in tensors]
        kinds = [(tuple(tensor.shape), str(tensor.dtype).removeprefix("torch.")) for tensor in tensors]
        head = json.dumps([note, kinds]).encode()
        with _watching(rank):
            dist.send(torch.tensor([len(head)]), rank)
            dist.send(torch.frombuffer(bytearray(head), dtype=torch.uint8), rank)
            for tensor in tensors:
                dist.send(tensor, rank)

    def receive_from(self, rank: int) -> tuple[tuple[Any, ...], list[Tensor]]:
        """What another process has sent: the note, with tuples for lists, and the tensors.

        Raises:
            RankError: if the process is lost.
        """
        with _watching(rank):
            length = torch.zeros(1, dtype=torch.int64)
            dist.recv(length, rank)
            head = torch.empty(int(length), dtype=torch.uint8)
            dist.recv(head, rank)
            note, kinds = _frozen(json.loads(head.numpy().tobytes()))
            tensors = [torch.empty(shape, dtype=_DTYPES[name]) for shape, name in kinds]
            for tensor in tensors:
                dist.recv(tensor, rank)
        return note, tensors


@contextmanager
def process_group(patience: float | None = None) -> Iterator[Group]:
    """The group that ``torchrun`` started this process in, or the group of one.

    Args:
        patience: seconds to wait for another process before it counts as lost; those of the environment variable
            IMPASTO_PATIENCE, or half an hour, unless given.

    Raises:
        RankError: if the processes do not find each other.
        SettingsError: if an environment variable is not the number it has to be.
    """
    if _number("WORLD_SIZE", 1) < 2:
        yield ALONE
        return
    wait = patience or _number("IMPASTO_PATIENCE", PATIENCE, least=1e-3)
    if torch.cuda.is_available():
        torch.cuda.set_device(int(_number("LOCAL_RANK", 0)) % torch.cuda.device_count())
    with _watching(None):
        dist.init_process_group("gloo", timeout=dt.timedelta(seconds=wait))
    try:
        yield Ranks()
    finally:
        dist.destroy_process_group()


@contextmanager
def _watching(rank: int | None) -> Iterator[None]:
    """Turn what gloo says of a lost connection into a sentence."""
    try:
        yield
    except RuntimeError as error:
        reason = str(error).splitlines()[0].rsplit("] ", 1)[-1].rstrip(".")[:160]
        who = "The processes did not find each other" if rank is None else f"Process {rank} of the run was lost"
        raise RankError(
            f"{who} ({reason}); the same command goes on from the last --checkpoint, on any number of processes."
        ) from error


_DTYPES = {str(dtype).removeprefix("torch."): dtype for dtype in vars(torch).values() if isinstance(dtype, torch.dtype)}


def _frozen(data: Any) -> Any:
    """Plain data with tuples for lists, as it was before it was JSON."""
    return tuple(map(_frozen, data)) if isinstance(data, list) else data


def _number(name: str, usual: float, least: float = 0) -> float:
    """A number from the environment."""
    given = os.environ.get(name)
    if given is None:
        return usual
    try:
        number = float(given)
    except ValueError:
        number = math.nan
    if not least <= number < _LONGEST:
        raise SettingsError(
            f"The environment variable {name} is {given!r}, but a number is needed; correct or unset it."
        )
    return number


def region(share: Sequence[Tile], shape: tuple[int, ...]) -> Window:
    """The smallest window of the image that all boxes lie in; the whole axis where one wraps."""
    first = tuple(map(min, zip(*(tile.box.start for tile in share), strict=True)))
    last = tuple(map(max, zip(*(tile.box.stop for tile in share), strict=True)))
    inside = [a >= 0 and b <= n for a, b, n in zip(first, last, shape, strict=True)]
    return Window(
        tuple(a if fits else 0 for a, fits in zip(first, inside, strict=True)),
        tuple(b if fits else n for b, n, fits in zip(last, shape, inside, strict=True)),
    )
