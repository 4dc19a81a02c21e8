"""``impasto signal``: physiological signals in the style of others, and textures of signals. Not for diagnosis."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import App, Group, Parameter

from impasto.cli.options.sequences import DESCENT, NO_OPTIONS, SHARED, SequenceOptions, numbers, perform
from impasto.cli.options.settings import options

if TYPE_CHECKING:
    from impasto.signals import Record
    from impasto.tasks.signal_scales import Scales

    Given = dict[str, Any]
    GivenTexture = dict[str, Any]
else:
    Given = options(*SHARED, "init", "noise", *DESCENT)
    GivenTexture = options("style_losses", "blend", *DESCENT)

_SEEING = Group("Reading and seeing", sort_key=1)

app = App(name="signal", usage="Usage: impasto signal COMMAND [OPTIONS]", help_epilogue="")


@dataclass(frozen=True, kw_only=True)
class SignalOptions:
    """How records are read and seen."""

    leads: Annotated[
        str | None,
        Parameter(metavar="NAMES", group=_SEEING, help="Leads by name or number, such as I,II; all unless given."),
    ] = None
    rate: Annotated[
        float | None, Parameter(group=_SEEING, help="Samples per second, instead of what the (first) file says.")
    ] = None
    scales: Annotated[
        int | None,
        Parameter(metavar="INT", group=_SEEING, help="How many, each twice as coarse; at most 8 unless given."),
    ] = None
    filters: Annotated[
        int | None, Parameter(metavar="INT", group=_SEEING, help="Random filters at every scale; 64 unless given.")
    ] = None
    width: Annotated[
        int | None, Parameter(metavar="INT", group=_SEEING, help="Of every filter, in samples; 11 unless given.")
    ] = None
    filter_seed: Annotated[int | None, Parameter(metavar="INT", group=_SEEING, help="Of the random filters.")] = None

    def made(self) -> "Scales":
        """What was given, over the defaults."""
        from impasto.tasks.signal_scales import Scales

        return Scales(**numbers({name: getattr(self, name) for name in ("scales", "filters", "width", "filter_seed")}))

    def record(self, path: str, rate: float | None = None) -> "Record":
        """A record with the leads that are asked for."""
        from impasto import signals

        record = signals.read(path, rate)
        return record if self.leads is None else record.chosen(self.leads.split(","))


_DEFAULT = SignalOptions()


@app.command(usage="Usage: impasto signal stylize CONTENT STYLE [STYLE ...] -o OUT [OPTIONS]", help_epilogue="")
def stylize(
    content: Annotated[str, Parameter(help="The record: CSV, NPY or DICOM.")],
    styles: Annotated[
        list[str], Parameter(name="STYLE", help="The record to take the style from, or several to blend.")
    ],
    /,
    *,
    style_rate: Annotated[
        float | None, Parameter(group=_SEEING, help="Samples per second of the styles, instead of what they say.")
    ] = None,
    seeing: Annotated[SignalOptions, Parameter(name="*")] = _DEFAULT,
    run: Annotated[SequenceOptions, Parameter(name="*")] = NO_OPTIONS,
    given: Annotated[Given | None, Parameter(name="*")] = None,
) -> int:
    """Give a record the style of others. The result is not for diagnosis.

    With --json a report is printed: output, picture, complete, losses, measures, timings, notes and
    recipe.
    """
    where = run.destination([content, *styles], "out.csv")

    from impasto import signals
    from impasto.tasks.signal import SignalTransfer

    signals.check_writable(where.path)
    records = [seeing.record(name, style_rate) for name in styles]
    task = SignalTransfer.of(seeing.record(content, seeing.rate), records, scales=seeing.made(), **(given or {}))
    task.check_writable(where.path)
    return perform(task, where, run)


@app.command(usage="Usage: impasto signal texture RECORD [RECORD ...] -o OUT [OPTIONS]", help_epilogue="")
def texture(
    records: Annotated[list[str], Parameter(name="RECORD", help="The exemplar, or several to blend.")],
    /,
    *,
    samples: Annotated[int | None, Parameter(metavar="INT", help="Length; the exemplar's unless given.")] = None,
    seeing: Annotated[SignalOptions, Parameter(name="*")] = _DEFAULT,
    run: Annotated[SequenceOptions, Parameter(name="*")] = NO_OPTIONS,
    given: Annotated[GivenTexture | None, Parameter(name="*")] = None,
) -> int:
    """Make a record of any length with the statistics of an exemplar. The result is not for diagnosis.

    With --json a report is printed: output, picture, complete, losses, measures, timings, notes and
    recipe.
    """
    where = run.destination(records, "out.csv")

    from impasto import signals
    from impasto.tasks.signal import SignalTransfer

    signals.check_writable(where.path)
    read = [seeing.record(name, seeing.rate) for name in records]
    task = SignalTransfer.texture(read, samples, scales=seeing.made(), **(given or {}))
    task.check_writable(where.path)
    return perform(task, where, run)
