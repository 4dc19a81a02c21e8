"""A run from the command line, once its options are read: what is checked before it, the run itself, and what is said of it."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from impasto.cli.options.byproducts import BestEffortWriter
from impasto.cli.options.destination import Destination
from impasto.cli.options.keeping import KEPT_ELSEWHERE, Kept
from impasto.cli.options.outputs import Outputs
from impasto.cli.options.resources import group_of_run, within_budget
from impasto.cli.options.running import PictureOptions, RunOptions
from impasto.cli.terminal.interruption import Interruption
from impasto.cli.terminal.progress import Reporter, duration, reporter, size
from impasto.cli.terminal.reports import plan_report, report, show_plan
from impasto.cli.terminal.streams import complain, printable, put_json
from impasto.errors import SettingsError
from impasto.files import is_folder

if TYPE_CHECKING:
    from impasto.runs.events import Event
    from impasto.runs.result import Result
    from impasto.runs.run import Run

_STOPPED = 130
_LONG = 2**22  # positions from which measuring the losses may take minutes


def check_saving(run: "Run", where: Destination, options: RunOptions) -> tuple[str, ...]:
    """Raise now what saving the results of a prepared run would raise.

    Returns:
        Sentences on what of the input's file there will be no room for.

    Raises:
        ImpastoError: if a format cannot hold the result.
    """
    notes = where.check_run(run)
    if options.watch is not None and where.medium == "picture":
        Destination(Path(options.watch)).check(run.like, run.levels[-1].shape)
    if isinstance(options, PictureOptions) and options.film is not None and where.medium == "picture":
        options.film_of(run, where).check()
    if options.dry_run and options.checkpoint is not None and is_folder(options.checkpoint):
        run.saver(options.checkpoint).load()
    return notes


def perform(
    run: "Run",
    where: Destination,
    options: RunOptions,
    *,
    until: Callable[["Event"], bool] | None = None,
    notes: Sequence[str] = (),
) -> int:
    """Run, save, report, and return the exit code.

    Args:
        run: prepared.
        where: where its picture goes.
        options: what else it leaves behind.
        until: asked at every event; True ends the run there as intended.
        notes: sentences to say at the beginning.
    """
    notes = (*notes, *check_saving(run, where, options))
    if options.dry_run:
        rehearse(run, options, where.outputs)
        for sentence in notes:
            complain(sentence)
        return 0
    with group_of_run() as group:
        if group.rank:
            within_budget(run, options.memory, group).assist()
            return 0
        return _perform(lambda tell: within_budget(run, options.memory, group, tell), where, options, until, notes)


def rehearse(run: "Run", options: RunOptions, outputs: Outputs) -> None:
    """Say what a run would do and write, as ``--dry-run`` asks."""
    from impasto.engines.group import ALONE

    plan = within_budget(run, options.memory, ALONE).plan()
    if plan is None or options.as_json:
        writes = {"writes": outputs.listed}
        put_json(
            writes if plan is None else plan_report(plan, run, outputs.listed)
        ) if options.as_json else outputs.show()
        return
    show_plan(plan)
    outputs.show()


def _perform(
    fit: Callable[[Reporter], "Run"],
    where: Destination,
    options: RunOptions,
    until: Callable[["Event"], bool] | None,
    notes: Sequence[str],
) -> int:
    """Run, save and report a run that ``fit`` makes fit its resources."""
    said = list(notes)
    with reporter(quiet=options.quiet) as tell, Interruption(lambda: tell.say(_STOPPING)) as interruption:
        run = fit(tell)
        products = _products(run, where, options, tell, said)
        for sentence in notes:
            tell.say(sentence)

        def listen(event: "Event") -> bool:
            interruption.expect_picture()
            tell(event)
            for product in products:
                product(event)
            return interruption.asked or (until is not None and until(event))

        result, kept = _kept(run, where, options, listen, interruption)
        for product in products:
            product.finish(result)
    stopped = interruption.asked and not result.complete
    for sentence in _closing(result, where, options, kept, stopped=stopped):
        tell.say(sentence)
    if kept.trouble is not None:
        complain(kept.trouble)
        said.append(kept.trouble)
    if options.as_json:
        put_json(report(result, kept.path, said, where.beside))
    return KEPT_ELSEWHERE if kept.trouble is not None else _STOPPED if stopped else 0


def _kept(
    run: "Run",
    where: Destination,
    options: RunOptions,
    listen: Callable[["Event"], bool],
    interruption: Interruption,
) -> tuple["Result", Kept]:
    """Run and save. What takes long to measure, or was stopped, is saved before it is measured and again after that."""
    early: list[Kept] = []

    def save_early(result: "Result") -> None:
        if interruption.asked or result.tensor.numel() >= 3 * _LONG:
            early.append(where.save(result))

    try:
        result = run.run(listen, options.checkpoint, on_result=save_early)
    except SettingsError as error:
        if not interruption.asked:
            raise
        raise KeyboardInterrupt(str(error)) from None  # stopped before there was anything to keep
    except KeyboardInterrupt:
        if not early:
            raise
        [kept] = early
        raise KeyboardInterrupt(
            kept.trouble or f"Aborted before the losses were measured; the picture is in {where}."
        ) from None
    return result, early[0] if early and (early[0].trouble or where.path is None) else where.save(result)


_STOPPING = "Stopping after this step; the best so far will be saved. Ctrl-C again aborts at once."


def _products(
    run: "Run", where: Destination, options: RunOptions, tell: Reporter, said: list[str]
) -> list[BestEffortWriter]:
    def warn(sentence: str) -> None:
        said.append(sentence)
        (complain if options.quiet else tell.say)(sentence)

    return [BestEffortWriter(product, warn, again=again) for product, again in options.products(run, where)]


def _closing(result: "Result", where: Destination, options: RunOptions, kept: Kept, *, stopped: bool) -> list[str]:
    """The last sentences of a run."""
    last = result.history[-1]
    if stopped:
        what = "picture" if where.medium == "picture" else "result"
        place = f"; the best {what} is in {where}" if kept.trouble is None else ""
        first = f"Stopped on level {last.level + 1} after {last.evaluation} evaluations{place}."
        if options.checkpoint:
            first += f" The same command goes on from the checkpoint in {options.checkpoint}."
    else:
        done = f"Wrote {where}" if kept.trouble is None else "Finished"
        extent = "".join(f", {size(result.tensor.shape[2:])}" for _ in result.tensor.shape[2:3])
        first = f"{done}{extent}, after {duration(sum(result.timings.values()))}."
    values = {name: value for name, value in result.measures.items() if where.medium == "picture" or value is not None}
    found = ", ".join(f"{name.replace('_', ' ')} {printable(value)}" for name, value in values.items())
    told = [f"Measured: {found}."] if found else []
    if where.medium == "video" and not stopped:
        told.append(
            f"The painted frames are in {options.checkpoint}: with them another codec or quality paints nothing again. "
            "Delete them at will."
        )
    return [*result.notes, first, *told]
