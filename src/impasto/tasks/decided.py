"""Settings for tasks that decide some of them themselves."""

from collections.abc import Collection, Mapping
from typing import Any

from impasto.errors import SettingsError
from impasto.settings import Settings, make

FROM_NOISE = (200, 150, 100)
"""Evaluations per level, coarse to fine, that a descent from white noise usually takes: more than one from a photo."""


def decided(
    what: str,
    settings: Settings | None,
    values: Mapping[str, Any],
    *,
    usual: Mapping[str, Any],
    fixed: Mapping[str, Any],
    idle: Collection[str],
) -> Settings:
    """What was given, over what is usual for a task, under what the task decides.

    Args:
        what: the task's result in words, for the error's sentence.
        settings: all settings at once, or None.
        values: single settings instead.
        usual: the task's own defaults.
        fixed: what the task decides.
        idle: settings that have no say in it.

    Raises:
        SettingsError: if both kinds are given, or something that cannot take effect.
    """
    if settings is not None and values:
        raise SettingsError(f"Give settings or single values, not both; {', '.join(values)} came beside settings.")
    given = (settings or make(values)).model_dump(exclude_unset=True)
    for name, value in given.items():
        if name in idle or (name in fixed and value != fixed[name]):
            raise SettingsError(f"The setting {name} cannot take effect in {what}; leave it out.")
    return make({**usual, **given, **fixed})
