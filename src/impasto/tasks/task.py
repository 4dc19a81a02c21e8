"""A task as a value: what it takes, which settings have a say in it, and where its run is prepared. Free of torch and pydantic.

The command line, jobs, recipes, the studio and the documentation are made from these values.
"""

import importlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from impasto.errors import JobError, SettingsError
from impasto.panels import PANELS

if TYPE_CHECKING:
    from impasto.settings import Settings

ALL = frozenset(name for names in PANELS.values() for name in names)
"""Every setting."""

MANY = 64
"""The most styles, and the most masks."""


@dataclass(frozen=True)
class Role:
    """What a file is used for.

    Args:
        least: how many files there are at least.
        most: and at most.
        help: one sentence.
        media: what the file may hold, as named in :data:`impasto.media.MEDIA`.
        option: how a command takes it, ``--mask``; "" for an argument.
        metavar: what it is called in the help of a command.
    """

    least: int
    most: int
    help: str
    media: tuple[str, ...] = ("picture",)
    option: str = ""
    metavar: str = "FILE"


@dataclass(frozen=True)
class Word:
    """A parameter of one task, beside the settings.

    Args:
        help: one sentence.
        read: makes plain data of what was given, be it text or data; raises SettingsError.
        default: what it is unless given.
        needed: whether it must be given.
        option: what a command calls it, if not ``--`` and its name.
        metavar: what its value is called in the help; "" for a switch.
        largest: the largest side that it asks for, of words that are sizes.
    """

    help: str
    read: Callable[[Any], Any]
    default: Any = None
    needed: bool = False
    option: str = ""
    metavar: str = "TEXT"
    largest: Callable[[Any], int] | None = None


@dataclass(frozen=True)
class Shorthand:
    """An option of a command that stands for settings.

    Args:
        help: one sentence.
        metavar: what its value is called there.
        expand: the settings that were given, with those that it stands for.
    """

    help: str
    metavar: str
    expand: Callable[[str, dict[str, Any]], dict[str, Any]]


def _no_words(recipe: Mapping[str, Any]) -> dict[str, Any]:  # noqa: ARG001
    """The words in the recipe of a task that has none."""
    return {}


@dataclass(frozen=True, kw_only=True)
class Task:
    """What can be asked for.

    Args:
        name: ``texture``; what ``impasto`` is followed by on the command line.
        help: one sentence on what it does.
        result: what it makes, ``a texture``.
        subject: what a result is called, with ``{content}`` and ``{styles}``.
        medium: what the result is, as named in :data:`impasto.media.MEDIA`.
        roles: the files that it takes.
        words: its own parameters.
        settings: the settings that have a say.
        usual: its own defaults of settings.
        fixed: settings that it decides.
        inits: the words of ``init`` that it can start from; all unless given.
        beside: what it decides instead once a setting is given.
        shorthands: options of its command that stand for settings.
        hints: what the help says of a setting whose default is the task's own.
        prepare: the function that prepares a run, or its address, ``module:name``; it takes the inputs by role, the words
            and the settings, and returns an :class:`impasto.runs.run.Run`.
        words_of: finds its words in a recipe.
        details: more about it, for the help of its command.
    """

    name: str
    help: str
    result: str
    subject: str
    roles: Mapping[str, Role]
    settings: frozenset[str]
    prepare: str | Callable[..., Any]
    medium: str = "picture"
    words: Mapping[str, Word] = field(default_factory=dict)
    usual: Mapping[str, Any] = field(default_factory=dict)
    fixed: Mapping[str, Any] = field(default_factory=dict)
    inits: tuple[str, ...] = ()
    beside: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    shorthands: Mapping[str, Shorthand] = field(default_factory=dict)
    hints: Mapping[str, str] = field(default_factory=dict)
    words_of: Callable[[Mapping[str, Any]], dict[str, Any]] = _no_words
    details: str = ""

    def prepared(
        self,
        inputs: Mapping[str, Sequence[Any]],
        words: Mapping[str, Any],
        settings: "Mapping[str, Any] | Settings",
        **how: Any,
    ) -> Any:
        """A run, ready to begin.

        Args:
            inputs: files, or what they hold, by role.
            words: of the task, as :meth:`split` gives them.
            settings: single ones by name, or all at once.
            how: where it computes, as ``place``, and within what ``memory``.

        Raises:
            ImpastoError: with a sentence on what is wrong with an input, a word or a setting.
        """
        given = dict(settings) if isinstance(settings, Mapping) else {"settings": settings}
        prepare = self.prepare
        if isinstance(prepare, str):
            module, _, name = prepare.partition(":")
            prepare = getattr(importlib.import_module(module), name)
        return prepare(inputs, words, **given, **how)

    def split(self, values: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        """What was given, as the task's words in plain data, and settings; what is None was not given.

        Raises:
            SettingsError: if a word is missing or wrong.
        """
        usual = {name: word.default for name, word in self.words.items() if word.default is not None}
        given = {**usual, **{name: value for name, value in values.items() if value is not None}}
        words = {name: self.words[name].read(value) for name, value in given.items() if name in self.words}
        missing = [name for name, word in self.words.items() if word.needed and name not in words]
        if missing:
            raise SettingsError(f"The task {self.name} needs {', '.join(missing)}; give it beside the settings.")
        return words, {name: value for name, value in given.items() if name not in self.words}

    def decide(
        self,
        given: "Mapping[str, Any] | Settings",
        *,
        usual: Mapping[str, Any] | None = None,
        fixed: Mapping[str, Any] | None = None,
    ) -> "Settings":
        """What was given, over what is usual for the task, under what the task decides.

        Args:
            given: single settings, or all at once.
            usual: more of its own defaults, which depend on the inputs.
            fixed: more that it decides.

        Raises:
            SettingsError: for something that cannot take effect.
        """
        from impasto.settings import INITS, Settings, make, plain  # noqa: PLC0415  # --help names tasks without pydantic

        values = given.model_dump(exclude_unset=True) if isinstance(given, Settings) else dict(given)
        instead = [self.beside[name] for name in self.beside if values.get(name) is not None]
        decided = {**(instead[0] if instead else self.fixed), **(fixed or {})}
        if isinstance(given, Settings) and self.settings == ALL and not (self.usual or usual or decided):
            return given
        for name, value in values.items():
            if name in Settings.model_fields and plain(value) in _harmless(self, name, decided):
                continue
            idle = name in ALL and name not in self.settings
            if idle or (name in decided and getattr(make({name: value}), name) != decided[name]):
                raise SettingsError(f"The setting {name} cannot take effect in {self.result}; leave it out.")
        chosen = make({**self.usual, **(usual or {}), **values, **decided})
        image = "init" in self.roles
        if self.inits and chosen.init not in self.inits and (chosen.init in INITS or not image):
            raise SettingsError(
                f"The setting init is {chosen.init!r}, but {self.result} starts from {', '.join(self.inits)}"
                f"{' or an image' if image else ''}."
            )
        return chosen

    @property
    def usage(self) -> str:
        """What its command is called with."""
        parts = ["Usage: impasto", self.name]
        for name, role in self.roles.items():
            called = role.metavar if role.metavar != "FILE" else name.upper()
            parts += [] if role.option else [called if role.most == 1 else f"{called} [{called} ...]"]
        parts += [f"{word.option or '--' + name} {word.metavar}" for name, word in self.words.items() if word.needed]
        return " ".join((*parts, "-o OUT [OPTIONS]"))

    def check_roles(self, counts: Mapping[str, int]) -> None:
        """Refuse files by what they are for, before any of them is read.

        Raises:
            JobError: if a role is unknown, or has too few or too many files.
        """
        unknown = sorted(counts.keys() - self.roles.keys())
        if unknown:
            raise JobError(f"The task {self.name} has no input {unknown[0]!r}; it takes {', '.join(self.roles)}.")
        for name, role in self.roles.items():
            count = counts.get(name, 0)
            if not role.least <= count <= role.most:
                need = f"exactly {role.least}" if role.least == role.most else f"{role.least} to {role.most}"
                raise JobError(f"The input {name} of the task {self.name} has {count} files; give {need}.")


def _harmless(task: Task, name: str, fixed: Mapping[str, Any]) -> list[Any]:
    """What may be said of a setting without contradicting the task: what it decides, or else what it is anyway."""
    from impasto.settings import Settings  # noqa: PLC0415  # as above

    told = [fixed[name] if name in fixed else Settings.model_fields[name].default]
    told += [task.usual[name]] if name in task.usual else []
    return [*told, "squared"] if name == "content_loss" else told  # as it is said of pictures without a content


def either(settings: "Settings | None", values: Mapping[str, Any]) -> "Mapping[str, Any] | Settings":
    """The settings, given all at once or one by one.

    Raises:
        SettingsError: if both are given.
    """
    if settings is not None and values:
        raise SettingsError(f"Give settings or single values, not both; {', '.join(values)} came beside settings.")
    return values if settings is None else settings
