"""neural-style's command line: single-dash flags with long names, of the Lua program and of neural-style-pt."""

import argparse
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import PurePath
from typing import Any, NoReturn

from impasto.errors import SettingsError
from impasto.files import is_there
from impasto.runs.pictures.neural_style.flags import BUNDLED, Flags

_DEFAULTS = Flags(content_image="", style_image=("",))


@dataclass(frozen=True)
class Given:
    """A command line, read.

    Args:
        flags: what decides the picture.
        output_image: where it goes.
        print_iter: losses are printed every so many evaluations; 0 for never.
        save_iter: a picture is saved every so many evaluations; 0 for only the last.
        film: where a film of the picture emerging goes.
        overwrite: whether pictures that impasto did not make are replaced.
        dry_run: whether it ends before the run.
        notes: sentences about flags that do something else here, or nothing.
        text: the command line, as it is stored in the pictures.
    """

    flags: Flags
    output_image: str
    print_iter: int
    save_iter: int
    film: str | None
    overwrite: bool
    dry_run: bool
    notes: tuple[str, ...]
    text: str


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise SettingsError(f"{message[:1].upper()}{message[1:]}; `impasto neural-style -help` lists the flags.")


def read(words: Sequence[str]) -> Given:
    """The flags in the words after ``impasto neural-style``.

    Raises:
        SettingsError: with one sentence on what is wrong with them.
    """
    text = shlex.join(["impasto", "neural-style", *words])
    values = vars(_parser().parse_args([word.removeprefix("-") if word.startswith("--") else word for word in words]))
    _check_model(values["model_file"])
    device, notes = _device(values.pop("gpu"))
    notes += _notes(values)
    names = ("output_image", "print_iter", "save_iter", "film", "overwrite", "dry_run")
    own = {name: values.pop(name) for name in names}
    flags = Flags(
        **{name: value for name, value in values.items() if name in Flags.__dataclass_fields__}, device=device
    )
    if flags.init_image is not None and flags.init != "image":
        notes.append("-init_image has no effect without -init image, as in neural-style.")
    return Given(flags, **own, notes=tuple(notes), text=text)


def help_text() -> str:
    """All flags with their defaults."""
    return _parser().format_help().replace("usage:", "Usage:", 1)


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="impasto neural-style",
        usage="impasto neural-style -content_image FILE -style_image FILE[,FILE ...] [-output_image FILE] [FLAGS]",
        description="neural-style and neural-style-pt: their flags, their objective, their losses.",
        formatter_class=partial(argparse.HelpFormatter, max_help_position=40, width=120),
        add_help=False,
    )
    _add_pictures(parser)
    _add_objective(parser)
    _add_descent(parser)
    idle = parser.add_argument_group("accepted, without effect here")
    for name, kind in _IDLE.items():
        _add(idle, name, "", default=argparse.SUPPRESS, **({"action": "store_true"} if kind is bool else {}))
    return parser


def _add_pictures(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("pictures")
    _add(group, "content_image", "the photo", required=True)
    _add(group, "style_image", "the paintings, with commas between them; or a folder", required=True, type=_files)
    _add(group, "init_image", "what -init image starts from; the photo unless given")
    _add(group, "output_image", "where the picture goes", default="out.png")
    _add(group, "image_size", "long side of the result, in pixels", type=int)
    _add(group, "style_scale", "long side of the paintings, relative to -image_size", type=float)
    _add(group, "original_colors", "1 keeps the photo's colors", type=_switch, metavar="0|1")
    _add(group, "print_iter", "print losses every so many iterations; 0 for never", type=int, default=50)
    _add(group, "save_iter", "save OUT_N every so many iterations; 0 for only the end", type=int, default=100)
    _add(group, "film", "also a film of the picture emerging, .mp4, .webm, .gif, ...; impasto's own")
    _add(group, "overwrite", "replace pictures that impasto did not make, too; impasto's own", action="store_true")
    _add(group, "dry_run", "check everything, say what would be written, and stop; impasto's own", action="store_true")


def _add_objective(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("objective")
    _add(group, "style_blend_weights", "shares of the paintings, with commas; equal unless given", type=_numbers)
    _add(group, "content_weight", "weight of the content loss", type=float)
    _add(group, "style_weight", "weight of the style loss", type=float)
    _add(group, "tv_weight", "weight of the total variation", type=float)
    _add(group, "content_layers", "layers of the content, with commas", type=_names)
    _add(group, "style_layers", "layers of the style, with commas", type=_names)
    _add(group, "normalize_weights", "divide weights by the largest extent of their targets", action="store_true")
    _add(
        group,
        "normalize_gradients",
        "alone as in neural-style-pt, with a number as in neural-style",
        nargs="?",
        const="",
        type=lambda text: float(text) if text else "",
    )
    _add(group, "pooling", "max or avg", choices=("max", "avg"))
    _add(group, "model_file", f"{', '.join(BUNDLED)} (not needed: they are included), or a VGG-16 or VGG-19 .pth")


def _add_descent(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("descent")
    _add(group, "num_iterations", "evaluations of loss and gradient", type=int)
    _add(group, "init", "random or image", choices=("random", "image"))
    _add(group, "seed", "of -init random; -1 takes another one every time", type=int)
    _add(group, "optimizer", "lbfgs or adam", choices=("lbfgs", "adam"))
    _add(group, "learning_rate", "Adam's step, in levels of 256", type=float)
    _add(group, "lbfgs_num_correction", "steps that L-BFGS remembers", type=int)
    _add(group, "gpu", "a GPU's number; c or -1 for the processor", default="auto")
    _add(group, "precision", "fp32, bf16 or auto; impasto's own", choices=("auto", "fp32", "bf16"))


_IDLE = {
    "backend": str,
    "cudnn_autotune": bool,
    "disable_check": bool,
    "multidevice_strategy": str,
    "multigpu_strategy": str,
    "proto_file": str,
}


def _add(group: Any, name: str, text: str, **options: Any) -> None:
    default = options.setdefault("default", getattr(_DEFAULTS, name, None))
    if options.get("required") or options.get("action"):
        options.pop("default") if options.get("required") else None
    elif default not in (None, argparse.SUPPRESS):
        text += (
            f" ({','.join(default) if isinstance(default, tuple) else int(default) if default is False else default})"
        )
    if "action" not in options and "choices" not in options:
        options.setdefault("metavar", "X")
    group.add_argument(f"-{name}", dest=name, help=text, **options)


def _names(text: str) -> tuple[str, ...]:
    names = tuple(part.strip() for part in text.split(",") if part.strip())
    if not names:
        raise argparse.ArgumentTypeError("there is no name between the commas")
    return names


def _files(text: str) -> tuple[str, ...]:
    """Names with commas between them, of which some may have commas of their own: those that are there go first."""
    parts, names = text.split(","), list[str]()
    while parts:
        whole = (count for count in range(len(parts), 1, -1) if is_there(",".join(parts[:count])))
        count = next(whole, 1)
        names.append(",".join(parts[:count]) if count > 1 else parts[0].strip())
        del parts[:count]
    return _names(text) if not any(names) else tuple(name for name in names if name)


def _numbers(text: str) -> tuple[float, ...] | None:
    return None if text == "nil" else tuple(float(part) for part in text.split(","))


def _switch(text: str) -> bool:
    if text not in ("0", "1"):
        raise argparse.ArgumentTypeError(f"0 or 1 is needed, not {text!r}")
    return text == "1"


def _device(gpu: str) -> tuple[str, list[str]]:
    """The device that ``-gpu`` means, and what is to be said about it."""
    if gpu == "auto":
        return "auto", []
    several = [part.strip().lower() for part in str(gpu).split(",")]
    notes = [] if len(several) == 1 else [f"-gpu {gpu} names several devices; everything runs on the first."]
    first = several[0]
    if first in ("-1", "c", "cpu"):
        return "cpu", notes
    number = first.removeprefix("cuda:")
    if not number.isdigit():
        raise SettingsError(f"-gpu is {gpu!r}; give a GPU's number, c or -1 for the processor, or leave it out.")
    return f"cuda:{number}", notes


def _check_model(model_file: str) -> None:
    """Refuse the models that neural-style takes and that are no VGG-16 or VGG-19."""
    name = PurePath(model_file).name
    if name in BUNDLED:
        return
    network = next((network for word, network in _OTHERS.items() if name.lower().startswith(word)), None)
    if network is None and name.lower().endswith(".caffemodel"):
        network = "a Caffe file"
    if network is not None:
        raise SettingsError(
            f"-model_file {model_file} is {network}; a VGG-16 or VGG-19 is needed, as .pth. Leave it out for the VGG-19 of "
            "both programs, which is included, and its layers, such as relu4_2."
        )


_OTHERS = {
    "nin_imagenet": "a Network in Network (NIN)",
    "channel_pruning": "a VGG-16 of other widths (channel pruning)",
    "inception": "an Inception network",
    "googlenet": "an Inception network",
    "alexnet": "an AlexNet",
    "vgg_cnn": "a VGG-CNN",
}
"""By how the names of their files begin."""


def _notes(values: dict[str, Any]) -> list[str]:
    idle = [f"-{name}" for name in _IDLE if name in values]
    if not idle:
        return []
    verb = "has" if len(idle) == 1 else "have"
    return [f"{', '.join(idle)} {verb} no effect here: torch chooses, and one device holds the whole picture."]
