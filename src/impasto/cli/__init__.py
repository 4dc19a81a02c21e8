"""The command line: words in, a task called, a file and a few words out.

Every command has a module of its own, imported when the command is called, so that ``--help`` waits for nothing.
"""

import sys
from collections.abc import Sequence
from typing import Any

from cyclopts import App, CycloptsError, Parameter, UnusedCliTokensError

from impasto import __version__
from impasto.choices import nearest
from impasto.cli.terminal import foreign
from impasto.cli.terminal.streams import complain, give_up, unwritable, usable
from impasto.errors import ImpastoError
from impasto.tasks import TASKS

WRONG, STOPPED, UNREAD = 2, 130, 1
"""Exit codes: something given was wrong, and one sentence on stderr says what; Ctrl-C or SIGTERM; the reader went away."""

_HELP = "Paint a photo in the style of a painting: neural style transfer by optimizing the picture itself."

_EXAMPLES = """\
Examples:

  impasto demo                                         a picture from nothing
  impasto stylize photo.jpg painting.jpg -o out.png    one of your own
  impasto stylize photo.jpg painting.jpg -o out.png --size 1024 --strength 0.7
  impasto show out.png                                 how it was made

Exit codes: 0 done; 1 done, but saved elsewhere; 2 something given was wrong; 130 stopped by Ctrl-C, with the best picture so far saved."""

COMMANDS = {
    "stylize": ("", "", ""),
    "preview": (
        "preview:preview",
        "CONTENT STYLE [STYLE ...] -o OUT",
        "Show roughly what it will look like, in a second.",
    ),
    "explore": (
        "explore:explore",
        "CONTENT STYLE [STYLE ...] -o OUT",
        "Draw a sheet of small pictures to choose from.",
    ),
    "demo": ("demo:demo", "", "Paint a bundled photo in the style of a bundled painting."),
    "reconstruct": ("", "", ""),
    "texture": ("", "", ""),
    "video": ("", "", ""),
    "volume": ("", "", "Make solid textures, or bring CT, MRI and microscopy volumes into a style."),
    "neural-style": (
        "neural_style:neural_style",
        "FLAGS",
        "Run a neural-style command line: its flags, its objective.",
    ),
    "figure": ("figure:figure", "NAME [PHOTO] [PAINTING] -o OUT", "Draw a figure of the papers, of your own pictures."),
    "sound": ("", "", "Play a sound in the style of others, or make a texture of one."),
    "signal": ("", "", "Give an ECG or another signal the style of others, or make a texture of one."),
    "lut": ("lut:lut", "PAINTING [PHOTO] -o OUT.cube", "Write the colors of a painting as a table for other programs."),
    "show": ("show:show", "IMAGE", "Show how a picture was made."),
    "rerun": ("rerun:rerun", "IMAGE [-o OUT]", "Make a picture again, from what its file says about it."),
    "score": ("score:score", "CONTENT STYLE IMAGE [IMAGE ...]", "Measure the losses of any pictures, from any tool."),
    "networks": ("networks:app", "", "List the networks, describe or normalize one."),
    "visualize": ("visualize:app", "", "Show what the units of a network see."),
    "jobs": ("jobs:app", "", "Submit runs to a queue that survives crashes; watch and steer them."),
    "worker": ("worker:worker", "", "Compute the jobs of the queue."),
    "studio": ("studio:studio", "", "Open a page to make pictures in."),
    "info": ("facts:info", "", "Describe this installation and this machine."),
    "completion": ("completion:completion", "[SHELL]", "Print what lets your shell complete commands and options."),
    "volume info": ("volume:info", "VOLUME", "Describe a volume, and show how it was made if impasto made it."),
}
"""By name, in the order of the help: where the command lives, what it is called with, and what it does. Of tasks and groups
of tasks (:data:`impasto.tasks.TASKS`) only their order is said; tasks that are not named come last."""


def _made() -> App:
    app = App(
        name="impasto",
        help=_HELP,
        help_epilogue=_EXAMPLES,
        version=f"impasto {__version__}",
        help_format="plaintext",
        version_format="plaintext",
        default_parameter=Parameter(negative=(), json_list=False, json_dict=False),  # what looks like JSON is a name
        result_action="return_value",
        exit_on_error=False,
        print_error=False,
        suppress_keyboard_interrupt=False,
    )
    groups: dict[str, App] = {}
    for place, name in enumerate([*COMMANDS, *(task for task in TASKS if task not in COMMANDS)], 1):
        home, _, purpose = COMMANDS.get(name, ("", "", ""))
        group = name.partition(" ")[0]
        if (group not in groups and not home and name not in TASKS) or (" " in name and group not in groups):
            line = f"Usage: impasto {group} COMMAND [OPTIONS]"
            groups[group] = App(name=group, help=purpose, usage=line, help_epilogue="", sort_key=place)
            app.command(groups[group])
        if home or name in TASKS:
            _add(groups[group] if " " in name else app, name, place)
    return app


def _add(app: App, name: str, place: int) -> None:
    """One command, which is imported when it is called."""
    home, usage, purpose = COMMANDS.get(name, ("", "", ""))
    if name in TASKS:
        task = TASKS[name]
        home, purpose = f"task:{name.replace(' ', '_').replace('-', '_')}", task.help
        line = task.usage
    else:
        line = " ".join(part for part in ("Usage: impasto", name, usage, "[OPTIONS]") if part)
    own: dict[str, Any] = {"usage": line, "help_epilogue": ""}
    own = {} if home.endswith(":app") else own  # groups say it themselves
    if name == "neural-style":
        own["help_flags"] = ()  # its flags are not cyclopts' and it lists them itself
    app.command(f"impasto.cli.commands.{home}", name=name.rpartition(" ")[2], help=purpose, sort_key=place, **own)


app = _made()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command line, ``sys.argv`` by default, and return the exit code.

    It may be called in any program: in a notebook, in a thread, with any streams or none.
    """
    with usable():
        return _run(list(sys.argv[1:] if arguments is None else arguments))


def _run(words: list[str]) -> int:
    try:
        foreign.refuse_foreign(words)
        code = app(words, console=_console())
        sys.stdout.flush()
    except (ImpastoError, CycloptsError) as error:
        complain(_sentence(error, words))
        return WRONG
    except BrokenPipeError:
        give_up()
        return UNREAD
    except OSError:
        problem = unwritable()
        if problem is None:
            raise
        complain(f"Standard output cannot be written ({problem.strerror}); send it to another place.")
        give_up()
        return UNREAD
    except KeyboardInterrupt as error:
        complain(str(error) or "Aborted; no picture was saved.")
        return STOPPED
    return code or 0


def _console() -> Any:
    """What help is written on, as wide as the terminal is now; None for the first one, which need not wait for rich.

    Left alone, cyclopts keeps its first console, and a program that calls ``main`` would have that one's width for ever.
    """
    rich = sys.modules.get("rich.console")
    return rich and rich.Console()


def _sentence(error: Exception, words: Sequence[str]) -> str:
    """What went wrong, on one line."""
    text = str(error)
    if isinstance(error, UnusedCliTokensError) and error.unused_tokens:
        text = _unused(error.unused_tokens[0], words)
    if text.endswith("parameter -o requires an argument.") and "-" in words:
        text = "Only single pictures go to standard output; name a file with -o FILE."
    if text.startswith("Unknown option: -."):
        text = "Pictures are not read from -; name a file, and keep - for the output."
    return " ".join(text.split())


def _unused(word: str, words: Sequence[str]) -> str:
    """What to say of a word that a command has no place for."""
    path, apps, _ = app.parse_commands(words)
    command = " ".join(path)
    near = nearest(word, [name for name in apps[-1] if not name.startswith("-")])
    hint = f" Did you mean {command} {near}?" if near else f" impasto {command} --help lists what it takes."
    return f"impasto {command} has no place for {word!r}.{hint}"
