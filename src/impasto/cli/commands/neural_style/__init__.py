"""``impasto neural-style``: the flags of neural-style and neural-style-pt, for scripts that are already there."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from operator import methodcaller
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from impasto import __version__
from impasto.cli.commands.neural_style.arguments import Given, help_text, read
from impasto.cli.options.destination import Destination
from impasto.cli.options.film import FilmWriter
from impasto.cli.options.keeping import KEPT_ELSEWHERE, Kept, Way, keep
from impasto.cli.options.outputs import Outputs
from impasto.cli.terminal.interruption import Interruption
from impasto.cli.terminal.streams import complain, put
from impasto.errors import ImpastoError
from impasto.files import is_file

if TYPE_CHECKING:
    from impasto.runs.pictures.neural_style.objective import Losses
    from impasto.runs.pictures.neural_style.painting import Moment, Painting

_STOPPED = 130
_STOPPING = "Stopping after this step; the best picture so far will be saved. Ctrl-C again aborts at once."
_HELP = {"-h", "-help", "--help"}


def neural_style(
    *words: Annotated[str, Parameter(name="FLAG", show=False, allow_leading_hyphen=True)],
) -> int:
    """Run a neural-style command line: its flags, its objective, its losses."""
    if _HELP & set(words):
        put(help_text().rstrip())
        return 0
    given = read(words)
    outputs = _outputs(given)
    from impasto import machine

    with machine.undisturbed():
        return _perform(_on_this_machine(given), outputs)


def _perform(given: Given, outputs: Outputs) -> int:
    """Check, run, save, and return the exit code."""
    from impasto.runs.pictures.neural_style.painting import Painting

    painting = Painting.of(given.flags)
    outputs.also_read(painting.files())
    Destination(Path(given.output_image)).check(shape=painting.shape)
    film = None if given.film is None else FilmWriter(Path(given.film), painting.shape, outputs)
    if film is not None:
        film.check()
    for sentence in (*given.notes, *_about(painting)):
        complain(sentence)
    if given.dry_run:
        outputs.show()
        return 0
    return _paint(painting, given, outputs, film)


def _on_this_machine(given: Given) -> Given:
    """The command line, told to compute on the best device where there is no GPU to be numbered.

    Raises:
        SettingsError: if there are others than the one that was named.
    """
    import torch

    from impasto import machine

    device = given.flags.device
    if not device.startswith("cuda"):
        return given
    if torch.cuda.is_available():
        machine.device(device)
        return given
    here = machine.device().type
    note = f"-gpu {device.partition(':')[2]}: no such GPU is here; everything runs on {'the processor' if here == 'cpu' else here}."
    return replace(given, flags=replace(given.flags, device="auto"), notes=(*given.notes, note))


def _outputs(given: Given) -> Outputs:
    """The files that are written, after every check that needs no picture."""
    from impasto.cli.terminal.origin import made_here
    from impasto.images.picture import PICTURES

    flags = given.flags
    named = [flags.content_image, *flags.style_image]
    if flags.init_image is not None and not made_here(Path(flags.init_image)):  # else a script's result goes on growing
        named.append(flags.init_image)
    outputs = Outputs([Path(name) for name in named], overwrite=given.overwrite, option="-overwrite")
    path = Path(given.output_image)
    Destination(path).check()
    outputs.add(path, "-output_image")
    counts = range(given.save_iter, flags.num_iterations, given.save_iter) if given.save_iter > 0 else range(0)
    if counts:
        frames = [_numbered(given.output_image, iteration) for iteration in counts]
        PICTURES.replace(frames[-1], None)
        outputs.add_several(f"{path.with_suffix('')}_N{path.suffix}", filter(Path.exists, frames), "-save_iter")
    if given.film is not None:
        from impasto import videos

        videos.check_name(Path(given.film))
        outputs.add(Path(given.film), "-film")
    return outputs


def _paint(painting: "Painting", given: Given, outputs: Outputs, film: FilmWriter | None) -> int:
    """Run, print and save on the way, save at the end, and return the exit code."""
    put(f"Running optimization with {'L-BFGS' if given.flags.optimizer == 'lbfgs' else 'ADAM'}")
    last: Moment | None = None
    with Interruption(lambda: complain(_STOPPING)) as interruption:
        for moment in painting.run():
            interruption.expect_picture()
            film = _after(film, methodcaller("add", painting.finished(moment.image)))
            for iteration, reached in iterations_due(last, moment, given.print_iter):
                put(_lines(iteration, given.flags.num_iterations, reached.losses))
            for iteration, reached in iterations_due(last, moment, given.save_iter):
                if iteration != given.flags.num_iterations:
                    _save_frame(painting, reached, _numbered(given.output_image, iteration), given, outputs)
            last = moment
            if interruption.asked:
                break
        assert last is not None
        path, write = Path(given.output_image), partial(_write, painting, last, given.text)
        kept = keep(path, (Way(path.suffix, write), Way(".png", write)), outputs)
    if kept.trouble is not None:
        complain(kept.trouble)
    _conclude(painting, last, given, kept)
    said = {"impasto": __version__, "parameters": given.text}
    _after(film, methodcaller("end", painting.finished(last.image), said))
    return KEPT_ELSEWHERE if kept.trouble is not None else _STOPPED if interruption.asked else 0


def iterations_due(before: "Moment | None", now: "Moment", every: int) -> Iterator[tuple[int, "Moment"]]:
    """The multiples of ``every`` that an update has passed, each with what had been reached by then."""
    if every <= 0:
        return
    first = 0 if before is None else before.evaluation
    for iteration in range((first // every + 1) * every, now.evaluation + 1, every):
        yield iteration, now if before is None or iteration == now.evaluation else before


def _lines(iteration: int, total: int, losses: "Losses") -> str:
    content = (f"  Content {number} loss: {value:f}" for number, value in enumerate(losses.content, 1))
    style = (f"  Style {number} loss: {value:f}" for number, value in enumerate(losses.style, 1))
    return "\n".join([f"Iteration {iteration} / {total}", *content, *style, f"  Total loss: {losses.total:f}"])


def _numbered(output: str, iteration: int) -> Path:
    """``out_100.png`` for ``out.png``."""
    path = Path(output)
    return path.with_name(f"{path.stem}_{iteration}{path.suffix}")


def _write(painting: "Painting", moment: "Moment", text: str, path: Path) -> None:
    from impasto import images

    images.write(path, painting.finished(moment.image), parameters=text)


def _save_frame(painting: "Painting", moment: "Moment", path: Path, given: Given, outputs: Outputs) -> None:
    """Write a picture on the way; where that fails, it is said and the run goes on."""
    try:
        outputs.claim(path)
        _write(painting, moment, given.text, path)
    except (ImpastoError, OSError) as error:
        complain(f"{error} The run goes on without it.")


def _after(film: FilmWriter | None, act: Callable[[FilmWriter], None]) -> FilmWriter | None:
    """A film after something was done with it; None if that failed, which is said: the picture is not touched by it."""
    if film is None:
        return None
    try:
        act(film)
    except (ImpastoError, OSError) as error:
        complain(f"{error} There is no film; the picture is not touched by that.")
        return None
    return film


def _conclude(painting: "Painting", last: "Moment", given: Given, kept: Kept) -> None:
    """Say what the file holds, in the losses' own scale."""
    from impasto.images import quantize

    image = last.image.cpu()
    exact, held = painting.losses(image, quantize(painting.finished(image)))
    stalled = ", where no direction lowered the loss any more" if last.stalled else ""
    done = f"Wrote {given.output_image}" if kept.trouble is None else "Finished"
    put(f"{done} after {last.evaluation} iterations{stalled}.")
    put(f"  Total loss in fp32: {exact.total:f}, of the 8 bits in the file: {held.total:f}")


def _about(painting: "Painting") -> Iterator[str]:
    """Sentences about the model file, where it is not what a script may think."""
    flags = painting.flags
    if flags.network and is_file(flags.model_file) and flags.model_file.endswith(".caffemodel"):
        yield f"{flags.model_file} is not read: the same network comes with impasto."
    named = [name for name in (*flags.content_layers, *flags.style_layers) if name.startswith("conv")]
    if named:
        yield f"{', '.join(named)}: layers are looked at after their ReLU, here as in most programs."
