"""Settings for tasks that decide some of them themselves."""

from collections.abc import Collection, Mapping
from typing import Any

from impasto.errors import SettingsError
from impasto.pyramid import level_shapes
from impasto.settings import Settings, make, plain

_FROM_NOISE = (200, 150, 100)


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
    given = values if settings is None else settings.model_dump(exclude_unset=True)
    for name, value in given.items():
        if name in Settings.model_fields and plain(value) in _harmless(name, fixed):
            continue
        if name in idle or (name in fixed and getattr(make({name: value}), name) != fixed[name]):
            raise SettingsError(f"The setting {name} cannot take effect in {what}; leave it out.")
    return make({**usual, **given, **fixed})


def _harmless(name: str, fixed: Mapping[str, Any]) -> list[Any]:
    """What may be said of a setting without contradicting the task: what it decides, or else what it is anyway."""
    told = [fixed[name] if name in fixed else Settings.model_fields[name].default]
    return [*told, "squared"] if name == "content_loss" else told  # as it is said of pictures without a content


def from_noise(settings: Settings) -> Settings:
    """The settings with 200, 150, 100, ... evaluations per level, unless some are given.

    From noise, where everything has to be found, more are needed than from a photo.
    """
    if settings.evaluations is not None:
        return settings
    levels = level_shapes((settings.size,), settings.coarsest, settings.ratio)
    return settings.model_copy(update={"evaluations": _FROM_NOISE[: len(levels)]})
