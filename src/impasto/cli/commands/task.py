"""The command of a task, made from what the task says of itself: ``impasto.cli.commands.task:sound_texture``."""

import inspect
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from impasto.cli.options.outputs import Outputs
from impasto.cli.options.performing import perform, rehearse
from impasto.cli.options.running import RunOptions, files_of, options_of
from impasto.cli.options.settings import group_of, options
from impasto.files import is_file
from impasto.settings import Settings
from impasto.tasks import TASKS, Task
from impasto.tasks.task import Role, Word

_ARGUMENT, _OPTION = inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.KEYWORD_ONLY


def __getattr__(name: str) -> Callable[..., int]:
    """The command of the task whose name, with underscores, is asked for."""
    for task in TASKS.values():
        if task.name.replace(" ", "_").replace("-", "_") == name:
            return command_of(task)
    raise AttributeError(name)


def command_of(task: Task) -> Callable[..., int]:
    """A function that cyclopts makes a command of."""
    kind = options_of(task.medium)
    given = options(
        *(name for name in Settings.model_fields if name in task.settings and name not in task.words), hints=task.hints
    )
    parameters = [
        *_of_arguments(task),
        *(_parameter(name, *_of_word(word)) for name, word in task.words.items()),
        *(_parameter(name, *_of_role(role)) for name, role in task.roles.items() if role.option not in ("", "--init")),
        *(
            _parameter(name, Annotated[str | None, Parameter(metavar=short.metavar, help=short.help)], None)
            for name, short in task.shorthands.items()
        ),
        _parameter("run", Annotated[kind, Parameter(name="*")], kind()),
        _parameter("given", Annotated[given | None, Parameter(name="*")], None),
    ]
    signature = inspect.Signature(parameters, return_annotation=int)

    def command(*arguments: Any, **words: Any) -> int:
        return _called(task, signature.bind(*arguments, **words).arguments)

    command.__name__ = task.name.replace(" ", "_")
    command.__doc__ = f"{task.help}\n\n{task.details} With --json a report is printed."
    command.__signature__ = signature  # type: ignore[attr-defined]
    command.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return command


def _called(task: Task, arguments: Mapping[str, Any]) -> int:
    """Prepare the run that a command line asks for, and perform it."""
    run: RunOptions = arguments.get("run") or options_of(task.medium)()
    inputs = {name: _several(arguments.get(name)) for name in task.roles if name in arguments}
    words, _ = task.split({name: arguments.get(name, word.default) for name, word in task.words.items()})
    settings = dict(arguments.get("given") or {})
    for name, short in task.shorthands.items():
        if arguments.get(name) is not None:
            settings = short.expand(arguments[name], settings)
    chosen = task.decide(settings)
    files = [path for values in inputs.values() for value in values for path in _files(value)]
    if run.output is None and run.dry_run and task.medium == "picture":
        rehearse(task.prepared(inputs, words, settings), run, Outputs())
        return 0
    where = run.destination([*files, *files_of(chosen)], medium=task.medium, example=_EXAMPLES.get(task.medium, "out"))
    prepared = task.prepared(inputs, words, settings)
    return perform(prepared, where, run.settled(where))


_EXAMPLES = {"picture": "out.png", "video": "out.mp4", "sound": "out.wav", "signal": "out.csv", "volume": "block.tif"}


def _several(value: Any) -> list[Any]:
    return [] if value is None else list(value) if isinstance(value, (list, tuple)) else [value]


def _files(value: str) -> Iterator[Path]:
    """The files that an argument names: a pair of masks names two."""
    yield from (Path(side) for side in ([value] if is_file(value) else value.split("=", 1)) if side)


def _arguments(task: Task) -> list[tuple[str, Role]]:
    return [(name, role) for name, role in task.roles.items() if not role.option]


def _of_arguments(task: Task) -> Iterator[inspect.Parameter]:
    for name, role in _arguments(task):
        called: dict[str, Any] = {} if role.metavar == "FILE" else {"name": role.metavar}
        kind = str if role.most == 1 else list[str]
        yield inspect.Parameter(name, _ARGUMENT, annotation=Annotated[kind, Parameter(help=role.help, **called)])


def _of_word(word: Word) -> tuple[Any, Any]:
    called: dict[str, Any] = {"name": word.option} if word.option else {}
    if not word.metavar:
        return Annotated[bool, Parameter(help=word.help, show_default=False, **called)], False
    shown = Parameter(help=word.help, metavar=word.metavar, allow_leading_hyphen=True, **called)
    if word.needed:
        return Annotated[str, shown], inspect.Parameter.empty
    return Annotated[str | None, shown], None if word.default is None else str(word.default)


def _of_role(role: Role) -> tuple[Any, Any]:
    shown = Parameter(
        name=role.option, metavar=role.metavar, help=role.help, show_default=False, group=group_of("guidance")
    )
    return (Annotated[str | None, shown], None) if role.most == 1 else (Annotated[tuple[str, ...], shown], ())


def _parameter(name: str, annotation: Any, default: Any) -> inspect.Parameter:
    return inspect.Parameter(name, _OPTION, annotation=annotation, default=default)
