"""The libraries that know the formats of volumes, which are not installed unless asked for."""

import importlib
from typing import Any

from impasto.errors import MissingExtraError


def library(name: str, what: str) -> Any:
    """A module of an optional library.

    Args:
        name: what is imported.
        what: what needs it, for the sentence.

    Raises:
        MissingExtraError: if it is not installed.
    """
    try:
        return importlib.import_module(name)
    except ImportError:
        raise MissingExtraError(
            f"{what} needs the package {name.partition('.')[0]}, which is not installed; "
            "install it with `pip install 'impasto[volume]'`."
        ) from None
