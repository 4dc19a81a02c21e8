"""``impasto sound``: sounds in the style of others, and textures of sounds."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import App, Group, Parameter

from impasto.choices import Phase
from impasto.cli.options.sequences import DESCENT, NO_OPTIONS, SHARED, SequenceOptions, numbers, perform
from impasto.cli.options.settings import options

if TYPE_CHECKING:
    from impasto.tasks.sound_filters import Hearing

    Given = dict[str, Any]
    GivenTexture = dict[str, Any]
else:
    Given = options(*SHARED, "init", "noise", *DESCENT)
    GivenTexture = options("style_losses", "blend", *DESCENT)

_HEARING = Group("Hearing", sort_key=1)

app = App(name="sound", usage="Usage: impasto sound COMMAND [OPTIONS]", help_epilogue="")


@dataclass(frozen=True, kw_only=True)
class HearingOptions:
    """How sounds are heard."""

    filters: Annotated[
        int | None, Parameter(metavar="INT", group=_HEARING, help="How many random filters; 4096 unless given.")
    ] = None
    width: Annotated[
        int | None, Parameter(metavar="INT", group=_HEARING, help="Of every filter, in spectra; 11 unless given.")
    ] = None
    window: Annotated[
        int | None, Parameter(metavar="INT", group=_HEARING, help="Samples of a spectrum; about 64 ms unless given.")
    ] = None
    phase: Annotated[
        Phase | None,
        Parameter(
            group=_HEARING,
            help="descent (unless given): the descent goes on over the samples; griffin-lim; content: carried over.",
        ),
    ] = None
    filter_seed: Annotated[int | None, Parameter(metavar="INT", group=_HEARING, help="Of the random filters.")] = None

    def made(self) -> "Hearing":
        """What was given, over the defaults."""
        from impasto.tasks.sound_filters import Hearing

        return Hearing(**numbers(vars(self)))


_DEFAULT = HearingOptions()


@app.command(usage="Usage: impasto sound stylize CONTENT STYLE [STYLE ...] -o OUT [OPTIONS]", help_epilogue="")
def stylize(
    content: Annotated[str, Parameter(help="The sound: WAV, FLAC, Ogg or MP3.")],
    styles: Annotated[
        list[str], Parameter(name="STYLE", help="The sound to take the style from, or several to blend.")
    ],
    /,
    *,
    hearing: Annotated[HearingOptions, Parameter(name="*")] = _DEFAULT,
    run: Annotated[SequenceOptions, Parameter(name="*")] = NO_OPTIONS,
    given: Annotated[Given | None, Parameter(name="*")] = None,
) -> int:
    """Play a sound in the style of others.

    With --json a report is printed: output, picture, complete, losses, measures, timings, notes and
    recipe.
    """
    where = run.destination([content, *styles], "out.wav")

    from impasto.tasks.sound import SoundTransfer

    task = SoundTransfer.of(content, styles, hearing=hearing.made(), **(given or {}))
    task.check_writable(where.path)
    return perform(task, where, run)


@app.command(usage="Usage: impasto sound texture STYLE [STYLE ...] -o OUT [OPTIONS]", help_epilogue="")
def texture(
    styles: Annotated[list[str], Parameter(name="STYLE", help="The exemplar, or several to blend.")],
    /,
    *,
    seconds: Annotated[float | None, Parameter(help="Length; the exemplar's unless given.")] = None,
    hearing: Annotated[HearingOptions, Parameter(name="*")] = _DEFAULT,
    run: Annotated[SequenceOptions, Parameter(name="*")] = NO_OPTIONS,
    given: Annotated[GivenTexture | None, Parameter(name="*")] = None,
) -> int:
    """Make a sound of any length that sounds like an exemplar.

    With --json a report is printed: output, picture, complete, losses, measures, timings, notes and
    recipe.
    """
    where = run.destination(styles, "out.wav")

    from impasto.tasks.sound import SoundTransfer

    task = SoundTransfer.texture(styles, seconds, hearing=hearing.made(), **(given or {}))
    task.check_writable(where.path)
    return perform(task, where, run)
