"""Style transfer: a photo and one or several paintings in, the photo in their style out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, Self

import torch

from impasto import images, machine
from impasto.aims.balance import Balance
from impasto.aims.regions import Regions, check_regions
from impasto.images.wrapping import tileable
from impasto.runs.events import Event, Listener
from impasto.runs.imaging import ImageRun, several
from impasto.runs.result import Result
from impasto.settings import Settings
from impasto.tasks import Task
from impasto.tasks.stylize import STYLIZE
from impasto.tasks.task import either

__all__ = ["Event", "Listener", "Transfer", "prepared", "stylize"]


def stylize(
    content: Any,
    styles: Any,
    *,
    masks: Any = None,
    protect: Any = None,
    settings: Settings | None = None,
    on_event: Listener | None = None,
    checkpoint: str | Path | None = None,
    **values: Any,
) -> Result:
    """Paint ``content`` in the style of ``styles`` (Gatys, Ecker and Bethge 2016), from coarse to fine.

    Args:
        content: the photo: a path, PIL image, array (H, W, 3) or tensor (3, H, W).
        styles: a painting, or a list of them.
        masks: where each style goes: a list with a mask of the photo for every style, in the same order, or several for
            one style. Each is a path, ``"sky.png"``, ``"sky.png=stars.png"`` with a mask of the painting too, the word
            ``"rest"``, an array, a tensor, or a pair of these. White belongs to the region, gray in part.
        protect: a mask of what stays the photo.
        settings: all settings at once; or give single ones as keywords, by the names in
            :class:`impasto.Settings`, ``stylize(photo, painting, size=1024, strength=0.7)``.
        on_event: called after every optimizer step; return True to stop there and keep the best image.
        checkpoint: a folder; a run that finds its own checkpoint there goes on from it to the same picture.
        values: single settings, and ``memory``, what may be resident, ``"4GB"``: what needs more is computed in tiles.

    Returns:
        The picture with its history; :meth:`Result.save` writes it.

    Raises:
        ImpastoError: with a sentence on what is wrong with an image, a setting, the weights or the checkpoint.
    """
    run = Transfer.of(content, styles, masks=masks, protect=protect, settings=settings, **values)
    return run.run(on_event, checkpoint)


@dataclass(frozen=True, eq=False)
class Transfer(ImageRun):
    """One style transfer, prepared: inputs read, settings checked, network read. Made by :meth:`of`."""

    task: ClassVar[Task] = STYLIZE

    @classmethod
    @machine.undisturbed()
    def of(cls, content: Any, styles: Any, *, settings: Settings | None = None, **values: Any) -> Self:
        """Read the inputs and check that the settings fit them; arguments as for :func:`stylize`.

        Everything that can be wrong is found here, before anything is computed.

        Raises:
            ImpastoError: as :func:`stylize`.
        """
        return cls.unsized(content, styles, settings=settings, **values).checked()

    @classmethod
    @machine.undisturbed()
    def unsized(
        cls,
        content: Any,
        styles: Any,
        *,
        masks: Any = None,
        protect: Any = None,
        memory: str | float | None = None,
        place: torch.device | None = None,
        settings: Settings | None = None,
        **values: Any,
    ) -> Self:
        """:meth:`of`, without what depends on the size of the result and on what to start from.

        Raises:
            ImpastoError: as :func:`stylize`.
        """
        chosen = cls.task.decide(either(settings, values))
        sources = several(styles)
        run = cls.made(
            images.read(content), [images.read(style) for style in sources], chosen, memory=memory, place=place
        )
        if chosen.padding == "circular" and Balance(chosen).content_layers:
            run = replace(run, canvas=tileable(run.canvas))
        regions = Regions.of(masks, protect, run.canvas, run.styles)
        check_regions(regions, chosen)
        return replace(run, regions=regions)


def prepared(
    inputs: Mapping[str, Sequence[Any]], words: Mapping[str, Any], *, settings: Settings | None = None, **values: Any
) -> Transfer:
    """A style transfer from its inputs by role.

    Raises:
        ImpastoError: as :func:`stylize`.
    """
    del words
    [content], styles, masks = inputs["content"], inputs["styles"], list(inputs.get("masks", ()))
    protect = next(iter(inputs.get("protect", ())), None)
    run = Transfer.unsized(content, list(styles), masks=masks or None, protect=protect, settings=settings, **values)
    return run.beginning_with(next(iter(inputs.get("init", ())), None)).checked()
