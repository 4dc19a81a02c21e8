"""``impasto preview``."""

from pathlib import Path
from typing import Annotated, Any

from cyclopts import Group, Parameter
from cyclopts.validators import Number

from impasto.choices import Precision
from impasto.cli.destination import Destination, refuse_overwriting
from impasto.cli.progress import size as sides
from impasto.cli.streams import put_json, tell
from impasto.errors import SettingsError

_OUTPUT = Group("Output", sort_key=1, help="None of these changes the picture.")


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
    output: Annotated[
        str | None,
        Parameter(
            name=("--output", "-o"),
            metavar="FILE",
            group=_OUTPUT,
            allow_leading_hyphen=True,
            help="Where the picture goes; - writes a PNG to standard output.",
        ),
    ] = None,
    quality: Annotated[
        int | None,
        Parameter(metavar="INT", group=_OUTPUT, validator=Number(gte=1, lte=100), help="1 to 100; 95 unless given."),
    ] = None,
    no_metadata: Annotated[
        bool, Parameter(group=_OUTPUT, show_default=False, help="Leave out of the file how it was made.")
    ] = False,
    as_json: Annotated[
        bool, Parameter(name="--json", group=_OUTPUT, show_default=False, help="Report as JSON on standard output.")
    ] = False,
    quiet: Annotated[bool, Parameter(name=("--quiet", "-q"), group=_OUTPUT, show_default=False)] = False,
) -> None:
    """Show roughly what a photo looks like in the style of paintings, in a second.

    The JSON form has ``output``, ``width``, ``height``, ``seconds`` (of the networks alone) and ``recipe``.
    """
    where = Destination(_path(output, as_json=as_json), quality, None, not no_metadata)
    where.check()
    if where.path is not None:
        refuse_overwriting(where.path, [Path(name) for name in (content, *styles)], "The output")

    from impasto.feedforward.preview import preview as previewed

    look: dict[str, Any] = {"size": size, "strength": strength, "blend": _shares(blend), "style_scale": style_scale}
    found = previewed(content, styles, **look, precision=precision, device=device)
    where.save(found)
    height, width = found.tensor.shape[2:]
    if not quiet:
        tell(f"Wrote {where}, {sides((height, width))}, after {found.seconds:.2f} s of computing.")
    if as_json:
        facts = {"output": output, "width": width, "height": height}
        put_json({**facts, "seconds": found.seconds, "recipe": found.recipe})


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
