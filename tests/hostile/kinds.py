"""All media of the campaign by name, imported when they are asked for."""

import importlib

from cases import Medium

NAMES = ("pictures", "volumes", "sounds", "signals", "documents", "commands")


def medium(name: str) -> Medium:
    """What is known of a medium."""
    found: Medium = importlib.import_module(name).MEDIUM
    return found
