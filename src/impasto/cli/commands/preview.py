"""``impasto preview``."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Group, Parameter
from cyclopts.validators import Number

from impasto.choices import Precision
from impasto.cli.options.destination import Destination
from impasto.cli.options.keeping import KEPT_ELSEWHERE, Kept
from impasto.cli.options.outputs import DryRun, Outputs, Overwrite
from impasto.cli.terminal.progress import size as sides
from impasto.cli.terminal.streams import complain, put_json, tell
from impasto.errors import SettingsError

if TYPE_CHECKING:
    from impasto.feedforward.preview import Preview

_OUTPUT = Group("Output", sort_key=1, help="None of these changes the picture.")

PictureFile = Annotated[
    str | None,
    Parameter(
        name=("--output", "-o"),
        metavar="FILE",
        group=_OUTPUT,
        allow_leading_hyphen=True,
        help="Where the picture goes; - writes a PNG to standard output.",
    ),
]
Quality = Annotated[
    int | None,
    Parameter(metavar="INT", group=_OUTPUT, validator=Number(gte=1, lte=100), help="1 to 100; 95 unless given."),
]


def preview(
    content: Annotated[str, Parameter(help="The photo.")],
    styles: Annotated[list[str], Parameter(name="STYLE", help="The painting, or several to blend.")],
    /,
    *,
    size: Annotated[int, Parameter(help="Long side of the picture, in pixels.")] = 512,
    strength: Annotated[float, Parameter(help="How much style, 0 to 1.")] = 1.0,
    blend: Annotated[
        str | None, Parameter(metavar="NUMBERS", help="Share of each style, with commas; equal unless given.")
    ] = None,
    style_scale: Annotated[float, Parameter(help="Long side of the styles, relative to the picture's.")] = 1.0,
    precision: Annotated[Precision, Parameter(help="auto takes bf16 where this machine is fast at it.")] = "auto",
    device: Annotated[str, Parameter(help="auto, cpu, cuda, mps, ...")] = "auto",
    output: PictureFile = None,
    quality: Quality = None,
    no_metadata: Annotated[
        bool, Parameter(group=_OUTPUT, show_default=False, help="Leave out of the file how it was made.")
    ] = False,
    overwrite: Annotated[Overwrite, Parameter(group=_OUTPUT)] = False,
    dry_run: Annotated[DryRun, Parameter(group=_OUTPUT)] = False,
    as_json: Annotated[
        bool, Parameter(name="--json", group=_OUTPUT, show_default=False, help="Report as JSON on standard output.")
    ] = False,
    quiet: Annotated[bool, Parameter(name=("--quiet", "-q"), group=_OUTPUT, show_default=False)] = False,
) -> int:
    """Show roughly what a photo looks like in the style of paintings, in a second.

    The JSON form has ``output``, ``width``, ``height``, ``seconds`` (of the networks alone), ``notes`` and ``recipe``.
    """
    inputs = [Path(name) for name in (content, *styles)]
    outputs = Outputs(inputs, overwrite=overwrite)
    where = Destination(_path(output, as_json=as_json), quality, None, not no_metadata, outputs)
    where.check()
    if where.path is not None:
        outputs.add(where.path, "The output")
    from impasto import images
    from impasto.feedforward.preview import check_values
    from impasto.feedforward.preview import preview as previewed
    from impasto.pyramid import fitted

    look: dict[str, Any] = {"size": size, "strength": strength, "style_scale": style_scale}
    check_values(**look)
    photo = images.read(content)
    notes = where.check(photo, fitted(photo.shape, size))
    if dry_run:
        for path in inputs[1:]:
            images.read(path)
        outputs.show(as_json=as_json)
        for sentence in notes:
            complain(sentence)
        return 0

    look["blend"] = _shares(blend)
    found = previewed(photo, styles, **look, precision=precision, device=device)
    return _report(found, where.save(found), where, notes, as_json=as_json, quiet=quiet)


def _report(
    found: "Preview", kept: Kept, where: Destination, notes: Sequence[str], *, as_json: bool, quiet: bool
) -> int:
    """Say where the picture is, and return the exit code."""
    height, width = found.tensor.shape[2:]
    for sentence in () if quiet else notes:
        tell(sentence)
    if kept.trouble is not None:
        complain(kept.trouble)
    elif not quiet:
        tell(f"Wrote {where}, {sides((height, width))}, after {found.seconds:.2f} s of computing.")
    if as_json:
        facts = {"output": None if kept.path is None else str(kept.path), "width": width, "height": height}
        put_json({**facts, "seconds": found.seconds, "notes": list(notes), "recipe": found.recipe})
    return 0 if kept.trouble is None else KEPT_ELSEWHERE


def _path(output: str | None, *, as_json: bool) -> Path | None:
    """Where the picture goes; None is standard output."""
    if output is None:
        raise SettingsError("There is no output; add -o FILE, for example -o preview.png.")
    if output == "-" and as_json:
        raise SettingsError("-o - and --json both want standard output; name a file for the picture.")
    return None if output == "-" else Path(output)


def _shares(text: str | None) -> list[float] | None:
    if text is None:
        return None
    try:
        return [float(part) for part in text.split(",")]
    except ValueError:
        raise SettingsError(f"The blend is {text!r}; give one number per style, with commas between them.") from None
