"""Neural style transfer by optimizing the pixels of an image.

>>> import impasto
>>> result = impasto.stylize("photo.jpg", "painting.jpg")  # doctest: +SKIP
>>> result.save("out.png")  # doctest: +SKIP
"""

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from impasto.errors import ImpastoError
    from impasto.feedforward.preview import preview
    from impasto.runs.events import Event
    from impasto.runs.pictures.reconstruct import reconstruct
    from impasto.runs.pictures.stylize import Transfer, stylize
    from impasto.runs.pictures.texture import synthesize
    from impasto.runs.result import Result
    from impasto.runs.videos.video import stylize_video
    from impasto.settings import Settings
    from impasto.studies.score import score

__all__ = [
    "Event",
    "ImpastoError",
    "Result",
    "Settings",
    "Transfer",
    "preview",
    "reconstruct",
    "score",
    "stylize",
    "stylize_video",
    "synthesize",
]

_HOMES = {
    "Event": "impasto.runs.events",
    "ImpastoError": "impasto.errors",
    "Result": "impasto.runs.result",
    "Settings": "impasto.settings",
    "Transfer": "impasto.runs.pictures.stylize",
    "preview": "impasto.feedforward.preview",
    "reconstruct": "impasto.runs.pictures.reconstruct",
    "score": "impasto.studies.score",
    "stylize": "impasto.runs.pictures.stylize",
    "stylize_video": "impasto.runs.videos.video",
    "synthesize": "impasto.runs.pictures.texture",
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used, so that ``import impasto`` and ``--help`` do not wait for torch."""
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'impasto' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
